//! Who we are, to the endpoint that we ask: RFC 6749 section 2.3, RFC 7523, RFC 8705, RFC 7662 section 2.1.

use super::assertion::{AssertionAudience, AssertionKey};
use super::form::{Form, form_encode_gently};
use super::url::EndpointUrl;
use super::{Secret, SetupError};
use crate::gate::{SourceError, SourceErrorKind};
use crate::time::UnixTime;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, header};
use zeroize::Zeroizing;

/// How we authenticate to an introspection endpoint. The names are those of OpenID Connect Core section 9 and RFC 8705.
#[derive(Debug)]
pub enum ClientAuth {
    /// `client_secret_basic`: id and secret in an `Authorization` header.
    ///
    /// RFC 6749 section 2.3.1 has them form-encoded first, and some servers don't decode them. So no more is encoded than would be
    /// misread after decoding: `%`, `+`, blanks, what is not ASCII, and a `:` in the id.
    Basic {
        /// Our client id.
        client_id: Box<str>,
        /// Our secret.
        secret: Secret,
    },
    /// `client_secret_post`: id and secret in the form.
    Post {
        /// Our client id.
        client_id: Box<str>,
        /// Our secret.
        secret: Secret,
    },
    /// `private_key_jwt`: a fresh assertion for each question, signed by our key (RFC 7523 section 2.2).
    PrivateKeyJwt {
        /// Our client id.
        client_id: Box<str>,
        /// Our key.
        key: AssertionKey,
        /// Whom assertions are for.
        audience: AssertionAudience,
    },
    /// `tls_client_auth`: the certificate that the [`Client`](super::Client) shows (RFC 8705 section 2).
    TlsClientAuth {
        /// Our client id.
        client_id: Box<str>,
    },
    /// A bearer token of our own.
    Bearer {
        /// The token.
        token: Secret,
    },
}

impl ClientAuth {
    /// Our client id; empty if the server knows us by a token.
    pub fn client_id(&self) -> &str {
        match self {
            Self::Basic { client_id, .. }
            | Self::Post { client_id, .. }
            | Self::PrivateKeyJwt { client_id, .. }
            | Self::TlsClientAuth { client_id } => client_id,
            Self::Bearer { .. } => "",
        }
    }

    /// Whether it is our certificate that tells who we are.
    pub(super) fn is_mtls(&self) -> bool {
        matches!(self, Self::TlsClientAuth { .. })
    }

    /// What can be seen to be wrong with it before anyone is asked.
    pub(super) fn check(&self) -> Result<(), SetupError> {
        match self {
            Self::Bearer { token } if authorization("Bearer", &token.get()).is_err() => {
                Err(SetupError::Value("a bearer token has characters that don't belong into a header"))
            }
            Self::Bearer { .. } => Ok(()),
            _ if self.client_id().is_empty() => Err(SetupError::Value("the client id is empty")),
            _ => Ok(()),
        }
    }

    /// Adds to a request what tells who we are.
    pub(super) fn sign(
        &self,
        headers: &mut HeaderMap,
        form: &mut Form,
        issuer: &str,
        endpoint: &EndpointUrl,
        now: UnixTime,
    ) -> Result<(), SourceError> {
        match self {
            Self::Basic { client_id, secret } => {
                let secret = secret.get();
                // Room for all of it at once: a string that grows leaves copies behind.
                let room = 3 * (client_id.len() + secret.len()) + 1;
                let mut pair = Zeroizing::new(String::with_capacity(room));
                form_encode_gently(&mut pair, client_id, b"+%:");
                pair.push(':');
                form_encode_gently(&mut pair, &secret, b"+%");
                let encoded = Zeroizing::new(STANDARD.encode(pair.as_bytes()));
                headers.insert(header::AUTHORIZATION, authorization("Basic", &encoded)?);
            }
            Self::Post { client_id, secret } => {
                form.append("client_id", client_id);
                form.append("client_secret", &secret.get());
            }
            Self::PrivateKeyJwt { client_id, key, audience } => {
                let audience = match audience {
                    AssertionAudience::Issuer => issuer,
                    AssertionAudience::Endpoint => endpoint.as_url().as_str(),
                };
                form.append(
                    "client_assertion_type",
                    "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
                );
                let assertion = Zeroizing::new(key.assertion(client_id, audience, now)?);
                form.append("client_assertion", &assertion);
            }
            Self::TlsClientAuth { client_id } => form.append("client_id", client_id),
            Self::Bearer { token } => {
                headers.insert(header::AUTHORIZATION, authorization("Bearer", &token.get())?);
            }
        }
        Ok(())
    }
}

