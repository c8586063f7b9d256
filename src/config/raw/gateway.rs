//! `gateway:`: listeners, limits, and what the program itself needs. The library's user has no use for it.

use super::super::fields::{Field, Fields};
use super::super::node::Node;
use super::super::plan::Network;
use super::super::problem::Report;
use super::super::read;
use super::super::source::Spanned;
use super::super::spelling::Section;
use super::{upstream, values};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// The program's settings.
#[derive(Debug)]
pub(crate) struct Gateway {
    pub(crate) listen: Field<Vec<Listener>>,
    pub(crate) admin: Field<Admin>,
    pub(crate) threads: Field<Spanned<u64>>,
    pub(crate) trusted_proxies: Field<Vec<Spanned<Network>>>,
    pub(crate) shutdown_grace: Field<Spanned<Duration>>,
    pub(crate) limits: Field<Limits>,
}

/// An address that takes requests.
#[derive(Debug)]
pub(crate) struct Listener {
    pub(crate) address: Field<Spanned<SocketAddr>>,
    pub(crate) h2c: Field<Spanned<bool>>,
    pub(crate) tls: Field<ListenerTls>,
}

/// A listener's certificate.
#[derive(Debug)]
pub(crate) struct ListenerTls {
    pub(crate) certificate_file: Field<Spanned<PathBuf>>,
    pub(crate) key_file: Field<Spanned<PathBuf>>,
}

/// The address of health, readiness and metrics.
#[derive(Debug)]
pub(crate) struct Admin {
    pub(crate) address: Field<Spanned<SocketAddr>>,
    pub(crate) expose: Field<Spanned<bool>>,
}

/// Bounds on what a caller may send.
#[derive(Debug)]
pub(crate) struct Limits {
    pub(crate) header_timeout: Field<Spanned<Duration>>,
    pub(crate) max_headers: Field<Spanned<u64>>,
    pub(crate) max_header_bytes: Field<Spanned<u64>>,
    pub(crate) max_body: Field<Spanned<Option<u64>>>,
    pub(crate) http2_streams: Field<Spanned<u64>>,
    pub(crate) request_id_header: Field<Spanned<String>>,
}

impl Gateway {
    pub(super) fn read(node: &Node, report: &mut Report) -> Option<Self> {
        let mut fields = Fields::of(node, Section::Gateway, report)?;
        let gateway = Self {
            listen: fields.get("listen", report, |node, report| {
                read::list(node, report, Listener::read).map(|list| list.value)
            }),
            admin: fields.get("admin", report, Admin::read),
            threads: fields.get("threads", report, |node, report| read::integer(node, 1..=1024, report)),
            trusted_proxies: fields.get("trusted_proxies", report, |node, report| {
                read::list(node, report, values::network).map(|list| list.value)
            }),
            shutdown_grace: fields.get("shutdown_grace", report, |node, report| {
                read::duration(node, Duration::ZERO..=Duration::from_secs(3600), report)
            }),
            limits: fields.get("limits", report, Limits::read),
        };
        fields.finish(report);
        Some(gateway)
    }
}

impl Listener {
    fn read(node: &Node, report: &mut Report) -> Option<Self> {
        let mut fields = Fields::of(node, Section::Listen, report)?;
        let listener = Self {
            address: fields.need(
                "address",
                "write an IP address and a port: `127.0.0.1:8080`",
                report,
                values::socket_address,
            ),
            h2c: fields.get("h2c", report, read::boolean),
            tls: fields.get("tls", report, ListenerTls::read),
        };
        fields.finish(report);
        Some(listener)
    }
}

impl ListenerTls {
    fn read(node: &Node, report: &mut Report) -> Option<Self> {
        let mut fields = Fields::of(node, Section::ListenTls, report)?;
        let tls = Self {
            certificate_file: fields.need(
                "certificate_file",
                "name a PEM file: the certificate, then its chain",
                report,
                values::file,
            ),
            key_file: fields.need(
                "key_file",
                "name a PEM file with the certificate's private key",
                report,
                values::file,
            ),
        };
        fields.finish(report);
        Some(tls)
    }
}

impl Admin {
    fn read(node: &Node, report: &mut Report) -> Option<Self> {
        let mut fields = Fields::of(node, Section::Admin, report)?;
        let admin = Self {
            address: fields.need(
                "address",
                "write an IP address and a port: `127.0.0.1:9090`",
                report,
                values::socket_address,
            ),
            expose: fields.get("expose", report, read::boolean),
        };
        fields.finish(report);
        Some(admin)
    }
}

impl Limits {
    fn read(node: &Node, report: &mut Report) -> Option<Self> {
        let mut fields = Fields::of(node, Section::Limits, report)?;
        let limits = Self {
            header_timeout: fields.get("header_timeout", report, |node, report| {
                read::duration(node, Duration::from_secs(1)..=Duration::from_secs(300), report)
            }),
            max_headers: fields
                .get("max_headers", report, |node, report| read::integer(node, 1..=MAX_HEADERS, report)),
            max_header_bytes: fields.get("max_header_bytes", report, |node, report| {
                read::size(node, 1024..=MAX_HEADER_BYTES, report)
            }),
            max_body: fields.get("max_body", report, upstream::body_limit),
            http2_streams: fields
                .get("http2_streams", report, |node, report| read::integer(node, 1..=10_000, report)),
            request_id_header: fields.get("request_id_header", report, |node, report| {
                let name = read::text(node, report)?;
                values::header_name(&name, report).then_some(name)
            }),
        };
        fields.finish(report);
        Some(limits)
    }
}

/// Header lines that the HTTP/1.1 parser below us reads at most.
const MAX_HEADERS: u64 = 256;

/// Bytes of headers that the HTTP/1.1 parser below us reads at most.
const MAX_HEADER_BYTES: u64 = 1024 * 1024;
