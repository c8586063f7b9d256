//! An API that answers 200 to whatever is a request in the strictest reading, and keeps its head.

use std::cell::RefCell;
use std::net::SocketAddr;
use std::rc::Rc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// The heads of the requests that have arrived, and what was wrong with those that are none.
pub(super) type Arrivals = Rc<RefCell<Vec<Result<String, String>>>>;

/// Serves for as long as its `LocalSet` runs.
pub(super) async fn serve() -> (SocketAddr, Arrivals) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("it is bound");
    let arrivals = Arrivals::default();
    let keep = arrivals.clone();
    tokio::task::spawn_local(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::task::spawn_local(connection(stream, keep.clone()));
        }
    });
    (address, arrivals)
}

async fn connection(stream: TcpStream, arrivals: Arrivals) {
    let mut connection = Connection { stream, read: Vec::new() };
    loop {
        match connection.request(&arrivals).await {
            Ok(Some(())) => {}
            Ok(None) => return,
            Err(flaw) => return arrivals.borrow_mut().push(Err(flaw)),
        }
        let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
        if connection.stream.write_all(answer).await.is_err() {
            return;
        }
    }
}

struct Connection {
    stream: TcpStream,
    read: Vec<u8>,
}

impl Connection {
    /// Reads a request; `None` if the connection ends first.
    ///
    /// # Errors
    /// What makes it none in the strictest reading.
    async fn request(&mut self, arrivals: &Arrivals) -> Result<Option<()>, String> {
        let Some(head) = self.until(b"\r\n\r\n").await else { return Ok(None) };
        let head = String::from_utf8_lossy(&head).into_owned();
        // It counts as soon as it is there, whatever becomes of its body.
        arrivals.borrow_mut().push(Ok(head.clone()));
        let field = |name: &str| {
            let mut fields = head.lines().filter_map(|line| line.split_once(": "));
            fields.find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value)
        };
        match (field("content-length"), field("transfer-encoding")) {
            (None, None) => Ok(Some(())),
            (Some(length), None) => {
                let length = length.parse().map_err(|_| format!("no length:\n{head}"))?;
                Ok(self.exactly(length).await.map(drop))
            }
            (None, Some("chunked")) => self.chunks().await,
            _ => Err(format!("no framing:\n{head}")),
        }
    }

    /// Reads chunks without extensions, and no trailers.
    async fn chunks(&mut self) -> Result<Option<()>, String> {
        loop {
            let Some(line) = self.until(b"\r\n").await else { return Ok(None) };
            let line = String::from_utf8_lossy(&line).into_owned();
            let size = usize::from_str_radix(line.trim_end_matches("\r\n"), 16)
                .map_err(|_| format!("no size: {line:?}"))?;
            let Some(chunk) = self.exactly(size + 2).await else { return Ok(None) };
            if !chunk.ends_with(b"\r\n") {
                return Err(format!("the chunk does not end where it says: {chunk:?}"));
            }
            if size == 0 {
                return Ok(Some(()));
            }
        }
    }

    async fn until(&mut self, end: &[u8]) -> Option<Vec<u8>> {
        loop {
            if let Some(at) = self.read.windows(end.len()).position(|window| window == end) {
                return self.exactly(at + end.len()).await;
            }
            self.more().await?;
        }
    }

    async fn exactly(&mut self, length: usize) -> Option<Vec<u8>> {
        while self.read.len() < length {
            self.more().await?;
        }
        Some(self.read.drain(..length).collect())
    }

    async fn more(&mut self) -> Option<()> {
        let read = self.stream.read_buf(&mut self.read).await.ok()?;
        (read > 0).then_some(())
    }
}
