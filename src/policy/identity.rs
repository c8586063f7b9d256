//! How the caller's identity is passed on, and how nobody else can pass one on: which header fields we set, and which of the
//! caller's are taken out first.

use super::Permit;
use crate::token::all;
use bytes::Bytes;
use http::{HeaderName, HeaderValue};
use serde_json::value::RawValue;
use std::str::FromStr;

/// The header fields by which an API learns who is calling.
///
/// Values are printable ASCII: every other byte, and `%`, is percent-encoded. Lists are separated by spaces. A field
/// without a value is left out.
#[derive(Clone, Debug)]
pub struct IdentityHeaders {
    fields: Vec<(HeaderName, IdentitySource)>,
    rules: HeaderRules,
}

/// What a field tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IdentitySource {
    /// `sub`.
    Subject,
    /// The client.
    Client,
    /// The scopes, separated by spaces.
    Scopes,
    /// The issuer.
    Issuer,
    /// A claim, by name or JSON pointer. Strings, numbers (as the token spells them) and booleans, and arrays of them, are passed
    /// on; objects are not.
    Claim(Box<str>),
}

impl IdentityHeaders {
    /// `X-Auth-Request-User`, `-Client-Id`, `-Scopes`, `-Issuer`: the default.
    pub fn x_auth_request() -> Self {
        Self::preset("x-auth-request")
    }

    /// `X-Forwarded-User`, `-Client-Id`, `-Scopes`, `-Issuer`.
    pub fn x_forwarded() -> Self {
        Self::preset("x-forwarded")
    }

    /// None at all.
    pub fn none() -> Self {
        Self { fields: Vec::new(), rules: HeaderRules::default() }
    }

    fn preset(prefix: &'static str) -> Self {
        let sources = [
            ("user", IdentitySource::Subject),
            ("client-id", IdentitySource::Client),
            ("scopes", IdentitySource::Scopes),
            ("issuer", IdentitySource::Issuer),
        ];
        let mut none = Self::none();
        none.rules.family = Some(b"x-auth-request-");
        none.rules.protected.extend(OTHERS_IDENTITY.map(|name| name.as_bytes().into()));
        sources.into_iter().fold(none, |identity, (name, source)| {
            // The name is made of two lower-case tokens, so it is valid, and no reserved one.
            identity.with(&format!("{prefix}-{name}"), source).unwrap_or_else(|_| Self::none())
        })
    }

    /// The same with one field more.
    ///
    /// # Errors
    /// [`InvalidIdentityHeader`] if it is no header name, one that HTTP itself gives a meaning, or there already.
    pub fn with(mut self, name: &str, source: IdentitySource) -> Result<Self, InvalidIdentityHeader> {
        let name = HeaderName::from_str(name).map_err(|_| InvalidIdentityHeader::Name)?;
        if RESERVED.contains(&name.as_str()) || name.as_str().starts_with("proxy-") {
            return Err(InvalidIdentityHeader::Reserved);
        }
        if self.fields.iter().any(|(known, _)| normalised(known.as_str()).eq(normalised(name.as_str()))) {
            return Err(InvalidIdentityHeader::Twice);
        }
        self.rules.protected.push(normalised(name.as_str()).collect());
        self.fields.push((name, source));
        Ok(self)
    }

    /// The same, but letting these names with an underscore through.
    #[must_use]
    pub fn allowing_underscores(mut self, names: &[&str]) -> Self {
        self.rules.underscores.extend(names.iter().map(|name| name.to_ascii_lowercase().into()));
        self
    }

    /// Which of the caller's own fields are taken out.
    pub fn rules(&self) -> &HeaderRules {
        &self.rules
    }

    /// The fields to set on a permitted request. However long a value is, it is not left out: that would make another identity of it.
    pub fn fields<'a>(&'a self, permit: &'a Permit) -> impl Iterator<Item = (&'a HeaderName, HeaderValue)> {
        let degraded = permit.degraded().then_some((&DEGRADED, HeaderValue::from_static("introspection")));
        let fields = self.fields.iter().filter_map(|(name, source)| Some((name, source.value(permit)?)));
        fields.chain(degraded)
    }
}

impl Default for IdentityHeaders {
    fn default() -> Self {
        Self::x_auth_request()
    }
}

impl IdentitySource {
    fn value(&self, permit: &Permit) -> Option<HeaderValue> {
        let principal = permit.principal()?;
        match self {
            Self::Subject => encode(principal.subject()?),
            Self::Client => encode(principal.client()?),
            Self::Issuer => encode(principal.issuer().as_str()),
            Self::Scopes => encode_list(principal.scopes().iter()),
            Self::Claim(name) => {
                let value = principal.facts().claims().spelled(name)?;
                if !value.get().starts_with('[') {
                    return encode(&scalar(value)?);
                }
                let elements: Vec<&RawValue> = serde_json::from_str(value.get()).ok()?;
                let texts: Vec<String> = elements.into_iter().map(scalar).collect::<Option<_>>()?;
                encode_list(texts.iter().map(String::as_str))
            }
        }
    }
}

