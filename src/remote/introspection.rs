//! Asking an issuer about a token: RFC 7662, and RFC 9701 for signed answers.

use super::client::Answer;
use super::form::Form;
use super::url::EndpointUrl;
use super::{Client, ClientAuth, Discovery, SetupError, failure};
use crate::gate::{BoxFuture, Introspect, IntrospectionAnswer, SourceError, SourceErrorKind};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::Deserialize;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

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
/// | 400 with `server_error` or `temporarily_unavailable` | an outage |
/// | 400 with `invalid_request`, within 10 s of a good answer, which shows that it is well | no token that it can judge: not active |
/// | any other 400 | nobody can tell: [`Unjudged`](SourceErrorKind::Unjudged) |
/// | anything else | an outage |
///
/// So no caller can bring about an outage with a token that the endpoint chokes on, and no outage makes good tokens inactive.
#[derive(Debug)]
pub struct IntrospectionEndpoint {
    client: Client,
    issuer: Box<str>,
    place: Place,
    auth: ClientAuth,
    token_type_hint: Option<Box<str>>,
    signed: bool,
    /// When it gave a good answer last, in milliseconds of the clock's; none yet at first.
    answered: AtomicU64,
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
        let answered = AtomicU64::new(NEVER);
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
                self.answered.store(self.elapsed_millis(), Ordering::Relaxed);
                Ok(judged)
            }
            StatusCode::BAD_REQUEST => {
                let error = serde_json::from_slice::<OAuthError>(&answer.body).ok().map(|body| body.error);
                let (kind, advice) = match error.as_deref() {
                    Some("unsupported_token_type" | "invalid_token" | "invalid_grant") => {
                        return Ok(IntrospectionAnswer::NotJudged);
                    }
                    Some("invalid_client" | "unauthorized_client") => {
                        (SourceErrorKind::Status, ": check our credentials")
                    }
                    Some("server_error" | "temporarily_unavailable") => (SourceErrorKind::Status, ""),
                    Some("invalid_request") if self.is_well() => return Ok(IntrospectionAnswer::NotJudged),
                    _ => (SourceErrorKind::Unjudged, ""),
                };
                let error = error.map(|error| format!(" with `{}`", failure::printable(&error)));
                let told = format!("`{url}` answered 400{}{advice}", error.unwrap_or_default());
                Err(SourceError::new(kind, told))
            }
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                let told = format!("`{url}` answered {}: check our credentials", answer.status.as_u16());
                Err(SourceError::new(SourceErrorKind::Status, told))
            }
            status => Err(failure::status(url, status, &answer.headers, self.client.now())),
        }
    }

    /// Whether it gave a good answer a moment ago.
    fn is_well(&self) -> bool {
        let answered = self.answered.load(Ordering::Relaxed);
        answered != NEVER && self.elapsed_millis().saturating_sub(answered) < WELL_FOR.as_millis() as u64
    }

    fn elapsed_millis(&self) -> u64 {
        self.client.clock().elapsed().as_millis() as u64
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

/// For how long a good answer shows that the endpoint, and how we ask it, are well.
const WELL_FOR: Duration = Duration::from_secs(10);
const NEVER: u64 = u64::MAX;

const PLAIN: &str = "application/json";
const SIGNED_OR_PLAIN: &str = "application/token-introspection+jwt, application/json";

/// An error of OAuth: RFC 6749 section 5.2.
#[derive(Deserialize)]
struct OAuthError {
    error: String,
}
