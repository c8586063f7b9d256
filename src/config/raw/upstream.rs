//! `upstreams:`: where admitted requests go.

use super::super::code::Code;
use super::super::fields::{Field, Fields};
use super::super::node::{Node, Value};
use super::super::plan::{HostHeader, HostPort, Protocol, is_host_name};
use super::super::problem::Report;
use super::super::read;
use super::super::source::Spanned;
use super::super::spelling::Section;
use super::super::units;
use super::values;
use crate::policy::CanonicalPath;
use std::path::PathBuf;
use std::time::Duration;

/// One upstream.
#[derive(Debug)]
pub(crate) struct Upstream {
    pub(crate) addresses: Field<Spanned<Vec<Spanned<HostPort>>>>,
    pub(crate) tls: Field<UpstreamTls>,
    pub(crate) protocol: Field<Spanned<Protocol>>,
    pub(crate) strip_prefix: Field<Spanned<String>>,
    pub(crate) add_prefix: Field<Spanned<String>>,
    pub(crate) health_check: Field<HealthCheck>,
    pub(crate) timeouts: Field<Timeouts>,
    pub(crate) keepalive: Field<Spanned<u64>>,
    pub(crate) host: Field<Spanned<HostHeader>>,
}

/// TLS to an upstream.
#[derive(Debug)]
pub(crate) struct UpstreamTls {
    pub(crate) server_name: Field<Spanned<String>>,
    pub(crate) ca_file: Field<Spanned<PathBuf>>,
    pub(crate) certificate_file: Field<Spanned<PathBuf>>,
    pub(crate) key_file: Field<Spanned<PathBuf>>,
}

/// How to ask an upstream whether it is well.
#[derive(Debug)]
pub(crate) struct HealthCheck {
    pub(crate) path: Field<Spanned<String>>,
    pub(crate) interval: Field<Spanned<Duration>>,
    pub(crate) timeout: Field<Spanned<Duration>>,
    pub(crate) healthy_after: Field<Spanned<u64>>,
    pub(crate) unhealthy_after: Field<Spanned<u64>>,
}

/// How long an upstream may take.
#[derive(Debug)]
pub(crate) struct Timeouts {
    pub(crate) connect: Field<Spanned<Duration>>,
    pub(crate) read: Field<Spanned<Duration>>,
    pub(crate) write: Field<Spanned<Duration>>,
    pub(crate) idle: Field<Spanned<Duration>>,
}

impl Upstream {
    pub(super) fn read(node: &Node, report: &mut Report) -> Option<Self> {
        let protocols = [("http1", Protocol::Http1), ("http2", Protocol::Http2)];
        let mut fields = Fields::of(node, Section::Upstream, report)?;
        let upstream = Self {
            addresses: fields.need(
                "addresses",
                "write a list of `host:port`: `addresses: [127.0.0.1:9000]`",
                report,
                |node, report| read::list(node, report, values::host_port),
            ),
            tls: fields.get("tls", report, UpstreamTls::read),
            protocol: fields.get("protocol", report, |node, report| read::choice(node, &protocols, report)),
            strip_prefix: fields.get("strip_prefix", report, prefix),
            add_prefix: fields.get("add_prefix", report, prefix),
            health_check: fields.get("health_check", report, HealthCheck::read),
            timeouts: fields.get("timeouts", report, Timeouts::read),
            keepalive: fields
                .get("keepalive", report, |node, report| read::integer(node, 0..=65_536, report)),
            host: fields.get("host", report, host),
        };
        fields.finish(report);
        Some(upstream)
    }
}

impl UpstreamTls {
    fn read(node: &Node, report: &mut Report) -> Option<Self> {
        if matches!(&node.value, Value::Scalar(scalar) if scalar.text == "true") {
            return read::wrong_type(
                node,
                "a mapping",
                Some("write `tls: {}` for TLS with the system's roots".to_owned()),
                report,
            );
        }
        let mut fields = Fields::of(node, Section::UpstreamTls, report)?;
        let tls = Self {
            server_name: fields.get("server_name", report, values::host_name),
            ca_file: fields.get("ca_file", report, values::file),
            certificate_file: fields.get("certificate_file", report, values::file),
            key_file: fields.get("key_file", report, values::file),
        };
        match (fields.place("certificate_file"), fields.place("key_file")) {
            (Some(_), None) => fields.missing("key_file", "a client certificate needs its private key"),
            (None, Some(_)) => fields.missing("certificate_file", "a private key needs its certificate"),
            _ => {}
        }
        fields.finish(report);
        Some(tls)
    }
}

