//! A route's path template: `/orders/{id}`, `/files/{*rest}`.

use super::CanonicalPath;
use std::borrow::Cow;
use std::fmt;

/// A path template.
///
/// A segment is a literal, or `{name}`, which stands for exactly one non-empty segment. The last one may be `{*name}`, which
/// stands for whatever follows, at least for the slash before it: `/files/{*rest}` matches `/files/` and `/files/a/b`, but
/// not `/files`. Literals are canonical (see [`CanonicalPath`]) and compared exactly: a path must spell them as the template does.
///
/// ```
/// use tollgate::policy::Template;
///
/// let template = Template::parse("/orders/{id}/lines")?;
/// assert_eq!(template.captures().collect::<Vec<_>>(), ["id"]);
/// assert!(Template::parse("/orders/{id").is_err());
/// # Ok::<(), tollgate::policy::InvalidTemplate>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Template {
    text: Box<str>,
    segments: Box<[TemplateSegment]>,
}

/// One segment of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum TemplateSegment {
    /// This very text.
    Literal(Literal),
    /// Any one segment, under this name.
    Capture(Box<str>),
    /// All that follows, under this name.
    Rest(Box<str>),
}

/// A literal segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Literal {
    /// As it is written in the template.
    pub(super) spelled: Box<str>,
    /// Its escapes decoded.
    pub(super) decoded: Box<str>,
}

impl Template {
    /// Reads a template.
    ///
    /// # Errors
    /// An [`InvalidTemplate`] that says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, InvalidTemplate> {
        let inner = text.strip_prefix('/').ok_or(InvalidTemplate::NoSlash)?;
        let mut segments = Vec::new();
        let mut parts = inner.split('/').peekable();
        while let Some(part) = parts.next() {
            let last = parts.peek().is_none();
            let segment = match part.strip_prefix('{').map(|rest| rest.strip_suffix('}')) {
                Some(Some(name)) => match name.strip_prefix('*') {
                    Some(name) if last => TemplateSegment::Rest(capture_name(name)?),
                    Some(_) => return Err(InvalidTemplate::RestNotLast),
                    None => TemplateSegment::Capture(capture_name(name)?),
                },
                Some(None) => return Err(InvalidTemplate::Braces(part.into())),
                None if part.contains(['{', '}']) => return Err(InvalidTemplate::Braces(part.into())),
                None => literal(part, last)?,
            };
            segments.push(segment);
        }
        let template = Self { text: text.into(), segments: segments.into() };
        let mut names: Vec<&str> = template.captures().collect();
        names.sort_unstable();
        match names.windows(2).find(|pair| pair.first() == pair.last()).and_then(|pair| pair.first()) {
            Some(twice) => Err(InvalidTemplate::NameTwice((*twice).into())),
            None => Ok(template),
        }
    }

    /// The template as written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The names of its captures, from left to right.
    pub fn captures(&self) -> impl Iterator<Item = &str> {
        self.segments.iter().filter_map(|segment| match segment {
            TemplateSegment::Literal(_) => None,
            TemplateSegment::Capture(name) | TemplateSegment::Rest(name) => Some(&**name),
        })
    }

    /// What the capture `name` stands for in a path that this template matches. Escapes are decoded, except for `%2F`.
    pub fn capture<'p>(&self, name: &str, path: &CanonicalPath<'p>) -> Option<Cow<'p, str>> {
        let index = self.segments.iter().position(|segment| match segment {
            TemplateSegment::Literal(_) => false,
            TemplateSegment::Capture(other) | TemplateSegment::Rest(other) => **other == *name,
        })?;
        let mut segments = path.segments().skip(index);
        let first = segments.next()?;
        match self.segments.get(index) {
            Some(TemplateSegment::Rest(_)) => {
                let more: Vec<_> = segments.collect();
                if more.is_empty() {
                    Some(first)
                } else {
                    Some(Cow::Owned(format!("{first}/{}", more.join("/"))))
                }
            }
            _ => Some(first),
        }
    }

    /// Whether its last segment stands for whatever follows.
    pub(super) fn ends_in_rest(&self) -> bool {
        matches!(self.segments.last(), Some(TemplateSegment::Rest(_)))
    }

    /// Whether its last segment is empty: it is for paths that end in a slash.
    pub(super) fn ends_in_slash(&self) -> bool {
        matches!(self.segments.last(), Some(TemplateSegment::Literal(text)) if text.decoded.is_empty())
    }

    /// Whether it says more of a path than `other` does: at the first segment where they differ in kind, it has a literal rather
    /// than a capture, or a capture rather than a rest.
    pub(super) fn is_more_specific_than(&self, other: &Self) -> bool {
        let rank = |segment: &TemplateSegment| match segment {
            TemplateSegment::Rest(_) => 0,
            TemplateSegment::Capture(_) => 1,
            TemplateSegment::Literal(_) => 2,
        };
        self.segments
            .iter()
            .map(rank)
            .zip(other.segments.iter().map(rank))
            .find(|(ours, theirs)| ours != theirs)
            .is_some_and(|(ours, theirs)| ours > theirs)
    }

    pub(super) fn segments(&self) -> &[TemplateSegment] {
        &self.segments
    }
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.text, f)
    }
}

