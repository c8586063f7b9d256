//! HTTP/2 frames, byte for byte (RFC 9113 section 4.1), and connections that send them without listening.

use std::net::SocketAddr;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

pub(crate) const DATA: u8 = 0;
pub(crate) const HEADERS: u8 = 1;
pub(crate) const PRIORITY: u8 = 2;
pub(crate) const RST_STREAM: u8 = 3;
pub(crate) const SETTINGS: u8 = 4;
pub(crate) const PING: u8 = 6;
pub(crate) const GOAWAY: u8 = 7;
pub(crate) const WINDOW_UPDATE: u8 = 8;
pub(crate) const CONTINUATION: u8 = 9;
pub(crate) const UNKNOWN: u8 = 0x42;

pub(crate) const END_STREAM: u8 = 1;
pub(crate) const END_HEADERS: u8 = 4;

const BUFFER: u32 = 64 * 1024;

pub(crate) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let mut frame = (payload.len() as u32).to_be_bytes()[1..].to_vec();
    frame.extend([kind, flags]);
    frame.extend(stream.to_be_bytes());
    frame.extend(payload);
    frame
}

/// The header block of a `GET` (or `POST`) of this path: indexed fields, and literals that are not (RFC 7541 section 6).
pub(crate) fn head(post: bool, path: &str) -> Vec<u8> {
    let mut block = vec![if post { 0x83 } else { 0x82 }, 0x86, 0x04, path.len() as u8];
    block.extend(path.as_bytes());
    block.extend(b"\x01\x08api.test");
    block
}

/// A connection by prior knowledge, with its preface sent, and these frames.
pub(crate) async fn connect(address: SocketAddr, frames: &[u8]) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    // So that what was sent is what arrived, give or take a little, and what nobody reads does not fit in here.
    socket.set_send_buffer_size(BUFFER).unwrap();
    socket.set_recv_buffer_size(BUFFER).unwrap();
    let mut stream = socket.connect(address).await.unwrap();
    let preface = [&b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"[..], &frame(SETTINGS, 0, 0, &[]), frames].concat();
    // It may be ended already.
    let _ = stream.write_all(&preface).await;
    stream
}

/// How a flood ended.
#[derive(Debug)]
pub(crate) struct End {
    /// Whether the other side ended it.
    pub(crate) cut_off: bool,
    pub(crate) bytes: usize,
}

/// Sends these pieces one after the other, until the other side ends the connection or it has lasted for so long. What comes
/// back is read, or left lying.
pub(crate) async fn flood(
    stream: TcpStream,
    listens: bool,
    lasts: Duration,
    piece: &impl Fn(u32) -> Vec<u8>,
) -> End {
    let (mut read, mut write) = stream.into_split();
    let reading = tokio::spawn(async move {
        let mut chunk = vec![0; 65_536];
        while listens && matches!(read.read(&mut chunk).await, Ok(1..)) {}
        // Kept, so that it is not we who end it.
        if !listens {
            std::future::pending::<()>().await;
        }
    });
    let (began, mut number, mut bytes, mut cut_off) = (Instant::now(), 0, 0, false);
    while began.elapsed() < lasts && !cut_off {
        let piece = piece(number);
        (number, bytes) = (number + 1, bytes + piece.len());
        let left = lasts.saturating_sub(began.elapsed());
        // Who does not listen is not listened to after a while: that is no end.
        cut_off = matches!(tokio::time::timeout(left, write.write_all(&piece)).await, Ok(Err(_)));
        cut_off |= listens && reading.is_finished();
    }
    reading.abort();
    End { cut_off, bytes }
}
