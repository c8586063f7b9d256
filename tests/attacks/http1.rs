//! The door for HTTP/1: bytes over a raw socket.

use crate::case::{Case, unescape};
use crate::house::{House, PATIENCE};
use crate::judge::Outcome;
use std::io::{Read, Write};
use std::net::TcpStream;

/// Sends a case, and returns what came of it.
pub fn send(house: &House, case: &Case) -> Outcome {
    let answer = exchange(house, &bytes(house, case));
    let status = answer.as_deref().and_then(|answer| answer.split(' ').nth(1)).map(str::to_owned);
    Outcome { status, told: answer.unwrap_or_default(), arrived: house.arrivals() }
}

/// The bytes that go over the wire.
fn bytes(house: &House, case: &Case) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (index, line) in case.send.iter().enumerate() {
        bytes.extend(unescape(&house.fill_in(line)));
        bytes.extend(b"\r\n");
        if index == 0 && case.host {
            bytes.extend(b"Host: api.test\r\n");
        }
    }
    bytes.extend(b"\r\n");
    bytes.extend(unescape(&house.fill_in(&case.body)));
    bytes
}

/// Sends bytes on a connection of their own, and returns the answer; `None` if the connection was closed without one.
pub fn exchange(house: &House, bytes: &[u8]) -> Option<String> {
    let mut connection = TcpStream::connect(house.address()).ok()?;
    connection.set_read_timeout(Some(PATIENCE)).unwrap();
    // The gateway may close the connection before it has read all.
    let _ = connection.write_all(bytes);
    let (mut answer, mut chunk) = (Vec::new(), [0; 4096]);
    while !answer.windows(4).any(|window| window == b"\r\n\r\n") {
        match connection.read(&mut chunk) {
            Ok(0) | Err(_) => break,
            Ok(read) => answer.extend(chunk.iter().take(read)),
        }
    }
    (!answer.is_empty()).then(|| String::from_utf8_lossy(&answer).into_owned())
}
