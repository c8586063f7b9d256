//! What an issuer says of an opaque token: RFC 7662 section 2.2, and its signed form, RFC 9701 section 5.

use super::{Algorithm, AlgorithmSet, Candidates, IssuerName, KeySet, Provenance, Verified, verify};
use crate::time::UnixTime;
use crate::token::{Claims, ClaimsError, JwsError, Members, UniqueMembers, UnverifiedJws};
use serde::de::{IgnoredAny, MapAccess};
use serde_json::value::RawValue;
use std::time::Duration;

/// An issuer's answer about a token.
#[derive(Debug)]
pub enum Introspected {
    /// The issuer vouches for these claims.
    Active(Box<Verified>),
    /// The token is none of the issuer's, or no longer valid. It does not say which.
    Inactive,
}

/// Reads the answer of an introspection endpoint.
///
/// 1. One JSON object with unique members.
/// 2. `active` is the JSON boolean `true`, or `false`; anything else is no answer.
/// 3. The other members are claims, read as strictly as a JWT's.
///
/// ```
/// use tollgate::proof::{Introspected, IssuerName, read_introspection};
/// use tollgate::time::UnixTime;
///
/// let issuer = IssuerName::new("https://as.example/");
/// let answer = br#"{"active":true,"client_id":"shop","scope":"orders:read"}"#;
/// let Introspected::Active(facts) = read_introspection(answer, &issuer, UnixTime::EPOCH)? else { panic!() };
/// assert!(facts.claims().scopes().contains("orders:read"));
/// assert!(read_introspection(br#"{"active":"true"}"#, &issuer, UnixTime::EPOCH).is_err());
/// # Ok::<(), tollgate::proof::IntrospectionError>(())
/// ```
///
/// # Errors
/// [`IntrospectionError::Answer`] if it is no JSON object; [`IntrospectionError::Active`] or [`IntrospectionError::Claims`] if it is
/// one that can't be understood.
pub fn read_introspection(
    json: &[u8],
    issuer: &IssuerName,
    at: UnixTime,
) -> Result<Introspected, IntrospectionError> {
    let mut active = Active::default();
    UniqueMembers::read(json, &mut active).map_err(|_| no_answer(json))?;
    match active.0 {
        None => Err(IntrospectionError::Active),
        Some(false) => Ok(Introspected::Inactive),
        Some(true) => {
            let provenance = Provenance::Introspected { issuer: issuer.clone(), at };
            Ok(Introspected::Active(Box::new(Verified::assertion(Claims::parse(json)?, provenance, None))))
        }
    }
}

/// What speaks of one token may be odd for the token's sake; what is no JSON object at all is not about a token.
fn no_answer(json: &[u8]) -> IntrospectionError {
    let object =
        json.trim_ascii_start().starts_with(b"{") && serde_json::from_slice::<IgnoredAny>(json).is_ok();
    if object { IntrospectionError::Active } else { IntrospectionError::Answer }
}

/// What a signed answer is held against.
#[derive(Clone, Copy, Debug)]
pub struct SignedIntrospection<'a> {
    /// The issuer that was asked.
    pub issuer: &'a IssuerName,
    /// Its keys.
    pub keys: &'a KeySet,
    /// The algorithms that it may sign with.
    pub algorithms: AlgorithmSet,
    /// The name under which the question was asked: the answer's `aud`.
    pub client_id: &'a str,
    /// Now.
    pub at: UnixTime,
}

