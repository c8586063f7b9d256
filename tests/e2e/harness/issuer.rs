//! The real authorization server, `tests/issuer`, as a thing that tests start, ask, rotate, kill and start again.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use super::process::Process;
use super::{AUDIENCE, Folder, eventually, http};

/// One authorization server on a port of its own. Its keys and issued tokens outlive [`Issuer::kill`].
pub(crate) struct Issuer {
    url: String,
    process: Option<Process>,
    folder: Folder,
    http: reqwest::Client,
}

impl Issuer {
    pub(crate) async fn start() -> Self {
        let folder = Folder::new();
        let mut process = spawn(&folder, "0");
        let url = process.line("issuer ").await;
        Self { url, process: Some(process), folder, http: http() }
    }

    /// The issuer's identifier, which is also its base URL.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// The private key of the client `gateway-ALG`, as a PKCS#8 PEM file.
    pub(crate) fn gateway_key(&self, alg: &str) -> PathBuf {
        self.folder.join(&format!("gateway-{alg}.pem"))
    }

    /// As a power cut would: no goodbye on open connections.
    pub(crate) fn kill(&mut self) {
        self.process = None;
    }

    /// The same issuer again, on the same port.
    pub(crate) async fn restart(&mut self) {
        self.kill();
        let port = self.url.rsplit(':').next().unwrap();
        // The killed one's port may take a moment to be free.
        let mut process = spawn(&self.folder, port);
        let url = process.line("issuer ").await;
        assert_eq!(url, self.url);
        self.process = Some(process);
    }

    /// An access token by client credentials.
    pub(crate) async fn token(&self, wish: &Wish) -> String {
        let form =
            [("grant_type", "client_credentials"), ("scope", wish.scope), ("resource", &wish.resource())];
        let answer: Value = serde_json::from_slice(&self.post("/token", wish.client, &form).await).unwrap();
        answer
            .get("access_token")
            .and_then(Value::as_str)
            .unwrap_or_else(|| panic!("no token: {answer}"))
            .to_owned()
    }

    /// RFC 7009, by the client that obtained the token.
    pub(crate) async fn revoke(&self, token: &str) {
        self.post("/token/revocation", "caller", &[("token", token)]).await;
    }

    /// New keys sign from here on; the older ones stay published.
    pub(crate) async fn rotate(&self) {
        self.post("/__rotate", "", &[]).await;
    }

    /// Only the newest keys stay published.
    pub(crate) async fn withdraw(&self) {
        self.post("/__withdraw", "", &[]).await;
    }

    /// How often a path was asked since the issuer's last start.
    pub(crate) async fn count(&self, path: &str) -> u64 {
        let answer = self.http.get(format!("{}/__counts", self.url)).send().await.unwrap();
        let counts: Value = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
        counts.get(path).and_then(Value::as_u64).unwrap_or(0)
    }

    async fn post(&self, path: &str, client: &str, form: &[(&str, &str)]) -> Vec<u8> {
        let url = format!("{}{path}", self.url);
        // `Url` knows how forms are encoded.
        let body =
            reqwest::Url::parse_with_params(&url, form).unwrap().query().unwrap_or_default().to_owned();
        let request = self.http.post(&url).basic_auth(client, Some("loopback-test-only"));
        let request = request.header("content-type", "application/x-www-form-urlencoded").body(body);
        let answer = request.send().await.unwrap();
        let status = answer.status();
        let body = answer.bytes().await.unwrap();
        assert!(status.is_success(), "{url}: {status} {}", String::from_utf8_lossy(&body));
        body.to_vec()
    }
}

/// What kind of token is wanted.
#[derive(Clone)]
pub(crate) struct Wish {
    /// `caller` or `stranger`.
    pub(crate) client: &'static str,
    pub(crate) audience: &'static str,
    pub(crate) scope: &'static str,
    /// The algorithm of a JWT; none: an opaque token.
    pub(crate) alg: Option<&'static str>,
    /// Seconds until it expires.
    pub(crate) ttl: u32,
}

/// A JWT that the tests' gateways admit for reading.
pub(crate) fn jwt(alg: &'static str) -> Wish {
    Wish { client: "caller", audience: AUDIENCE, scope: "orders:read", alg: Some(alg), ttl: 600 }
}

/// An opaque token that the tests' gateways admit for reading.
pub(crate) fn opaque() -> Wish {
    Wish { alg: None, ..jwt("") }
}

impl Wish {
    fn resource(&self) -> String {
        let Self { audience, ttl, .. } = self;
        match self.alg {
            Some(alg) => format!("{audience}?alg={alg}&ttl={ttl}"),
            None => format!("{audience}?format=opaque&ttl={ttl}"),
        }
    }
}

fn spawn(folder: &Folder, port: &str) -> Process {
    let home = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/issuer");
    let arch = if cfg!(target_arch = "aarch64") { "arm64" } else { "x64" };
    let node = home.join(format!("node_modules/node-linux-{arch}/bin/node"));
    assert!(
        node.exists() && home.join("node_modules/oidc-provider").exists(),
        "the authorization server of the end-to-end tests is not installed: run `deploy/setup tests`"
    );
    Process::start("the issuer", Command::new(node).arg(home.join("server.mjs")).arg(&folder.0).arg(port))
}

#[tokio::test]
async fn a_killed_issuer_comes_back_as_itself() {
    let mut issuer = Issuer::start().await;
    let token = issuer.token(&opaque()).await;
    let keys = published_keys(&issuer).await;
    issuer.kill();
    issuer.restart().await;
    assert_eq!(published_keys(&issuer).await, keys);
    assert_eq!(issuer.count("/jwks").await, 1, "counts begin anew");
    issuer.rotate().await;
    assert_eq!(published_keys(&issuer).await.len(), 2 * keys.len());
    issuer.withdraw().await;
    assert_eq!(published_keys(&issuer).await.len(), keys.len());
    issuer.revoke(&token).await;
}

async fn published_keys(issuer: &Issuer) -> Vec<Value> {
    let set: Value = eventually("the issuer publishes its keys", async || {
        let answer = issuer.http.get(format!("{}/jwks", issuer.url)).send().await.ok()?;
        serde_json::from_slice(&answer.bytes().await.ok()?).ok()
    })
    .await;
    set.get("keys").and_then(Value::as_array).unwrap().clone()
}
