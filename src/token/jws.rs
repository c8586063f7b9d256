//! The compact serialisation of a JSON Web Signature: RFC 7515 sections 4, 7.1 and 5.2 steps 1 to 7.

use super::{Members, UniqueMembers};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde::de::{IgnoredAny, MapAccess};

/// What kind of token a text is, told by its form alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Its first part is a JSON object with `alg`: a signed token, sound or not.
    Jws,
    /// Five parts, the first a JSON object: an encrypted token (RFC 7516), which is refused.
    Jwe,
    /// Anything else: a word that only its issuer understands.
    Opaque,
}

impl Shape {
    /// Tells what `token` is.
    ///
    /// The first part is read leniently here (padding, trailing bits of any value, and the other alphabet of base64 pass), and the
    /// others not at all: a signed token that is spelled in another way, or has something behind it, is refused as one, rather than
    /// sent to an introspection endpoint that might overlook it.
    ///
    /// ```
    /// use tollgate::token::Shape;
    ///
    /// assert_eq!(Shape::of("eyJhbGciOiJSUzI1NiJ9.e30.AAAA"), Shape::Jws);
    /// assert_eq!(Shape::of("eyJhbGciOiJSUzI1NiJ9.e30.AAAA="), Shape::Jws);
    /// assert_eq!(Shape::of("2YotnFZFEjr1zCsicMWpAA"), Shape::Opaque);
    /// ```
    pub fn of(token: &str) -> Self {
        let Some((first, others)) = token.split_once('.') else { return Self::Opaque };
        let first = first.replace('+', "-").replace('/', "_");
        let Ok(header) = LENIENT.decode(first) else { return Self::Opaque };
        let mut alg = HasAlg(false);
        // Duplicate members still make it a JWS, which is then refused as a bad one.
        let object = UniqueMembers::read(&header, &mut alg).is_ok() || begins_as_object(&header);
        match object {
            true if others.split('.').count() == 4 => Self::Jwe,
            true if alg.0 || serde_json::from_slice::<LooseAlg>(&header).is_ok() => Self::Jws,
            _ => Self::Opaque,
        }
    }

    /// Whether `token` can be a JWS at all; cheap, and never wrong when it says no.
    pub(crate) fn may_be_jws(token: &[u8]) -> bool {
        token.contains(&b'.')
    }
}

/// A JWS taken apart, but not verified: nothing that it says may be believed.
///
/// 1. At most [`MAX_TOKEN_BYTES`](super::MAX_TOKEN_BYTES) bytes, exactly three parts, none empty.
/// 2. Each part is canonical base64url: no padding, no stray trailing bits, no other character. So one token has one
///    spelling, and one fingerprint.
/// 3. The header is one JSON object with unique members. `alg` is a string. `kid`, if present, is a string of at most
///    [`MAX_KID_BYTES`] bytes. `typ`, if present, is a string. `crit` and `b64` (RFC 7515 section 4.1.11, RFC 7797) are refused:
///    no extension is understood here.
/// 4. `jku`, `x5u`, `jwk` and `x5c` are never looked at: a token does not say which key proves it.
///
/// ```
/// use tollgate::token::UnverifiedJws;
///
/// let jws = UnverifiedJws::parse("eyJhbGciOiJSUzI1NiIsImtpZCI6ImsxIn0.e30.AAAA")?;
/// assert_eq!((jws.alg(), jws.kid(), jws.payload()), ("RS256", Some("k1"), b"{}".as_slice()));
/// # Ok::<(), tollgate::token::JwsError>(())
/// ```
pub struct UnverifiedJws<'a> {
    signing_input: &'a str,
    header: Header,
    payload: Vec<u8>,
    signature: Vec<u8>,
}

impl<'a> UnverifiedJws<'a> {
    /// Takes `token` apart.
    ///
    /// # Errors
    /// The [`JwsError`] that says which of the rules above it breaks.
    pub fn parse(token: &'a str) -> Result<Self, JwsError> {
        if token.len() > super::MAX_TOKEN_BYTES {
            return Err(JwsError::Parts);
        }
        let mut parts = token.split('.');
        let (Some(header), Some(payload), Some(signature), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(if token.split('.').count() == 5 { JwsError::Jwe } else { JwsError::Parts });
        };
        if header.is_empty() || payload.is_empty() || signature.is_empty() {
            return Err(JwsError::Parts);
        }
        if signature.len() > MAX_SIGNATURE_CHARS {
            return Err(JwsError::Signature);
        }
        let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| JwsError::Base64);
        let header = Header::parse(&decode(header)?)?;
        // Both dots are ASCII and inside of the token, so the slice exists.
        let signing_input = token.get(..token.len() - signature.len() - 1).ok_or(JwsError::Parts)?;
        Ok(Self { signing_input, header, payload: decode(payload)?, signature: decode(signature)? })
    }

    /// The header's `alg`, as spelled.
    pub fn alg(&self) -> &str {
        &self.header.alg
    }

    /// The header's `kid`: a hint which key signed this.
    pub fn kid(&self) -> Option<&str> {
        self.header.kid.as_deref()
    }

    /// The header's `typ`, as spelled.
    pub fn typ(&self) -> Option<&str> {
        self.header.typ.as_deref()
    }

    /// The bytes that are signed: header, dot and payload, as they came (RFC 7515 section 5.2 step 8).
    pub fn signing_input(&self) -> &'a str {
        self.signing_input
    }

    /// The decoded payload. Unverified: at most its `iss` may be read, to find out whom to ask.
    pub fn payload(&self) -> &[u8] {
        &self.payload
    }

    /// The decoded signature.
    pub fn signature(&self) -> &Vec<u8> {
        &self.signature
    }
}

