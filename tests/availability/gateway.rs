//! The gateway as a process of its own, an issuer that it trusts, and an API behind it; and what the process costs.

use crate::client::{Client, PATIENCE};
use crate::listening::port_of;
use bytes::Bytes;
use http_body_util::Full;
use hyper_util::rt::TokioIo;
use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::net::TcpListener;
use tollgate::testing::{Issuer, TokenBuilder};
use tollgate::time::{Clock, SystemClock};

pub(crate) struct Gateway {
    pub(crate) address: SocketAddr,
    process: Child,
    arrived: Arc<AtomicUsize>,
    folder: PathBuf,
}

impl Gateway {
    /// Starts it before an API, and waits until it takes connections. `issuer` is what the configuration says of the one issuer
    /// besides audiences and clients.
    pub(crate) async fn start(issuer: &str) -> Self {
        Self::start_with(issuer, "10s").await
    }

    /// The same, where a head, or the first byte of a connection, may take no longer than this.
    pub(crate) async fn start_with(issuer: &str, header_timeout: &str) -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let name = format!("availability-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        std::fs::create_dir_all(&folder).unwrap();
        let arrived = Arc::new(AtomicUsize::new(0));
        let config = CONFIG
            .replace("{issuer}", &issuer.replace('\n', "\n    "))
            .replace("{header_timeout}", header_timeout)
            .replace("{upstream}", &api(arrived.clone()).await.to_string());
        let file = folder.join("tollgate.yaml");
        std::fs::write(&file, config).unwrap();
        let process = Command::new(env!("CARGO_BIN_EXE_tollgate"))
            .args(["run", "--config"])
            .arg(file)
            .env("RUST_LOG", "warn,tollgate::access=off")
            .stderr(std::fs::File::create(folder.join("log")).unwrap())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let mut gateway = Self { address: ([127, 0, 0, 1], 0).into(), process, arrived, folder };
        let found = port_of(gateway.process.id(), Ipv4Addr::LOCALHOST).await;
        gateway.address = found.unwrap_or_else(|| panic!("the gateway does not listen:\n{}", gateway.log()));
        gateway
    }

    /// Waits until this token is taken.
    pub(crate) async fn takes(&self, token: &str) {
        let began = Instant::now();
        while began.elapsed() < PATIENCE {
            if self.client().get(token).await.status == 200 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("the gateway does not take a good token:\n{}", self.log());
    }

    pub(crate) fn client(&self) -> Client {
        Client::new(self.address)
    }

    /// How many requests have reached the API.
    pub(crate) fn arrived(&self) -> usize {
        self.arrived.load(Ordering::SeqCst)
    }

    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.folder.join("log")).unwrap()
    }

    /// Memory in use, in bytes.
    pub(crate) fn memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
    }

    /// How many files and sockets it has open.
    pub(crate) fn open(&self) -> usize {
        std::fs::read_dir(format!("/proc/{}/fd", self.process.id())).unwrap().count()
    }

    /// Processor time used so far.
    pub(crate) fn processor_time(&self) -> Duration {
        processor_time(&format!("/proc/{}/task", self.process.id()))
    }
}

/// The time that the threads in this folder of `/proc` have run.
pub(crate) fn processor_time(tasks: &str) -> Duration {
    let threads = std::fs::read_dir(tasks).unwrap().flatten();
    let nanos = threads.filter_map(|thread| {
        let text = std::fs::read_to_string(thread.path().join("schedstat")).ok()?;
        text.split(' ').next()?.parse::<u64>().ok()
    });
    Duration::from_nanos(nanos.sum())
}

impl Drop for Gateway {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        if std::thread::panicking() {
            eprintln!("---- what the gateway said\n{}----", self.log());
        }
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

const CONFIG: &str = r#"
issuers:
  main:
    audiences: [https://api.test/]
    clients: [shop]
    {issuer}
routes:
  - {path: "/orders/{id}", scopes: {GET: [orders:read], POST: [orders:read]}}
  - {path: "/public/{*rest}", public: true}
  - {path: "/names/{*rest}", scopes: none, non_ascii: true}
gateway:
  listen: [{address: "127.0.0.1:0"}]
  limits: {header_timeout: "{header_timeout}"}
upstreams:
  api: {addresses: ["{upstream}"]}
"#;

/// A token that is good for an hour.
pub(crate) fn good(issuer: &Issuer) -> TokenBuilder {
    let token = issuer.token().issued(SystemClock::new().now(), Duration::from_secs(3_600));
    token.audience("https://api.test/").client("shop").subject("alice").scope("orders:read")
}

/// A token whose `kid` nobody has: it needs no sound signature to be looked up.
pub(crate) fn unknown(issuer: &Issuer, number: usize) -> String {
    good(issuer).header("kid", format!("random-{number}-{}", number * 7_919)).signature(&[7; 256]).sign()
}

/// An API that answers 200, and counts.
async fn api(arrived: Arc<AtomicUsize>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let arrived = arrived.clone();
            let service = hyper::service::service_fn(move |_| {
                arrived.fetch_add(1, Ordering::SeqCst);
                async { Ok::<_, Infallible>(http::Response::new(Full::new(Bytes::from_static(b"ok")))) }
            });
            let server = hyper::server::conn::http1::Builder::new();
            tokio::spawn(server.serve_connection(TokioIo::new(stream), service));
        }
    });
    address
}
