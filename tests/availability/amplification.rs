//! What a caller without a token can make the gateway do: bytes for bytes, work for work, requests for requests.

use crate::client::{PATIENCE, request};
use crate::gateway::{Gateway, good, processor_time, unknown};
use crate::jwks::Jwks;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tollgate::testing::Issuer;

/// Ours; Envoy's threat model draws the line at 100.
const BOUND: f64 = 10.0;
/// For work. Without optimisation the gateway works some times as long, while the caller's work is nearly all the kernel's;
/// so the figure that counts is that of `cargo test --release --features gateway --test availability amplification`.
const WORK: f64 = if cfg!(debug_assertions) { 30.0 } else { BOUND };

/// What IP and TCP add to each segment at least.
const HEADERS: usize = 40;
/// What a connection of its own costs the caller at least: SYN, ACK, FIN and the last ACK.
const CONNECTION: usize = 4 * HEADERS;

#[tokio::test]
async fn no_refusal_is_ten_times_as_long_as_its_request() {
    let jwks = Jwks::start(&Issuer::new("https://as.test/")).await;
    let gateway = Gateway::start(&jwks.settings()).await;
    // The shortest request that makes each kind of answer.
    for (request, status) in [
        ("GET / HTTP/1.1\r\nHost:a\r\n\r\n", 404),
        ("GET /orders/1 HTTP/1.1\r\nHost:a\r\n\r\n", 401),
        ("GET /orders/1 HTTP/1.1\r\nHost:a\r\nAuthorization:bearer a\r\n\r\n", 401),
        ("GET /orders/1 HTTP/1.1\r\nHost:a\r\nAuthorization:bearer\r\n\r\n", 400),
        ("PUT /orders/1 HTTP/1.1\r\nHost:a\r\n\r\n", 405),
        ("GET // HTTP/1.1\r\nHost:a\r\n\r\n", 400),
        ("G / HTTP/1.1\r\n\r\n", 400),
        ("G / HTTP/9\r\n\r\n", 505),
        ("G\r\n\r\n", 400),
    ] {
        let answer = gateway.client().send(request).await;
        assert_eq!(answer.status, status, "{request:?}");
        let ends = answer.head.to_lowercase().contains("connection: close");
        // Each in a segment of its own, as the answers are: who asks ahead has a connection for each. Every other answer is
        // acknowledged.
        let sent = HEADERS + request.len() + if ends { CONNECTION } else { HEADERS / 2 };
        let ratio = (answer.bytes + HEADERS) as f64 / sent as f64;
        assert!(ratio <= BOUND, "{request:?}: {} bytes for {sent}: {ratio:.1} times", answer.bytes);
        assert!(answer.bytes <= 512, "{request:?}: {} bytes", answer.bytes);
    }
}

#[tokio::test]
async fn who_asks_ahead_gets_one_refusal_a_connection() {
    let issuer = Issuer::new("https://as.test/");
    let jwks = Jwks::start(&issuer).await;
    let gateway = Gateway::start(&jwks.settings()).await;
    for (asked, status) in [
        ("GET / HTTP/1.1\r\nHost:a\r\n\r\n", "404"),
        ("GET /orders/1 HTTP/1.1\r\nHost:a\r\n\r\n", "401"),
        ("PUT /orders/1 HTTP/1.1\r\nHost:a\r\nContent-Length:1\r\n\r\nx", "405"),
    ] {
        let mut stream = TcpStream::connect(gateway.address).await.unwrap();
        stream.write_all(asked.repeat(500).as_bytes()).await.unwrap();
        let (mut read, mut chunk) = (Vec::new(), [0; 4096]);
        // What it has sent in vain may reset the connection.
        while let Ok(count @ 1..) =
            tokio::time::timeout(PATIENCE, stream.read(&mut chunk)).await.expect("it ends")
        {
            read.extend_from_slice(&chunk[..count]);
        }
        let answers = String::from_utf8(read).unwrap();
        assert_eq!(answers.matches(&format!("HTTP/1.1 {status}")).count(), 1, "{asked:?}: {answers}");
        assert!(answers.to_lowercase().contains("connection: close"), "{answers}");
    }
    // Whoever is admitted may.
    let token = good(&issuer).sign();
    let answer = gateway.client().send(&request(&token).repeat(50)).await;
    assert_eq!(answer.status, 200);
    assert!(!answer.head.to_lowercase().contains("connection: close"), "{}", answer.head);
}

#[tokio::test]
async fn a_refusal_costs_no_more_than_ten_times_the_caller_s_own_work() {
    const REQUESTS: u32 = 200;
    let issuer = Issuer::new("https://as.test/");
    let jwks = Jwks::start(&issuer).await;
    let gateway = Gateway::start(&jwks.settings()).await;
    gateway.takes(&good(&issuer).sign()).await;
    let (asked, arrived, began) = (jwks.asked(), gateway.arrived(), Instant::now());
    let tampered: Vec<String> =
        (0..REQUESTS).map(|_| request(&good(&issuer).signature(&[7; 256]).sign())).collect();
    let unknown: Vec<String> = (0..REQUESTS).map(|n| request(&unknown(&issuer, n as usize))).collect();
    for (kind, requests) in [("a wrong signature", tampered), ("an unknown key", unknown)] {
        let mut client = gateway.client();
        let (ours, theirs) = (processor_time("/proc/self/task"), gateway.processor_time());
        for request in &requests {
            assert_eq!(client.send(request).await.status, 401);
        }
        let caller = processor_time("/proc/self/task").saturating_sub(ours);
        let gateway = gateway.processor_time().saturating_sub(theirs);
        assert!(caller > Duration::ZERO && gateway > Duration::ZERO, "both are measured");
        let ratio = gateway.as_secs_f64() / caller.as_secs_f64();
        println!("{kind}: {:?} for the caller's {:?} a request", gateway / REQUESTS, caller / REQUESTS);
        assert!(ratio <= WORK, "{kind}: {gateway:?} for the caller's {caller:?}: {ratio:.1} times");
    }
    assert_eq!(gateway.arrived(), arrived, "none of them reached the API");
    // The cool-down is 1 s here.
    let fetches = (jwks.asked() - asked) as u64;
    assert!(fetches <= began.elapsed().as_secs() + 1, "{fetches} fetches for {REQUESTS} unknown keys");
}
