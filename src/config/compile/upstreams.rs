//! Upstreams.

use super::Files;
use crate::config::code::Code;
use crate::config::fields::Field;
use crate::config::plan::{HealthCheck, HostHeader, Protocol, Timeouts, UpstreamSettings, UpstreamTls};
use crate::config::problem::Report;
use crate::config::raw::{Raw, upstream};
use crate::config::source::Spanned;

pub(super) fn compile(raw: &Raw, files: &mut Files, report: &mut Report) -> Option<Vec<UpstreamSettings>> {
    let table = match &raw.upstreams {
        Field::Absent => return Some(Vec::new()),
        Field::Broken => return None,
        Field::Given(table) => table,
    };
    let compiled: Vec<_> =
        table.iter().map(|(name, written)| upstream(name, written, files, report)).collect();
    compiled.into_iter().collect()
}

fn upstream(
    name: &Spanned<String>,
    written: &upstream::Upstream,
    files: &mut Files,
    report: &mut Report,
) -> Option<UpstreamSettings> {
    let tls = written.tls.given().map(|tls| UpstreamTls {
        server_name: tls.server_name.value().map(Into::into),
        ca_file: files.resolve_field(&tls.ca_file),
        certificate_file: files.resolve_field(&tls.certificate_file),
        key_file: files.resolve_field(&tls.key_file),
    });
    let addresses = &written.addresses.given()?.value;
    for (n, address) in addresses.iter().enumerate() {
        if let Some(first) = addresses.iter().take(n).find(|other| other.value == address.value) {
            report
                .error(Code::Duplicate, address.span, "this address stands twice in the list")
                .also(first.span, "first here")
                .help("keep one of the two: the addresses are taken in turn");
        }
    }
    let health_check = match written.health_check.given() {
        Some(check) => Some(health_check(check)?),
        None => None,
    };
    Some(UpstreamSettings {
        name: name.value.as_str().into(),
        addresses: addresses.iter().map(|address| address.value.clone()).collect(),
        tls,
        protocol: written.protocol.or(Protocol::default()),
        strip_prefix: written.strip_prefix.value().map(Into::into),
        add_prefix: written.add_prefix.value().map(Into::into),
        health_check,
        timeouts: written.timeouts.given().map_or_else(Timeouts::default, timeouts),
        keepalive: number(&written.keepalive, UpstreamSettings::DEFAULT_KEEPALIVE),
        host: written.host.or(HostHeader::default()),
    })
}

fn health_check(written: &upstream::HealthCheck) -> Option<HealthCheck> {
    Some(HealthCheck {
        path: written.path.value()?.into(),
        interval: written.interval.or(HealthCheck::DEFAULT_INTERVAL),
        timeout: written.timeout.or(HealthCheck::DEFAULT_TIMEOUT),
        healthy_after: number(&written.healthy_after, HealthCheck::DEFAULT_HEALTHY_AFTER),
        unhealthy_after: number(&written.unhealthy_after, HealthCheck::DEFAULT_UNHEALTHY_AFTER),
    })
}

fn timeouts(written: &upstream::Timeouts) -> Timeouts {
    Timeouts {
        connect: written.connect.or(Timeouts::DEFAULT_CONNECT),
        read: written.read.or(Timeouts::DEFAULT_READ),
        write: written.write.or(Timeouts::DEFAULT_WRITE),
        idle: written.idle.or(Timeouts::DEFAULT_IDLE),
    }
}

fn number(field: &Field<Spanned<u64>>, default: usize) -> usize {
    field.value().map_or(default, |number| usize::try_from(number).unwrap_or(usize::MAX))
}
