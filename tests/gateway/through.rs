//! What goes through: bodies, streams, WebSockets, and the very bytes of the target.

use crate::backend::Backend;
use crate::harness::{before, gateway};

#[tokio::test]
async fn an_admitted_request_arrives_as_it_came() {
    let backend = Backend::start().await;
    let gateway = before(&backend).start().await;
    let token = gateway.token_with("orders:read");
    let answer = gateway
        .get("/orders/a%20b'!?x=%2F..&y", &format!("Authorization: bearer {token}\r\nX-Own: 1\r\n"))
        .await;
    assert_eq!((answer.status, answer.text()), (200, &*format!("from {}", backend.address.port())));
    let request = backend.last();
    assert_eq!(request.target(), "/orders/a%20b'!?x=%2F..&y");
    assert_eq!(request.field("host"), Some("api.example.com"));
    assert_eq!(request.field("x-own"), Some("1"));
    assert_eq!(request.field("x-auth-request-user"), Some("alice"));
    assert_eq!(request.field("x-auth-request-client-id"), Some("shop"));
    assert_eq!(request.field("x-auth-request-scopes"), Some("orders:read"));
    assert_eq!(request.field("x-forwarded-for"), Some("127.0.0.1"));
    assert_eq!(request.field("authorization"), None);
    assert_eq!(answer.field("x-request-id"), request.field("x-request-id"));
    assert_eq!(request.field("x-request-id").unwrap().len(), 32);
}

#[tokio::test]
async fn bodies_pass_in_both_directions_on_one_connection() {
    let backend = Backend::start().await;
    let gateway = before(&backend).start().await;
    let mut client = gateway.connect().await;
    let head = "POST /public/echo HTTP/1.1\r\nHost: a\r\n";
    let answer = client.ask(format!("{head}Content-Length: 5\r\n\r\nhello")).await;
    assert_eq!(answer.text(), "hello");
    assert_eq!(
        (backend.last().fields("content-length"), backend.last().fields("transfer-encoding")),
        (vec!["5"], vec![])
    );
    let answer = client
        .ask(format!(
            "{head}Transfer-Encoding: CHUNKED\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nTrailer: no\r\n\r\n"
        ))
        .await;
    assert_eq!(answer.text(), "abcde");
    assert_eq!(
        (backend.last().fields("content-length"), backend.last().fields("transfer-encoding")),
        (vec![], vec!["chunked"])
    );
    let large = "x".repeat(300_000);
    let answer = client.ask(format!("{head}Content-Length: {}\r\n\r\n{large}", large.len())).await;
    assert_eq!(answer.body.len(), large.len());
    let answer = client.ask(format!("{head}\r\n")).await;
    assert_eq!(answer.text(), "");
    assert_eq!(backend.last().field("content-length"), Some("0"));
    assert_eq!(backend.connections(), 1, "the connection to the upstream is kept");
}

#[tokio::test]
async fn a_body_is_sent_on_while_it_arrives_and_a_stream_is_not_held_back() {
    let backend = Backend::start().await;
    let gateway = before(&backend).start().await;
    let mut client = gateway.connect().await;
    client.send("GET /public/stream HTTP/1.1\r\nHost: a\r\n\r\n").await;
    let began = std::time::Instant::now();
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        answer.extend(client.exactly(1).await.unwrap());
    }
    assert_eq!(client.chunk().await.unwrap(), b"first");
    assert!(began.elapsed().as_millis() < 400, "the first chunk came with the second");
    assert_eq!(client.chunk().await.unwrap(), b"second");
    assert_eq!(client.chunk().await.unwrap(), b"");
}

#[tokio::test]
async fn a_caller_that_waits_for_100_gets_it_once_it_is_admitted() {
    let backend = Backend::start().await;
    let gateway = before(&backend).start().await;
    let mut client = gateway.connect().await;
    let head = "POST /public/echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-Continue\r\n\r\n";
    for _ in 0..2 {
        assert_eq!(client.ask(head).await.status, 100);
        assert_eq!(client.ask("ok").await.text(), "ok");
        // Whoever answers before it has read what follows could take that for another request.
        assert_eq!(backend.last().field("expect"), None);
    }
    // It need not wait, and where nothing follows there is nothing to wait for.
    client.send(format!("{head}ok")).await;
    assert_eq!(client.answer().await.unwrap().status, 100);
    assert_eq!(client.answer().await.unwrap().text(), "ok");
    for nothing in [head.replace("Length: 2", "Length: 0"), head.replace("1.1", "1.0") + "ok"] {
        assert_eq!(gateway.send(nothing).await.status, 200);
    }
    assert_eq!(gateway.get("/token/a", "Expect: 100-continue\r\n").await.status, 401);
}

