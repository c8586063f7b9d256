//! `Authorization`: RFC 6750 section 2.1, RFC 9110 section 11.4. Each line of the input is a field of its own.

use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue};
use tollgate::token::{Credential, CredentialError, MAX_TOKEN_BYTES};

/// What is taken is exactly what the grammar allows: one field with one token, which is a part of it.
pub fn check(data: &[u8]) {
    let mut headers = HeaderMap::new();
    assert_eq!(Credential::from_headers(&headers), Ok(None), "no field is no error");
    let fields: Vec<&[u8]> = data.split(|byte| *byte == b'\n').collect();
    for field in &fields {
        // Others never become a header.
        let Ok(value) = HeaderValue::from_bytes(field) else { return };
        headers.append(AUTHORIZATION, value);
    }
    let read = Credential::from_headers(&headers);
    assert_eq!(read, Credential::from_headers(&headers), "it is read alike each time");
    let [field] = fields[..] else {
        return assert_eq!(read, Err(CredentialError::Repeated), "two fields are refused, whatever they say");
    };
    match read {
        Ok(credential) => {
            let credential = credential.expect("a field is there");
            assert_eq!(Some(credential.token()), token_of(field), "what is taken is the one token");
            let shown = format!("{credential:?}");
            assert_eq!(
                shown,
                format!("Credential({:?}, {} bytes)", credential.scheme(), credential.token().len())
            );
        }
        Err(error) => assert_eq!(token_of(field), None, "what follows the grammar is taken: {error}"),
    }
}

/// The token of a field that has a known scheme, a space or more, and a b64token of permitted length; nothing else.
fn token_of(field: &[u8]) -> Option<&str> {
    let (scheme, token) = std::str::from_utf8(field).ok()?.split_once(' ')?;
    let token = token.trim_start_matches(' ');
    let body = token.trim_end_matches('=');
    let known = ["bearer", "dpop"].contains(&&*scheme.to_ascii_lowercase());
    let valid = |c: char| c.is_ascii_alphanumeric() || "-._~+/".contains(c);
    let fits = !body.is_empty() && body.chars().all(valid) && token.len() <= MAX_TOKEN_BYTES;
    (known && fits).then_some(token)
}
