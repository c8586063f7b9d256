//! Where the gateway sends admitted requests.

use super::HostPort;
use std::path::PathBuf;
use std::time::Duration;

/// One upstream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpstreamSettings {
    /// Its name in the configuration, which routes, logs and metrics use.
    pub name: Box<str>,
    /// Its addresses, at least one, taken in turn.
    pub addresses: Vec<HostPort>,
    /// TLS to it; `None` for plain text.
    pub tls: Option<UpstreamTls>,
    /// The protocol spoken to it.
    pub protocol: Protocol,
    /// What is cut from the beginning of the path, after the judgement.
    pub strip_prefix: Option<Box<str>>,
    /// What is put before the path, after the judgement and the cut.
    pub add_prefix: Option<Box<str>>,
    /// How its addresses are asked whether they are well; `None` for not at all.
    pub health_check: Option<HealthCheck>,
    /// How long it may take.
    pub timeouts: Timeouts,
    /// Idle connections that are kept to it.
    pub keepalive: usize,
    /// The `Host` that it sees.
    pub host: HostHeader,
}

/// TLS to an upstream. Its certificate is always checked.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct UpstreamTls {
    /// The name that its certificate must bear, also sent as SNI; `None` for the host of its address.
    pub server_name: Option<Box<str>>,
    /// A PEM file of roots to trust instead of the system's.
    pub ca_file: Option<PathBuf>,
    /// PEM: the certificate that we show, and its chain.
    pub certificate_file: Option<PathBuf>,
    /// PEM: its private key; present if the certificate is.
    pub key_file: Option<PathBuf>,
}

/// The protocol spoken to an upstream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Protocol {
    /// HTTP/1.1.
    #[default]
    Http1,
    /// HTTP/2: over TLS by ALPN, otherwise by prior knowledge. gRPC needs it.
    Http2,
}

/// The `Host` (or `:authority`) that an upstream sees.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum HostHeader {
    /// The one that the caller asked for.
    #[default]
    Preserve,
    /// The address of the upstream.
    Upstream,
    /// This one.
    Literal(Box<str>),
}

/// How an upstream's addresses are asked whether they are well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HealthCheck {
    /// The path that answers 2xx when all is well.
    pub path: Box<str>,
    /// The time between two questions.
    pub interval: Duration,
    /// How long an answer may take.
    pub timeout: Duration,
    /// Good answers in a row that make an address well again.
    pub healthy_after: usize,
    /// Bad answers in a row that take an address out.
    pub unhealthy_after: usize,
}

/// How long an upstream may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// For a connection, TLS included.
    pub connect: Duration,
    /// Between two reads of its answer.
    pub read: Duration,
    /// For each write of the request.
    pub write: Duration,
    /// That an unused connection is kept.
    pub idle: Duration,
}

impl UpstreamSettings {
    /// 128 idle connections: each costs some 10 KiB, and a new one a round trip or three.
    pub const DEFAULT_KEEPALIVE: usize = 128;
}

impl HealthCheck {
    /// 5 s: an address that fails is out within 10 s.
    pub const DEFAULT_INTERVAL: Duration = Duration::from_secs(5);
    /// 1 s: a health page that takes longer is not healthy.
    pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(1);
    /// 1: an address that answers is used.
    pub const DEFAULT_HEALTHY_AFTER: usize = 1;
    /// 2: one lost packet takes nothing out.
    pub const DEFAULT_UNHEALTHY_AFTER: usize = 2;
}

impl Timeouts {
    /// 2 s: one lost SYN is tried again after 1 s.
    pub const DEFAULT_CONNECT: Duration = Duration::from_secs(2);
    /// 60 s, as most proxies have it.
    pub const DEFAULT_READ: Duration = Duration::from_secs(60);
    /// 60 s, as most proxies have it.
    pub const DEFAULT_WRITE: Duration = Duration::from_secs(60);
    /// 60 s: below the 75 s after which many servers close, so that none is closed under our hands.
    pub const DEFAULT_IDLE: Duration = Duration::from_secs(60);
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Self::DEFAULT_CONNECT,
            read: Self::DEFAULT_READ,
            write: Self::DEFAULT_WRITE,
            idle: Self::DEFAULT_IDLE,
        }
    }
}
