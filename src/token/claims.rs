//! What a token says: RFC 7519 section 4, RFC 9068 section 2.2, RFC 7662 section 2.2, and what real issuers send.

use super::{Confirmation, Members, ScopeSet, UniqueMembers};
use crate::time::UnixTime;
use serde::de::{
    Deserialize, DeserializeOwned, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor,
};
use std::borrow::Cow;
use std::fmt;

/// The claims of a token, from a JWT's payload or an introspection answer.
///
/// 1. One JSON object; no name comes twice.
/// 2. Each claim that is used has the type that its standard gives it; a claim of another type (`null` included) refuses the
///    whole token, and never counts as absent.
/// 3. Scopes are those of `scp` and `scope` together: a string is split at spaces, an array's element is one scope.
/// 4. The whole object is kept, so that further claims can be read where they are needed: [`Claims::get`],
///    [`Claims::deserialize`].
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
    fields: Fields,
    raw: Box<str>,
}

impl Claims {
    /// Reads a JSON object.
    ///
    /// # Errors
    /// A [`ClaimsError`]: it is not one JSON object with unique names, or a claim has the wrong type.
    pub fn parse(json: &[u8]) -> Result<Self, ClaimsError> {
        let raw = std::str::from_utf8(json).map_err(|_| ClaimsError::NotAnObject)?;
        let mut reader = Reader::default();
        match (UniqueMembers::read(json, &mut reader), reader.wrong) {
            (_, Some(claim)) => Err(ClaimsError::WrongType(claim)),
            (Err(_), None) => Err(ClaimsError::NotAnObject),
            (Ok(()), None) => Ok(Self { fields: reader.fields, raw: raw.into() }),
        }
    }

