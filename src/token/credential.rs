//! The `Authorization` header's one credential: RFC 6750 section 2.1, RFC 9110 section 11.6.2.

use super::alphabet::{all, is_letter};
use http::HeaderMap;
use http::header::AUTHORIZATION;

/// A token as the caller presented it: its scheme, and the token's text.
///
/// 1. No `Authorization` field: no credential (`Ok(None)`), which is not an error here.
/// 2. Exactly one field. Two, even equal ones, are refused: the gate and the API behind it might read different ones.
/// 3. The scheme, in any case, is `Bearer` or `DPoP`; a space or more; and one token of the b64token alphabet
///    (`1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"="`), at most [`MAX_TOKEN_BYTES`] long.
///
/// ```
/// use http::{HeaderMap, HeaderValue};
/// use tollgate::token::{Credential, Scheme};
///
/// let mut headers = HeaderMap::new();
/// assert_eq!(Credential::from_headers(&headers), Ok(None));
/// headers.insert("authorization", HeaderValue::from_static("bearer abc.def"));
/// let credential = Credential::from_headers(&headers)?.expect("there is one");
/// assert_eq!((credential.scheme(), credential.token()), (Scheme::Bearer, "abc.def"));
/// # Ok::<(), tollgate::token::CredentialError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Credential<'a> {
    scheme: Scheme,
    token: &'a [u8],
}

impl<'a> Credential<'a> {
    /// Reads the one credential of a request.
    ///
    /// # Errors
    /// A [`CredentialError`] if there is something in `Authorization` that is not exactly one token.
    pub fn from_headers(headers: &'a HeaderMap) -> Result<Option<Self>, CredentialError> {
        Presented::from_headers(headers)?.map(Presented::check).transpose()
    }

    /// How the token was presented.
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// The token's text. It is a secret: it must not be logged.
    pub fn token(&self) -> &'a str {
        // The alphabet is a subset of ASCII, so this can't fail; and what has no text is no token.
        std::str::from_utf8(self.token).unwrap_or_default()
    }

    /// The same as bytes, which takes less.
    pub(crate) fn bytes(&self) -> &'a [u8] {
        self.token
    }
}

impl std::fmt::Debug for Credential<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Credential({:?}, {} bytes)", self.scheme, self.token.len())
    }
}

/// A credential whose token was not looked at yet: to look at each byte is dear, and what is [known](super::Fingerprints) to be
/// sound need not be looked at again.
#[derive(Clone, Copy)]
pub(crate) struct Presented<'a> {
    scheme: Scheme,
    token: &'a [u8],
}

impl<'a> Presented<'a> {
    /// The one credential of a request.
    pub(crate) fn from_headers(headers: &'a HeaderMap) -> Result<Option<Self>, CredentialError> {
        let mut fields = headers.get_all(AUTHORIZATION).iter();
        let Some(field) = fields.next() else { return Ok(None) };
        if fields.next().is_some() {
            return Err(CredentialError::Repeated);
        }
        Self::parse(field.as_bytes()).map(Some)
    }

    pub(super) fn parse(field: &'a [u8]) -> Result<Self, CredentialError> {
        let end = field.iter().position(|b| !b.is_ascii_alphanumeric() && *b != b'-').unwrap_or(field.len());
        let (name, rest) = field.split_at(end);
        let scheme = match name {
            _ if name.eq_ignore_ascii_case(b"bearer") => Scheme::Bearer,
            _ if name.eq_ignore_ascii_case(b"dpop") => Scheme::Dpop,
            [] => return Err(CredentialError::Malformed),
            _ => return Err(CredentialError::OtherScheme),
        };
        let [b' ', token @ ..] = rest else { return Err(CredentialError::Malformed) };
        let spaces = token.iter().take_while(|byte| **byte == b' ').count();
        let (_, token) = token.split_at(spaces);
        if token.len() > MAX_TOKEN_BYTES {
            return Err(CredentialError::TooLong);
        }
        Ok(Self { scheme, token })
    }

    /// What should be a token.
    pub(super) fn bytes(&self) -> &'a [u8] {
        self.token
    }

    /// Looks at the token.
    pub(super) fn check(self) -> Result<Credential<'a>, CredentialError> {
        let padding = self.token.iter().rev().take_while(|byte| **byte == b'=').count();
        let (body, _) = self.token.split_at(self.token.len() - padding);
        if body.is_empty() || !all(body, is_b64token) {
            return Err(CredentialError::Malformed);
        }
        Ok(self.known())
    }

    /// Takes the token for one that was looked at before.
    pub(super) fn known(self) -> Credential<'a> {
        Credential { scheme: self.scheme, token: self.token }
    }
}

