//! The one way out: an HTTP client that is hard to lead astray.

use super::address::GuardedResolver;
use super::failure;
use super::tls::{NO_ROOTS, Tls};
use super::url::{EndpointUrl, Reach};
use super::{CertificateFiles, SetupError};
use crate::gate::{SourceError, SourceErrorKind};
use crate::time::{Clock, UnixTime};
use bytes::{Bytes, BytesMut};
use http::{HeaderMap, StatusCode, header};
use reqwest::redirect::Policy;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// How a [`Client`] reaches an issuer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientSettings {
    /// How long an exchange may take, from the look-up of the name to the last byte. Default 5 s.
    pub timeout: Duration,
    /// Whether plain HTTP may be spoken with other machines. Default no: only with this one.
    pub insecure_http: bool,
    /// Whether addresses that are not of the public internet may be connected to (loopback, private, shared, link-local,
    /// unique-local and other special-purpose ones). Default no, but for `localhost` and literal loopback addresses in a configured
    /// URL.
    pub allow_private_addresses: bool,
    /// A PEM file of roots to trust beside the system's. Default none.
    pub ca_file: Option<PathBuf>,
    /// The certificate to show to servers that ask for one. Default none.
    pub certificate: Option<CertificateFiles>,
}

impl ClientSettings {
    /// Enough for a cold authorization server, and short enough that one that hangs doesn't hold up the next attempt.
    pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(5);
}

impl Default for ClientSettings {
    fn default() -> Self {
        Self {
            timeout: Self::DEFAULT_TIMEOUT,
            insecure_http: false,
            allow_private_addresses: false,
            ca_file: None,
            certificate: None,
        }
    }
}

/// Speaks HTTP with one issuer.
///
/// 1. HTTPS alone, with verification that can't be switched off; plain HTTP with this machine, or where it is allowed in words.
/// 2. Each address is checked when it is connected to, and literal ones when the URL is read.
/// 3. An exchange ends in time, and an answer of more than 256 KiB is given up as soon as it is one. Compressed answers are refused.
/// 4. A GET follows at most 3 redirects, to the same scheme, host and port; a POST none.
/// 5. No cookies, no proxies from the environment, no `Referer`.
///
/// Clones share their connections.
#[derive(Clone)]
pub struct Client {
    /// For documents. They are fetched once in a while: a connection kept from the last time is as likely dead as alive, and to find
    /// that out would cost the fetch, and with it a cool-down.
    documents: reqwest::Client,
    /// For questions, of which there are many: connections are kept. A question that meets a dead one is put once more.
    questions: reqwest::Client,
    reach: Reach,
    timeout: Duration,
    has_roots: bool,
    clock: Arc<dyn Clock>,
}

/// A whole answer.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    /// Empty unless the status is 200 or 400.
    pub(super) body: Bytes,
}

impl Client {
    /// A client with these settings. The clock tells when files are looked at, and how long `Retry-After` dates are.
    ///
    /// # Errors
    /// A [`SetupError`] if a file can't be used.
    pub fn new(settings: &ClientSettings, clock: Arc<dyn Clock>) -> Result<Self, SetupError> {
        let tls = Tls::new(settings.ca_file.as_deref(), settings.certificate.as_ref(), &clock)?;
        let http = |kept_connections| {
            reqwest::Client::builder()
                .tls_backend_preconfigured(tls.config.clone())
                .dns_resolver(Arc::new(GuardedResolver {
                    private_addresses: settings.allow_private_addresses,
                }))
                .timeout(settings.timeout)
                .connect_timeout(settings.timeout)
                .redirect(Policy::none())
                .referer(false)
                .no_proxy()
                .user_agent(concat!("tollgate/", env!("CARGO_PKG_VERSION")))
                .pool_idle_timeout(IDLE)
                .pool_max_idle_per_host(kept_connections)
                .build()
                .map_err(|error| SetupError::Tls(error.without_url().to_string().into()))
        };
        let reach = Reach {
            insecure_http: settings.insecure_http,
            private_addresses: settings.allow_private_addresses,
        };
        Ok(Self {
            documents: http(0)?,
            questions: http(MAX_IDLE)?,
            reach,
            timeout: settings.timeout,
            has_roots: tls.has_roots,
            clock,
        })
    }

    /// A URL that the operator has configured, if this client may ask it.
    pub(super) fn configured(&self, text: &str) -> Result<EndpointUrl, SetupError> {
        let url = EndpointUrl::configured(text, self.reach).map_err(|error| SetupError::url(text, error))?;
        if url.is_https() && !self.has_roots {
            return Err(SetupError::Tls(NO_ROOTS.into()));
        }
        Ok(url)
    }

