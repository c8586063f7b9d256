//! A gateway that knows secrets of every kind: client secrets, a bearer token, keys that sign and keys that serve TLS.

use crate::eventually;
use crate::listening::port_of;
use crate::process::Process;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rcgen::{CertificateParams, KeyPair};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tollgate::proof::Algorithm;
use tollgate::testing::{ScriptedIssuer, TokenBuilder};
use tollgate::time::{Clock, SystemClock};

pub(crate) const CLIENT_SECRET: &str = "correct-horse-battery-staple-5f1d";
const BEARER_TOKEN: &str = "opaque-word-of-the-gateway-itself-77";

pub(crate) struct House {
    /// Their credentials: basic, a signed assertion, a bearer token.
    pub(crate) issuers: [ScriptedIssuer; 3],
    pub(crate) address: SocketAddr,
    pub(crate) tls: SocketAddr,
    pub(crate) admin: SocketAddr,
    /// Everything that the gateway answered.
    pub(crate) answers: Vec<Vec<u8>>,
    process: Process,
    folder: PathBuf,
    keys: [String; 2],
}

impl House {
    pub(crate) async fn open(level: &str, format: &str) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("secrets-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        std::fs::create_dir_all(&folder).unwrap();
        let keys = [KeyPair::generate().unwrap(), KeyPair::generate().unwrap()];
        let certificate =
            CertificateParams::new(vec!["localhost".into()]).unwrap().self_signed(&keys[1]).unwrap();
        std::fs::write(folder.join("signs.pem"), keys[0].serialize_pem()).unwrap();
        std::fs::write(folder.join("serves.key.pem"), keys[1].serialize_pem()).unwrap();
        std::fs::write(folder.join("serves.pem"), certificate.pem()).unwrap();
        let issuers = [
            ScriptedIssuer::start_at("/basic", Algorithm::RS256).await,
            ScriptedIssuer::start_at("/signed", Algorithm::ES256).await,
            ScriptedIssuer::start_at("/bearer", Algorithm::EdDSA).await,
        ];
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let upstream = listener.local_addr().unwrap();
        tokio::spawn(api(listener));
        let mut config = CONFIG.to_owned();
        for (mark, value) in [
            ("{basic}", issuers[0].name()),
            ("{signed}", issuers[1].name()),
            ("{bearer}", issuers[2].name()),
            ("{secret}", CLIENT_SECRET),
            ("{token}", BEARER_TOKEN),
            ("{upstream}", &upstream.to_string()),
        ] {
            config = config.replace(mark, value);
        }
        let file = folder.join("tollgate.yaml");
        std::fs::write(&file, config).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_tollgate"));
        command.args(["run", "--log-format", format, "--config"]).arg(&file).env("RUST_LOG", level);
        let process = Process::start(&mut command);
        // Each listener has a loopback address of its own, by which it is told from the others.
        let [address, tls, admin] =
            [1, 2, 3].map(|last| port_of(process.id(), Ipv4Addr::new(127, 0, 0, last)));
        let (address, tls, admin) = (address.await.unwrap(), tls.await.unwrap(), admin.await.unwrap());
        let keys = keys.map(|key| key.serialize_pem());
        let house = Self { issuers, address, tls, admin, answers: Vec::new(), process, folder, keys };
        eventually("the gateway is ready", async || {
            let answer =
                house.try_exchange(admin, b"GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n").await?;
            answer.starts_with(b"HTTP/1.1 200").then_some(())
        })
        .await;
        house
    }

    /// What the gateway itself must never tell.
    pub(crate) fn own_secrets(&self) -> Vec<(&'static str, String)> {
        let mut secrets = vec![
            ("a client secret", CLIENT_SECRET.to_owned()),
            ("credentials", STANDARD.encode(format!("gateway:{CLIENT_SECRET}"))),
            ("a bearer token", BEARER_TOKEN.to_owned()),
        ];
        for key in &self.keys {
            let body: String = key.lines().filter(|line| !line.starts_with('-')).collect();
            // What precedes the key in PKCS#8 is the same for all of its kind.
            secrets.push(("a private key", body[40..].to_owned()));
        }
        secrets
    }

    pub(crate) fn config(&self) -> String {
        std::fs::read_to_string(self.folder.join("tollgate.yaml")).unwrap()
    }

