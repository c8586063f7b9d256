//! The facts of a token: what it says, and who vouches for it.

use super::{Algorithm, KeyId};
use crate::time::UnixTime;
use crate::token::Claims;
use std::fmt;
use std::sync::Arc;

/// Proof that a configured issuer vouches for these claims.
///
/// Facts only: whether they suffice for a request (time, audience, client, scopes) is judged afresh each time, and by
/// [`policy`](crate::policy) alone. That is why a value of this may be kept, and shared between requests.
///
/// It can be made in two ways: by [`verify`](super::verify) of a signature, and from an issuer's
/// [introspection answer](super::Introspected).
#[derive(Clone, Debug)]
pub struct Verified {
    claims: Claims,
    provenance: Provenance,
    typ: Option<Box<str>>,
}

impl Verified {
    /// The one constructor. Whoever calls it asserts that `provenance` holds.
    pub(super) fn assertion(claims: Claims, provenance: Provenance, typ: Option<Box<str>>) -> Self {
        Self { claims, provenance, typ }
    }

    /// The facts of a signed token that its issuer, asked as well, vouches for: `answer` is its word.
    #[must_use]
    pub fn confirmed_by(mut self, answer: &Self) -> Self {
        if let (Provenance::Signed { issuer, confirmed, .. }, Provenance::Introspected { issuer: asked, at }) =
            (&mut self.provenance, &answer.provenance)
            && issuer == asked
        {
            *confirmed = Some(*at);
        }
        self
    }

    /// What the token says.
    pub fn claims(&self) -> &Claims {
        &self.claims
    }

    /// Who vouches for it, and how.
    pub fn provenance(&self) -> &Provenance {
        &self.provenance
    }

    /// The configured issuer that vouches for it.
    pub fn issuer(&self) -> &IssuerName {
        match &self.provenance {
            Provenance::Signed { issuer, .. } | Provenance::Introspected { issuer, .. } => issuer,
        }
    }

    /// Whether the issuer was asked about the token.
    pub fn was_asked_about(&self) -> bool {
        !matches!(self.provenance, Provenance::Signed { confirmed: None, .. })
    }

    /// The header's `typ`; `None` for an introspected token.
    pub fn typ(&self) -> Option<&str> {
        self.typ.as_deref()
    }

    /// About how many bytes of memory this takes.
    pub fn weight(&self) -> usize {
        size_of::<Self>() + self.claims.weight() + self.typ.as_deref().map_or(0, str::len)
    }
}

/// How a token was proven.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Provenance {
    /// A key of the issuer signed it. It counts for as long as that key is in the issuer's key set.
    Signed {
        /// The issuer.
        issuer: IssuerName,
        /// The key.
        key: KeyId,
        /// The algorithm.
        algorithm: Algorithm,
        /// When the issuer, asked as well, said that the token is active; `None` if it was not asked.
        confirmed: Option<UnixTime>,
    },
    /// The issuer said that it is active (RFC 7662).
    Introspected {
        /// The issuer.
        issuer: IssuerName,
        /// When it said so.
        at: UnixTime,
    },
}

/// The name of a configured issuer: its issuer identifier, byte for byte as in `iss` (RFC 8414 section 2).
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct IssuerName(Arc<str>);

impl IssuerName {
    /// The name as configured.
    pub fn new(issuer: &str) -> Self {
        Self(issuer.into())
    }

    /// Its text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::borrow::Borrow<str> for IssuerName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for IssuerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for IssuerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proof::{Introspected, read_introspection};
    use crate::testing::Issuer;
    use crate::token::UnverifiedJws;

    const ISSUER: &str = "https://as.example/";

    fn signed() -> Verified {
        let issuer = Issuer::with_algorithm(ISSUER, Algorithm::EdDSA);
        let token = issuer.token().typ("at+jwt").audience("api").scope("a b").sign();
        let keys = issuer.key_set();
        let jws = UnverifiedJws::parse(&token).unwrap();
        let super::super::Candidates::Keys(keys) = keys.select(Algorithm::EdDSA, jws.kid()) else { panic!() };
        super::super::verify(&jws, Algorithm::EdDSA, &keys, &IssuerName::new(ISSUER)).unwrap()
    }

    fn answered(issuer: &str) -> Verified {
        let (answer, at) = (br#"{"active":true,"sub":"alice"}"#, UnixTime::from_secs(7));
        match read_introspection(answer, &IssuerName::new(issuer), at) {
            Ok(Introspected::Active(facts)) => *facts,
            other => panic!("{other:?}"),
        }
    }

    fn confirmed(facts: &Verified) -> Option<UnixTime> {
        match facts.provenance() {
            Provenance::Signed { confirmed, .. } => *confirmed,
            Provenance::Introspected { .. } => panic!("{facts:?}"),
        }
    }

    #[test]
    fn a_signed_token_is_confirmed_by_its_own_issuer_alone() {
        let facts = signed();
        assert_eq!((facts.issuer().as_str(), facts.typ(), confirmed(&facts)), (ISSUER, Some("at+jwt"), None));
        let by_itself = facts.clone().confirmed_by(&answered(ISSUER));
        assert_eq!(confirmed(&by_itself), Some(UnixTime::from_secs(7)));
        assert_eq!(confirmed(&facts.clone().confirmed_by(&answered("https://other.example/"))), None);
        assert_eq!(confirmed(&facts.clone().confirmed_by(&facts)), None, "a signature is no answer");
    }

    #[test]
    fn facts_weigh_what_they_hold() {
        let (empty, answer, signed) = (size_of::<Verified>(), answered(ISSUER), signed());
        assert_eq!(answer.weight(), empty + answer.claims().as_json().len());
        let listed = signed.claims().audiences().count() + signed.claims().scopes().len();
        assert!(listed > 1);
        assert_eq!(signed.weight(), empty + signed.claims().as_json().len() + 8 * listed + "at+jwt".len());
        let bound = Claims::parse(br#"{"cnf":{"kid":"a"}}"#).unwrap();
        assert_eq!(bound.weight(), bound.as_json().len() + size_of::<crate::token::Confirmation>());
    }

    #[test]
    fn an_issuer_goes_by_its_name() {
        let name = IssuerName::new(ISSUER);
        assert_eq!((name.as_str(), name.to_string()), (ISSUER, ISSUER.to_owned()));
        assert_eq!(format!("{name:?}"), format!("{ISSUER:?}"));
        assert_eq!(std::borrow::Borrow::<str>::borrow(&name), ISSUER);
    }
}
