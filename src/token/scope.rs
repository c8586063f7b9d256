//! Scopes: what a token allows its bearer to do. RFC 6749 section 3.3.

use super::claims::Span;
use std::fmt;

/// One scope-token: printable ASCII without space, `"` and `\`.
///
/// Compared as a whole and case-sensitively; no prefix, wildcard or hierarchy (those are a policy's *implications*).
///
/// ```
/// use tollgate::token::Scope;
///
/// assert_eq!(Scope::new("orders:read")?.as_str(), "orders:read");
/// assert!(Scope::new("orders read").is_err());
/// # Ok::<(), tollgate::token::InvalidScope>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Scope(Box<str>);

impl Scope {
    /// Parses a scope-token.
    ///
    /// # Errors
    /// [`InvalidScope`] if it is empty or holds a character outside of RFC 6749's `scope-token`.
    pub fn new(text: &str) -> Result<Self, InvalidScope> {
        let valid = |b: u8| b == 0x21 || (0x23..=0x5b).contains(&b) || (0x5d..=0x7e).contains(&b);
        if text.is_empty() || !text.bytes().all(valid) {
            return Err(InvalidScope);
        }
        Ok(Self(text.into()))
    }

    /// The scope-token's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

/// A text that is no scope-token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a scope is printable ASCII without space, `\"` and `\\` (RFC 6749 section 3.3)")]
pub struct InvalidScope;

/// The scopes that a token grants, as it spells them.
///
/// A `scope` string is split at spaces; a list's element is one scope even if it has a space in it, and then matches
/// nothing that a policy can ask for.
///
/// ```
/// use tollgate::token::ScopeSet;
///
/// let granted = ScopeSet::from_delimited("orders:read profile");
/// assert!(granted.contains("orders:read"));
/// assert!(!granted.contains("orders"));
/// ```
#[derive(Clone, Copy)]
pub struct ScopeSet<'a>(Form<'a>);

#[derive(Clone, Copy)]
enum Form<'a> {
    Delimited(&'a str),
    Listed { text: &'a str, spans: &'a [Span] },
}

impl<'a> ScopeSet<'a> {
    /// The scopes of a space-delimited string (RFC 6749 section 3.3).
    pub fn from_delimited(text: &'a str) -> Self {
        Self(Form::Delimited(text))
    }

    /// The scopes at these places of a text; none of them is empty.
    pub(super) fn listed(text: &'a str, spans: &'a [Span]) -> Self {
        Self(Form::Listed { text, spans })
    }

    /// Whether this very scope is granted.
    pub fn contains(&self, scope: &str) -> bool {
        self.iter().any(|granted| granted == scope)
    }

    /// The granted scopes, in the order in which the token names them.
    pub fn iter(&self) -> impl Iterator<Item = &'a str> + Clone + use<'a> {
        let (delimited, text, spans) = match self.0 {
            Form::Delimited(delimited) => (delimited, "", [].as_slice()),
            Form::Listed { text, spans } => ("", text, spans),
        };
        let delimited = delimited.split(' ').filter(|scope| !scope.is_empty());
        delimited.chain(spans.iter().map(|span| span.of(text)))
    }

    /// The number of scopes named.
    pub fn len(&self) -> usize {
        self.iter().count()
    }

    /// Whether nothing is granted.
    pub fn is_empty(&self) -> bool {
        self.iter().next().is_none()
    }

    /// The scopes joined by a space, as in a `scope` string.
    pub fn to_delimited(&self) -> String {
        self.iter().collect::<Vec<_>>().join(" ")
    }
}

impl fmt::Debug for ScopeSet<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::token::Claims;

    #[test]
    fn whole_words_only() {
        let granted = ScopeSet::from_delimited("orders:read  orders:write orders:read");
        assert_eq!(granted.iter().collect::<Vec<_>>(), ["orders:read", "orders:write", "orders:read"]);
        for other in
            ["", "orders", "orders:", "orders:reader", "Orders:read", "orders:read orders:write", "orders:*"]
        {
            assert!(!granted.contains(other), "{other}");
        }
    }

    #[test]
    fn other_whitespace_does_not_separate() {
        assert!(!ScopeSet::from_delimited("a\tb,c\nd").contains("a"));
        let claims = Claims::parse(br#"{"scp":["a b","","c\u0020d"]}"#).unwrap();
        let listed = claims.scopes();
        assert_eq!((listed.len(), listed.to_delimited().as_str()), (2, "a b c d"));
        assert!(listed.contains("a b") && listed.contains("c d"));
        assert!(
            !listed.contains("a") && !listed.contains("b") && !listed.contains("c") && !listed.contains("")
        );
    }

    #[test]
    fn scope_tokens_follow_the_grammar() {
        for good in ["a", "https://company.com/scopes/product1.admin", "!", "~", "[]"] {
            assert!(Scope::new(good).is_ok(), "{good}");
        }
        for bad in ["", " ", "a b", "a\"", "a\\", "é", "a\n", "\u{7f}"] {
            assert!(Scope::new(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn scopes_are_told_as_they_were_named() {
        let scope = Scope::new("orders:read").unwrap();
        assert_eq!(
            (scope.as_str(), scope.to_string(), format!("{scope:?}")),
            ("orders:read", "orders:read".into(), "\"orders:read\"".into())
        );
        let granted = ScopeSet::from_delimited(" b  a b");
        assert_eq!((granted.len(), granted.to_delimited()), (3, "b a b".into()));
        assert!(!granted.is_empty() && ScopeSet::from_delimited(" ").is_empty());
        assert_eq!(format!("{granted:?}"), r#"{"b", "a", "b"}"#);
    }
}
