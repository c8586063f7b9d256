//! A gateway with a key set from a file, and an API behind it that keeps every byte that reaches it.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tollgate::testing::Issuer;
use tollgate::time::{Clock, SystemClock};

pub struct House {
    address: String,
    gateway: Child,
    arrived: Arc<Mutex<Vec<Vec<u8>>>>,
    folder: PathBuf,
    good: String,
    weak: String,
    expired: String,
}

const PATIENCE: Duration = Duration::from_secs(3);

impl House {
    /// Starts the gateway, and waits until it serves.
    pub fn open() -> Self {
        let issuer = Issuer::new("https://as.test/");
        let now = SystemClock::new().now();
        let token = |scope: &str, issued| {
            let builder = issuer.token().issued(issued, Duration::from_secs(3_600));
            builder.audience("https://api.test/").client("shop").subject("alice").scope(scope).sign()
        };
        let (arrived, upstream) = api();
        let folder =
            PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("attacks-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("keys.json"), issuer.jwks()).unwrap();
        let address = free_address();
        let config = CONFIG.replace("{listen}", &address).replace("{upstream}", &upstream);
        std::fs::write(folder.join("tollgate.yaml"), config).unwrap();
        let gateway = Command::new(env!("CARGO_BIN_EXE_tollgate"))
            .args(["run", "--config"])
            .arg(folder.join("tollgate.yaml"))
            .stderr(std::fs::File::create(folder.join("log")).unwrap())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let house = Self {
            address,
            gateway,
            arrived,
            folder,
            good: token("orders:read", now),
            weak: token("other", now),
            expired: token("orders:read", now - Duration::from_secs(7_200)),
        };
        house.wait_until_it_serves();
        house
    }

    fn wait_until_it_serves(&self) {
        let request =
            self.fill_in("GET /orders/1 HTTP/1.1\r\nHost: api.test\r\nAuthorization: Bearer {good}\r\n\r\n");
        for _ in 0..200 {
            if self.exchange(request.as_bytes()).is_some_and(|answer| answer.starts_with("HTTP/1.1 200")) {
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("the gateway does not serve:\n{}", std::fs::read_to_string(self.folder.join("log")).unwrap());
    }

    /// After all that, it serves as before, and has panicked nowhere.
    pub fn still_serves(&self) {
        self.wait_until_it_serves();
        let log = std::fs::read_to_string(self.folder.join("log")).unwrap();
        assert!(!log.contains("panicked"), "{log}");
        for token in [&self.good, &self.weak, &self.expired] {
            assert!(!log.contains(token.as_str()), "a token is in the log");
            let signature = token.rsplit('.').next().unwrap();
            assert!(!log.contains(signature), "a signature is in the log");
        }
    }

    /// `{good}` and the like, and `{a*5}` for `aaaaa`.
    pub fn fill_in(&self, text: &str) -> String {
        let mut text = text
            .replace("{good}", &self.good)
            .replace("{weak}", &self.weak)
            .replace("{expired}", &self.expired);
        while let Some((before, repeated, after)) = repetition(&text) {
            text = format!("{before}{repeated}{after}");
        }
        text
    }

    /// Sends bytes on a connection of their own, and returns the answer; `None` if the connection was closed without one.
    pub fn exchange(&self, bytes: &[u8]) -> Option<String> {
        let mut connection = TcpStream::connect(&self.address).ok()?;
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
        // Whatever else it would still send upstream, it sends now.
        std::thread::sleep(Duration::from_millis(15));
        (!answer.is_empty()).then(|| String::from_utf8_lossy(&answer).into_owned())
    }

    pub fn forget_arrivals(&self) {
        self.arrived.lock().unwrap().clear();
    }

    /// What has reached the API: a request for each connection.
    pub fn arrivals(&self) -> Vec<Vec<u8>> {
        self.arrived.lock().unwrap().clone()
    }
}

impl Drop for House {
    fn drop(&mut self) {
        let _ = self.gateway.kill();
        let _ = self.gateway.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

const CONFIG: &str = r#"
issuers:
  main:
    issuer: https://as.test/
    audiences: [https://api.test/]
    clients: [shop]
    keys: {file: keys.json}
routes:
  - {path: "/orders/{id}", scopes: {GET: [orders:read], POST: [orders:read]}, upstream: api}
  - {path: "/admin/{*rest}", scopes: [admin], upstream: api}
  - {path: "/public/{*rest}", public: true, upstream: api}
gateway:
  listen: [{address: "{listen}"}]
upstreams:
  api: {addresses: ["{upstream}"]}
"#;

/// `{x*3}`: what is before it, `xxx`, and what is behind it. `{headers*3}` is three header lines.
fn repetition(text: &str) -> Option<(String, String, String)> {
    let (before, rest) = text.split_once('{')?;
    let (inside, after) = rest.split_once('}')?;
    let (what, times) = inside.split_once('*')?;
    let times: usize = times.parse().ok()?;
    let repeated = match what {
        "headers" => (0..times).map(|n| format!("X-{n}: {n}")).collect::<Vec<_>>().join("\r\n"),
        what => what.repeat(times),
    };
    Some((before.to_owned(), repeated, after.to_owned()))
}

/// An API that answers 200, and keeps what arrives. Each connection serves one request.
fn api() -> (Arc<Mutex<Vec<Vec<u8>>>>, String) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let arrived: Arc<Mutex<Vec<Vec<u8>>>> = Arc::default();
    let keep = arrived.clone();
    std::thread::spawn(move || {
        for connection in listener.incoming().flatten() {
            let keep = keep.clone();
            std::thread::spawn(move || serve(connection, &keep));
        }
    });
    (arrived, address)
}

fn serve(mut connection: TcpStream, keep: &Mutex<Vec<Vec<u8>>>) {
    connection.set_read_timeout(Some(PATIENCE)).unwrap();
    let (mut bytes, mut chunk) = (Vec::new(), [0; 4096]);
    while !is_whole(&bytes) {
        match connection.read(&mut chunk) {
            Ok(0) | Err(_) => break,
            Ok(read) => bytes.extend(chunk.iter().take(read)),
        }
    }
    if !bytes.is_empty() {
        keep.lock().unwrap().push(bytes);
        let _ = connection.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok");
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

/// A port that was free a moment ago.
fn free_address() -> String {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}
