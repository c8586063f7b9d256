//! The program `tollgate run`, with a YAML file of the test's own.

use std::net::TcpListener;
use std::process::Command;
use std::sync::Mutex;

use http::header::{AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderMap, Method};
use reqwest::RequestBuilder;
use serde_json::Value;
use tokio::task::JoinSet;

use super::process::Process;
use super::{Folder, Upstream, eventually, http};

/// A running gateway. When it ends, none of the tokens that it was shown may stand in its log.
pub(crate) struct Gateway {
    url: String,
    admin: String,
    process: Process,
    shown: Mutex<Vec<String>>,
    http: reqwest::Client,
    _folder: Folder,
}

impl Gateway {
    /// Starts the program with `yaml` (issuers, routes, …; where to listen and the one upstream are added here) and waits until it
    /// serves. That says nothing about its keys: see [`Gateway::ready`].
    pub(crate) async fn start(yaml: &str, upstream: &Upstream) -> Self {
        Self::start_with(yaml, upstream, "info").await
    }

    /// The same, with a `RUST_LOG` of the test's choice.
    pub(crate) async fn start_with(yaml: &str, upstream: &Upstream, log: &str) -> Self {
        let folder = Folder::new();
        let (address, admin) = (free_address(), free_address());
        let upstream = upstream.address();
        let file = folder.join("tollgate.yaml");
        let rest = format!(
            "gateway:\n  listen: [{{address: '{address}'}}]\n  admin: {{address: '{admin}'}}\n\
             upstreams:\n  api: {{addresses: ['{upstream}']}}\n"
        );
        std::fs::write(&file, format!("{yaml}\n{rest}")).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_tollgate"));
        let mut process =
            Process::start("the gateway", command.args(["run", "--config"]).arg(&file).env("RUST_LOG", log));
        let http = http();
        let (url, admin) = (format!("http://{address}"), format!("http://{admin}"));
        eventually("the gateway serves", async || {
            process.panic_if_ended();
            http.get(&url).send().await.ok()
        })
        .await;
        Self { url, admin, process, shown: Mutex::default(), http, _folder: folder }
    }

    /// Waits until the gateway calls itself ready: it has its issuers' keys.
    pub(crate) async fn ready(self) -> Self {
        eventually("the gateway is ready", async || {
            let answer = self.http.get(format!("{}{READY}", self.admin)).send().await.ok()?;
            answer.status().is_success().then_some(())
        })
        .await;
        self
    }

    /// GET with a bearer token.
    pub(crate) async fn get(&self, path: &str, token: &str) -> Answer {
        self.send(Method::GET, path, Some(token)).await
    }

    /// GET with each of these bearer tokens, all of them at once.
    pub(crate) async fn get_at_once(&self, path: &str, tokens: &[String]) -> Vec<Answer> {
        let mut requests = JoinSet::new();
        for token in tokens {
            requests.spawn(Answer::to(self.request(Method::GET, path, Some(token))));
        }
        requests.join_all().await
    }

    /// A request with or without a bearer token.
    pub(crate) async fn send(&self, method: Method, path: &str, token: Option<&str>) -> Answer {
        Answer::to(self.request(method, path, token)).await
    }

    fn request(&self, method: Method, path: &str, token: Option<&str>) -> RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.url));
        let Some(token) = token else { return request };
        self.shown.lock().unwrap().push(token.to_owned());
        request.header(AUTHORIZATION, format!("Bearer {token}"))
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        let log = self.process.log();
        for token in self.shown.lock().unwrap().iter() {
            assert!(!log.contains(token.as_str()), "the gateway logged a token:\n{log}");
        }
    }
}

/// What the gateway answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: HeaderMap,
    body: String,
}

impl Answer {
    async fn to(request: RequestBuilder) -> Self {
        let answer = request.send().await.unwrap();
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let body = String::from_utf8(answer.bytes().await.unwrap().to_vec()).unwrap();
        Self { status, headers, body }
    }

    /// The request was admitted: this is the upstream's own answer.
    #[track_caller]
    pub(crate) fn is_admitted(&self) {
        assert_eq!((self.status, self.body.as_str()), (200, "from the upstream"), "{self:?}");
    }

    /// The request was refused with this status, and the challenge of RFC 6750 3 names this error.
    #[track_caller]
    pub(crate) fn is_refused(&self, status: u16, error: &str) {
        assert_eq!(self.status, status, "{self:?}");
        assert!(self.challenge().contains(&format!("error=\"{error}\"")), "{self:?}");
        self.is_a_problem(status);
    }

    /// Nobody can say now whether the token is good: 503, when to come again, and no challenge, for the caller did nothing wrong.
    #[track_caller]
    pub(crate) fn is_unavailable(&self) {
        assert_eq!(self.status, 503, "{self:?}");
        let seconds = self.header(RETRY_AFTER).parse::<u32>();
        assert!(seconds.is_ok_and(|seconds| seconds >= 1), "{self:?}");
        assert!(!self.headers.contains_key(WWW_AUTHENTICATE), "{self:?}");
        self.is_a_problem(503);
    }

    /// The value of `WWW-Authenticate`; empty if there is none.
    pub(crate) fn challenge(&self) -> &str {
        self.header(WWW_AUTHENTICATE)
    }

    #[track_caller]
    fn is_a_problem(&self, status: u16) {
        assert_eq!(self.header(CONTENT_TYPE), "application/problem+json", "{self:?}");
        let problem: Value = serde_json::from_str(&self.body).unwrap();
        assert_eq!(problem.get("status").and_then(Value::as_u64), Some(status.into()), "{self:?}");
    }

    fn header(&self, name: http::HeaderName) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

/// The admin listener's path for readiness.
const READY: &str = "/readyz";

/// A port that was free a moment ago. Whoever takes it meanwhile makes the test fail, not lie.
fn free_address() -> String {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}
