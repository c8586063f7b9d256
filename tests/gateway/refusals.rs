//! What is refused: by the gate, in the words of RFC 6750; and by the door, before the gate sees it.

use crate::backend::Backend;
use crate::client::Client;
use crate::harness::before;
use std::sync::Arc;
use std::time::Duration;
use tollgate::gate::{BoxFuture, KeySource, SourceError, SourceErrorKind};

#[tokio::test]
async fn the_gate_s_refusals_are_told_as_rfc_6750_says() {
    let backend = Backend::start().await;
    let gateway = before(&backend).start().await;
    let answer = gateway.get("/orders/1", "").await;
    assert_eq!((answer.status, answer.code()), (401, "token_missing".to_owned()));
    assert_eq!(answer.field("www-authenticate"), Some("Bearer"));
    assert_eq!(answer.field("cache-control"), Some("no-store"));
    assert!(answer.field("x-request-id").is_some());

    let answer = gateway.get("/orders/1", "Authorization: Bearer aaaa.bbbb.cccc\r\n").await;
    assert_eq!(answer.status, 401);
    assert!(answer.field("www-authenticate").unwrap().contains("error=\"invalid_token\""));

    let lines = format!("Authorization: Bearer {}\r\n", gateway.token_with("orders:write"));
    let answer = gateway.get("/orders/1", &lines).await;
    assert_eq!((answer.status, answer.code()), (403, "insufficient_scope".to_owned()));
    assert!(answer.field("www-authenticate").unwrap().contains("scope=\"orders:read\""));

    let answer = gateway.get("/orders/1", "Authorization: Bearer a\r\nAuthorization: Bearer a\r\n").await;
    assert_eq!((answer.status, answer.code()), (400, "authorization_repeated".to_owned()));
    assert_eq!(gateway.get("/nowhere", "").await.code(), "no_route");
    let answer = gateway.send("DELETE /orders/1 HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert_eq!((answer.status, answer.field("allow")), (405, Some("GET, HEAD, POST")));
    for target in [
        "/public/%2e%2e/orders/1",
        "/public/..%2forders/1",
        "/public//a",
        "/public/a;b",
        "/public/../orders/1",
    ] {
        assert_eq!(gateway.get(target, "").await.status, 400, "{target}");
    }
    assert_eq!(gateway.get("/public/a?access_token=x", "").await.code(), "token_in_query");
    assert!(backend.requests().is_empty());
}

#[tokio::test]
async fn a_connection_goes_on_after_a_refusal() {
    let backend = Backend::start().await;
    let gateway = before(&backend).start().await;
    let mut client = gateway.connect().await;
    for _ in 0..3 {
        let body = "GET /public/a HTTP/1.1\r\n";
        let head = format!("POST /orders/1 HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n", body.len());
        let answer = client.ask(format!("{head}{body}")).await;
        assert_eq!((answer.status, answer.field("connection")), (401, Some("keep-alive")));
        client.send("HEAD /orders/1 HTTP/1.1\r\nHost: a\r\n\r\n").await;
        assert_eq!(client.answer_to_head().await.unwrap().status, 401);
    }
    assert!(backend.requests().is_empty(), "what was refused never becomes a request");
    let chunked =
        "POST /orders/1 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
    let answer = client.ask(chunked).await;
    assert_eq!((answer.status, answer.field("connection")), (401, Some("close")));
    assert!(client.closes_within(Duration::from_secs(3)).await);
}

#[tokio::test]
async fn a_refused_body_is_read_within_bounds() {
    let backend = Backend::start().await;
    let gateway = before(&backend).start().await;
    let mut client = gateway.connect().await;
    let head = "POST /orders/1 HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n";
    let answer = client.ask(format!("{head}{}", "x".repeat(50_000))).await;
    assert_eq!((answer.status, answer.field("connection")), (401, Some("close")));
    assert!(client.closes_within(Duration::from_secs(3)).await, "it does not wait for the rest");
    // A caller that waits for 100 is answered at once.
    let answer = gateway.send(head.replace("\r\n\r\n", "\r\nExpect: 100-continue\r\n\r\n")).await;
    assert_eq!((answer.status, answer.field("connection")), (401, Some("close")));
}

#[tokio::test]
async fn requests_that_can_be_read_in_two_ways_are_refused() {
    let backend = Backend::start().await;
    let gateway = before(&backend).start().await;
    let post = "POST /public/echo HTTP/1.1\r\nHost: a\r\n";
    let cases = [
        (
            format!("{post}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
            400,
            "framing_ambiguous",
        ),
        (format!("{post}Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello"), 400, "framing_ambiguous"),
        (format!("{post}Content-Length: 5, 5\r\n\r\nhello"), 400, "framing_ambiguous"),
        (format!("{post}Content-Length: +5\r\n\r\nhello"), 400, "framing_ambiguous"),
        (format!("{post}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"), 400, "framing_ambiguous"),
        (
            format!("{post}Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n"),
            400,
            "framing_ambiguous",
        ),
        (
            "POST /public/a HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n".into(),
            400,
            "framing_ambiguous",
        ),
        ("GET /public/a HTTP/1.1\r\n\r\n".into(), 400, "host_invalid"),
        ("GET /public/a HTTP/1.0\r\n\r\n".into(), 400, "host_invalid"),
        ("GET /public/a HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n".into(), 400, ""),
        ("GET /public/a HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n".into(), 400, ""),
        ("GET /public/a HTTP/1.1\r\nHost: a/b\r\n\r\n".into(), 400, "host_invalid"),
        ("GET /public/a HTTP/1.1\r\nHost: a b\r\n\r\n".into(), 400, "host_invalid"),
        ("GET /public/a HTTP/1.1\r\nHost: u@a\r\n\r\n".into(), 400, ""),
        ("GET /public/a HTTP/1.1\r\nHost:\r\n\r\n".into(), 400, "host_invalid"),
        ("GET http://a/public/a HTTP/1.1\r\nHost: a\r\n\r\n".into(), 400, "target_invalid"),
        ("GET a/public HTTP/1.1\r\nHost: a\r\n\r\n".into(), 400, "target_invalid"),
        ("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n".into(), 400, "target_invalid"),
        ("GET /public/a#b HTTP/1.1\r\nHost: a\r\n\r\n".into(), 400, "target_invalid"),
        ("GET /public/\u{e9} HTTP/1.1\r\nHost: a\r\n\r\n".into(), 400, "target_invalid"),
        ("GET /public/a b HTTP/1.1\r\nHost: a\r\n\r\n".into(), 400, "request_malformed"),
        ("GET /public/a HTTP/1.1\r\nHost: a\r\nX: a\r\n b\r\n\r\n".into(), 400, "request_malformed"),
        ("GET /public/a HTTP/1.1\nHost: a\n\n".into(), 400, "request_malformed"),
        ("GET /public/a HTTP/1.1\r\nHost: a\rX: b\r\n\r\n".into(), 400, "request_malformed"),
        ("GET /public/a HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n".into(), 400, ""),
        ("GET /public/a HTTP/1.1\r\nHost: a\r\nX : a\r\n\r\n".into(), 400, ""),
        ("GET /public/a HTTP/1.1\r\nHost: a\r\nnonsense\r\n\r\n".into(), 400, ""),
        ("GET /public/a HTTP/1.1\r\nHost: a\r\nConnection: host\r\n\r\n".into(), 400, "connection_invalid"),
        ("GET /public/a HTTP/2.0\r\nHost: a\r\n\r\n".into(), 505, "version_unsupported"),
        ("CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n".into(), 501, "method_not_implemented"),
        ("TRACE /public/a HTTP/1.1\r\nHost: a\r\n\r\n".into(), 405, "method_not_allowed"),
    ];
    for (request, status, code) in cases {
        let mut client = gateway.connect().await;
        let answer = client.ask(&request).await;
        assert_eq!(answer.status, status, "{request:?}: {answer:?}");
        if !code.is_empty() {
            assert_eq!(answer.code(), code, "{request:?}");
        }
        if status != 405 && code != "host_invalid" && code != "connection_invalid" {
            assert!(client.closes_within(Duration::from_secs(3)).await, "{request:?}");
        }
    }
    assert!(backend.requests().is_empty(), "{:?}", backend.requests());
}

#[tokio::test]
async fn heads_and_bodies_are_bounded() {
    let backend = Backend::start().await;
    let gateway = before(&backend).settle(|settings| settings.limits.max_body = Some(1000)).start().await;
    let many = "X: y\r\n".repeat(120);
    assert_eq!(gateway.get("/public/a", &many).await.code(), "header_too_large");
    assert_eq!(gateway.get("/public/a", &format!("X: {}\r\n", "y".repeat(40_000))).await.status, 431);
    assert!(backend.requests().is_empty());
    let post = "POST /public/echo HTTP/1.1\r\nHost: a\r\n";
    let answer = gateway.send(format!("{post}Content-Length: 1001\r\n\r\n{}", "x".repeat(1001))).await;
    assert_eq!((answer.status, answer.code()), (413, "body_too_large".to_owned()));
    assert!(backend.requests().is_empty(), "an announced length is enough");
    let chunk = format!("1f4\r\n{}\r\n", "x".repeat(500));
    let answer =
        gateway.send(format!("{post}Transfer-Encoding: chunked\r\n\r\n{chunk}{chunk}{chunk}0\r\n\r\n")).await;
    assert_eq!((answer.status, answer.code()), (413, "body_too_large".to_owned()));
    let answer =
        gateway.send(format!("{post}Transfer-Encoding: chunked\r\n\r\n{chunk}{chunk}0\r\n\r\n")).await;
    assert_eq!((answer.status, answer.body.len()), (200, 1000));
}

#[tokio::test]
async fn a_head_that_drips_is_cut_off() {
    let backend = Backend::start().await;
    let gateway = before(&backend).settle(|settings| settings.limits.header_timeout = Duration::from_secs(1));
    let gateway = gateway.start().await;
    let mut dripping = Vec::new();
    for _ in 0..50 {
        let mut client = gateway.connect().await;
        client.send("GET /public/a HTTP/1.1\r\nHost: a\r\n").await;
        dripping.push(client);
    }
    for _ in 0..6 {
        for client in &mut dripping {
            client.send("X: y\r\n").await;
        }
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
    assert_eq!(gateway.get("/public/a", "").await.status, 200, "others are served meanwhile");
    let mut closed = 0;
    for client in &mut dripping {
        closed += usize::from(client.closes_within(Duration::from_millis(1500)).await);
    }
    assert_eq!(closed, 50);
    // The time that it took to see that this is no HTTP/2 counts.
    let mut undecided = gateway.connect().await;
    undecided.send("P").await;
    tokio::time::sleep(Duration::from_millis(700)).await;
    undecided.send("OST /public/a HTTP/1.1\r\nHost: a\r\n").await;
    assert!(undecided.closes_within(Duration::from_millis(700)).await);
    // Nothing at all is no better.
    let mut silent = gateway.connect().await;
    assert!(silent.closes_within(Duration::from_secs(3)).await);
    let mut late = Client::connect(gateway.address()).await;
    late.send("GET /public/a HTTP/1.1\r\n").await;
    assert_eq!(late.answer().await.unwrap().code(), "request_timeout");
}

/// An issuer that can't be reached.
struct Down;

impl KeySource for Down {
    fn fetch(&self) -> BoxFuture<'_, Result<bytes::Bytes, SourceError>> {
        Box::pin(async { Err(SourceError::new(SourceErrorKind::Connect, "down")) })
    }
}

#[tokio::test]
async fn an_issuer_s_outage_is_not_the_caller_s_fault() {
    let backend = Backend::start().await;
    let gateway = before(&backend).keys(Arc::new(Down));
    let gateway = gateway.start().await;
    let lines = format!("Authorization: Bearer {}\r\n", gateway.token());
    let answer = gateway.get("/token/a", &lines).await;
    assert_eq!((answer.status, answer.code()), (503, "keys_unavailable".to_owned()));
    assert!(answer.field("retry-after").is_some());
    assert_eq!(answer.field("www-authenticate"), None);
    assert_eq!(gateway.get("/public/a", "").await.status, 200, "public routes are open all the same");
}
