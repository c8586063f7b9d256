//! An upstream that keeps every byte it gets, and answers as the path says.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;

/// A request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Request {
    pub(crate) fn target(&self) -> &str {
        self.head.split(' ').nth(1).unwrap()
    }

    /// All values of a field.
    pub(crate) fn fields(&self, name: &str) -> Vec<&str> {
        let lines = self.head.lines().skip(1).filter_map(|line| line.split_once(": "));
        lines.filter(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value).collect()
    }

    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        self.fields(name).first().copied()
    }
}

#[derive(Default)]
struct Seen {
    requests: Mutex<Vec<Request>>,
    connections: AtomicUsize,
    healthy: std::sync::atomic::AtomicBool,
}

pub(crate) struct Backend {
    pub(crate) address: SocketAddr,
    seen: Arc<Seen>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Backend {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Backend {
    pub(crate) async fn start() -> Self {
        Self::start_at(SocketAddr::from(([127, 0, 0, 1], 0)), None).await
    }

    pub(crate) async fn start_tls(acceptor: pingora_core::tls::TlsAcceptor) -> Self {
        Self::start_at(SocketAddr::from(([127, 0, 0, 1], 0)), Some(acceptor)).await
    }

    async fn start_at(address: SocketAddr, tls: Option<pingora_core::tls::TlsAcceptor>) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::new(Seen::default());
        seen.healthy.store(true, Ordering::SeqCst);
        let task = tokio::spawn({
            let seen = seen.clone();
            async move {
                loop {
                    let (stream, _) = listener.accept().await.unwrap();
                    seen.connections.fetch_add(1, Ordering::SeqCst);
                    let (seen, tls) = (seen.clone(), tls.clone());
                    tokio::spawn(async move {
                        match tls {
                            None => serve(stream, address, &seen).await,
                            Some(tls) => {
                                if let Ok(stream) = tls.accept(stream).await {
                                    serve(stream, address, &seen).await;
                                }
                            }
                        }
                    });
                }
            }
        });
        Self { address, seen, task }
    }

    pub(crate) fn requests(&self) -> Vec<Request> {
        self.seen.requests.lock().unwrap().clone()
    }

    /// The last request that came.
    pub(crate) fn last(&self) -> Request {
        self.requests().pop().expect("a request")
    }

    pub(crate) fn connections(&self) -> usize {
        self.seen.connections.load(Ordering::SeqCst)
    }

    /// What `/healthz` says from now on.
    pub(crate) fn set_healthy(&self, healthy: bool) {
        self.seen.healthy.store(healthy, Ordering::SeqCst);
    }
}

async fn serve<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S, address: SocketAddr, seen: &Seen) {
    let mut read = Vec::new();
    while let Some(request) = read_request(&mut stream, &mut read, seen).await {
        let target = request.target().to_owned();
        let path = target.split('?').next().unwrap();
        let last = path.rsplit('/').next().unwrap();
        match last {
            "healthz" => {
                let status =
                    if seen.healthy.load(Ordering::SeqCst) { "200 OK" } else { "503 Service Unavailable" };
                let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n");
                let _ = stream.write_all(answer.as_bytes()).await;
            }
            "echo" => {
                let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", request.body.len());
                let _ = stream.write_all(head.as_bytes()).await;
                let _ = stream.write_all(&request.body).await;
            }
            "slow" => {
                tokio::time::sleep(Duration::from_secs(2)).await;
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nslow").await;
            }
            "stream" => {
                let _ = stream
                    .write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nfirst\r\n")
                    .await;
                tokio::time::sleep(Duration::from_millis(500)).await;
                let _ = stream.write_all(b"6\r\nsecond\r\n0\r\n\r\n").await;
            }
            "hop" => {
                let _ = stream
                    .write_all(
                        b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: keep-alive, x-hop\r\nx-hop: 1\r\n\
                          keep-alive: timeout=5\r\nupgrade: h2c\r\nx-request-id: theirs\r\nx-kept: 1\r\n\r\nok",
                    )
                    .await;
            }
            "ws" if request.field("upgrade").is_some() => return websocket(stream).await,
            "switch" => {
                let _ = stream
                    .write_all(
                        b"HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
                    )
                    .await;
                tokio::time::sleep(Duration::from_millis(200)).await;
                return;
            }
            "early" => {
                let _ = stream.write_all(b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n").await;
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await;
            }
            "break" => return,
            // What `X-Answer` says, with `|` for a line's end; and then the connection ends.
            "verbatim" => {
                let answer = request.field("x-answer").unwrap().replace('|', "\r\n");
                let _ = stream.write_all(answer.as_bytes()).await;
                return;
            }
            "half" => {
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhal").await;
                return;
            }
            "garbage" => {
                let _ = stream.write_all(b"nonsense\r\n\r\n").await;
                return;
            }
            _ => {
                let body = format!("from {}", address.port());
                let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len());
                let _ = stream.write_all(answer.as_bytes()).await;
            }
        }
    }
}

/// Agrees, and echoes whatever comes from then on.
async fn websocket<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S) {
    let answer = "HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-accept: x\r\n\r\n";
    stream.write_all(answer.as_bytes()).await.unwrap();
    let mut chunk = [0; 1024];
    while let Ok(read @ 1..) = stream.read(&mut chunk).await {
        stream.write_all(&chunk[..read]).await.unwrap();
    }
}

async fn read_request<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    read: &mut Vec<u8>,
    seen: &Seen,
) -> Option<Request> {
    let end = loop {
        if let Some(end) = read.windows(4).position(|window| window == b"\r\n\r\n") {
            break end + 4;
        }
        more(stream, read).await?;
    };
    let head = String::from_utf8_lossy(&read.drain(..end).collect::<Vec<u8>>()).into_owned();
    let mut request = Request { head, body: Vec::new() };
    if request.field("expect").is_some() {
        stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await.ok()?;
    }
    if request.field("transfer-encoding").is_some() {
        loop {
            let line = loop {
                if let Some(end) = read.windows(2).position(|window| window == b"\r\n") {
                    break String::from_utf8(read.drain(..end + 2).collect()).unwrap();
                }
                more(stream, read).await?;
            };
            let size = usize::from_str_radix(line.trim(), 16).unwrap();
            while read.len() < size + 2 {
                more(stream, read).await?;
            }
            let chunk: Vec<u8> = read.drain(..size + 2).collect();
            request.body.extend_from_slice(&chunk[..size]);
            if size == 0 {
                break;
            }
        }
    } else if let Some(length) =
        request.field("content-length").map(|length| length.parse::<usize>().unwrap())
    {
        while read.len() < length {
            more(stream, read).await?;
        }
        request.body = read.drain(..length).collect();
    }
    if !request.target().ends_with("/healthz") {
        seen.requests.lock().unwrap().push(request.clone());
    }
    Some(request)
}

async fn more<S: AsyncRead + Unpin>(stream: &mut S, read: &mut Vec<u8>) -> Option<()> {
    let mut chunk = [0; 16 * 1024];
    match stream.read(&mut chunk).await {
        Ok(0) | Err(_) => None,
        Ok(count) => {
            read.extend_from_slice(&chunk[..count]);
            Some(())
        }
    }
}
