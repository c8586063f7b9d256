//! Callers over HTTP/1 who drip, who leave, and who guess.

use crate::client::{Pulse, request};
use crate::gateway::{Gateway, good};
use crate::jwks::Jwks;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tollgate::testing::Issuer;

/// A gateway that knows its issuer's keys, the issuer, and a token that is good.
async fn ready(header_timeout: &str) -> (Gateway, Issuer, Jwks, String) {
    let issuer = Issuer::new("https://as.test/");
    let jwks = Jwks::start(&issuer).await;
    let gateway = Gateway::start_with(&jwks.settings(), header_timeout).await;
    let known = good(&issuer).sign();
    gateway.takes(&known).await;
    (gateway, issuer, jwks, known)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_who_drip_their_heads_are_cut_off() {
    let (gateway, _, _jwks, known) = ready("1s").await;
    let pulse = Pulse::start(gateway.address, &known);
    let mut dripping = JoinSet::new();
    for number in 0..200 {
        let address = gateway.address;
        dripping.spawn(async move {
            let mut stream = TcpStream::connect(address).await.unwrap();
            let began = Instant::now();
            // Some drip a request line, some header lines, some say nothing at all.
            let drip: &[u8] = [&b"G"[..], b"X: y\r\n", b""][number % 3];
            if number % 3 == 1 {
                stream.write_all(b"GET /orders/1 HTTP/1.1\r\nHost: api.test\r\n").await.unwrap();
            }
            let mut chunk = [0; 512];
            // However long they would go on.
            while began.elapsed() < Duration::from_secs(10) {
                let _ = stream.write_all(drip).await;
                let reading = tokio::time::timeout(Duration::from_millis(100), stream.read(&mut chunk));
                if let Ok(Ok(0) | Err(_)) = reading.await {
                    return began.elapsed();
                }
            }
            panic!("number {number} still drips after {:?}", began.elapsed())
        });
    }
    let longest = dripping.join_all().await.into_iter().max().unwrap();
    // The deadline of a head is 1 s here; a last answer is drained for 1 s more.
    assert!(longest < Duration::from_secs(9), "{longest:?}");
    pulse.was_served().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_thousand_who_leave_in_the_middle_cost_valid_callers_nothing() {
    let (gateway, _, jwks, known) = ready("10s").await;
    let (memory, open, asked) = (gateway.memory(), gateway.open(), jwks.asked());
    let pulse = Pulse::start(gateway.address, &known);
    let whole = request(&known);
    let beginnings =
        ["", "G", "GET /orders/1 HTTP/1.1\r\nHo", &whole, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0"];
    for number in 0..2_000 {
        let mut stream = TcpStream::connect(gateway.address).await.unwrap();
        stream.write_all(beginnings[number % beginnings.len()].as_bytes()).await.unwrap();
        // Every other one leaves with a reset.
        if number % 2 == 0 {
            stream.set_zero_linger().unwrap();
        }
    }
    pulse.was_served().await;
    let left = Instant::now();
    // What is still open are connections to the API, kept for later.
    while gateway.open() > open + KEPT {
        assert!(left.elapsed() < Duration::from_secs(5), "{} sockets more are open", gateway.open() - open);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(gateway.memory().saturating_sub(memory) < crate::FLAT);
    assert_eq!(jwks.asked(), asked);
    let log = gateway.log();
    assert!(!log.contains("panic"), "{log}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wrong_signatures_without_end_cost_valid_callers_nothing() {
    let (gateway, issuer, jwks, known) = ready("10s").await;
    let (memory, asked, arrived) = (gateway.memory(), jwks.asked(), gateway.arrived());
    let mut spam = JoinSet::new();
    let (began, pulse) = (Instant::now(), Pulse::start(gateway.address, &known));
    for caller in 0..8 {
        let (mut client, issuer) = (gateway.client(), issuer.clone());
        spam.spawn(async move {
            let (mut sent, mut bytes) = (0_usize, 0);
            // At least so many that to remember them would take 13 MB.
            while began.elapsed() < Duration::from_millis(1_500) || sent < 150 {
                sent += 1;
                // Each is another token, and a long one.
                let token =
                    good(&issuer).claim("n", caller * 1_000_000 + sent).claim("long", "x".repeat(8_000));
                let token = token.signature(&[7; 256]).sign();
                bytes += token.len() as u64;
                assert_eq!(client.get(&token).await.status, 401);
            }
            bytes
        });
    }
    let sent: u64 = spam.join_all().await.into_iter().sum();
    let served = pulse.was_served().await;
    assert_eq!(jwks.asked(), asked, "a wrong signature under a known key is no reason to fetch");
    let grown = gateway.memory().saturating_sub(memory);
    assert!(
        grown < (sent / 2).min(crate::FLAT),
        "what is refused is not remembered: {grown} bytes of {sent}"
    );
    assert_eq!(gateway.arrived() - arrived, served, "the valid ones arrived, and no other");
}

/// More connections to the API than are kept after a herd.
const KEPT: usize = 200;
