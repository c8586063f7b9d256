//! One HTTP/1.1 request on one connection: enough to check a gateway on this machine, and blind to proxies and redirects.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use std::error::Error;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::TcpStream;

/// An answer that has been read to its end.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Answer {
    /// The value of a field, or nothing.
    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

/// A request on its way.
pub(super) struct Call {
    request: Request<Full<Bytes>>,
    to: SocketAddr,
}

impl Call {
    /// A request for this target at this address.
    ///
    /// # Errors
    /// If the target is none.
    pub(super) fn new(method: Method, to: SocketAddr, target: &str) -> Result<Self, http::Error> {
        let request = Request::builder().method(method).uri(target).header(header::HOST, to.to_string());
        Ok(Self { request: request.body(Full::default())?, to })
    }

    /// With this field.
    pub(super) fn with(mut self, name: header::HeaderName, value: HeaderValue) -> Self {
        self.request.headers_mut().insert(name, value);
        self
    }

    /// With this form as its body.
    pub(super) fn form(mut self, body: String) -> Self {
        *self.request.body_mut() = Full::from(body);
        self.with(header::CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"))
    }

    /// Sends it.
    ///
    /// # Errors
    /// If there is no whole answer within [`PATIENCE`].
    pub(super) async fn send(self) -> Result<Answer, Box<dyn Error + Send + Sync>> {
        tokio::time::timeout(PATIENCE, self.exchange()).await?
    }

    async fn exchange(self) -> Result<Answer, Box<dyn Error + Send + Sync>> {
        let stream = TcpStream::connect(self.to).await?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        // It ends when `sender` goes, and its errors come out of `sender` too.
        tokio::spawn(connection);
        let (head, body) = sender.send_request(self.request).await?.into_parts();
        let body = Limited::new(body, MAX_BODY).collect().await?.to_bytes();
        Ok(Answer { status: head.status, headers: head.headers, body })
    }
}

/// How long an answer may take on this machine, even if it is a slow one.
const PATIENCE: Duration = Duration::from_secs(5);

/// Bytes of an answer: all that is asked for here is small.
const MAX_BODY: usize = 64 * 1024;
