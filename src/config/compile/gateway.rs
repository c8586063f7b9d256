//! The gateway's own settings.

use super::Files;
use crate::config::code::Code;
use crate::config::fields::Field;
use crate::config::plan::{AdminSettings, GatewaySettings, Limits, Listener, ListenerTls};
use crate::config::problem::Report;
use crate::config::raw::{Raw, gateway};
use crate::config::source::Spanned;
use http::HeaderName;
use std::net::SocketAddr;

pub(super) fn compile(raw: &Raw, files: &mut Files, report: &mut Report) -> Option<GatewaySettings> {
    let default = GatewaySettings::default();
    let Some(written) = raw.gateway.given() else {
        return (!matches!(raw.gateway, Field::Broken)).then_some(default);
    };
    if raw.upstreams.is_absent() {
        let problem = report.error(Code::MissingKey, raw.head, "`upstreams` is missing");
        problem
            .help("a gateway sends admitted requests on: `upstreams: {name: {addresses: [127.0.0.1:9000]}}`");
    }
    let listen = listeners(written, files, report);
    let admin = admin(written, report);
    Some(GatewaySettings {
        listen: listen?,
        admin: admin?,
        threads: written.threads.value().and_then(|threads| usize::try_from(threads).ok()),
        trusted_proxies: written
            .trusted_proxies
            .given()
            .into_iter()
            .flatten()
            .map(|network| network.value)
            .collect(),
        shutdown_grace: written.shutdown_grace.or(default.shutdown_grace),
        limits: limits(&written.limits)?,
    })
}

fn listeners(written: &gateway::Gateway, files: &mut Files, report: &mut Report) -> Option<Vec<Listener>> {
    let list = match &written.listen {
        Field::Absent => return Some(GatewaySettings::default().listen),
        Field::Broken => return None,
        Field::Given(list) => list,
    };
    let mut seen: Vec<&Spanned<SocketAddr>> = Vec::new();
    let mut listeners = Vec::new();
    for listener in list {
        let address = listener.address.given()?;
        refuse_twin(address, &seen, report);
        seen.push(address);
        let tls = match listener.tls.given() {
            Some(tls) => Some(ListenerTls {
                certificate_file: files.resolve(tls.certificate_file.given()?),
                key_file: files.resolve(tls.key_file.given()?),
            }),
            None => None,
        };
        if let (Some(_), Some(h2c)) = (&tls, listener.h2c.given().filter(|h2c| h2c.value)) {
            report
                .warning(Code::Unused, h2c.span, "`h2c` means nothing with `tls`")
                .help("remove it: over TLS, ALPN settles the protocol");
        }
        listeners.push(Listener { address: address.value, h2c: listener.h2c.or(true), tls });
    }
    Some(listeners)
}

fn admin(written: &gateway::Gateway, report: &mut Report) -> Option<Option<AdminSettings>> {
    let admin = match &written.admin {
        Field::Absent => return Some(None),
        Field::Broken => return None,
        Field::Given(admin) => admin,
    };
    let address = admin.address.given()?;
    if !address.value.ip().is_loopback() && !admin.expose.or(false) {
        report
            .error(
                Code::BadValue,
                address.span,
                "others than this machine could reach health, metrics and administration",
            )
            .help("listen on `127.0.0.1`, or say `expose: true` if the network keeps others away");
    }
    let listen = written.listen.given().into_iter().flatten();
    refuse_twin(address, &listen.filter_map(|listener| listener.address.given()).collect::<Vec<_>>(), report);
    Some(Some(AdminSettings { address: address.value }))
}

fn refuse_twin(address: &Spanned<SocketAddr>, others: &[&Spanned<SocketAddr>], report: &mut Report) {
    // Port 0 asks the system for any free port: no two are the same.
    let same = |other: &&&Spanned<SocketAddr>| other.value == address.value && address.value.port() != 0;
    if let Some(first) = others.iter().find(same) {
        report
            .error(Code::Duplicate, address.span, "two listeners have this address")
            .also(first.span, "the other")
            .help("give each a port of its own");
    }
}

fn limits(written: &Field<gateway::Limits>) -> Option<Limits> {
    let default = Limits::default();
    let written = match written {
        Field::Absent => return Some(default),
        Field::Broken => return None,
        Field::Given(written) => written,
    };
    let number = |field: &Field<Spanned<u64>>, default: usize| {
        field.value().map_or(default, |number| usize::try_from(number).unwrap_or(usize::MAX))
    };
    let streams = written.http2_streams.value().and_then(|streams| u32::try_from(streams).ok());
    let request_id = written.request_id_header.given();
    Some(Limits {
        header_timeout: written.header_timeout.or(default.header_timeout),
        max_headers: number(&written.max_headers, default.max_headers),
        max_header_bytes: number(&written.max_header_bytes, default.max_header_bytes),
        max_body: written.max_body.or(default.max_body),
        http2_streams: streams.unwrap_or(default.http2_streams),
        request_id_header: match request_id {
            Some(name) => HeaderName::from_bytes(name.value.as_bytes()).ok()?,
            None => default.request_id_header,
        },
    })
}
