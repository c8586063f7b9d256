//! What a client sends: form parameters, and who it is.

use super::error::OAuthError;
use super::{Client, State};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, header};
use percent_encoding::percent_decode_str;

/// The parameters of a request (RFC 6749 appendix B).
pub(super) struct Form(Vec<(String, String)>);

impl Form {
    /// Reads a body of `application/x-www-form-urlencoded`. A parameter without a value counts as omitted (RFC 6749 section 3.2).
    ///
    /// # Errors
    /// `invalid_request` for another type of content, for text that is not UTF-8, and for a parameter that is there twice.
    pub(super) fn read(headers: &HeaderMap, body: &[u8]) -> Result<Self, OAuthError> {
        let content =
            headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let essence = content.split(';').next().unwrap_or_default().trim();
        if !essence.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            return Err(OAuthError::InvalidRequest("the content type is application/x-www-form-urlencoded"));
        }
        let text = std::str::from_utf8(body).map_err(|_| NOT_UTF8)?;
        let mut form = Self(Vec::new());
        for pair in text.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let (name, value) = (decode(name).ok_or(NOT_UTF8)?, decode(value).ok_or(NOT_UTF8)?);
            if form.get(&name).is_some() {
                return Err(OAuthError::InvalidRequest("a parameter is there twice"));
            }
            if !value.is_empty() {
                form.0.push((name, value));
            }
        }
        Ok(form)
    }

    /// The value of a parameter.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The value of a parameter that has to be there.
    pub(super) fn require(&self, name: &str, missing: &'static str) -> Result<&str, OAuthError> {
        self.get(name).ok_or(OAuthError::InvalidRequest(missing))
    }
}

/// Who is asking, by `client_secret_basic` or `client_secret_post` (RFC 6749 section 2.3.1).
///
/// # Errors
/// `invalid_client` if nobody we know; `invalid_request` if both ways are taken at once (section 2.3).
pub(super) fn authenticate<'a>(
    state: &'a State,
    headers: &HeaderMap,
    form: &Form,
) -> Result<&'a Client, OAuthError> {
    let mut fields = headers.get_all(header::AUTHORIZATION).iter();
    let basic = fields.next().map(|field| field.to_str().ok().and_then(basic));
    if fields.next().is_some() {
        return Err(OAuthError::InvalidRequest("there are two Authorization fields"));
    }
    let (id, secret) = match (basic, form.get("client_secret")) {
        (Some(_), Some(_)) => {
            return Err(OAuthError::InvalidRequest("authenticate in the header or in the body, not in both"));
        }
        (Some(pair), None) => pair.ok_or(OAuthError::InvalidClient)?,
        (None, Some(secret)) => {
            let id = form.get("client_id").ok_or(OAuthError::InvalidClient)?;
            (id.to_owned(), secret.to_owned())
        }
        (None, None) => return Err(OAuthError::InvalidClient),
    };
    if form.get("client_id").is_some_and(|named| named != id) {
        return Err(OAuthError::InvalidRequest("the header and the body name different clients"));
    }
    state
        .clients
        .get(id.as_str())
        .filter(|client| client.has_secret(&secret))
        .ok_or(OAuthError::InvalidClient)
}

/// Id and secret, each form-encoded, joined by a colon, in base64.
fn basic(field: &str) -> Option<(String, String)> {
    let (scheme, encoded) = field.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let text = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (id, secret) = text.split_once(':')?;
    Some((decode(id)?, decode(secret)?))
}

fn decode(text: &str) -> Option<String> {
    let spaced = text.replace('+', " ");
    percent_decode_str(&spaced).decode_utf8().ok().map(|text| text.into_owned())
}

const NOT_UTF8: OAuthError = OAuthError::InvalidRequest("the parameters are UTF-8");

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn read(body: &str) -> Result<Form, OAuthError> {
        let mut headers = HeaderMap::new();
        let value = HeaderValue::from_static("Application/X-WWW-Form-urlencoded; charset=utf-8");
        headers.insert(header::CONTENT_TYPE, value);
        Form::read(&headers, body.as_bytes())
    }

    #[test]
    fn parameters_are_decoded_and_come_once() {
        let form = read("scope=a+b%2Bc&&token=x%26y%3Dz&empty=&client_id=%C3%A9").unwrap();
        assert_eq!(form.get("scope"), Some("a b+c"));
        assert_eq!(form.get("token"), Some("x&y=z"));
        assert_eq!(form.get("empty"), None);
        assert_eq!(form.get("client_id"), Some("é"));
        for bad in ["token=a&token=b", "token=a&%74oken=b", "token=%ff"] {
            assert!(read(bad).is_err(), "{bad}");
        }
        assert!(Form::read(&HeaderMap::new(), b"token=a").is_err(), "without a content type");
    }

    #[test]
    fn basic_credentials_are_form_encoded() {
        // `my client`:`a:b+c%`
        let encoded = STANDARD.encode("my+client:a%3Ab%2Bc%25");
        assert_eq!(basic(&format!("basic {encoded}")), Some(("my client".into(), "a:b+c%".into())));
        for bad in ["Basic", "Basic !", "Bearer eDp5", "Basic eA=="] {
            assert_eq!(basic(bad), None, "{bad}");
        }
    }
}