/// An authentication scheme that carries an access token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// RFC 6750: whoever holds the token may use it.
    Bearer,
    /// RFC 9449: the token is bound to a key that the caller proves to hold.
    Dpop,
}

/// Why the `Authorization` header holds no usable credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CredentialError {
    /// More than one `Authorization` field.
    #[error("the request has more than one `Authorization` field")]
    Repeated,
    /// A scheme that carries no access token, such as `Basic`.
    #[error("the `Authorization` scheme is not `Bearer`")]
    OtherScheme,
    /// Not a scheme, a space and one token of the b64token alphabet.
    #[error("the `Authorization` field is not `Bearer`, a space and one token")]
    Malformed,
    /// Longer than [`MAX_TOKEN_BYTES`].
    #[error("the token is longer than 16 KiB")]
    TooLong,
}

/// The longest token that is looked at, in bytes: 16 KiB. Real access tokens stay below 8 KiB, the usual bound on headers.
pub const MAX_TOKEN_BYTES: usize = 16 * 1024;

fn is_b64token(byte: u8) -> bool {
    // `-`, `.`, `/` and the digits stand in a row.
    is_letter(byte) | matches!(byte, b'-'..=b'9') | (byte == b'_') | (byte == b'~') | (byte == b'+')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(field: &str) -> Result<&str, CredentialError> {
        Presented::parse(field.as_bytes())?.check().map(|c| c.token())
    }

    #[test]
    fn one_token_in_any_case_of_the_scheme() {
        for scheme in ["Bearer", "bearer", "BEARER", "bEaReR"] {
            assert_eq!(parse(&format!("{scheme} aZ09-._~+/==")), Ok("aZ09-._~+/=="));
        }
        // RFC 6750 section 2.1: `1*SP`.
        assert_eq!(parse("Bearer   abc"), Ok("abc"));
        assert_eq!(Presented::parse(b"DPoP abc").map(|c| c.scheme), Ok(Scheme::Dpop));
    }

    #[test]
    fn the_alphabet_is_that_of_b64token() {
        let listed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/".contains(&byte);
        for byte in 0..=u8::MAX {
            assert_eq!(is_b64token(byte), listed(byte), "{byte}");
        }
    }

    #[test]
    fn anything_else_is_malformed() {
        let cases = [
            "",
            " ",
            "Bearer",
            "Bearer ",
            "Bearer  ",
            "Bearer\tabc",
            "Bearer \tabc",
            "Bearer abc ",
            "Bearer abc def",
            "Bearer abc,def",
            "Bearer abc, Bearer def",
            "Bearer \"abc\"",
            "Bearer a=b",
            "Bearer =",
            "Bearer a\u{e9}",
            " Bearer abc",
            "Bearer:abc",
            "Bearer=abc",
            "Bearer abc\0",
            "Bearer abc=\n",
        ];
        for case in cases {
            assert_eq!(parse(case), Err(CredentialError::Malformed), "{case:?}");
        }
    }

    #[test]
    fn other_schemes_are_told_apart() {
        for case in
            ["Basic dXNlcjpwdw==", "Negotiate abc", "Bearer2 abc", "AWS4-HMAC-SHA256 Credential=x", "Token"]
        {
            assert_eq!(parse(case), Err(CredentialError::OtherScheme), "{case:?}");
        }
    }

    #[test]
    fn length_is_bounded() {
        assert!(parse(&format!("Bearer {}", "a".repeat(MAX_TOKEN_BYTES))).is_ok());
        let long = format!("Bearer {}", "a".repeat(MAX_TOKEN_BYTES + 1));
        assert_eq!(parse(&long), Err(CredentialError::TooLong));
    }

    #[test]
    fn two_fields_are_refused_even_if_equal() {
        let mut headers = HeaderMap::new();
        assert_eq!(Credential::from_headers(&headers), Ok(None));
        headers.append(AUTHORIZATION, http::HeaderValue::from_static("Bearer abc"));
        headers.append(AUTHORIZATION, http::HeaderValue::from_static("Bearer abc"));
        assert_eq!(Credential::from_headers(&headers), Err(CredentialError::Repeated));
    }

    #[test]
    fn debug_shows_no_token() {
        let credential = Presented::parse(b"Bearer abc").unwrap().check().unwrap();
        assert_eq!(format!("{credential:?}"), "Credential(Bearer, 3 bytes)");
    }
}