    /// The `iss` of an unverified payload: the one thing that may be read before the signature is checked, to find out
    /// which configured issuer is asked. `None` if there is none.
    ///
    /// # Errors
    /// As [`Claims::parse`], as far as `iss` is concerned.
    pub fn peek_issuer(json: &[u8]) -> Result<Option<Cow<'_, str>>, ClaimsError> {
        let mut peek = Peek::default();
        match (UniqueMembers::read(json, &mut peek), peek.wrong) {
            (_, true) => Err(ClaimsError::WrongType("iss")),
            (Err(_), false) => Err(ClaimsError::NotAnObject),
            (Ok(()), false) => Ok(peek.issuer),
        }
    }

    /// `iss`: who issued the token.
    pub fn issuer(&self) -> Option<&str> {
        self.fields.issuer.as_deref()
    }

    /// `sub`: whom the token is about.
    pub fn subject(&self) -> Option<&str> {
        self.fields.subject.as_deref()
    }

    /// `aud`: for whom the token is meant; empty if it does not say.
    pub fn audiences(&self) -> impl Iterator<Item = &str> {
        self.fields.audiences.iter().map(|audience| &**audience)
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
        self.fields.id.as_deref()
    }

    /// `sid`: the session in which the token was issued.
    pub fn session(&self) -> Option<&str> {
        self.fields.session.as_deref()
    }

    /// The client's name, as the given claim tells it.
    pub fn client(&self, claim: ClientClaim) -> Option<&str> {
        match claim {
            ClientClaim::Cid => self.fields.cid.as_deref(),
            ClientClaim::ClientId => self.fields.client_id.as_deref(),
            ClientClaim::Azp => self.fields.azp.as_deref(),
            ClientClaim::Appid => self.fields.appid.as_deref(),
        }
    }

    /// What the token allows: `scp` and `scope` together.
    pub fn scopes(&self) -> &ScopeSet {
        &self.fields.scopes
    }

    /// `cnf`: what the token is bound to.
    pub fn confirmation(&self) -> Option<&Confirmation> {
        self.fields.confirmation.as_ref()
    }

    /// `token_use` (Cognito), `token_type` (RFC 7662) or the payload's own `typ` (Keycloak): the kind of token, as its
    /// issuer calls it.
    pub fn kind(&self, claim: KindClaim) -> Option<&str> {
        match claim {
            KindClaim::TokenUse => self.fields.token_use.as_deref(),
            KindClaim::TokenType => self.fields.token_type.as_deref(),
            KindClaim::Typ => self.fields.typ.as_deref(),
        }
    }

    /// Whether there is a claim that only ID tokens carry: `nonce`, `at_hash`, `c_hash` or `s_hash` (OpenID Connect Core
    /// sections 2 and 3.3.2.11).
    pub fn has_id_token_claims(&self) -> bool {
        self.fields.id_token_claims
    }

    /// Whether there is `events`, which security event tokens and logout tokens carry (RFC 8417 section 2.2).
    pub fn has_events(&self) -> bool {
        self.fields.events
    }

    /// The claim at the top level, or at a JSON pointer (RFC 6901) if `name` begins with `/`. `None` if there is none.
    pub fn get(&self, name: &str) -> Option<serde_json::Value> {
        if name.starts_with('/') {
            let whole: serde_json::Value = serde_json::from_str(&self.raw).ok()?;
            return whole.pointer(name).cloned();
        }
        let mut only = Only { name, value: None };
        UniqueMembers::read(self.raw.as_bytes(), &mut only).ok()?;
        only.value
    }

    /// All claims, as a type of yours.
    ///
    /// # Errors
    /// If they don't fit it.
    pub fn deserialize<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_str(&self.raw)
    }

    /// The JSON object, as it came.
    pub fn as_json(&self) -> &str {
        &self.raw
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
    /// This claim has a type that its standard does not give it.
    #[error("the claim `{0}` has the wrong type")]
    WrongType(&'static str),
}

#[derive(Clone, Default)]
struct Fields {
    issuer: Option<Box<str>>,
    subject: Option<Box<str>>,
    audiences: Box<[Box<str>]>,
    expires: Option<UnixTime>,
    not_before: Option<UnixTime>,
    issued_at: Option<UnixTime>,
    id: Option<Box<str>>,
    session: Option<Box<str>>,
    cid: Option<Box<str>>,
    client_id: Option<Box<str>>,
    azp: Option<Box<str>>,
    appid: Option<Box<str>>,
    scopes: ScopeSet,
    confirmation: Option<Confirmation>,
    token_use: Option<Box<str>>,
    token_type: Option<Box<str>>,
    typ: Option<Box<str>>,
    id_token_claims: bool,
    events: bool,
}

/// Reads the fields, and notes which claim had the wrong type.
#[derive(Default)]
struct Reader {
    fields: Fields,
    wrong: Option<&'static str>,
}

impl<'de> Members<'de> for Reader {
    fn member<A: MapAccess<'de>>(&mut self, name: &str, map: &mut A) -> Result<(), A::Error> {
        macro_rules! read {
            ($($claim:literal => $slot:ident $(as $wrap:expr)?),* $(,)?) => {
                match name {
                    $($claim => match map.next_value() {
                        Ok(value) => {
                            $(let value = $wrap(value);)?
                            self.fields.$slot = value;
                        }
                        Err(error) => {
                            self.wrong = Some($claim);
                            return Err(error);
                        }
                    },)*
                    "scope" | "scp" => match map.next_value::<Scopes>() {
                        Ok(Scopes(more)) => {
                            let known = std::mem::take(&mut self.fields.scopes);
                            self.fields.scopes = if known.is_empty() { more } else { known.iter().chain(more.iter()).collect() };
                        }
                        Err(error) => {
                            self.wrong = Some(if name == "scp" { "scp" } else { "scope" });
                            return Err(error);
                        }
                    },
                    "nonce" | "at_hash" | "c_hash" | "s_hash" => {
                        self.fields.id_token_claims = true;
                        map.next_value::<IgnoredAny>()?;
                    }
                    "events" => {
                        self.fields.events = true;
                        map.next_value::<IgnoredAny>()?;
                    }
                    _ => {
                        map.next_value::<IgnoredAny>()?;
                    }
                }
            };
        }
        read! {
            "iss" => issuer as Some,
            "sub" => subject as Some,
            "aud" => audiences as |Audiences(list)| list,
            "exp" => expires as |NumericDate(at)| Some(at),
            "nbf" => not_before as |NumericDate(at)| Some(at),
            "iat" => issued_at as |NumericDate(at)| Some(at),
            "jti" => id as Some,
            "sid" => session as Some,
            "cid" => cid as Some,
            "client_id" => client_id as Some,
            "azp" => azp as Some,
            "appid" => appid as Some,
            "cnf" => confirmation as Some,
            "token_use" => token_use as Some,
            "token_type" => token_type as Some,
            "typ" => typ as Some,
        }
        Ok(())
    }
}

