//! Floods over HTTP/2: each ends its own connection, or costs nothing to speak of, while others are served.

use crate::FLAT;
use crate::client::{PATIENCE, Pulse};
use crate::frames::{
    CONTINUATION, DATA, END_HEADERS, END_STREAM, End, GOAWAY, HEADERS, PING, PRIORITY, RST_STREAM, SETTINGS,
    UNKNOWN, WINDOW_UPDATE, connect, flood, frame, head,
};
use crate::gateway::{Gateway, good};
use crate::jwks::Jwks;
use std::time::{Duration, Instant};
use tokio::io::AsyncReadExt;
use tollgate::testing::Issuer;

const LASTS: Duration = Duration::from_millis(1_500);
const CALLERS: usize = 2;

/// Callers who flood like this, and come back whenever they are cut off. Afterwards the gateway is no larger than before, and
/// valid callers were served all the while. Returns what became of each connection.
async fn floods(
    listens: bool,
    first: &[u8],
    piece: impl Fn(u32) -> Vec<u8> + Clone + Send + Sync + 'static,
) -> Vec<End> {
    let issuer = Issuer::new("https://as.test/");
    let jwks = Jwks::start(&issuer).await;
    let gateway = Gateway::start_with(&jwks.settings(), "1s").await;
    let known = good(&issuer).sign();
    gateway.takes(&known).await;
    let memory = gateway.memory();
    let (pulse, began) = (Pulse::start(gateway.address, &known), Instant::now());
    // Who does not listen fills the sockets' buffers first.
    let lasts = if listens { LASTS } else { 6 * LASTS };
    let mut flooding = tokio::task::JoinSet::new();
    for _ in 0..CALLERS {
        let (address, first, piece) = (gateway.address, first.to_vec(), piece.clone());
        flooding.spawn(async move {
            let mut ends = Vec::new();
            while let Some(left) = lasts.checked_sub(began.elapsed()) {
                let stream = connect(address, &first).await;
                ends.push(flood(stream, listens, left, &piece).await);
            }
            ends
        });
    }
    let ends: Vec<End> = flooding.join_all().await.into_iter().flatten().collect();
    let grown = gateway.memory().saturating_sub(memory);
    assert!(grown < FLAT, "{grown} bytes more: {ends:?}");
    pulse.was_served().await;
    assert!(!gateway.log().contains("panic"), "{}", gateway.log());
    ends
}

/// None of them went on for as long as it liked, and none sent much before it was ended.
fn all_cut_off(ends: &[End]) {
    let cut_off = ends.iter().filter(|end| end.cut_off).count();
    // The last of each caller may have been cut short by ourselves.
    assert!(cut_off >= CALLERS && cut_off + CALLERS >= ends.len(), "{ends:?}");
    assert!(ends.iter().all(|end| end.bytes < 2_000_000), "{ends:?}");
}

/// The number of the n-th stream of a caller.
fn stream(number: u32) -> u32 {
    number * 2 + 1
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn streams_that_are_opened_to_be_reset() {
    let ends = floods(true, &[], |number| {
        let open = frame(HEADERS, END_HEADERS | END_STREAM, stream(number), &head(false, "/public/x"));
        [open, frame(RST_STREAM, 0, stream(number), &8_u32.to_be_bytes())].concat()
    });
    all_cut_off(&ends.await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn streams_that_make_the_other_side_reset_them() {
    // A window that overflows is the gateway's to reset: "MadeYouReset".
    let ends = floods(true, &[], |number| {
        let open = frame(HEADERS, END_HEADERS, stream(number), &head(true, "/public/x"));
        [open, frame(WINDOW_UPDATE, 0, stream(number), &0x7fff_ffff_u32.to_be_bytes())].concat()
    });
    all_cut_off(&ends.await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_header_block_that_never_ends() {
    let first = frame(HEADERS, 0, 1, &head(false, "/public/x"));
    let field = [b"\x10\x01a\x7f\x80\x7c".to_vec(), vec![b'b'; 127 + 124 * 128]].concat();
    let ends = floods(true, &first, move |_| frame(CONTINUATION, 0, 1, &field)).await;
    all_cut_off(&ends);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_header_block_of_empty_frames() {
    let first = frame(HEADERS, 0, 1, &head(false, "/public/x"));
    all_cut_off(&floods(true, &first, |_| frame(CONTINUATION, 0, 1, &[]).repeat(100)).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_of_empty_frames() {
    let first = frame(HEADERS, END_HEADERS, 1, &head(true, "/public/x"));
    all_cut_off(&floods(true, &first, |_| frame(DATA, 0, 1, &[]).repeat(100)).await);
}

#[tokio::test]
async fn a_stream_of_small_messages_is_no_flood() {
    let jwks = Jwks::start(&Issuer::new("https://as.test/")).await;
    let gateway = Gateway::start(&jwks.settings()).await;
    for (messages, length) in [(1_000, 10), (300, 100), (6_000, 10)] {
        let mut frames = frame(HEADERS, END_HEADERS, 1, &head(true, "/public/x"));
        frames.extend(frame(DATA, 0, 1, &vec![7; length]).repeat(messages));
        frames.extend(frame(DATA, END_STREAM, 1, &[]));
        let mut stream = connect(gateway.address, &frames).await;
        loop {
            let mut header = [0; 9];
            tokio::time::timeout(PATIENCE, stream.read_exact(&mut header)).await.unwrap().unwrap();
            let mut payload = vec![0; usize::from(header[1]) << 8 | usize::from(header[2])];
            stream.read_exact(&mut payload).await.unwrap();
            assert_ne!(
                header[3],
                GOAWAY,
                "{messages} messages of {length}: {}",
                String::from_utf8_lossy(&payload)
            );
            if header[3] == HEADERS {
                // `:status: 200` (RFC 7541 appendix A).
                assert_eq!(payload[0], 0x88);
                break;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn settings_without_end() {
    let piece = |number| frame(SETTINGS, 0, 0, &[0, 4, 0, 0, 0xff, (number % 256) as u8]).repeat(100);
    all_cut_off(&floods(true, &[], piece).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pings_without_end() {
    let piece = |number| frame(PING, 0, 0, &u64::from(number).to_be_bytes()).repeat(100);
    all_cut_off(&floods(true, &[], piece).await);
    all_cut_off(&floods(false, &[], piece).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn frames_that_ask_for_nothing() {
    for (kind, stream, payload) in [(PRIORITY, 1, 5), (WINDOW_UPDATE, 0, 4), (UNKNOWN, 1, 0), (UNKNOWN, 0, 9)]
    {
        let mut payload = vec![0; payload];
        if let Some(last) = payload.last_mut() {
            *last = 1;
        }
        let piece = move |_| frame(kind, 0, stream, &payload).repeat(100);
        all_cut_off(&floods(true, &[], piece).await);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fields_that_are_larger_than_their_names() {
    // One entry of 4,000 bytes in the table, and then 4,000 bytes for every byte on the wire.
    let ends = floods(true, &[], |number| {
        let mut block = head(false, "/public/x");
        if number == 0 {
            block.extend([0x40, 1, b'a', 0x7f, 0xa1, 0x1e]);
            block.extend([b'b'; 127 + 0x21 + 0x1e * 128]);
        }
        block.extend([0xbe; 4_000]);
        frame(HEADERS, END_HEADERS | END_STREAM, stream(number), &block)
    });
    ends.await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_whose_answers_nobody_reads() {
    floods(false, &[], |number| {
        frame(HEADERS, END_HEADERS | END_STREAM, stream(number), &head(false, "/orders/1"))
    })
    .await;
}