impl HealthCheck {
    fn read(node: &Node, report: &mut Report) -> Option<Self> {
        let mut fields = Fields::of(node, Section::HealthCheck, report)?;
        let times = |node: &Node, report: &mut Report| read::integer(node, 1..=100, report);
        let check = Self {
            path: fields.need(
                "path",
                "write the path that answers 2xx when all is well: `path: /healthz`",
                report,
                path,
            ),
            interval: fields.get("interval", report, |node, report| {
                read::duration(node, Duration::from_millis(100)..=Duration::from_secs(3600), report)
            }),
            timeout: fields.get("timeout", report, |node, report| {
                read::duration(node, Duration::from_millis(10)..=Duration::from_secs(60), report)
            }),
            healthy_after: fields.get("healthy_after", report, times),
            unhealthy_after: fields.get("unhealthy_after", report, times),
        };
        fields.finish(report);
        Some(check)
    }
}

impl Timeouts {
    fn read(node: &Node, report: &mut Report) -> Option<Self> {
        let mut fields = Fields::of(node, Section::Timeouts, report)?;
        let up_to = |longest: Duration| {
            move |node: &Node, report: &mut Report| {
                read::duration(node, Duration::from_millis(1)..=longest, report)
            }
        };
        let timeouts = Self {
            connect: fields.get("connect", report, up_to(Duration::from_secs(300))),
            read: fields.get("read", report, up_to(values::DAY)),
            write: fields.get("write", report, up_to(values::DAY)),
            idle: fields.get("idle", report, up_to(values::DAY)),
        };
        fields.finish(report);
        Some(timeouts)
    }
}

/// A body's size, or `unlimited`, which is `None`.
pub(super) fn body_limit(node: &Node, report: &mut Report) -> Option<Spanned<Option<u64>>> {
    read::parsed(node, "a size", report, |text| match text {
        "unlimited" => Ok(None),
        text => units::size(text).map(Some).map_err(|hint| format!("{hint}; or write `unlimited`")),
    })
}

/// A canonical path (see [`CanonicalPath`]) without a query.
fn path(node: &Node, report: &mut Report) -> Option<Spanned<String>> {
    let path = read::text(node, report)?;
    let hint = match CanonicalPath::parse(path.value.as_bytes()) {
        Ok(canonical) if canonical.query().is_none() => return Some(path),
        Ok(_) => "leave out the `?` and what follows",
        Err(_) => "it begins with `/`, has neither `//` nor `..`, and escapes only what needs it",
    };
    report.error(Code::BadValue, path.span, format!("{} is not a canonical path", path.quoted())).help(hint);
    None
}

/// A path that stands before another one.
fn prefix(node: &Node, report: &mut Report) -> Option<Spanned<String>> {
    let path = path(node, report)?;
    if path.value.ends_with('/') {
        let hint = "write it without the slash at its end: `/api`";
        report.error(Code::BadValue, path.span, format!("{} is not a prefix", path.quoted())).help(hint);
        return None;
    }
    Some(path)
}

fn host(node: &Node, report: &mut Report) -> Option<Spanned<HostHeader>> {
    read::parsed(node, "a host", report, |text| match text {
        "preserve" => Ok(HostHeader::Preserve),
        "upstream" => Ok(HostHeader::Upstream),
        name if is_authority(name) => Ok(HostHeader::Literal(name.into())),
        _ => Err("write `preserve`, `upstream` or a host name".to_owned()),
    })
}

fn is_authority(text: &str) -> bool {
    match text.rsplit_once(':') {
        Some((host, port)) => is_host_name(host) && port.parse::<u16>().is_ok(),
        None => is_host_name(text),
    }
}
