//! Asking an issuer about a token: RFC 7662, and RFC 9701 for signed answers.

use super::client::Answer;
use super::form::Form;
use super::url::EndpointUrl;
use super::{Client, ClientAuth, Discovery, SetupError, failure};
use crate::gate::{BoxFuture, Introspect, IntrospectionAnswer, SourceError, SourceErrorKind};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::Deserialize;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// An issuer's introspection endpoint.
///
/// What its answers mean:
///
/// | answer | meaning |
/// |---|---|
/// | 200, `application/json` | the answer |
/// | 200, `application/token-introspection+jwt` | the answer, signed |
/// | 400 with `unsupported_token_type`, `invalid_token` or `invalid_grant` | no token that it can judge: not active |
/// | 400 with `invalid_client` or `unauthorized_client` | our credentials are wrong: an outage |
/// | any other 400 | after a first good answer, which shows that our questions are well put: no token that it can judge; before: an outage |
/// | anything else | an outage |
///
/// So no caller can bring about an outage with a token that the endpoint chokes on.
#[derive(Debug)]
pub struct IntrospectionEndpoint {
    client: Client,
    issuer: Box<str>,
    place: Place,
    auth: ClientAuth,
    token_type_hint: Option<Box<str>>,
    signed: bool,
    /// Whether it has given a good answer before.
    answered: AtomicBool,
}

/// Where an introspection endpoint is.
#[derive(Clone, Debug)]
pub enum Location {
    /// At this URL.
    Url(Box<str>),
    /// Where the issuer's metadata says.
    Discovered(Arc<Discovery>),
}

#[derive(Debug)]
enum Place {
    Url(EndpointUrl),
    Discovered(Arc<Discovery>),
}

impl IntrospectionEndpoint {
    /// The endpoint of this issuer. It is told that tokens are access tokens, and asked for plain answers.
    ///
    /// # Errors
    /// [`SetupError::Url`] if the client may not ask the URL, [`SetupError::Tls`] if it could trust nobody there,
    /// [`SetupError::Value`] if we would have nothing to say who we are.
    pub fn new(
        client: Client,
        issuer: &str,
        location: Location,
        auth: ClientAuth,
    ) -> Result<Self, SetupError> {
        auth.check()?;
        let place = match location {
            Location::Url(url) => Place::Url(client.configured(&url)?),
            Location::Discovered(discovery) => Place::Discovered(discovery),
        };
        let token_type_hint = Some("access_token".into());
        let answered = AtomicBool::new(false);
        Ok(Self { client, issuer: issuer.into(), place, auth, token_type_hint, signed: false, answered })
    }

    /// Another `token_type_hint` (RFC 7662 section 2.1), or none.
    #[must_use]
    pub fn token_type_hint(mut self, hint: Option<&str>) -> Self {
        self.token_type_hint = hint.map(Into::into);
        self
    }

    /// Asks for signed answers (RFC 9701 section 4).
    #[must_use]
    pub fn signed(mut self, signed: bool) -> Self {
        self.signed = signed;
        self
    }

    async fn ask(&self, token: &str) -> Result<IntrospectionAnswer, SourceError> {
        let url = match &self.place {
            Place::Url(url) => url.clone(),
            Place::Discovered(metadata) => {
                metadata.introspection_endpoint(&self.client, self.auth.is_mtls()).await?
            }
        };
        let (mut headers, mut form) = (HeaderMap::new(), Form::default());
        form.append("token", token);
        if let Some(hint) = &self.token_type_hint {
            form.append("token_type_hint", hint);
        }
        self.auth.sign(&mut headers, &mut form, &self.issuer, &url, self.client.now())?;
        headers.insert(
            header::ACCEPT,
            HeaderValue::from_static(if self.signed { SIGNED_OR_PLAIN } else { PLAIN }),
        );
        let answered = self.client.post(&url, headers, form.into_body()).await;
        if let Place::Discovered(metadata) = &self.place
            && answered.as_ref().map_or(true, |answer| seems_gone(answer.status))
        {
            metadata.doubt();
        }
        self.judge(&url, answered?)
    }

    fn judge(&self, url: &EndpointUrl, answer: Answer) -> Result<IntrospectionAnswer, SourceError> {
        match answer.status {
            StatusCode::OK => {
                let judged = read(url, answer)?;
                self.answered.store(true, Ordering::Relaxed);
                Ok(judged)
            }
            StatusCode::BAD_REQUEST => {
                let error = serde_json::from_slice::<OAuthError>(&answer.body).ok().map(|body| body.error);
                match error.as_deref() {
                    Some("unsupported_token_type" | "invalid_token" | "invalid_grant") => {
                        Ok(IntrospectionAnswer::NotJudged)
                    }
                    Some(error @ ("invalid_client" | "unauthorized_client")) => {
                        let told = format!("`{url}` answered 400 with `{error}`: check our credentials");
                        Err(SourceError::new(SourceErrorKind::Status, told))
                    }
                    _ if self.answered.load(Ordering::Relaxed) => Ok(IntrospectionAnswer::NotJudged),
                    error => {
                        let error = error.map(|error| format!(" with `{}`", failure::printable(error)));
                        let told = format!("`{url}` answered 400{}", error.unwrap_or_default());
                        Err(SourceError::new(SourceErrorKind::Status, told))
                    }
                }
            }
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                let told = format!("`{url}` answered {}: check our credentials", answer.status.as_u16());
                Err(SourceError::new(SourceErrorKind::Status, told))
            }
            status => Err(failure::status(url, status, &answer.headers, self.client.now())),
        }
    }
}

fn read(url: &EndpointUrl, answer: Answer) -> Result<IntrospectionAnswer, SourceError> {
    match answer.media_type().as_str() {
        "application/json" => Ok(IntrospectionAnswer::Json(answer.body)),
        "application/token-introspection+jwt" => match String::from_utf8(answer.body.into()) {
            Ok(jwt) => Ok(IntrospectionAnswer::Signed(jwt.trim().to_owned())),
            Err(_) => Err(failure::malformed(url, "the signed answer is not text")),
        },
        other => {
            Err(failure::malformed(url, &format!("the answer is `{other}`, and not `application/json`")))
        }
    }
}

fn seems_gone(status: StatusCode) -> bool {
    matches!(status, StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED | StatusCode::GONE)
        || status.is_redirection()
}

impl Introspect for IntrospectionEndpoint {
    fn introspect<'a>(&'a self, token: &'a str) -> BoxFuture<'a, Result<IntrospectionAnswer, SourceError>> {
        Box::pin(self.client.within(self.ask(token)))
    }

    fn client_id(&self) -> &str {
        self.auth.client_id()
    }
}

const PLAIN: &str = "application/json";
const SIGNED_OR_PLAIN: &str = "application/token-introspection+jwt, application/json";

/// An error of OAuth: RFC 6749 section 5.2.
#[derive(Deserialize)]
struct OAuthError {
    error: String,
}