/// Why a text is no acceptable compact JWS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JwsError {
    /// Not three non-empty parts.
    #[error("the token is not three parts joined by dots")]
    Parts,
    /// Five parts: RFC 7516.
    #[error("the token is encrypted (JWE); this gate takes signed tokens")]
    Jwe,
    /// Not canonical base64url: padding, another character, or stray trailing bits.
    #[error("a part of the token is not canonical base64url")]
    Base64,
    /// The header is not one JSON object with unique members, `alg` a string and `typ` a string.
    #[error("the token's header is not a JSON object with unique members and a string `alg`")]
    Header,
    /// The header has `crit` or `b64`.
    #[error("the token's header demands an extension (`crit` or `b64`)")]
    Critical,
    /// `kid` is not a string of at most [`MAX_KID_BYTES`] bytes.
    #[error("the token's `kid` is not a string of at most 256 bytes")]
    Kid,
    /// The signature is longer than that of an RSA key of 8192 bits.
    #[error("the token's signature is longer than any key's")]
    Signature,
}

/// The longest `kid` that is accepted, in bytes.
pub const MAX_KID_BYTES: usize = 256;

/// base64url characters of the longest signature: an RSA key of 8192 bits gives 1024 bytes.
const MAX_SIGNATURE_CHARS: usize = 1366;

/// base64url that takes padding, or none, and any trailing bits: only to tell what a text was meant to be.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::URL_SAFE,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// Whether this may be meant for an object with members.
fn begins_as_object(json: &[u8]) -> bool {
    let inner = json.trim_ascii_start().strip_prefix(b"{");
    inner.is_some_and(|inner| inner.trim_ascii_start().starts_with(b"\""))
}

/// Finds out whether there is an `alg`.
struct HasAlg(bool);

impl<'de> Members<'de> for HasAlg {
    fn member<A: MapAccess<'de>>(&mut self, name: &str, map: &mut A) -> Result<(), A::Error> {
        self.0 |= name == "alg";
        map.next_value::<IgnoredAny>().map(drop)
    }
}

/// The same for an object whose members are not unique.
struct LooseAlg;

impl<'de> serde::Deserialize<'de> for LooseAlg {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let map = std::collections::HashMap::<String, IgnoredAny>::deserialize(deserializer)?;
        map.contains_key("alg").then_some(Self).ok_or_else(|| serde::de::Error::missing_field("alg"))
    }
}

/// A JOSE header's members that matter here.
struct Header {
    alg: Box<str>,
    kid: Option<Box<str>>,
    typ: Option<Box<str>>,
}

impl Header {
    fn parse(json: &[u8]) -> Result<Self, JwsError> {
        let mut fields = HeaderFields::default();
        let read = UniqueMembers::read(json, &mut fields);
        match (fields.error, read, fields.alg) {
            (Some(error), _, _) => Err(error),
            (None, Ok(()), Some(alg)) => Ok(Self { alg, kid: fields.kid, typ: fields.typ }),
            _ => Err(JwsError::Header),
        }
    }
}

#[derive(Default)]
struct HeaderFields {
    alg: Option<Box<str>>,
    kid: Option<Box<str>>,
    typ: Option<Box<str>>,
    error: Option<JwsError>,
}

impl<'de> Members<'de> for HeaderFields {
    fn member<A: MapAccess<'de>>(&mut self, name: &str, map: &mut A) -> Result<(), A::Error> {
        match name {
            "alg" => self.alg = Some(map.next_value()?),
            "typ" => self.typ = Some(map.next_value()?),
            "kid" => {
                let kid: Result<Box<str>, _> = map.next_value();
                match kid {
                    Ok(kid) if kid.len() <= MAX_KID_BYTES => self.kid = Some(kid),
                    Ok(_) => self.error = Some(JwsError::Kid),
                    Err(error) => {
                        self.error = Some(JwsError::Kid);
                        return Err(error);
                    }
                }
            }
            "crit" | "b64" => {
                self.error = Some(JwsError::Critical);
                map.next_value::<IgnoredAny>()?;
            }
            _ => map.next_value::<IgnoredAny>().map(drop)?,
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
