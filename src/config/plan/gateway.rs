//! The gateway's listeners and limits.

use super::Network;
use http::HeaderName;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

/// What the gateway needs beside the policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GatewaySettings {
    /// Where requests come in; at least one.
    pub listen: Vec<Listener>,
    /// Where health, readiness and metrics are answered; `None` for nowhere.
    pub admin: Option<AdminSettings>,
    /// Worker threads; `None` for one per core.
    pub threads: Option<usize>,
    /// Whose `X-Forwarded-*` and `Forwarded` fields are kept; everyone else's are removed.
    pub trusted_proxies: Vec<Network>,
    /// How long requests under way may take to end at shutdown.
    pub shutdown_grace: Duration,
    /// What a caller may send.
    pub limits: Limits,
}

/// An address that takes requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listener {
    /// The address.
    pub address: SocketAddr,
    /// Whether HTTP/2 is taken without TLS, by prior knowledge (RFC 9113 section 3.3). Means nothing with TLS.
    pub h2c: bool,
    /// The certificate; `None` for no TLS.
    pub tls: Option<ListenerTls>,
}

/// A listener's certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListenerTls {
    /// PEM: the certificate and its chain.
    pub certificate_file: PathBuf,
    /// PEM: its private key.
    pub key_file: PathBuf,
}

/// The address of health, readiness and metrics: a loopback address, unless the configuration says `expose: true`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AdminSettings {
    /// The address.
    pub address: SocketAddr,
}

/// What a caller may send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// How long a request's head may take to arrive, in total.
    pub header_timeout: Duration,
    /// Field lines in a request's head: 1 to 256.
    pub max_headers: usize,
    /// Bytes in a request's head: 1 KiB to 1 MiB.
    pub max_header_bytes: usize,
    /// Bytes in a request's body, unless its route says otherwise; `None` for any number.
    pub max_body: Option<u64>,
    /// Requests at once on one HTTP/2 connection.
    pub http2_streams: u32,
    /// The field that carries the request's id: passed on if a trusted proxy sent a plain one, made otherwise.
    pub request_id_header: HeaderName,
}

impl GatewaySettings {
    /// 127.0.0.1:8080: reachable from this machine only, until the configuration says otherwise.
    pub const DEFAULT_ADDRESS: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 8080);
    /// 10 s: an ordinary request ends in it, and an orchestrator waits 30 s before it kills.
    pub const DEFAULT_SHUTDOWN_GRACE: Duration = Duration::from_secs(10);
}

impl Default for GatewaySettings {
    fn default() -> Self {
        Self {
            listen: vec![Listener { address: Self::DEFAULT_ADDRESS, h2c: true, tls: None }],
            admin: None,
            threads: None,
            trusted_proxies: Vec::new(),
            shutdown_grace: Self::DEFAULT_SHUTDOWN_GRACE,
            limits: Limits::default(),
        }
    }
}

impl Limits {
    /// 10 s: a head is one packet or two; who drips it holds a connection no longer.
    pub const DEFAULT_HEADER_TIMEOUT: Duration = Duration::from_secs(10);
    /// 100 field lines: browsers send 20, chains of proxies 40.
    pub const DEFAULT_MAX_HEADERS: usize = 100;
    /// 32 KiB: a token of 16 KiB, and as much beside it.
    pub const DEFAULT_MAX_HEADER_BYTES: usize = 32 * 1024;
    /// 10 MiB: documents and pictures; an upload route says more in words.
    pub const DEFAULT_MAX_BODY: u64 = 10 * 1024 * 1024;
    /// 128 streams: above the 100 that RFC 9113 section 6.5.2 recommends at least, and a bound on what one connection can ask for.
    pub const DEFAULT_HTTP2_STREAMS: u32 = 128;
    /// `x-request-id`: what most proxies and frameworks look for.
    pub const DEFAULT_REQUEST_ID_HEADER: HeaderName = HeaderName::from_static("x-request-id");
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            header_timeout: Self::DEFAULT_HEADER_TIMEOUT,
            max_headers: Self::DEFAULT_MAX_HEADERS,
            max_header_bytes: Self::DEFAULT_MAX_HEADER_BYTES,
            max_body: Some(Self::DEFAULT_MAX_BODY),
            http2_streams: Self::DEFAULT_HTTP2_STREAMS,
            request_id_header: Self::DEFAULT_REQUEST_ID_HEADER,
        }
    }
}