#[tokio::test]
async fn requests_may_be_sent_before_the_answer_to_the_last() {
    let backend = Backend::start().await;
    let gateway = before(&backend).start().await;
    let mut client = gateway.connect().await;
    let one = |n: u32| format!("POST /public/echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n{n}");
    client.send(format!("{}{}GET /public/x HTTP/1.1\r\nHost: a\r\n\r\n{}", one(1), one(2), one(3))).await;
    assert_eq!(client.answer().await.unwrap().text(), "1");
    assert_eq!(client.answer().await.unwrap().text(), "2");
    assert!(client.answer().await.unwrap().text().starts_with("from"));
    assert_eq!(client.answer().await.unwrap().text(), "3");
}

#[tokio::test]
async fn websockets_pass_where_the_route_says_so() {
    let backend = Backend::start().await;
    let gateway = gateway(&format!(
        "
routes:
  - {{path: /open/ws, public: true, upgrade: true}}
  - {{path: /open/switch, public: true, upgrade: true}}
  - {{path: /shut/ws, public: true}}
upstreams:
  api: {{addresses: ['{}']}}
",
        backend.address
    ));
    let gateway = gateway.start().await;
    let head =
        "Connection: Upgrade\r\nUpgrade: WebSocket\r\nSec-WebSocket-Key: x\r\nSec-WebSocket-Version: 13\r\n";
    let mut client = gateway.connect().await;
    let answer = client.ask(format!("GET /open/ws HTTP/1.1\r\nHost: a\r\n{head}\r\n")).await;
    assert_eq!((answer.status, answer.field("upgrade")), (101, Some("websocket")));
    for word in ["one", "two"] {
        client.send(word).await;
        assert_eq!(client.exactly(3).await.unwrap(), word.as_bytes());
    }
    let answer = gateway.get("/shut/ws", head).await;
    assert_eq!(answer.status, 200, "it is a request like any other");
    assert_eq!((backend.last().field("upgrade"), backend.last().field("connection")), (None, None));
    // The upstream takes that one, or none.
    assert_eq!(gateway.get("/open/switch", head).await.code(), "upstream_failed");
    // Another protocol is none of ours.
    let answer = gateway
        .get("/open/ws", "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: x\r\n")
        .await;
    assert_eq!(answer.status, 200);
    assert_eq!((backend.last().field("upgrade"), backend.last().field("http2-settings")), (None, None));
}

#[tokio::test]
async fn prefixes_change_after_the_judgement() {
    let backend = Backend::start().await;
    let gateway = gateway(&format!(
        "
routes:
  - {{path: '/api/{{*rest}}', public: true}}
upstreams:
  api: {{addresses: ['{}'], strip_prefix: /api, add_prefix: /v1, host: upstream}}
",
        backend.address
    ));
    let gateway = gateway.start().await;
    assert_eq!(gateway.get("/api/a%20b?c=/api", "").await.status, 200);
    assert_eq!(backend.last().target(), "/v1/a%20b?c=/api");
    assert_eq!(backend.last().fields("host"), [backend.address.to_string()]);
    assert_eq!(backend.last().field("x-forwarded-host"), Some("api.example.com"));
    assert_eq!(gateway.get("/v1/a", "").await.status, 404, "the judgement is of what came");
}

#[tokio::test]
async fn what_an_upstream_says_for_this_hop_stays_here() {
    let backend = Backend::start().await;
    let gateway = before(&backend).start().await;
    let answer = gateway.get("/public/hop", "").await;
    for name in ["x-hop", "keep-alive", "upgrade"] {
        assert_eq!(answer.field(name), None, "{name}");
    }
    assert_eq!(answer.field("connection"), Some("keep-alive"));
    assert_eq!(answer.field("x-kept"), Some("1"));
    assert_ne!(answer.field("x-request-id"), Some("theirs"));
    assert_eq!(answer.text(), "ok");
}