    /// Writes a file beside the configuration.
    pub(crate) fn file(&self, name: &str, text: &str) -> PathBuf {
        std::fs::write(self.folder.join(name), text).unwrap();
        self.folder.join(name)
    }

    /// A token of this issuer that is good but for what is done to it.
    pub(crate) fn token(&self, issuer: usize) -> TokenBuilder {
        let token = self.issuers[issuer].issuer().token();
        let token = token.issued(SystemClock::new().now(), Duration::from_secs(600));
        token.audience("https://api.test/").client("shop").subject("alice").scope("orders:read")
    }

    /// Sends bytes, and keeps the answer.
    pub(crate) async fn exchange(&mut self, address: SocketAddr, bytes: &[u8]) -> String {
        let answer = self.try_exchange(address, bytes).await.unwrap_or_default();
        let text = String::from_utf8_lossy(&answer).into_owned();
        self.answers.push(answer);
        text
    }

    async fn try_exchange(&self, address: SocketAddr, bytes: &[u8]) -> Option<Vec<u8>> {
        let mut stream = TcpStream::connect(address).await.ok()?;
        let mut answer = Vec::new();
        let exchange = async {
            let _ = stream.write_all(bytes).await;
            let mut chunk = [0; 4096];
            // An answer's head and small body come in one piece; whoever waits for more waits for the connection's end.
            while let Ok(count @ 1..) = stream.read(&mut chunk).await {
                answer.extend_from_slice(&chunk[..count]);
                if answer.windows(4).any(|window| window == b"\r\n\r\n") && count < chunk.len() {
                    break;
                }
            }
        };
        let _ = tokio::time::timeout(Duration::from_secs(3), exchange).await;
        Some(answer)
    }

    pub(crate) fn signal(&self, name: &str) {
        self.process.signal(name);
    }

    pub(crate) fn log(&self) -> String {
        String::from_utf8_lossy(&self.process.written()).into_owned()
    }

    /// Stops it as an operator does, and returns all that it wrote.
    pub(crate) async fn close(&mut self) -> String {
        self.signal("TERM");
        eventually("the gateway ends", async || self.process.has_ended().then_some(())).await;
        String::from_utf8_lossy(&self.process.whole()).into_owned()
    }
}

impl Drop for House {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

const CONFIG: &str = r#"
issuers:
  basic:
    issuer: {basic}
    audiences: [https://api.test/]
    clients: [shop]
    keys: {cool_down: 1s}
    introspection:
      client_id: gateway
      timeout: 400ms
      remember_inactive: 0s
      token_prefixes: [basic-]
      client_secret: {secret}
  signed:
    issuer: {signed}
    audiences: [https://api.test/]
    clients: [shop]
    introspection:
      auth: private_key_jwt
      client_id: gateway
      signing_key_file: signs.pem
      token_prefixes: [signed-]
  bearer:
    issuer: {bearer}
    audiences: [https://api.test/]
    clients: [shop]
    introspection:
      auth: bearer
      token_prefixes: [bearer-]
      bearer_token: {token}
routes:
  - {path: "/orders/{id}", scopes: {GET: [orders:read], POST: [orders:write]}}
  - {path: "/raw/{*rest}", scopes: none, forward_authorization: true}
  - {path: "/public/{*rest}", public: true}
gateway:
  listen:
    - {address: "127.0.0.1:0"}
    - {address: "127.0.0.2:0", tls: {certificate_file: serves.pem, key_file: serves.key.pem}}
  admin: {address: "127.0.0.3:0"}
upstreams:
  api: {addresses: ["{upstream}"]}
"#;

/// An API that breaks every other promise: it answers well, or with a line that repeats what it was sent, or not at all.
async fn api(listener: TcpListener) {
    let mut number = 0;
    while let Ok((mut stream, _)) = listener.accept().await {
        number += 1;
        tokio::spawn(async move {
            let mut read = vec![0; 32_768];
            let count = stream.read(&mut read).await.unwrap_or(0);
            let answer = match number % 3 {
                0 => Vec::new(),
                1 => b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok".to_vec(),
                _ => [b"HTTP/1.1 nonsense ", &read[..count]].concat(),
            };
            let _ = stream.write_all(&answer).await;
        });
    }
}