/// Reads a signed answer.
///
/// 1. A JWS whose `typ` is `token-introspection+jwt`, so that no other token of the issuer passes for an answer.
/// 2. Its signature verifies with a key of the issuer.
/// 3. `iss` is the issuer, and `aud` names us.
/// 4. It was given now: `iat` is within [`MAX_ANSWER_AGE`] of it; `exp`, if there is one, has not passed for more than a minute, and
///    `nbf` is no further away.
/// 5. The member `token_introspection` is the answer, read as [`read_introspection`] does.
///
/// # Errors
/// An [`IntrospectionError`]; [`IntrospectionError::UnknownKey`] if the key set should be fetched again first.
pub fn read_signed_introspection(
    token: &str,
    expected: &SignedIntrospection<'_>,
) -> Result<Introspected, IntrospectionError> {
    let jws = UnverifiedJws::parse(token)?;
    let typ = jws.typ().unwrap_or_default();
    let typ = typ.strip_prefix("application/").unwrap_or(typ);
    if !typ.eq_ignore_ascii_case("token-introspection+jwt") {
        return Err(IntrospectionError::Answer);
    }
    let algorithm = Algorithm::from_name(jws.alg())
        .filter(|algorithm| expected.algorithms.contains(*algorithm))
        .ok_or(IntrospectionError::Signature)?;
    let keys = match expected.keys.select(algorithm, jws.kid()) {
        Candidates::Keys(keys) => keys,
        Candidates::Misfit => return Err(IntrospectionError::Signature),
        Candidates::Unknown => return Err(IntrospectionError::UnknownKey),
    };
    let answer = verify(&jws, algorithm, &keys, expected.issuer).map_err(|error| match error {
        super::ProofError::Signature => IntrospectionError::Signature,
        super::ProofError::Claims(error) => error.into(),
    })?;
    let claims = answer.claims();
    if claims.issuer() != Some(expected.issuer.as_str())
        || !claims.audiences().any(|aud| aud == expected.client_id)
    {
        return Err(IntrospectionError::NotForUs);
    }
    let (earliest, latest) = (expected.at - MAX_ANSWER_AGE, expected.at + MAX_ANSWER_AGE);
    if !claims.issued_at().is_some_and(|iat| (earliest..=latest).contains(&iat))
        || claims.expires().is_some_and(|exp| exp < expected.at - LEEWAY)
        || claims.not_before().is_some_and(|nbf| expected.at + LEEWAY < nbf)
    {
        return Err(IntrospectionError::Stale);
    }
    let mut inner = Inner::default();
    UniqueMembers::read(claims.as_json().as_bytes(), &mut inner).map_err(|_| IntrospectionError::Answer)?;
    let inner = inner.0.ok_or(IntrospectionError::Answer)?;
    read_introspection(inner.get().as_bytes(), expected.issuer, expected.at)
}

/// How old a signed answer may be, or seem: 300 s, for clocks differ. An answer kept from earlier would tell of another time.
pub const MAX_ANSWER_AGE: Duration = Duration::from_secs(300);
/// How far apart the issuer's clock and ours may be (RFC 7519 section 4.1.4).
const LEEWAY: Duration = Duration::from_secs(60);

/// Why something is no answer about a token. The issuer is at fault, not the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IntrospectionError {
    /// Not a JSON object, or not a signed answer.
    #[error("the answer is not a JSON object with a boolean `active`")]
    Answer,
    /// A JSON object without a boolean `active`, or with a member twice.
    #[error("the answer is a JSON object without a boolean `active`, or names a member twice")]
    Active,
    /// A claim in the answer has the wrong type.
    #[error(transparent)]
    Claims(#[from] ClaimsError),
    /// The signed answer is no acceptable JWS.
    #[error(transparent)]
    Jws(#[from] JwsError),
    /// The signed answer's signature does not verify, or its algorithm is not allowed.
    #[error("the signature of the answer does not verify")]
    Signature,
    /// The signed answer names a key that the issuer's key set lacks.
    #[error("the answer is signed with a key that the key set lacks")]
    UnknownKey,
    /// The signed answer's `iss` or `aud` is another one.
    #[error("the answer is of another issuer, or meant for somebody else")]
    NotForUs,
    /// The signed answer's `iat` is missing or not of now, its `exp` has passed, or its `nbf` has not.
    #[error("the answer does not say that it was given now (`iat`, RFC 9701 section 5)")]
    Stale,
}

#[derive(Default)]
struct Active(Option<bool>);

impl<'de> Members<'de> for Active {
    fn member<A: MapAccess<'de>>(&mut self, name: &str, map: &mut A) -> Result<(), A::Error> {
        if name == "active" {
            self.0 = Some(map.next_value()?);
            return Ok(());
        }
        map.next_value::<IgnoredAny>().map(drop)
    }
}

#[derive(Default)]
struct Inner<'de>(Option<&'de RawValue>);

impl<'de> Members<'de> for Inner<'de> {
    fn member<A: MapAccess<'de>>(&mut self, name: &str, map: &mut A) -> Result<(), A::Error> {
        if name == "token_introspection" {
            self.0 = Some(map.next_value()?);
            return Ok(());
        }
        map.next_value::<IgnoredAny>().map(drop)
    }
}

#[cfg(test)]
mod tests;