fn authorization(scheme: &str, credentials: &str) -> Result<HeaderValue, SourceError> {
    let unfit = || {
        let told = "our own bearer token has characters that don't belong into a header";
        SourceError::new(SourceErrorKind::Local, told)
    };
    if !credentials.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ') {
        return Err(unfit());
    }
    let mut text = Zeroizing::new(Vec::with_capacity(scheme.len() + 1 + credentials.len()));
    text.extend_from_slice(scheme.as_bytes());
    text.push(b' ');
    text.extend_from_slice(credentials.as_bytes());
    // The value keeps the very bytes, which are wiped with it.
    let mut value = HeaderValue::from_maybe_shared(Bytes::from_owner(text)).map_err(|_| unfit())?;
    value.set_sensitive(true);
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::remote::url::Reach;

    fn signed(auth: &ClientAuth) -> (HeaderMap, String) {
        let (mut headers, mut form) = (HeaderMap::new(), Form::default());
        let endpoint = EndpointUrl::configured("https://as.example/introspect", Reach::default()).unwrap();
        auth.check().unwrap();
        auth.sign(&mut headers, &mut form, "https://as.example/", &endpoint, UnixTime::EPOCH).unwrap();
        (headers, form.as_str().to_owned())
    }

    fn basic(id: &str, secret: &str) -> String {
        let auth = ClientAuth::Basic { client_id: id.into(), secret: Secret::new(secret).unwrap() };
        let (headers, form) = signed(&auth);
        assert_eq!(form, "");
        let value = headers.get("authorization").unwrap();
        assert!(value.is_sensitive());
        let encoded = value.to_str().unwrap().strip_prefix("Basic ").unwrap();
        String::from_utf8(STANDARD.decode(encoded).unwrap()).unwrap()
    }

    #[test]
    fn basic_encodes_what_needs_it_and_nothing_else() {
        assert_eq!(basic("gateway", "hunter2"), "gateway:hunter2");
        assert_eq!(basic("a:b", "c:d"), "a%3Ab:c:d");
        assert_eq!(
            basic("https://rs.example/x", "aZ09/=_-.~!$&'()*,;?@"),
            "https%3A//rs.example/x:aZ09/=_-.~!$&'()*,;?@"
        );
        assert_eq!(basic("a b", "1+1=100% ü"), "a%20b:1%2B1=100%25%20%C3%BC");
    }

    #[test]
    fn post_and_certificates_name_the_client_in_the_form() {
        let secret = Secret::new("a&client_id=b +%").unwrap();
        let (headers, form) = signed(&ClientAuth::Post { client_id: "me&you".into(), secret });
        assert!(headers.is_empty());
        assert_eq!(form, "client_id=me%26you&client_secret=a%26client_id%3Db%20%2B%25");
        let (headers, form) = signed(&ClientAuth::TlsClientAuth { client_id: "me".into() });
        assert!(headers.is_empty());
        assert_eq!(form, "client_id=me");
    }

    #[test]
    fn a_bearer_token_is_a_header() {
        let (headers, form) = signed(&ClientAuth::Bearer { token: Secret::new("abc").unwrap() });
        assert_eq!(
            (headers.get("authorization").unwrap().to_str().unwrap(), form.as_str()),
            ("Bearer abc", "")
        );
        let odd = ClientAuth::Bearer { token: Secret::new("ü\u{2028}").unwrap() };
        assert!(odd.check().is_err() || !format!("{odd:?}").contains('ü'));
    }

    #[test]
    fn nothing_shows_a_secret() {
        let auth = ClientAuth::Basic { client_id: "me".into(), secret: Secret::new("hunter2").unwrap() };
        let (headers, _) = signed(&auth);
        assert!(!format!("{auth:?} {headers:?}").contains("hunter2"));
        assert!(!format!("{headers:?}").contains(&STANDARD.encode("me:hunter2")));
    }
}