/// Reads `iss` alone.
#[derive(Default)]
struct Peek<'de> {
    issuer: Option<Cow<'de, str>>,
    wrong: bool,
}

impl<'de> Members<'de> for Peek<'de> {
    fn member<A: MapAccess<'de>>(&mut self, name: &str, map: &mut A) -> Result<(), A::Error> {
        if name != "iss" {
            return map.next_value::<IgnoredAny>().map(drop);
        }
        let issuer: Result<Text<'de>, _> = map.next_value();
        self.wrong = issuer.is_err();
        self.issuer = Some(issuer?.0);
        Ok(())
    }
}

/// Keeps one member, as JSON.
struct Only<'a> {
    name: &'a str,
    value: Option<serde_json::Value>,
}

impl<'de> Members<'de> for Only<'_> {
    fn member<A: MapAccess<'de>>(&mut self, name: &str, map: &mut A) -> Result<(), A::Error> {
        if name == self.name {
            self.value = Some(map.next_value()?);
            return Ok(());
        }
        map.next_value::<IgnoredAny>().map(drop)
    }
}

/// A string, borrowed where it has no escapes.
#[derive(serde::Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// RFC 7519 section 2: a JSON number, fractions allowed; never a string.
struct NumericDate(UnixTime);

impl<'de> Deserialize<'de> for NumericDate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let secs = f64::deserialize(deserializer)?;
        UnixTime::from_numeric_date(secs)
            .map(Self)
            .ok_or_else(|| D::Error::custom("no instant after the epoch"))
    }
}

/// A string, or an array of strings (RFC 7519 section 4.1.3).
struct Audiences(Box<[Box<str>]>);

impl<'de> Deserialize<'de> for Audiences {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(OneOrMany).map(|one_or_many| match one_or_many {
            Strings::One(one) => Self(Box::from([one])),
            Strings::Many(many) => Self(many.into()),
        })
    }
}

/// A space-delimited string, or an array whose elements are a scope each.
struct Scopes(ScopeSet);

impl<'de> Deserialize<'de> for Scopes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(OneOrMany).map(|one_or_many| match one_or_many {
            Strings::One(one) => Self(ScopeSet::from_delimited(&one)),
            Strings::Many(many) => Self(many.into_iter().collect()),
        })
    }
}

enum Strings {
    One(Box<str>),
    Many(Vec<Box<str>>),
}

struct OneOrMany;

