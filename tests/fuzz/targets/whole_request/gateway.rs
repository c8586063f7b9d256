//! The gateway, and a caller. All of it runs on one thread, so that the same bytes take the same way each time.

use super::api::{self, Arrivals};
use std::cell::RefCell;
use std::collections::VecDeque;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpSocket;
use tokio::runtime::Runtime;
use tokio::task::LocalSet;
use tokio::time::timeout;
use tollgate::config::{self, Environment};
use tollgate::gate::{Gate, IssuerSources, StaticKeys};
use tollgate::proxy::{Running, Server, Setup};
use tollgate::testing::{Issuer, ManualClock};
use tollgate::time::UnixTime;

/// A gateway that serves while an exchange is under way, and stands still between two.
pub(super) struct House {
    runtime: Runtime,
    tasks: LocalSet,
    gateway: Running,
    arrivals: Arrivals,
    /// What was sent of late, by the address that it was sent from: something of it may arrive after the answer.
    sent: RefCell<VecDeque<(Ipv4Addr, Vec<u8>)>>,
    /// The words in an input that stand for tokens.
    tokens: [(&'static str, String); 3],
}

/// A request that has reached the API.
pub(super) struct Arrival {
    pub(super) head: String,
    /// The bytes that it came of.
    pub(super) sent: Vec<u8>,
    /// Whether it came of the last exchange.
    pub(super) current: bool,
}

impl House {
    pub(super) fn open() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let tasks = LocalSet::new();
        let issuer = Issuer::new("https://as.test/");
        let (gateway, arrivals) = tasks.block_on(&runtime, async {
            let (upstream, arrivals) = api::serve().await;
            (start(upstream, &issuer).await, arrivals)
        });
        let token = |scope: &str, issued: UnixTime| {
            let token = issuer.token().issued(issued, Duration::from_secs(3_600)).audience("urn:api");
            token.client("shop").subject("alice").scope(scope).sign()
        };
        let tokens = [
            ("{good}", token("orders:read", ManualClock::START)),
            ("{weak}", token("other", ManualClock::START)),
            ("{expired}", token("orders:read", ManualClock::START - Duration::from_secs(7_200))),
        ];
        let sent = RefCell::new(VecDeque::from([(Ipv4Addr::new(127, 1, 0, 0), Vec::new())]));
        Self { runtime, tasks, gateway, arrivals, sent, tokens }
    }

    /// The token that may do something.
    pub(super) fn good(&self) -> &str {
        &self.tokens[0].1
    }

    /// What is sent for an input.
    pub(super) fn fill_in(&self, data: &[u8]) -> Vec<u8> {
        let mut sent = Vec::with_capacity(data.len() + LAST.len());
        let mut rest = data;
        while let Some((first, more)) = rest.split_first() {
            match self
                .tokens
                .iter()
                .find_map(|(word, token)| Some((rest.strip_prefix(word.as_bytes())?, token)))
            {
                Some((behind, token)) => {
                    sent.extend(token.as_bytes());
                    rest = behind;
                }
                None => {
                    sent.push(*first);
                    rest = more;
                }
            }
        }
        if !sent.starts_with(HTTP2) {
            sent.extend(LAST);
        }
        sent
    }

    /// Sends bytes on a connection of their own, from an address of its own, until it ends; returns the statuses of the answers.
    /// `clear` says that it will end by itself.
    pub(super) fn exchange(&self, sent: &[u8], clear: bool) -> Vec<u16> {
        let caller = self.next_caller(sent);
        let talk = talk(caller, self.gateway.addresses()[0], sent, clear);
        let answer = async { timeout(LIMIT, talk).await };
        statuses(&self.tasks.block_on(&self.runtime, answer).expect("the gateway hangs"))
    }

    /// What has arrived since the last time.
    ///
    /// # Panics
    /// If that were not requests, or not those of a caller.
    pub(super) fn arrivals(&self) -> Vec<Arrival> {
        let sent = self.sent.borrow();
        let arrival = |head: Result<String, String>| {
            let head = head.unwrap_or_else(|flaw| panic!("the API can't read that: {flaw}"));
            let from = head
                .lines()
                .find_map(|line| line.strip_prefix("x-forwarded-for: "))
                .expect("it is always there");
            let from: Ipv4Addr = from.parse().expect("the caller's address alone");
            let (_, bytes) = sent.iter().find(|(caller, _)| *caller == from).expect("a caller of late");
            Arrival {
                sent: bytes.clone(),
                current: sent.back().is_some_and(|(caller, _)| *caller == from),
                head,
            }
        };
        self.arrivals.borrow_mut().drain(..).map(arrival).collect()
    }

    fn next_caller(&self, sent: &[u8]) -> Ipv4Addr {
        let mut callers = self.sent.borrow_mut();
        let last = callers.back().map_or(0, |(caller, _)| caller.to_bits());
        let next = Ipv4Addr::from_bits(last + 1);
        // They are all this machine's; after some millions they begin again.
        let next = if next.octets()[1] < 255 { next } else { Ipv4Addr::new(127, 1, 0, 1) };
        callers.push_back((next, sent.to_vec()));
        if callers.len() > REMEMBERED {
            callers.pop_front();
        }
        next
    }
}

async fn start(upstream: SocketAddr, issuer: &Issuer) -> Running {
    let yaml = CONFIG.replace("{upstream}", &upstream.to_string());
    let plan = config::parse("tollgate.yaml", &yaml, &Environment::empty()).expect("a sound configuration");
    let keys = Arc::new(StaticKeys::new(issuer.jwks()));
    let gate = Gate::builder(plan.policy).issuer(IssuerSources::new(issuer.name(), keys));
    let gate = Arc::new(gate.clock(Arc::new(ManualClock::new())).build());
    gate.ready(LIMIT).await;
    let setup = Setup { gateway: plan.gateway, upstreams: plan.upstreams, gate, metrics: None };
    Server::bind(setup).await.expect("a port").start()
}

/// Everything that comes back until the connection ends.
async fn talk(caller: Ipv4Addr, address: SocketAddr, sent: &[u8], clear: bool) -> Vec<u8> {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.bind(SocketAddr::from((caller, 0))).expect("a loopback address");
    let mut stream = socket.connect(address).await.expect("it listens");
    let (mut reader, mut writer) = stream.split();
    let mut answer = Vec::new();
    // It may answer, and close, before it has read all.
    let sending = async { drop(writer.write_all(sent).await) };
    let reading = async {
        if !clear {
            while let Ok(Ok(1..)) = timeout(PAUSE, reader.read_buf(&mut answer)).await {}
        }
    };
    tokio::join!(sending, reading);
    if !clear {
        // Whether more is to come or not: that was all.
        drop(writer.shutdown().await);
    }
    while let Ok(1..) = reader.read_buf(&mut answer).await {}
    answer
}

/// The statuses of HTTP/1 answers. No body that is sent here looks like the beginning of one.
fn statuses(answer: &[u8]) -> Vec<u16> {
    let begin = b"HTTP/1.1 ";
    let at = answer.windows(begin.len()).enumerate().filter(|(_, window)| window == begin);
    let digits = at.filter_map(|(at, _)| answer.get(at + begin.len()..at + begin.len() + 3));
    digits
        .map(|digits| std::str::from_utf8(digits).ok().and_then(|text| text.parse().ok()).expect("a status"))
        .collect()
}

/// What begins every HTTP/2 connection (RFC 9113 section 3.4).
pub(super) const HTTP2: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// What follows every input that does not speak HTTP/2.
const LAST: &[u8] = b"GET /public/last HTTP/1.1\r\nHost: last.test\r\nConnection: close\r\n\r\n";
/// Longer than anything takes, on however busy a machine.
const LIMIT: Duration = Duration::from_secs(60);
/// Callers whose requests may still be under way.
const REMEMBERED: usize = 64;
/// After such a silence, an answer that need not come is not waited for.
const PAUSE: Duration = Duration::from_millis(5);

const CONFIG: &str = r#"
issuers:
  main:
    issuer: https://as.test/
    audiences: [urn:api]
    clients: [shop]
routes:
  - {path: "/orders/{id}", scopes: {GET: [orders:read], POST: [orders:read]}, upstream: api}
  - {path: "/admin/{*rest}", scopes: [admin], upstream: api}
  - {path: "/public/{*rest}", public: true, upstream: api}
gateway:
  listen: [{address: "127.0.0.1:0"}]
upstreams:
  api: {addresses: ["{upstream}"]}
"#;
