//! A caller that sends what it is told to, byte for byte.

use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;

pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

pub(crate) struct Client {
    stream: Box<dyn Stream>,
    read: Vec<u8>,
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().skip(1).filter_map(|line| line.split_once(": "));
        lines.find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    /// The code of the problem in the body.
    pub(crate) fn code(&self) -> String {
        assert_eq!(self.field("content-type"), Some("application/problem+json"), "{self:?}");
        let problem: serde_json::Value = serde_json::from_slice(&self.body).unwrap();
        assert_eq!(problem["status"], self.status);
        problem["code"].as_str().unwrap().to_owned()
    }
}

impl Client {
    pub(crate) async fn connect(address: SocketAddr) -> Self {
        Self::over(TcpStream::connect(address).await.unwrap())
    }

    pub(crate) fn over(stream: impl Stream + 'static) -> Self {
        Self { stream: Box::new(stream), read: Vec::new() }
    }

    pub(crate) async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        // The other side may have closed already; what it said before is what counts.
        let _ = self.stream.write_all(bytes.as_ref()).await;
        let _ = self.stream.flush().await;
    }

    /// Sends, and reads one answer.
    pub(crate) async fn ask(&mut self, bytes: impl AsRef<[u8]>) -> Answer {
        self.send(bytes).await;
        self.answer().await.expect("an answer")
    }

    /// Reads one answer to a request other than `HEAD`; `None` if the connection ends first.
    pub(crate) async fn answer(&mut self) -> Option<Answer> {
        tokio::time::timeout(PATIENCE, self.read_answer(false)).await.expect("an answer in time")
    }

    pub(crate) async fn answer_to_head(&mut self) -> Option<Answer> {
        tokio::time::timeout(PATIENCE, self.read_answer(true)).await.expect("an answer in time")
    }

    /// Reads on until the connection ends, and returns whether it did within the time.
    pub(crate) async fn closes_within(&mut self, limit: Duration) -> bool {
        let end = async {
            let mut chunk = [0; 1024];
            while !matches!(self.stream.read(&mut chunk).await, Ok(0) | Err(_)) {}
        };
        tokio::time::timeout(limit, end).await.is_ok()
    }

    async fn read_answer(&mut self, no_body: bool) -> Option<Answer> {
        let head = loop {
            if let Some(end) = self.read.windows(4).position(|window| window == b"\r\n\r\n") {
                break String::from_utf8(self.read.drain(..end + 4).collect()).unwrap();
            }
            self.more().await?;
        };
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let mut answer = Answer { status, head, body: Vec::new() };
        if no_body || status == 204 || status == 304 || status == 101 || status == 100 {
            return Some(answer);
        }
        if answer.field("transfer-encoding") == Some("chunked") {
            while let Some(chunk) = self.chunk().await {
                if chunk.is_empty() {
                    return Some(answer);
                }
                answer.body.extend(chunk);
            }
            panic!("the body ended within a chunk: {answer:?}");
        }
        match answer.field("content-length").map(|length| length.parse::<usize>().unwrap()) {
            Some(length) => answer.body = self.exactly(length).await.expect("the whole body"),
            None => {
                while self.more().await.is_some() {}
                answer.body = std::mem::take(&mut self.read);
            }
        }
        Some(answer)
    }

    /// Reads one chunk; an empty one is the last.
    pub(crate) async fn chunk(&mut self) -> Option<Vec<u8>> {
        let size = loop {
            if let Some(end) = self.read.windows(2).position(|window| window == b"\r\n") {
                let line = String::from_utf8(self.read.drain(..end + 2).collect()).unwrap();
                break usize::from_str_radix(line.trim(), 16).unwrap();
            }
            self.more().await?;
        };
        let mut chunk = self.exactly(size + 2).await?;
        chunk.truncate(size);
        Some(chunk)
    }

    pub(crate) async fn exactly(&mut self, length: usize) -> Option<Vec<u8>> {
        while self.read.len() < length {
            self.more().await?;
        }
        Some(self.read.drain(..length).collect())
    }

    async fn more(&mut self) -> Option<()> {
        let mut chunk = [0; 16 * 1024];
        match self.stream.read(&mut chunk).await {
            Ok(0) | Err(_) => None,
            Ok(read) => {
                self.read.extend_from_slice(&chunk[..read]);
                Some(())
            }
        }
    }
}