impl<'de> Visitor<'de> for OneOrMany {
    type Value = Strings;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string or an array of strings")
    }

    fn visit_str<E>(self, one: &str) -> Result<Strings, E> {
        Ok(Strings::One(one.into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Strings, A::Error> {
        let mut many = Vec::new();
        while let Some(one) = seq.next_element()? {
            many.push(one);
        }
        Ok(Strings::Many(many))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(json: &str) -> Result<Claims, ClaimsError> {
        Claims::parse(json.as_bytes())
    }

    #[test]
    fn the_shapes_that_real_issuers_send() {
        let okta = parse(
            r#"{"ver":1,"jti":"AT.x","iss":"https://example.okta.com/oauth2/default","aud":"api://default","iat":1.5,
                "exp":1700000000.9,"cid":"0oa1","uid":"00u1","scp":["a","b c"],"scope":"d e","sub":"alice"}"#,
        )
        .unwrap();
        assert_eq!(okta.scopes().iter().collect::<Vec<_>>(), ["a", "b c", "d", "e"]);
        assert_eq!(okta.issued_at(), Some(UnixTime::from_millis(1_500)));
        assert_eq!(okta.expires(), Some(UnixTime::from_millis(1_700_000_000_900)));
        assert_eq!(okta.get("uid"), Some("00u1".into()));
        assert_eq!(okta.get("none"), None);
        let many =
            parse(r#"{"aud":["client","api"],"scp":"x y","realm_access":{"roles":["r"]},"a/b":1}"#).unwrap();
        assert_eq!(many.audiences().collect::<Vec<_>>(), ["client", "api"]);
        assert_eq!(many.scopes().iter().collect::<Vec<_>>(), ["x", "y"]);
        assert_eq!(many.get("/realm_access/roles/0"), Some("r".into()));
        assert_eq!(many.get("/a~1b"), Some(1.into()));
        let none = parse("{}").unwrap();
        assert!(none.audiences().next().is_none() && none.expires().is_none() && none.scopes().is_empty());
    }

    #[test]
    fn a_claim_of_the_wrong_type_is_never_absent() {
        let text = [
            "iss",
            "sub",
            "jti",
            "sid",
            "cid",
            "client_id",
            "azp",
            "appid",
            "token_use",
            "token_type",
            "typ",
        ];
        for claim in text {
            for value in ["null", "1", "true", "{}", r#"["a"]"#, "[]"] {
                let json = format!(r#"{{"{claim}":{value}}}"#);
                assert_eq!(parse(&json).err(), Some(ClaimsError::WrongType(claim)), "{json}");
            }
        }
        for claim in ["exp", "nbf", "iat"] {
            for value in ["null", "\"1700000000\"", "true", "{}", "[1]", "-1", "-0.5", "1e400"] {
                let json = format!(r#"{{"{claim}":{value}}}"#);
                assert_eq!(parse(&json).err(), Some(ClaimsError::WrongType(claim)), "{json}");
            }
        }
        for claim in ["aud", "scope", "scp"] {
            for value in ["null", "1", "true", "{}", "[1]", r#"["a",null]"#, r#"[["a"]]"#] {
                let json = format!(r#"{{"{claim}":{value}}}"#);
                assert_eq!(parse(&json).err(), Some(ClaimsError::WrongType(claim)), "{json}");
            }
        }
        assert_eq!(parse(r#"{"cnf":"x"}"#).err(), Some(ClaimsError::WrongType("cnf")));
    }

    #[test]
    fn huge_dates_are_clamped() {
        for huge in ["9007199254740993", "9223372036854775808", "18446744073709551616", "1e308"] {
            assert_eq!(
                parse(&format!(r#"{{"exp":{huge}}}"#)).unwrap().expires(),
                Some(UnixTime::MAX),
                "{huge}"
            );
        }
    }

    #[test]
    fn one_object_with_unique_names() {
        for json in
            ["", "[]", "1", r#"{"a":1,"a":1}"#, r#"{"iss":"a","iss":"a"}"#, r#"{} {}"#, r#"{"a":"\ud800"}x"#]
        {
            assert_eq!(parse(json).err(), Some(ClaimsError::NotAnObject), "{json}");
            assert!(Claims::peek_issuer(json.as_bytes()).is_err(), "{json}");
        }
        assert!(Claims::parse(b"{\"a\":\"\xff\"}").is_err());
    }

    #[test]
    fn the_issuer_can_be_peeked_at() {
        assert_eq!(
            Claims::peek_issuer(br#"{"a":1,"iss":"https:\/\/as"}"#).unwrap().as_deref(),
            Some("https://as")
        );
        assert_eq!(Claims::peek_issuer(b"{}").unwrap(), None);
        for wrong in [r#"{"iss":null}"#, r#"{"iss":["a"]}"#, r#"{"iss":1}"#] {
            assert_eq!(Claims::peek_issuer(wrong.as_bytes()), Err(ClaimsError::WrongType("iss")));
        }
    }

    #[test]
    fn marks_of_other_tokens_are_seen() {
        assert!(parse(r#"{"nonce":"n"}"#).unwrap().has_id_token_claims());
        assert!(parse(r#"{"at_hash":null}"#).unwrap().has_id_token_claims());
        assert!(parse(r#"{"events":{}}"#).unwrap().has_events());
        assert_eq!(parse(r#"{"typ":"ID"}"#).unwrap().kind(KindClaim::Typ), Some("ID"));
    }
}
