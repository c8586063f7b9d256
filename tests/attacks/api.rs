//! The API behind the gateway: it answers 200, and keeps every byte that reaches it.

use crate::house::PATIENCE;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// What has arrived: a request for each connection.
#[derive(Clone, Default)]
pub struct Api(Arc<Mutex<Vec<Vec<u8>>>>);

impl Api {
    /// Starts it, and returns its address too. Each connection serves one request.
    pub fn start() -> (Self, String) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let api = Self::default();
        let serving = api.clone();
        std::thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let api = serving.clone();
                std::thread::spawn(move || api.serve(connection));
            }
        });
        (api, address)
    }

    pub fn forget(&self) {
        self.0.lock().unwrap().clear();
    }

    pub fn arrived(&self) -> Vec<Vec<u8>> {
        self.0.lock().unwrap().clone()
    }

    fn serve(&self, mut connection: TcpStream) {
        connection.set_read_timeout(Some(PATIENCE)).unwrap();
        let (mut bytes, mut chunk) = (Vec::new(), [0; 4096]);
        while !is_whole(&bytes) {
            match connection.read(&mut chunk) {
                Ok(0) | Err(_) => break,
                Ok(read) => bytes.extend(chunk.iter().take(read)),
            }
        }
        if !bytes.is_empty() {
            self.0.lock().unwrap().push(bytes);
            let _ =
                connection.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok");
        }
    }
}

/// Whether a request has arrived with its body.
fn is_whole(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes).to_lowercase();
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    if head.contains("transfer-encoding: chunked") {
        return body.ends_with("0\r\n\r\n") || body.contains("\r\n0\r\n") && body.ends_with("\r\n\r\n");
    }
    let length = head
        .split("content-length: ")
        .nth(1)
        .and_then(|rest| rest.split("\r\n").next()?.parse::<usize>().ok());
    length.is_none_or(|length| body.len() >= length)
}
