//! What a token says: RFC 7519 section 4, RFC 9068 section 2.2, RFC 7662 section 2.2, and what real issuers send.

mod read;
mod span;

pub(super) use span::Span;

use super::{Confirmation, ScopeSet, UniqueMembers};
use crate::time::UnixTime;
use read::Reader;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;

/// The claims of a token, from a JWT's payload or an introspection answer.
///
/// 1. One JSON object; no name comes twice in it, nor in any object within it.
/// 2. Each claim that is used has the type that its standard gives it; a claim of another type (`null` included) refuses the
///    whole token, and never counts as absent.
/// 3. Scopes are those of `scp` and `scope` together: a string is split at spaces, an array's element is one scope.
/// 4. The whole object is kept, once, and as it came; what the accessors give are parts of it. So further claims can be read
///    where they are needed: [`Claims::get`], [`Claims::deserialize`].
///
/// ```
/// use tollgate::token::{Claims, ClientClaim};
///
/// let claims = Claims::parse(br#"{"iss":"https://as.example/","exp":1700000000,"cid":"shop","scp":["orders:read"]}"#)?;
/// assert_eq!(claims.issuer(), Some("https://as.example/"));
/// assert_eq!(claims.client(ClientClaim::Cid), Some("shop"));
/// assert!(claims.scopes().contains("orders:read"));
/// # Ok::<(), tollgate::token::ClaimsError>(())
/// ```
#[derive(Clone)]
pub struct Claims {
    /// The object; and behind it, decoded, those strings of it that have escapes.
    text: Box<str>,
    object_bytes: u32,
    fields: Fields,
}

impl Claims {
    /// Reads a JSON object.
    ///
    /// # Errors
    /// A [`ClaimsError`]: it is not one JSON object with unique names throughout, or a claim has the wrong type.
    pub fn parse(json: &[u8]) -> Result<Self, ClaimsError> {
        let json = std::str::from_utf8(json).map_err(|_| ClaimsError::NotAnObject)?;
        let object_bytes = u32::try_from(json.len()).ok().filter(|bytes| *bytes <= MAX_BYTES);
        let object_bytes = object_bytes.ok_or(ClaimsError::TooLong)?;
        let mut reader = Reader::new(json);
        match (UniqueMembers::read(json.as_bytes(), &mut reader), reader.wrong()) {
            (_, Some(error)) => Err(error),
            (Err(_), None) => Err(ClaimsError::NotAnObject),
            (Ok(()), None) => {
                let (text, fields) = reader.finish();
                Ok(Self { text, object_bytes, fields })
            }
        }
    }

    /// The first `iss` of an unverified payload: the one thing that may be read before the signature is checked, to find out
    /// which configured issuer is asked. `None` if there is none.
    ///
    /// What follows it is not looked at: that is for [`Claims::parse`], which also refuses a second `iss`.
    ///
    /// # Errors
    /// A [`ClaimsError`], as far as it is found out.
    pub fn peek_issuer(json: &[u8]) -> Result<Option<Cow<'_, str>>, ClaimsError> {
        read::issuer(json)
    }

    /// `iss`: who issued the token.
    pub fn issuer(&self) -> Option<&str> {
        self.part(self.fields.issuer)
    }

    /// `sub`: whom the token is about.
    pub fn subject(&self) -> Option<&str> {
        self.part(self.fields.subject)
    }

    /// `aud`: for whom the token is meant; empty if it does not say.
    pub fn audiences(&self) -> impl Iterator<Item = &str> {
        self.fields.audiences().iter().map(|span| span.of(&self.text))
    }

    /// `exp`: from when on the token is no longer valid.
    pub fn expires(&self) -> Option<UnixTime> {
        self.fields.expires
    }

    /// `nbf`: before when the token is not yet valid.
    pub fn not_before(&self) -> Option<UnixTime> {
        self.fields.not_before
    }

    /// `iat`: when the token was issued.
    pub fn issued_at(&self) -> Option<UnixTime> {
        self.fields.issued_at
    }

    /// `jti`: the token's own name.
    pub fn id(&self) -> Option<&str> {
        self.part(self.fields.id)
    }

    /// `sid`: the session in which the token was issued.
    pub fn session(&self) -> Option<&str> {
        self.part(self.fields.session)
    }

    /// The client's name, as the given claim tells it.
    pub fn client(&self, claim: ClientClaim) -> Option<&str> {
        match claim {
            ClientClaim::Cid => self.part(self.fields.cid),
            ClientClaim::ClientId => self.part(self.fields.client_id),
            ClientClaim::Azp => self.part(self.fields.azp),
            ClientClaim::Appid => self.part(self.fields.appid),
        }
    }

    /// What the token allows: `scp` and `scope` together.
    pub fn scopes(&self) -> ScopeSet<'_> {
        ScopeSet::listed(&self.text, self.fields.scopes())
    }

    /// `cnf`: what the token is bound to.
    pub fn confirmation(&self) -> Option<&Confirmation> {
        self.fields.confirmation.as_deref()
    }

    /// `token_use` (Cognito), `token_type` (RFC 7662) or the payload's own `typ` (Keycloak): the kind of token, as its
    /// issuer calls it.
    pub fn kind(&self, claim: KindClaim) -> Option<&str> {
        match claim {
            KindClaim::TokenUse => self.part(self.fields.token_use),
            KindClaim::TokenType => self.part(self.fields.token_type),
            KindClaim::Typ => self.part(self.fields.typ),
        }
    }

    /// Whether there is `nonce`, which ID tokens carry (OpenID Connect Core section 2), and access tokens of old Keycloaks.
    pub fn has_nonce(&self) -> bool {
        self.fields.nonce
    }

    /// Whether there is a claim that only ID tokens carry: `at_hash`, `c_hash` or `s_hash` (OpenID Connect Core section 3.3.2.11).
    pub fn has_id_token_hash(&self) -> bool {
        self.fields.id_token_hash
    }

    /// Whether there is `events`, which security event tokens and logout tokens carry (RFC 8417 section 2.2).
    pub fn has_events(&self) -> bool {
        self.fields.events
    }

    /// The claim at the top level, or at a JSON pointer (RFC 6901) if `name` begins with `/`. `None` if there is none.
    pub fn get(&self, name: &str) -> Option<serde_json::Value> {
        serde_json::from_str(self.spelled(name)?.get()).ok()
    }

    /// The same as the token spells it: numbers with all their digits.
    pub(crate) fn spelled(&self, name: &str) -> Option<&RawValue> {
        let Some(pointer) = name.strip_prefix('/') else { return read::within(self.as_json(), name) };
        let mut names = pointer.split('/').map(|name| name.replace("~1", "/").replace("~0", "~"));
        let first = read::within(self.as_json(), &names.next()?)?;
        names.try_fold(first, |value, name| read::within(value.get(), &name))
    }

    /// All claims, as a type of yours.
    ///
    /// # Errors
    /// If they don't fit it.
    pub fn deserialize<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_str(self.as_json())
    }

    /// The JSON object, as it came.
    pub fn as_json(&self) -> &str {
        self.text.get(..self.object_bytes as usize).unwrap_or_default()
    }

    /// About how many bytes of memory this takes beside itself.
    pub(crate) fn weight(&self) -> usize {
        self.text.len()
            + size_of_val(&*self.fields.lists)
            + self.fields.confirmation.as_deref().map_or(0, size_of_val)
    }

    fn part(&self, span: Option<Span>) -> Option<&str> {
        span.map(|span| span.of(&self.text))
    }
}

