//! The operator's own listener: is it alive, is it ready, what has it counted. Nothing here is for callers.

use crate::gate::Gate;
use crate::metrics::Metrics;
use async_trait::async_trait;
use bytes::Bytes;
use http::{Method, StatusCode, header};
use pingora_core::Result;
use pingora_core::apps::{HttpServerApp, ReusedHttpStream};
use pingora_core::protocols::http::ServerSession;
use pingora_core::server::ShutdownWatch;
use pingora_http::ResponseHeader;
use std::sync::Arc;

/// Answers on the operator's listener.
///
/// | path | answer |
/// |---|---|
/// | `/livez` | 200 as long as the process answers at all |
/// | `/readyz` | 200 once the keys of every issuer are there; 503 with their names until then |
/// | `/metrics` | everything that was counted, for Prometheus |
pub(super) struct Admin {
    pub(super) gate: Arc<Gate>,
    pub(super) metrics: Option<Arc<Metrics>>,
}

/// A page.
struct Page {
    status: StatusCode,
    content_type: &'static str,
    body: Bytes,
}

impl Page {
    fn text(status: StatusCode, body: impl Into<Bytes>) -> Self {
        Self { status, content_type: "text/plain; charset=utf-8", body: body.into() }
    }
}

impl Admin {
    fn page(&self, method: &Method, path: &[u8]) -> Page {
        if method != Method::GET && method != Method::HEAD {
            return Page::text(StatusCode::METHOD_NOT_ALLOWED, "GET or HEAD\n");
        }
        match (path, &self.metrics) {
            (b"/livez", _) => Page::text(StatusCode::OK, "alive\n"),
            (b"/readyz", _) => self.ready(),
            (b"/metrics", Some(metrics)) => Page {
                status: StatusCode::OK,
                content_type: Metrics::CONTENT_TYPE,
                body: metrics.text().into(),
            },
            _ => Page::text(StatusCode::NOT_FOUND, "/livez /readyz /metrics\n"),
        }
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
        let path = head.raw_path().split(|byte| *byte == b'?').next().unwrap_or_default();
        let (page, no_body) = (self.page(&head.method, path), head.method == Method::HEAD);
        let mut head = ResponseHeader::build(page.status, Some(6))?;
        head.insert_header(header::CONTENT_TYPE, page.content_type)?;
        head.insert_header(header::CONTENT_LENGTH, page.body.len())?;
        head.insert_header(header::CACHE_CONTROL, "no-store")?;
        session.write_response_header(Box::new(head)).await?;
        if !no_body {
            session.write_response_body(page.body, true).await?;
        }
        session.finish_body().await
    }
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
