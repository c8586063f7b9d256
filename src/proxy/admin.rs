//! The operator's own listener: is it alive, is it ready, what has it counted, and what it is to forget. Nothing here is for
//! callers.

use super::commands::{MAX_ORDER_BYTES, Order};
use crate::gate::Gate;
use crate::metrics::Metrics;
use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderValue, Method, StatusCode, Version, header};
use pingora_core::Result;
use pingora_core::apps::{HttpServerApp, ReusedHttpStream};
use pingora_core::protocols::http::ServerSession;
use pingora_core::server::ShutdownWatch;
use pingora_http::{RequestHeader, ResponseHeader};
use std::net::IpAddr;
use std::sync::Arc;
use zeroize::Zeroizing;

/// Answers on the operator's listener.
///
/// | path | answer |
/// |---|---|
/// | `/livez` | 200 as long as the process answers at all |
/// | `/readyz` | 200 once the keys of every issuer are there; 503 with their names until then |
/// | `/metrics` | everything that was counted, for Prometheus |
/// | `POST /forget` | facts of these tokens are forgotten |
/// | `POST /revoke` | the same, and signed ones are refused until they expire |
///
/// An order is a JSON object with exactly one of `token`, `jti`, `sub`, `client`, `sid` or `"all": true`; and, if need be, `issuer`
/// and `expires` (seconds since the epoch). It must come as `application/json`, and to an address rather than a name, so that no
/// web page that a browser on this machine shows can give one. Nor can it read a page, where the listener is on loopback.
pub(super) struct Admin {
    pub(super) gate: Arc<Gate>,
    pub(super) metrics: Option<Arc<Metrics>>,
    /// Whether only this machine can ask.
    pub(super) is_local: bool,
}

/// A page.
struct Page {
    status: StatusCode,
    content_type: &'static str,
    body: Bytes,
    /// The methods that there are, if it was another one.
    allow: Option<&'static str>,
}

impl Page {
    fn text(status: StatusCode, body: impl Into<Bytes>) -> Self {
        Self { status, content_type: "text/plain; charset=utf-8", body: body.into(), allow: None }
    }

    fn only(methods: &'static str) -> Self {
        Self {
            allow: Some(methods),
            ..Self::text(StatusCode::METHOD_NOT_ALLOWED, format!("only {methods}\n"))
        }
    }

    fn by_name() -> Self {
        Self::text(StatusCode::MISDIRECTED_REQUEST, "ask at an address, not at a name\n")
    }
}

impl Admin {
    fn page(&self, head: &RequestHeader, path: &[u8]) -> Page {
        if head.method != Method::GET && head.method != Method::HEAD {
            return Page::only("GET, HEAD");
        }
        if self.is_local && head.headers.get_all(header::HOST).iter().any(|host| !is_address(host)) {
            return Page::by_name();
        }
        match (path, &self.metrics) {
            (b"/livez", _) => Page::text(StatusCode::OK, "alive\n"),
            (b"/readyz", _) => self.ready(),
            (b"/metrics", Some(metrics)) => Page {
                status: StatusCode::OK,
                content_type: Metrics::CONTENT_TYPE,
                body: metrics.text().into(),
                allow: None,
            },
            _ => Page::text(StatusCode::NOT_FOUND, "/livez /readyz /metrics, POST /forget /revoke\n"),
        }
    }

    async fn order(&self, order: Order, session: &mut ServerSession) -> Result<Page> {
        let head = session.req_header();
        let is_json = |value: &HeaderValue| {
            let media_type = value.as_bytes().split(|byte| *byte == b';').next().unwrap_or_default();
            media_type.trim_ascii().eq_ignore_ascii_case(b"application/json")
        };
        if head.method != Method::POST {
            return Ok(Page::only("POST"));
        }
        if !head.headers.get(header::CONTENT_TYPE).is_some_and(is_json) {
            return Ok(Page::text(StatusCode::UNSUPPORTED_MEDIA_TYPE, "an order is application/json\n"));
        }
        if !head.headers.get(header::HOST).is_some_and(is_address) {
            return Ok(Page::by_name());
        }
        let mut body = Zeroizing::new(Vec::new());
        while let Some(chunk) = session.read_request_body().await? {
            if body.len() + chunk.len() > MAX_ORDER_BYTES {
                session.set_keepalive(None);
                return Ok(Page::text(StatusCode::PAYLOAD_TOO_LARGE, "too long\n"));
            }
            body.extend_from_slice(&chunk);
        }
        let (status, body) = order.carry_out(&self.gate, &body);
        Ok(Page { status, content_type: "application/json", body, allow: None })
    }

