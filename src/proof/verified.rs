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