/// Which header fields of the caller never reach the API.
///
/// 1. Every field that we may set, however it is spelled: in any case, with any other sign for `-`. A server that takes
///    `X_Auth_Request_User` or `X~Auth!Request*User` for `X-Auth-Request-User` would believe the caller. With a preset, the whole
///    family of `X-Auth-Request-`, and what other gateways tell of identity in `X-Forwarded-`: an API that has read
///    `X-Auth-Request-Email` before must not read the caller's.
/// 2. Every other name with an underscore, unless it is allowed by name.
/// 3. The fields that override the method, so that the API carries out what was judged.
#[derive(Clone, Debug)]
pub struct HeaderRules {
    /// Normalised: lower case, `-` only.
    protected: Vec<Box<[u8]>>,
    /// What protected names begin with, normalised too.
    family: Option<&'static [u8]>,
    underscores: Vec<Box<str>>,
}

impl HeaderRules {
    /// Whether the field of this name, in any case, is taken out.
    ///
    /// ```
    /// use tollgate::policy::IdentityHeaders;
    ///
    /// let identity = IdentityHeaders::x_auth_request();
    /// for name in ["x-auth-request-user", "X_Auth_Request_User", "x~auth!request*USER", "x-auth-request-email", "a_b"] {
    ///     assert!(identity.rules().strips(name), "{name}");
    /// }
    /// assert!(!identity.rules().strips("x-request-id"));
    /// ```
    pub fn strips(&self, name: &str) -> bool {
        let aliased = name.bytes().any(|byte| byte == b'_');
        if aliased && !self.underscores.iter().any(|allowed| allowed.eq_ignore_ascii_case(name)) {
            return true;
        }
        // Most names of a request differ in length from every protected one.
        let same = |protected: &[u8]| {
            protected.len() == name.len() && normalised(name).eq(protected.iter().copied())
        };
        let kin = |family: &[u8]| normalised(name).take(family.len()).eq(family.iter().copied());
        self.protected.iter().any(|protected| same(protected))
            || self.family.is_some_and(kin)
            || METHOD_OVERRIDES.iter().any(|name| same(name.as_bytes()))
    }
}

impl Default for HeaderRules {
    fn default() -> Self {
        Self { protected: vec![DEGRADED.as_str().as_bytes().into()], family: None, underscores: Vec::new() }
    }
}

/// What is wrong with an identity header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidIdentityHeader {
    /// Not a header name.
    #[error("it is no header name")]
    Name,
    /// A header that HTTP gives a meaning of its own.
    #[error("HTTP gives this header a meaning of its own")]
    Reserved,
    /// There already, or another spelling of it is.
    #[error("this header is set already")]
    Twice,
}

/// Tells an API that the caller's token was taken on an older word of its issuer.
static DEGRADED: HeaderName = HeaderName::from_static("x-auth-degraded");

/// What oauth2-proxy and others set, and APIs behind them read.
const OTHERS_IDENTITY: [&str; 5] = [
    "x-forwarded-user",
    "x-forwarded-email",
    "x-forwarded-groups",
    "x-forwarded-preferred-username",
    "x-forwarded-access-token",
];

const METHOD_OVERRIDES: [&str; 3] = ["x-http-method-override", "x-http-method", "x-method-override"];

const RESERVED: [&str; 20] = [
    "authorization",
    "connection",
    "content-length",
    "content-type",
    "cookie",
    "expect",
    "forwarded",
    "host",
    "http2-settings",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "via",
    "date",
    "x-auth-degraded",
    // The gateway's own.
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
];

fn normalised(name: &str) -> impl Iterator<Item = u8> {
    name.bytes().map(|byte| if byte.is_ascii_alphanumeric() { byte.to_ascii_lowercase() } else { b'-' })
}

/// The text of a string, a number or a boolean. A number is told with the token's own digits: as a float it might be another's.
fn scalar(value: &RawValue) -> Option<String> {
    let json = value.get();
    match json.as_bytes().first()? {
        b'"' => serde_json::from_str(json).ok(),
        b'-' | b'0'..=b'9' | b't' | b'f' => Some(json.to_owned()),
        _ => None,
    }
}

fn encode(text: &str) -> Option<HeaderValue> {
    let plain = |byte: u8| matches!(byte, b' '..=b'~') & (byte != b'%');
    if text.is_empty() {
        return None;
    }
    let outer_space = text.starts_with(' ') || text.ends_with(' ');
    if all(text.as_bytes(), plain) && !outer_space {
        return HeaderValue::from_str(text).ok();
    }
    let encoded: String =
        text.bytes()
            .map(|byte| {
                if plain(byte) && byte != b' ' {
                    char::from(byte).to_string()
                } else {
                    format!("%{byte:02X}")
                }
            })
            .collect();
    HeaderValue::from_str(&encoded).ok()
}

/// Elements joined by spaces; a space inside of one is encoded.
fn encode_list<'a>(elements: impl Iterator<Item = &'a str> + Clone) -> Option<HeaderValue> {
    let plain = |byte: u8| matches!(byte, b'!'..=b'~') & (byte != b'%');
    let mut joined = Vec::with_capacity(elements.clone().map(|element| element.len() + 1).sum());
    for element in elements.filter(|element| !element.is_empty()) {
        if !joined.is_empty() {
            joined.push(b' ');
        }
        if all(element.as_bytes(), plain) {
            joined.extend_from_slice(element.as_bytes());
            continue;
        }
        for byte in element.bytes() {
            match byte {
                _ if plain(byte) => joined.push(byte),
                _ => joined.extend_from_slice(format!("%{byte:02X}").as_bytes()),
            }
        }
    }
    if joined.is_empty() { None } else { HeaderValue::from_maybe_shared(Bytes::from(joined)).ok() }
}

#[cfg(test)]
mod tests;
