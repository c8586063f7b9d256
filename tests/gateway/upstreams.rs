//! Upstreams: several addresses, sick ones, slow ones, broken ones, and those that speak TLS.

use crate::backend::Backend;
use crate::certificates::Certificates;
use crate::client::Answer;
use crate::harness::{Gateway, gateway};
use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// One public route to one upstream with these settings.
async fn with(upstream: &str) -> Gateway {
    let yaml =
        format!("\nroutes:\n  - {{path: '/{{*rest}}', public: true}}\nupstreams:\n  api: {{{upstream}}}\n");
    gateway(&yaml).start().await
}

/// An address that refuses connections.
async fn nobody() -> SocketAddr {
    tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap()
}

async fn spread(gateway: &Gateway, requests: usize) -> HashMap<String, usize> {
    let mut spread = HashMap::new();
    for _ in 0..requests {
        let answer = gateway.get("/a", "").await;
        assert_eq!(answer.status, 200);
        *spread.entry(answer.text().to_owned()).or_default() += 1;
    }
    spread
}

fn code(answer: &Answer) -> (u16, String) {
    (answer.status, answer.code())
}

#[tokio::test]
async fn addresses_take_turns() {
    let (one, two) = (Backend::start().await, Backend::start().await);
    let gateway = with(&format!("addresses: ['{}', '{}']", one.address, two.address)).await;
    assert_eq!(spread(&gateway, 10).await.into_values().collect::<Vec<_>>(), [5, 5]);
}

#[tokio::test]
async fn an_address_that_refuses_is_passed_over_even_for_a_post() {
    let backend = Backend::start().await;
    let gateway = with(&format!("addresses: ['{}', '{}']", nobody().await, backend.address)).await;
    for _ in 0..4 {
        let answer = gateway.send("POST /a/echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nok").await;
        assert_eq!((answer.status, answer.text()), (200, "ok"));
    }
    assert_eq!(backend.requests().len(), 4);
}

#[tokio::test]
async fn the_sick_get_no_requests_until_they_are_well_again() {
    let (one, two) = (Backend::start().await, Backend::start().await);
    let check =
        "health_check: {path: /healthz, interval: 100ms, timeout: 1s, healthy_after: 2, unhealthy_after: 2}";
    let gateway = with(&format!("addresses: ['{}', '{}'], {check}", one.address, two.address)).await;
    assert_eq!(spread(&gateway, 10).await.len(), 2);
    one.set_healthy(false);
    tokio::time::sleep(Duration::from_millis(600)).await;
    assert_eq!(spread(&gateway, 10).await, [(format!("from {}", two.address.port()), 10)].into());
    one.set_healthy(true);
    tokio::time::sleep(Duration::from_millis(600)).await;
    assert_eq!(spread(&gateway, 10).await.len(), 2);
}

#[tokio::test]
async fn what_goes_wrong_behind_the_gateway_has_a_code() {
    let backend = Backend::start().await;
    let unreachable = with(&format!("addresses: ['{}']", nobody().await)).await;
    assert_eq!(code(&unreachable.get("/a", "").await), (502, "upstream_unreachable".into()));
    let unresolved = with("addresses: ['nobody.invalid:80']").await;
    assert_eq!(code(&unresolved.get("/a", "").await), (502, "upstream_unreachable".into()));
    let gateway = with(&format!("addresses: ['{}'], timeouts: {{read: 300ms}}", backend.address)).await;
    let began = Instant::now();
    assert_eq!(code(&gateway.get("/slow", "").await), (504, "upstream_timeout".into()));
    assert!(began.elapsed() < Duration::from_millis(1500));
    assert_eq!(code(&gateway.get("/break", "").await), (502, "upstream_failed".into()));
    assert_eq!(code(&gateway.get("/garbage", "").await), (502, "upstream_failed".into()));
    let mut client = gateway.connect().await;
    client.send("GET /half HTTP/1.1\r\nHost: a\r\n\r\n").await;
    let head = client.exactly(15).await.unwrap();
    assert_eq!(head, b"HTTP/1.1 200 OK");
    assert!(
        client.closes_within(Duration::from_secs(2)).await,
        "an answer that ends too soon ends the connection"
    );
    assert_eq!(gateway.get("/a", "").await.status, 200);
}

