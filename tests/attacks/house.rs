//! A gateway with a key set from a file, and an API behind it.

use crate::api::Api;
use crate::http1;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};
use tollgate::testing::Issuer;
use tollgate::time::{Clock, SystemClock};

pub struct House {
    address: String,
    gateway: Child,
    api: Api,
    folder: PathBuf,
    issuer: Issuer,
    good: String,
    weak: String,
    expired: String,
}

/// How long an answer may take, on a machine that does other things as well.
pub const PATIENCE: Duration = Duration::from_secs(10);

impl House {
    /// Starts the gateway, and waits until it serves.
    pub fn open() -> Self {
        let issuer = Issuer::new("https://as.test/");
        let now = SystemClock::new().now();
        let token = |scope: &str, issued| {
            let builder = issuer.token().issued(issued, Duration::from_secs(3_600));
            builder.audience("https://api.test/").client("shop").subject("alice").scope(scope).sign()
        };
        let (good, weak) = (token("orders:read", now), token("other", now));
        let expired = token("orders:read", now - Duration::from_secs(7_200));
        let (api, upstream) = Api::start();
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("attacks-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
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
        let house = Self { address, gateway, api, folder, issuer, good, weak, expired };
        house.wait_until_it_serves();
        house
    }

    fn wait_until_it_serves(&self) {
        let request =
            self.fill_in("GET /orders/1 HTTP/1.1\r\nHost: api.test\r\nAuthorization: Bearer {good}\r\n\r\n");
        for _ in 0..200 {
            let answer = http1::exchange(self, request.as_bytes());
            if answer.is_some_and(|answer| answer.starts_with("HTTP/1.1 200")) {
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("the gateway does not serve:\n{}", self.log());
    }

    /// After all that, it serves as before, and has panicked nowhere.
    pub fn still_serves(&self) {
        self.wait_until_it_serves();
        let log = self.log();
        assert!(!log.contains("panicked") && !log.contains("panic"), "{log}");
        for token in [&self.good, &self.weak, &self.expired] {
            assert!(!log.contains(token.as_str()), "a token is in the log");
            let signature = token.rsplit('.').next().unwrap();
            assert!(!log.contains(signature), "a signature is in the log");
        }
    }

    pub fn address(&self) -> &str {
        &self.address
    }

    /// What the gateway has written.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.join("log")).unwrap()
    }

    /// Waits until the gateway has written this: a request is logged once it has been answered.
    pub fn says(&self, what: &str) {
        let deadline = Instant::now() + PATIENCE;
        while !self.log().contains(what) {
            assert!(Instant::now() < deadline, "{what} is not in the log:\n{}", self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Whose tokens it takes.
    pub fn issuer(&self) -> &Issuer {
        &self.issuer
    }

    /// The gateway's configuration, as it is written.
    pub fn config(&self) -> String {
        std::fs::read_to_string(self.folder.join("tollgate.yaml")).unwrap()
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

    pub fn forget_arrivals(&self) {
        self.api.forget();
    }

    /// What has reached the API: a request for each connection.
    pub fn arrivals(&self) -> Vec<Vec<u8>> {
        // Whatever else the gateway would still send, it sends now.
        std::thread::sleep(Duration::from_millis(15));
        self.api.arrived()
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

/// A port that was free a moment ago.
fn free_address() -> String {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}
