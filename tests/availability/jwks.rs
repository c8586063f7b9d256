//! A place for key sets that is told how to misbehave, with bytes that no well-meaning server would send.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tollgate::testing::Issuer;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Manner {
    Sound,
    /// Nothing comes.
    Hangs,
    /// A byte of the head, and then of the body, every 20 ms.
    Trickles,
    /// 400 MB that are announced.
    Announced,
    /// 400 MB in chunks.
    Chunked,
    /// Header lines without end.
    Headers,
    /// 250 KB that would be 250 MB.
    Bomb,
    /// 200 KB of `[`.
    Brackets,
}

impl Manner {
    pub(crate) const ODD: [Self; 7] = [
        Self::Hangs,
        Self::Trickles,
        Self::Announced,
        Self::Chunked,
        Self::Headers,
        Self::Bomb,
        Self::Brackets,
    ];
}

pub(crate) struct Jwks {
    pub(crate) address: SocketAddr,
    state: Arc<State>,
}

struct State {
    issuer: Issuer,
    manner: Mutex<Manner>,
    asked: AtomicUsize,
    sent: AtomicU64,
}

impl Jwks {
    pub(crate) async fn start(issuer: &Issuer) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        Self::over(listener, issuer)
    }

    pub(crate) fn over(listener: TcpListener, issuer: &Issuer) -> Self {
        let address = listener.local_addr().unwrap();
        let state = Arc::new(State {
            issuer: issuer.clone(),
            manner: Mutex::new(Manner::Sound),
            asked: AtomicUsize::new(0),
            sent: AtomicU64::new(0),
        });
        let serving = state.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(answer(stream, serving.clone()));
            }
        });
        Self { address, state }
    }

    /// Behaves so from now on.
    pub(crate) fn behave(&self, manner: Manner) {
        *self.state.manner.lock().unwrap() = manner;
    }

    /// How often it was asked.
    pub(crate) fn asked(&self) -> usize {
        self.state.asked.load(Ordering::SeqCst)
    }

    /// How many bytes of its odd answers went out.
    pub(crate) fn sent(&self) -> u64 {
        self.state.sent.load(Ordering::SeqCst)
    }

    /// What a configuration says of it.
    pub(crate) fn settings(&self) -> String {
        format!(
            "issuer: {}\nkeys: {{jwks_uri: 'http://{}/keys', cool_down: 1s, wait: 250ms, timeout: 2s}}",
            self.state.issuer.name(),
            self.address
        )
    }
}

/// Answers one request as it is told.
async fn answer(mut stream: TcpStream, state: Arc<State>) {
    let (mut read, mut chunk) = (Vec::new(), [0; 4096]);
    while !read.windows(4).any(|window| window == b"\r\n\r\n") {
        match stream.read(&mut chunk).await {
            Ok(count @ 1..) => read.extend_from_slice(&chunk[..count]),
            _ => return,
        }
    }
    state.asked.fetch_add(1, Ordering::SeqCst);
    let manner = *state.manner.lock().unwrap();
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n";
    let with_length = |fields: &str, body: &[u8]| {
        [format!("{head}{fields}Content-Length: {}\r\n\r\n", body.len()).as_bytes(), body].concat()
    };
    let sound = with_length("", state.issuer.jwks().as_bytes());
    // Whoever is asked to take more than it wants hangs up.
    let _ = match manner {
        Manner::Sound => stream.write_all(&sound).await,
        Manner::Hangs => return std::future::pending().await,
        Manner::Trickles => trickle(&mut stream, &sound).await,
        Manner::Announced => {
            let head = format!("{head}Content-Length: {MUCH}\r\n\r\n{{\"keys\":[");
            pour(&mut stream, head.as_bytes(), &[b' '; 65_536], &state.sent).await
        }
        Manner::Chunked => {
            let head = format!("{head}Transfer-Encoding: chunked\r\n\r\n");
            let piece = [&b"10000\r\n"[..], &[b' '; 65_536], b"\r\n"].concat();
            pour(&mut stream, head.as_bytes(), &piece, &state.sent).await
        }
        Manner::Headers => {
            let line = format!("X-More: {}\r\n", "x".repeat(1_000));
            pour(&mut stream, head.as_bytes(), line.repeat(60).as_bytes(), &state.sent).await
        }
        Manner::Bomb => stream.write_all(&with_length("Content-Encoding: gzip\r\n", &bomb())).await,
        Manner::Brackets => stream.write_all(&with_length("", &[b'['; 200_000])).await,
    };
}

async fn trickle(stream: &mut TcpStream, bytes: &[u8]) -> std::io::Result<()> {
    for byte in bytes {
        stream.write_all(&[*byte]).await?;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(())
}

/// Sends this piece again and again, until it has been much.
async fn pour(stream: &mut TcpStream, head: &[u8], piece: &[u8], sent: &AtomicU64) -> std::io::Result<()> {
    stream.write_all(head).await?;
    let mut poured = 0;
    while poured < MUCH {
        stream.write_all(piece).await?;
        poured += piece.len() as u64;
        sent.fetch_add(piece.len() as u64, Ordering::SeqCst);
    }
    Ok(())
}

/// A gzip member of one deflate block in which two zero bits repeat a blank 258 times.
fn bomb() -> Vec<u8> {
    let beginning = [
        0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 2, 3, 0xec, 0xc1, 0x81, 0, 0, 0, 0, 0x80, 0x20, 0x95, 0xfd, 0x29, 0x17,
        0xa9, 0x0a,
    ];
    [&beginning[..], &[0; 250_000]].concat()
}

const MUCH: u64 = 400_000_000;
