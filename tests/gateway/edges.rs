//! Odd callers: old ones, impatient ones, and those that say too much.

use crate::backend::Backend;
use crate::harness::before;
use std::time::Duration;

#[tokio::test]
async fn http_1_0_is_served_with_a_host_and_without_chunks() {
    let backend = Backend::start().await;
    let gateway = before(&backend).start().await;
    let mut client = gateway.connect().await;
    let answer = client.ask("GET /public/a HTTP/1.0\r\nHost: a\r\n\r\n").await;
    assert_eq!((answer.status, answer.field("connection")), (200, Some("close")));
    assert!(client.closes_within(Duration::from_secs(2)).await);
    assert!(backend.last().head.starts_with("GET /public/a HTTP/1.1\r\n"));
    let mut client = gateway.connect().await;
    let answer = client.ask("GET /public/stream HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n").await;
    assert_eq!((answer.field("transfer-encoding"), answer.field("connection")), (None, Some("close")));
    assert_eq!(answer.text(), "firstsecond");
}

#[tokio::test]
async fn a_caller_that_leaves_costs_nobody_else_anything() {
    let backend = Backend::start().await;
    let gateway = before(&backend).start().await;
    for _ in 0..20 {
        let mut client = gateway.connect().await;
        client.send("POST /public/echo HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nhalf").await;
        drop(client);
        let mut client = gateway.connect().await;
        client.send("GET /public/slow HTTP/1.1\r\nHost: a\r\n\r\n").await;
        drop(client);
    }
    assert_eq!(gateway.get("/public/a", "").await.status, 200);
    assert!(
        backend.requests().iter().all(|request| request.target() != "/public/echo"),
        "half a body is none"
    );
}

#[tokio::test]
async fn bytes_after_an_upgrade_that_was_refused_are_no_request() {
    let backend = Backend::start().await;
    let gateway = before(&backend).start().await;
    let mut client = gateway.connect().await;
    let smuggled = "GET /orders/1 HTTP/1.1\r\nHost: a\r\nX-Auth-Request-User: root\r\n\r\n";
    let head = "GET /public/ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
    client.send(format!("{head}{smuggled}")).await;
    let first = client.answer().await;
    assert!(first.is_none_or(|answer| answer.status != 101));
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(
        backend.requests().iter().all(|request| !request.head.contains("root")),
        "{:?}",
        backend.requests()
    );
}

#[tokio::test]
async fn chunks_are_strict() {
    let backend = Backend::start().await;
    let gateway = before(&backend).start().await;
    let head = "POST /public/echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    for body in [
        "-1\r\n\r\n",
        "zz\r\n\r\n",
        "fffffffffffffffff\r\nx",
        "2\r\nabcd\r\n0\r\n\r\n",
        "+2\r\nab\r\n0\r\n\r\n",
        "\r\n0\r\n\r\n",
        "2 \r\nab\r\n0\r\n\r\n",
        "2;a\nb\r\nab\r\n0\r\n\r\n",
        "0\r\nX: a\nb\r\n\r\n",
        "0\r\n X: a\r\n\r\n",
        "0\n\n",
    ] {
        // In one piece, and behind the head.
        for pause in [false, true] {
            let mut client = gateway.connect().await;
            client.send(head).await;
            if pause {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            client.send(body).await;
            let answer = client.answer().await.expect("an answer");
            assert_eq!((answer.status, &*answer.code()), (400, "request_malformed"), "{body:?}: {answer:?}");
            assert!(client.closes_within(Duration::from_secs(2)).await, "{body:?}");
        }
    }
    assert!(backend.requests().is_empty(), "{:?}", backend.requests());
}

#[tokio::test]
async fn requests_follow_one_another_behind_chunks() {
    let backend = Backend::start().await;
    let gateway = before(&backend).start().await;
    let mut client = gateway.connect().await;
    let first = "POST /public/echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    let body = "2;a=b\r\nab\r\n3\r\ncde\r\n0\r\nX-Sum: 1\r\n\r\n";
    client.send(format!("{first}{body}GET /public/second HTTP/1.1\r\nHost: a\r\n\r\n")).await;
    let answer = client.answer().await.unwrap();
    assert_eq!((answer.status, answer.body.as_slice()), (200, &b"abcde"[..]));
    assert_eq!(client.answer().await.unwrap().status, 200);
    assert_eq!(backend.last().target(), "/public/second");
    // Drip by drip it is the same.
    for byte in format!("{first}{body}").bytes() {
        client.send([byte]).await;
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert_eq!(client.answer().await.unwrap().body, b"abcde");
}

#[tokio::test]
async fn an_upstream_can_t_switch_protocols_by_itself() {
    let backend = Backend::start().await;
    let gateway = before(&backend).start().await;
    assert_eq!(gateway.get("/public/switch", "").await.code(), "upstream_failed");
    let asking = "Connection: Upgrade\r\nUpgrade: websocket\r\n";
    assert_eq!(
        gateway.get("/public/switch", asking).await.code(),
        "upstream_failed",
        "the route does not allow it"
    );
}

#[tokio::test]
async fn interim_answers_pass_to_those_who_know_them() {
    let backend = Backend::start().await;
    let gateway = before(&backend).start().await;
    let mut client = gateway.connect().await;
    client.send("GET /public/early HTTP/1.0\r\nHost: a\r\n\r\n").await;
    assert_eq!(client.answer().await.unwrap().status, 200);
    let mut client = gateway.connect().await;
    client.send("GET /public/early HTTP/1.1\r\nHost: a\r\n\r\n").await;
    let head = String::from_utf8(client.exactly(12).await.unwrap()).unwrap();
    assert_eq!(head, "HTTP/1.1 103");
}

/// The parser behind the door escapes what it can't read, and tries again.
#[tokio::test]
async fn a_target_is_forwarded_as_it_came_or_not_at_all() {
    let backend = Backend::start().await;
    let gateway = before(&backend).start().await;
    for byte in 1..=255_u8 {
        for place in ["/public/a@b", "/public/a?b@c"] {
            let (left, right) = place.split_once('@').unwrap();
            let target = [left.as_bytes(), &[byte], right.as_bytes()].concat();
            let request = [b"GET ", &*target, b" HTTP/1.1\r\nHost: a\r\n\r\n"].concat();
            let before = backend.requests().len();
            let answer = gateway.send(request).await;
            match answer.status {
                200 => assert_eq!(backend.last().target().as_bytes(), target),
                400 | 404 => assert_eq!(backend.requests().len(), before, "{byte:#x}"),
                other => panic!("{byte:#x}: {other}"),
            }
        }
    }
}