impl fmt::Debug for Claims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Claims")
            .field("issuer", &self.issuer())
            .field("id", &self.id())
            .finish_non_exhaustive()
    }
}

/// A claim that names the client that a token was issued to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientClaim {
    /// `cid` (Okta).
    Cid,
    /// `client_id` (RFC 9068 section 2.2, RFC 7662 section 2.2).
    ClientId,
    /// `azp` (OpenID Connect Core section 2).
    Azp,
    /// `appid` (Microsoft Entra, version 1 tokens).
    Appid,
}

impl ClientClaim {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Cid, Self::ClientId, Self::Azp, Self::Appid];

    /// The claim's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cid => "cid",
            Self::ClientId => "client_id",
            Self::Azp => "azp",
            Self::Appid => "appid",
        }
    }
}

/// A claim by which an issuer says what kind of token this is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KindClaim {
    /// `token_use`: `access` or `id` (Cognito).
    TokenUse,
    /// `token_type`: `Bearer`, in an introspection answer (RFC 7662 section 2.2).
    TokenType,
    /// `typ` in the payload: `Bearer`, `ID`, `Refresh`, … (Keycloak).
    Typ,
}

/// Why a text is no acceptable set of claims.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClaimsError {
    /// Not one JSON object with unique names.
    #[error("the claims are not one JSON object with unique names")]
    NotAnObject,
    /// More than 1 MiB.
    #[error("the claims are longer than 1 MiB")]
    TooLong,
    /// This claim has a type that its standard does not give it.
    #[error("the claim `{0}` has the wrong type")]
    WrongType(&'static str),
}

/// The longest claims that are read: 1 MiB. Nobody hands over more than 256 KiB.
const MAX_BYTES: u32 = 1024 * 1024;

/// The claims that are used.
#[derive(Clone, Default)]
struct Fields {
    issuer: Option<Span>,
    subject: Option<Span>,
    id: Option<Span>,
    session: Option<Span>,
    cid: Option<Span>,
    client_id: Option<Span>,
    azp: Option<Span>,
    appid: Option<Span>,
    token_use: Option<Span>,
    token_type: Option<Span>,
    typ: Option<Span>,
    expires: Option<UnixTime>,
    not_before: Option<UnixTime>,
    issued_at: Option<UnixTime>,
    confirmation: Option<Box<Confirmation>>,
    /// The audiences, and behind them the scopes.
    lists: Box<[Span]>,
    audiences: u32,
    nonce: bool,
    id_token_hash: bool,
    events: bool,
}

impl Fields {
    fn audiences(&self) -> &[Span] {
        self.lists.get(..self.audiences as usize).unwrap_or_default()
    }

    fn scopes(&self) -> &[Span] {
        self.lists.get(self.audiences as usize..).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests;