#[tokio::test]
async fn an_answer_has_one_end_or_is_none() {
    let backend = Backend::start().await;
    let gateway = with(&format!("addresses: ['{}']", backend.address)).await;
    let answered = async |answer: &str| {
        gateway.get("/verbatim", &format!("Connection: close\r\nX-Answer: {answer}\r\n")).await
    };
    for answer in [
        "HTTP/1.1 200 OK|Content-Length: 2, 2||ok",
        "HTTP/1.1 200 OK|Content-Length: 2|Content-Length: 2||ok",
        "HTTP/1.1 200 OK|Content-Length: 2|Content-Length: 6||ok",
        "HTTP/1.1 200 OK|Content-Length: +2||ok",
        "HTTP/1.1 200 OK|Content-Length: 02||ok",
        "HTTP/1.0 200 OK|Transfer-Encoding: chunked||2|ok|0||",
        "HTTP/1.1 200 OK|Transfer-Encoding: chunked|Transfer-Encoding: chunked||2|ok|0||",
        "HTTP/1.1 200 OK|Transfer-Encoding: chunked, chunked||2|ok|0||",
        "HTTP/1.1 200 OK|Transfer-Encoding: gzip, chunked||2|ok|0||",
        "HTTP/1.1 200 OK|Transfer-Encoding: identity||ok",
    ] {
        assert_eq!(code(&answered(answer).await), (502, "upstream_failed".into()), "{answer}");
    }
    for answer in [
        "HTTP/1.1 204 No Content|Content-Length: 4||",
        "HTTP/1.1 204 No Content|Transfer-Encoding: chunked||",
        "HTTP/1.1 103 Early Hints|Content-Length: 4||HTTP/1.1 204 No Content||",
    ] {
        let answer = answered(answer).await;
        assert!(matches!(answer.status, 103 | 204), "{answer:?}");
        let framing = ["content-length", "transfer-encoding"].map(|name| answer.field(name));
        assert_eq!(framing, [None, None], "{answer:?}");
    }
    for answer in [
        "HTTP/1.1 200 OK|Content-Length: 2||ok",
        "HTTP/1.0 200 OK|Connection: keep-alive|Content-Length: 2||ok",
        "HTTP/1.0 200 OK||ok",
    ] {
        let told = answered(answer).await;
        assert_eq!(
            (told.status, told.text(), told.field("connection")),
            (200, "ok", Some("close")),
            "{answer}"
        );
        assert!(told.head.starts_with("HTTP/1.1 200"), "{answer}: {}", told.head);
    }
}

#[tokio::test]
async fn a_request_that_may_have_been_carried_out_is_not_repeated() {
    let backend = Backend::start().await;
    let gateway = with(&format!("addresses: ['{}']", backend.address)).await;
    // The connection is kept by the first, so that the second could take its end for a sign of old age.
    for method in ["POST", "PATCH"] {
        assert_eq!(gateway.get("/a", "").await.status, 200);
        let before = backend.requests().len();
        let answer =
            gateway.send(format!("{method} /break HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx")).await;
        assert_eq!(answer.status, 502);
        assert_eq!(backend.requests().len() - before, 1, "{method}");
    }
}

#[tokio::test]
async fn tls_to_an_upstream_is_checked() {
    let certificates = Certificates::make("upstream");
    let backend = Backend::start_tls(certificates.acceptor(None)).await;
    let (ca, address) = (certificates.ca_file().display().to_string(), backend.address);
    let good =
        with(&format!("addresses: ['{address}'], tls: {{server_name: localhost, ca_file: '{ca}'}}")).await;
    assert_eq!(good.get("/a", "").await.status, 200);
    assert_eq!(good.get("/a", "").await.status, 200);
    assert_eq!(backend.connections(), 1, "the connection is kept");
    let by_address = with(&format!("addresses: ['{address}'], tls: {{ca_file: '{ca}'}}")).await;
    assert_eq!(by_address.get("/a", "").await.status, 200, "the certificate names 127.0.0.1 too");
    let other_name =
        with(&format!("addresses: ['{address}'], tls: {{server_name: other, ca_file: '{ca}'}}")).await;
    assert_eq!(code(&other_name.get("/a", "").await), (502, "upstream_unreachable".into()));
    let system_roots = with(&format!("addresses: ['{address}'], tls: {{server_name: localhost}}")).await;
    assert_eq!(code(&system_roots.get("/a", "").await), (502, "upstream_unreachable".into()));
}

#[tokio::test]
async fn an_upstream_may_ask_who_we_are() {
    let certificates = Certificates::make("mutual");
    let backend = Backend::start_tls(certificates.acceptor(Some(()))).await;
    let (ca, address) = (certificates.ca_file().display().to_string(), backend.address);
    let (certificate, key) = certificates.client_files();
    let nobody =
        with(&format!("addresses: ['{address}'], tls: {{server_name: localhost, ca_file: '{ca}'}}")).await;
    assert_eq!(nobody.get("/a", "").await.status, 502);
    let us = format!("certificate_file: '{}', key_file: '{}'", certificate.display(), key.display());
    let known =
        with(&format!("addresses: ['{address}'], tls: {{server_name: localhost, ca_file: '{ca}', {us}}}"))
            .await;
    assert_eq!(known.get("/a", "").await.status, 200);
}