/// What is wrong with a path template.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidTemplate {
    /// It does not begin with `/`.
    #[error("a path begins with `/`")]
    NoSlash,
    /// A literal that no canonical path can hold.
    #[error("`{0}` can never match: {1}")]
    NeverMatches(Box<str>, super::PathError),
    /// A literal with a character beyond ASCII, escaped or not.
    #[error("`{0}` is not ASCII: only a `{{name}}` matches that, on a route with `non_ascii: true`")]
    NonAscii(Box<str>),
    /// Braces that are not around a whole segment.
    #[error("`{0}` is neither a literal nor a whole `{{name}}`")]
    Braces(Box<str>),
    /// A capture without a name of letters, digits and `_`.
    #[error("a capture is named by letters, digits and `_`")]
    Name,
    /// Two captures of one name.
    #[error("the capture `{0}` comes twice")]
    NameTwice(Box<str>),
    /// `{*name}` before the end.
    #[error("`{{*name}}` can only be the last segment")]
    RestNotLast,
}

fn capture_name(name: &str) -> Result<Box<str>, InvalidTemplate> {
    let valid = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    if valid { Ok(name.into()) } else { Err(InvalidTemplate::Name) }
}

/// A literal segment, held to the same rules as the paths that it is to match.
fn literal(part: &str, last: bool) -> Result<TemplateSegment, InvalidTemplate> {
    let never = |error| InvalidTemplate::NeverMatches(part.into(), error);
    if part.is_empty() && !last {
        return Err(never(super::PathError::EmptySegment));
    }
    let alone = format!("/{part}");
    if part.contains('?') {
        return Err(never(super::PathError::Character));
    }
    if !part.is_ascii() {
        return Err(InvalidTemplate::NonAscii(part.into()));
    }
    let path = CanonicalPath::parse(alone.as_bytes()).map_err(never)?;
    if path.has_encoded_slash() {
        return Err(never(super::PathError::EncodedSlash));
    }
    if path.has_dot_at_end() {
        return Err(never(super::PathError::DotAtEnd));
    }
    if path.has_non_ascii() {
        return Err(InvalidTemplate::NonAscii(part.into()));
    }
    let decoded = path.segments().next().unwrap_or_default();
    Ok(TemplateSegment::Literal(Literal { spelled: part.into(), decoded: decoded.into() }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn captures_stand_for_what_they_match() {
        let template = Template::parse("/a/{x}/b/{*rest}").unwrap();
        let path = CanonicalPath::parse(b"/a/1%202/b/c/d").unwrap();
        assert_eq!(template.capture("x", &path).as_deref(), Some("1 2"));
        assert_eq!(template.capture("rest", &path).as_deref(), Some("c/d"));
        assert_eq!(template.capture("y", &path), None);
        let path = CanonicalPath::parse(b"/a/1/b/").unwrap();
        assert_eq!(template.capture("rest", &path).as_deref(), Some(""));
    }

    #[test]
    fn what_can_never_match_is_refused() {
        for good in ["/", "/a", "/a/", "/{x}", "/{*x}", "/a%20b", "/v1.0/.a", "/{a}/{b}/"] {
            assert!(Template::parse(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "a",
            "//",
            "/a//b",
            "/../a",
            "/a;b",
            "/a?b",
            "/a#b",
            "/{",
            "/}",
            "/{}",
            "/{x",
            "/a{x}",
            "/{x}b",
            "/{*}",
            "/{*x}/a",
            "/{x}/{x}",
            "/{x}/{*x}",
            "/%2e",
            "/a%2Fb",
            "/a.",
            "/a./b",
            "/{a b}",
            "/é",
            "/%C3%A9",
        ] {
            assert!(Template::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_is_wrong_with_a_template_is_named() {
        use super::super::PathError::{Character, DotAtEnd, EmptySegment, EncodedSlash};
        use InvalidTemplate::{Braces, Name, NameTwice, NeverMatches, NoSlash, RestNotLast};
        let cases = [
            ("a", NoSlash),
            ("/a//b", NeverMatches("".into(), EmptySegment)),
            ("/a?b", NeverMatches("a?b".into(), Character)),
            ("/a%2Fb", NeverMatches("a%2Fb".into(), EncodedSlash)),
            ("/a.", NeverMatches("a.".into(), DotAtEnd)),
            ("/{x", Braces("{x".into())),
            ("/x}/a", Braces("x}".into())),
            ("/a{x}", Braces("a{x}".into())),
            ("/{}", Name),
            ("/{a-b}", Name),
            ("/{*}", Name),
            ("/{x}/{y}/{x}", NameTwice("x".into())),
            ("/{*x}/a", RestNotLast),
        ];
        for (text, expected) in cases {
            assert_eq!(Template::parse(text), Err(expected), "{text}");
        }
    }

    #[test]
    fn a_template_is_told_as_it_is_written() {
        let template = Template::parse("/a/{b_1}/{*c}").unwrap();
        assert_eq!((template.as_str(), template.to_string()), ("/a/{b_1}/{*c}", "/a/{b_1}/{*c}".to_owned()));
        assert_eq!(format!("{template:?}"), r#""/a/{b_1}/{*c}""#);
        assert_eq!(template.captures().collect::<Vec<_>>(), ["b_1", "c"]);
        assert!(template.ends_in_rest() && !Template::parse("/a/{b}").unwrap().ends_in_rest());
        let path = CanonicalPath::parse(b"/a/b/c").unwrap();
        assert_eq!(template.capture("c", &path).as_deref(), Some("c"));
    }
}