    /// A URL that a document from `origin` names, if this client may ask it.
    pub(super) fn named_by(&self, origin: &EndpointUrl, text: &str) -> Result<EndpointUrl, SourceError> {
        let forbidden = |error| {
            let told = format!("`{origin}` names a URL that can't be used: {}", SetupError::url(text, error));
            SourceError::new(SourceErrorKind::Forbidden, told)
        };
        let url = EndpointUrl::named_by(origin, text, self.reach).map_err(forbidden)?;
        if url.is_https() && !self.has_roots {
            return Err(SourceError::new(SourceErrorKind::Local, NO_ROOTS));
        }
        Ok(url)
    }

    /// Fetches a document, whatever its status.
    pub(super) async fn get(&self, url: &EndpointUrl, accept: &'static str) -> Result<Answer, SourceError> {
        let mut at = url.clone();
        for _ in 0..=MAX_REDIRECTS {
            let request = self.documents.get(at.as_url().clone()).header(header::ACCEPT, accept);
            let answer = self.exchange(&at, request).await?;
            let location = answer.headers.get(header::LOCATION).filter(|_| answer.status.is_redirection());
            let Some(location) = location else { return Ok(answer) };
            let refused = || failure::status(&at, answer.status, &answer.headers, self.now());
            at = location.to_str().ok().and_then(|to| at.redirected(to)).ok_or_else(refused)?;
        }
        let told = format!("`{url}` redirects more than {MAX_REDIRECTS} times");
        Err(SourceError::new(SourceErrorKind::Forbidden, told))
    }

    /// Sends a form, and takes the answer, whatever its status.
    pub(super) async fn post(
        &self,
        url: &EndpointUrl,
        mut headers: HeaderMap,
        form: Bytes,
    ) -> Result<Answer, SourceError> {
        let content_type = http::HeaderValue::from_static("application/x-www-form-urlencoded");
        headers.insert(header::CONTENT_TYPE, content_type);
        let request = self.questions.post(url.as_url().clone()).headers(headers).body(form);
        self.exchange(url, request).await
    }

    /// Bounds a piece of work, of several exchanges perhaps, by the time for one.
    pub(super) async fn within<T>(
        &self,
        work: impl Future<Output = Result<T, SourceError>>,
    ) -> Result<T, SourceError> {
        let late = || {
            let told = format!("no answer within {:?}", self.timeout);
            SourceError::new(SourceErrorKind::Timeout, told)
        };
        tokio::time::timeout(self.timeout, work).await.unwrap_or_else(|_| Err(late()))
    }

    pub(super) fn timeout(&self) -> Duration {
        self.timeout
    }

    pub(super) fn now(&self) -> UnixTime {
        self.clock.now()
    }

    pub(super) fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    async fn exchange(
        &self,
        url: &EndpointUrl,
        request: reqwest::RequestBuilder,
    ) -> Result<Answer, SourceError> {
        let failed = |error| failure::exchange(url, error);
        let mut response = request.send().await.map_err(failed)?;
        let (status, headers) = (response.status(), std::mem::take(response.headers_mut()));
        if !matches!(status, StatusCode::OK | StatusCode::BAD_REQUEST) {
            return Ok(Answer { status, headers, body: Bytes::new() });
        }
        if headers.get(header::CONTENT_ENCODING).is_some_and(|coding| coding != "identity") {
            return Err(failure::malformed(url, "the answer is compressed, which was not asked for"));
        }
        let too_large = || {
            let told = format!("`{url}`: the answer is longer than {MAX_BODY} bytes");
            SourceError::new(SourceErrorKind::TooLarge, told)
        };
        if response.content_length().is_some_and(|length| length > MAX_BODY as u64) {
            return Err(too_large());
        }
        let mut body = BytesMut::new();
        while let Some(chunk) = response.chunk().await.map_err(failed)? {
            if body.len() + chunk.len() > MAX_BODY {
                return Err(too_large());
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Answer { status, headers, body: body.freeze() })
    }
}

impl Answer {
    /// The document, if the status is 200.
    pub(super) fn document(self, url: &EndpointUrl, now: UnixTime) -> Result<Bytes, SourceError> {
        match self.status {
            StatusCode::OK => Ok(self.body),
            status => Err(failure::status(url, status, &self.headers, now)),
        }
    }

    /// The media type, in lower case and without parameters.
    pub(super) fn media_type(&self) -> String {
        let value = self.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        value.and_then(|value| value.split(';').next()).unwrap_or_default().trim().to_ascii_lowercase()
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("reach", &self.reach)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

/// Real key sets and metadata documents have a few KiB.
pub(super) const MAX_BODY: usize = 256 * 1024;
const MAX_REDIRECTS: usize = 3;
/// Shorter than what servers and the boxes between us use to forget an idle connection.
const IDLE: Duration = Duration::from_secs(30);
/// As many as questions are open at a time by default.
const MAX_IDLE: usize = 64;