    fn ready(&self) -> Page {
        let waiting = self.gate.waiting_for();
        if waiting.is_empty() {
            return Page::text(StatusCode::OK, "ready\n");
        }
        let names: String =
            waiting.iter().map(|issuer| format!("waiting for the keys of {issuer}\n")).collect();
        Page::text(StatusCode::SERVICE_UNAVAILABLE, names)
    }

    async fn answer(&self, session: &mut ServerSession) -> Result<()> {
        let head = session.req_header();
        let no_body = head.method == Method::HEAD;
        let path = head.raw_path().split(|byte| *byte == b'?').next().unwrap_or_default();
        let order = match path {
            b"/forget" => Some(Order::Forget),
            b"/revoke" => Some(Order::Revoke),
            _ => None,
        };
        let page = match order {
            _ if head.version == Version::HTTP_11 && !head.headers.contains_key(header::HOST) => {
                Page::text(StatusCode::BAD_REQUEST, "there must be a Host\n")
            }
            Some(order) => self.order(order, session).await?,
            None => self.page(head, path),
        };
        let mut head = ResponseHeader::build(page.status, Some(6))?;
        head.insert_header(header::CONTENT_TYPE, page.content_type)?;
        head.insert_header(header::CONTENT_LENGTH, page.body.len())?;
        head.insert_header(header::CACHE_CONTROL, "no-store")?;
        if let Some(methods) = page.allow {
            head.insert_header(header::ALLOW, methods)?;
        }
        session.write_response_header(Box::new(head)).await?;
        if !no_body {
            session.write_response_body(page.body, true).await?;
        }
        session.finish_body().await
    }
}

/// Whether a `Host` is an IP address or `localhost`, with or without a port: not a name that somebody could point here.
fn is_address(host: &HeaderValue) -> bool {
    let host = host.to_str().unwrap_or_default();
    let name = host
        .rsplit_once(':')
        .filter(|(_, port)| port.bytes().all(|b| b.is_ascii_digit()))
        .map_or(host, |(name, _)| name);
    let bare = name.trim_start_matches('[').trim_end_matches(']');
    name == "localhost" || bare.parse::<IpAddr>().is_ok()
}

#[async_trait]
impl HttpServerApp for Admin {
    async fn process_new_http(
        self: &Arc<Self>,
        mut session: ServerSession,
        shutdown: &ShutdownWatch,
    ) -> Option<ReusedHttpStream> {
        if !matches!(session.read_request().await, Ok(true)) {
            return None;
        }
        if *shutdown.borrow() {
            session.set_keepalive(None);
        }
        self.answer(&mut session).await.ok()?;
        let (stream, _) = session.finish().await.ok()??.into_parts();
        Some(ReusedHttpStream::new(stream, None))
    }
}

#[cfg(test)]
mod tests {
    use super::{HeaderValue, is_address};

    #[test]
    fn orders_are_taken_at_addresses() {
        for fine in ["127.0.0.1", "127.0.0.1:9090", "[::1]:9090", "[::1]", "localhost:1", "localhost"] {
            assert!(is_address(&HeaderValue::from_static(fine)), "{fine}");
        }
        for name in [
            "",
            "example.com",
            "example.com:80",
            "127.0.0.1.example.com",
            "localhost.example.com",
            "127.0.0.1:x",
        ] {
            assert!(!is_address(&HeaderValue::from_static(name)), "{name}");
        }
    }
}
