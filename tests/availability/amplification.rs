//! What a caller without a token can make the gateway do: bytes for bytes, work for work, requests for requests.

use crate::client::{PATIENCE, request};
use crate::frames::{DATA, END_HEADERS, END_STREAM, HEADERS, SETTINGS, connect, frame};
use crate::gateway::{Gateway, good, processor_time, unknown};
use crate::jwks::Jwks;
use std::net::SocketAddr;
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
const PACKET: usize = 40;
/// What a segment holds.
const SEGMENT: usize = 1_460;
/// What a connection of its own costs the caller at least: SYN, ACK, FIN and the last ACK.
const CONNECTION: usize = 4 * PACKET;

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
        let sent = PACKET + request.len() + if ends { CONNECTION } else { PACKET / 2 };
        let ratio = (answer.bytes + PACKET) as f64 / sent as f64;
        assert!(ratio <= BOUND, "{request:?}: {} bytes for {sent}: {ratio:.1} times", answer.bytes);
        assert!(answer.bytes <= 512, "{request:?}: {} bytes", answer.bytes);
    }
}

#[tokio::test]
async fn no_refusals_over_http2_are_ten_times_as_long_as_a_packet_full_of_requests() {
    const PACKETS: u32 = 20;
    const REQUESTS: u32 = 100;
    let jwks = Jwks::start(&Issuer::new("https://as.test/")).await;
    let gateway = Gateway::start(&jwks.settings()).await;
    let bearer = |credentials| [("authorization", credentials)].to_vec();
    for (method, path, fields) in [
        ("GET", "/", vec![]),
        ("GET", "/orders/1", vec![]),
        ("GET", "/orders/1", bearer("bearer a")),
        ("GET", "/orders/1", bearer("bearer")),
        ("POST", "/orders/1", [bearer("bearer a"), vec![("content-type", "application/grpc")]].concat()),
        ("PUT", "/orders/1", vec![]),
        ("GET", "//", vec![]),
    ] {
        let fields = [vec![(":method", method), (":path", path), (":authority", "a")], fields].concat();
        for compressed in [true, false] {
            let mut caller = Multiplexing::start(gateway.address, &fields, compressed).await;
            for _ in 0..PACKETS {
                caller.ask(REQUESTS).await;
            }
            let ratio = caller.got as f64 / caller.sent as f64;
            let each = caller.got / (PACKETS * REQUESTS) as usize;
            println!("{fields:?}, compressed: {compressed}: {ratio:.1} times, {each} bytes each");
            assert!(ratio <= BOUND, "{fields:?}, compressed: {compressed}: {ratio:.1} times");
            // Who asks one thing at a time is told why, if not at once after such a flood. gRPC has no bodies.
            let has_body = !fields.contains(&("content-type", "application/grpc"));
            let mut patient = Multiplexing::start(gateway.address, &fields, compressed).await;
            for _ in 0..100 {
                patient.ask(1).await;
                assert_eq!(patient.told, has_body, "{fields:?}, compressed: {compressed}");
                caller.ask(1).await;
            }
            assert_eq!(caller.told, has_body, "{fields:?}, compressed: {compressed}");
        }
    }
}

/// The first bytes of a connection, and its first frame.
const PREFACE: usize = 24 + 9;

/// Asks for the same many times at once over HTTP/2, in as few bytes as there can be.
struct Multiplexing {
    stream: TcpStream,
    /// The header block that is sent next, and those after it.
    next: Vec<u8>,
    further: Vec<u8>,
    number: u32,
    sent: usize,
    got: usize,
    /// Whether the last answer had a body.
    told: bool,
}

impl Multiplexing {
    /// `compressed` is whether answers may be (RFC 7541 section 4.2).
    async fn start(address: SocketAddr, fields: &[(&str, &str)], compressed: bool) -> Self {
        let table: u32 = if compressed { 4_096 } else { 0 };
        let settings = frame(SETTINGS, 0, 0, &[&[0, 1], &table.to_be_bytes()[..]].concat());
        let (mut next, mut further) = (vec![0x86], vec![0x86]);
        for (place, (name, value)) in fields.iter().enumerate() {
            // The first time each goes into the table (RFC 7541 section 6.2.1), behind which it is one byte.
            next.extend([0x40, name.len() as u8]);
            next.extend(name.as_bytes());
            next.push(value.len() as u8);
            next.extend(value.as_bytes());
            further.push(0x80 + 62 + (fields.len() - 1 - place) as u8);
        }
        let stream = connect(address, &settings).await;
        let sent = CONNECTION + on_the_way(PREFACE + settings.len());
        Self { stream, next, further, number: 0, sent, got: 0, told: false }
    }

    /// Asks so many times in one piece, and reads all answers.
    async fn ask(&mut self, times: u32) {
        let mut requests = Vec::new();
        for _ in 0..times {
            requests.extend(frame(HEADERS, END_HEADERS | END_STREAM, 2 * self.number + 1, &self.next));
            self.next.clone_from(&self.further);
            self.number += 1;
        }
        self.stream.write_all(&requests).await.unwrap();
        let (mut got, mut ended) = (0, 0);
        while ended < times {
            let mut header = [0; 9];
            let read = tokio::time::timeout(PATIENCE, self.stream.read_exact(&mut header)).await;
            read.expect("an answer in time").expect("an answer");
            let [a, b, c, kind, flags, ..] = header;
            let mut payload = vec![0; usize::from(a) << 16 | usize::from(b) << 8 | usize::from(c)];
            self.stream.read_exact(&mut payload).await.unwrap();
            got += header.len() + payload.len();
            if matches!(kind, DATA | HEADERS) && flags & END_STREAM != 0 {
                self.told = kind == DATA;
                ended += 1;
            }
        }
        self.got += on_the_way(got);
        // Every other segment is acknowledged.
        self.sent += on_the_way(requests.len()) + got / SEGMENT / 2 * PACKET;
    }
}

/// So many bytes, as IP packets.
fn on_the_way(bytes: usize) -> usize {
    bytes + bytes.div_ceil(SEGMENT) * PACKET
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
    let path = "%C3%A9%CE%90".repeat(335);
    let long = vec![format!("GET /names/{path} HTTP/1.1\r\nHost: api.test\r\n\r\n"); REQUESTS as usize];
    for (kind, requests) in
        [("a wrong signature", tampered), ("an unknown key", unknown), ("a long path beyond ASCII", long)]
    {
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
