//! The operator's listener.

use crate::backend::Backend;
use crate::client::{Answer, Client};
use crate::harness::{Gateway, before};
use bytes::Bytes;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tollgate::gate::{BoxFuture, KeySource, SourceError, SourceErrorKind};

async fn look(gateway: &Gateway, path: &str) -> Answer {
    let mut client = Client::connect(gateway.running.admin_address().unwrap()).await;
    client.ask(format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n")).await
}

/// Keys that can't be had until somebody says so.
struct Late(Arc<AtomicBool>);

impl KeySource for Late {
    fn fetch(&self) -> BoxFuture<'_, Result<Bytes, SourceError>> {
        Box::pin(async {
            match self.0.load(Ordering::SeqCst) {
                true => Ok(tollgate::testing::Issuer::new(crate::harness::ISSUER).jwks().into()),
                false => Err(SourceError::new(SourceErrorKind::Connect, "not yet")),
            }
        })
    }
}

#[tokio::test]
async fn ready_means_that_every_key_set_is_there() {
    let backend = Backend::start().await;
    let late = Arc::new(AtomicBool::new(false));
    let gateway = before(&backend).keys(Arc::new(Late(late.clone()))).start().await;
    assert_eq!(look(&gateway, "/livez").await.status, 200);
    let answer = look(&gateway, "/readyz").await;
    assert_eq!(answer.status, 503);
    assert!(answer.text().contains(crate::harness::ISSUER), "{}", answer.text());
    let with_keys = before(&backend).start().await;
    assert_eq!(look(&with_keys, "/readyz").await.status, 200);
}

#[tokio::test]
async fn what_happened_is_counted() {
    let backend = Backend::start().await;
    let gateway = before(&backend).start().await;
    let lines = format!("Authorization: Bearer {}\r\n", gateway.token());
    for _ in 0..3 {
        gateway.get("/token/a", &lines).await;
    }
    gateway.get("/token/a", "").await;
    gateway.get("/public/break", "").await;
    gateway.send("GET /public/a HTTP/1.1\nHost: a\n\n").await;
    let metrics = look(&gateway, "/metrics").await;
    assert!(metrics.field("content-type").unwrap().starts_with("application/openmetrics-text"));
    for line in [
        "tollgate_allowed_total{route=\"/token/{*rest}\"} 3",
        "tollgate_denied_total{route=\"/token/{*rest}\",reason=\"token_missing\"} 1",
        "tollgate_lookups_total{result=\"hit\"} 2",
        "tollgate_lookups_total{result=\"miss\"} 1",
        "tollgate_upstream_requests_total{upstream=\"api\",result=\"2xx\"} 3",
        "tollgate_upstream_requests_total{upstream=\"api\",result=\"upstream_failed\"} 1",
        "tollgate_refused_total{reason=\"request_malformed\"} 1",
        "tollgate_remembered_tokens 1",
        "tollgate_issuers_waiting 0",
    ] {
        assert!(metrics.text().lines().any(|found| found == line), "{line}\n{}", metrics.text());
    }
    assert!(!metrics.text().contains(&gateway.token()[..40]));
}

#[tokio::test]
async fn callers_and_operators_never_meet() {
    let backend = Backend::start().await;
    let gateway = before(&backend).start().await;
    assert_eq!(look(&gateway, "/public/a").await.status, 404);
    for path in ["/livez", "/readyz", "/metrics"] {
        assert_eq!(gateway.get(path, "").await.status, 404, "{path}");
    }
    assert!(backend.requests().is_empty());
    let mut client = Client::connect(gateway.running.admin_address().unwrap()).await;
    let answer = client.ask("POST /livez HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi").await;
    assert_eq!((answer.status, answer.field("allow")), (405, Some("GET, HEAD")));
    let mut client = Client::connect(gateway.running.admin_address().unwrap()).await;
    let answer = client.ask("GET /revoke HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert_eq!((answer.status, answer.field("allow")), (405, Some("POST")));
    assert_eq!(client.ask("GET /livez HTTP/1.1\r\n\r\n").await.status, 400);
    // A page in a browser on this machine could have had its own name pointed here.
    for (host, status) in [("rebound.example", 421), ("localhost:9090", 200), ("127.0.0.1", 200)] {
        let answer = client.ask(&format!("GET /metrics HTTP/1.1\r\nHost: {host}\r\n\r\n")).await;
        assert_eq!(answer.status, status, "{host}");
    }
    client.send("GET /livez HTTP/1.1\nHost: a\n\n").await;
    let mut lenient = Client::connect(gateway.running.admin_address().unwrap()).await;
    assert_eq!(lenient.ask("GET /livez HTTP/1.1\nHost: a\n\n").await.status, 400);
    assert!(lenient.closes_within(Duration::from_secs(3)).await);
}
