//! Callers: one request at a time over a connection that is kept, and a pulse of valid ones while others misbehave.

use crate::PROMPT;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

/// Longer than anything here may take.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) bytes: usize,
    pub(crate) took: Duration,
}

pub(crate) struct Client {
    address: SocketAddr,
    stream: Option<TcpStream>,
}

impl Client {
    pub(crate) fn new(address: SocketAddr) -> Self {
        Self { address, stream: None }
    }

    /// `GET` with a token.
    pub(crate) async fn get(&mut self, token: &str) -> Answer {
        self.send(&request(token)).await
    }

    /// `GET` of a public path.
    pub(crate) async fn get_public(&mut self) -> Answer {
        self.send("GET /public/x HTTP/1.1\r\nHost: api.test\r\n\r\n").await
    }

    /// Sends a request, and reads the answer to its end.
    pub(crate) async fn send(&mut self, request: &str) -> Answer {
        let began = Instant::now();
        let answer = tokio::time::timeout(PATIENCE, self.exchange(request));
        let (head, bytes) = answer.await.expect("an answer in time").expect("an answer");
        if head.to_lowercase().contains("connection: close") {
            self.stream = None;
        }
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Answer { status, head, bytes, took: began.elapsed() }
    }

    async fn exchange(&mut self, request: &str) -> std::io::Result<(String, usize)> {
        let stream = match &mut self.stream {
            Some(stream) => stream,
            empty => empty.insert(TcpStream::connect(self.address).await?),
        };
        stream.set_nodelay(true)?;
        stream.write_all(request.as_bytes()).await?;
        let (mut read, mut chunk) = (Vec::new(), [0; 4096]);
        loop {
            if let Some(end) = read.windows(4).position(|window| window == b"\r\n\r\n") {
                let head = String::from_utf8_lossy(&read[..end]).into_owned();
                let length = head.to_lowercase();
                let length = length.split("content-length: ").nth(1).and_then(|rest| rest.lines().next());
                let whole = end + 4 + length.map_or(0, |length| length.parse::<usize>().unwrap());
                if read.len() >= whole {
                    return Ok((head, whole));
                }
            }
            match stream.read(&mut chunk).await? {
                0 => return Err(std::io::ErrorKind::UnexpectedEof.into()),
                count => read.extend_from_slice(&chunk[..count]),
            }
        }
    }
}

pub(crate) fn request(token: &str) -> String {
    format!("GET /orders/1 HTTP/1.1\r\nHost: api.test\r\nAuthorization: Bearer {token}\r\n\r\n")
}

/// Valid callers who go on calling while others misbehave: one on a connection that is kept, one on new connections.
pub(crate) struct Pulse {
    stop: Arc<AtomicBool>,
    beating: Vec<JoinHandle<Vec<(u16, Duration)>>>,
}

impl Pulse {
    pub(crate) fn start(address: SocketAddr, token: &str) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let beating = [true, false].map(|keeps| {
            let (stop, token) = (stop.clone(), token.to_owned());
            tokio::spawn(async move {
                let (mut beats, mut client) = (Vec::new(), Client::new(address));
                // A few at least, even if the trouble was soon over.
                while !stop.load(Ordering::SeqCst) || beats.len() < 5 {
                    if !keeps {
                        client = Client::new(address);
                    }
                    let answer = client.get(&token).await;
                    beats.push((answer.status, answer.took));
                    tokio::time::sleep(Duration::from_millis(15)).await;
                }
                beats
            })
        });
        Self { stop, beating: beating.into() }
    }

    /// Ends it: every one of them was served, and none waited for long. Returns how many there were.
    pub(crate) async fn was_served(self) -> usize {
        self.stop.store(true, Ordering::SeqCst);
        let mut served = 0;
        for beating in self.beating {
            let beats = beating.await.unwrap();
            assert!(beats.iter().all(|(status, _)| *status == 200), "a valid caller was refused");
            let longest = beats.iter().map(|(_, took)| *took).max().unwrap_or_default();
            assert!(longest < PROMPT, "of {} valid requests one took {longest:?}", beats.len());
            served += beats.len();
        }
        served
    }
}
