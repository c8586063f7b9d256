//! What gateways share: servers that fit together, and secrets that don't travel in the clear.

use super::Files;
use crate::config::code::Code;
use crate::config::fields::Field;
use crate::config::plan::{SharedMode, SharedServer, SharedSettings};
use crate::config::problem::Report;
use crate::config::raw::Raw;
use crate::config::raw::shared::{Mode, Shared};
use crate::config::source::{Span, Spanned};

/// `None` if it is broken; `Some(None)` if it isn't written.
pub(super) fn compile(raw: &Raw, files: &mut Files, report: &mut Report) -> Option<Option<SharedSettings>> {
    let written = match &raw.shared {
        Field::Absent => return Some(None),
        Field::Broken => return None,
        Field::Given(written) => written,
    };
    let mode = mode(written, files, report);
    let servers = servers(written, report);
    let tls = written.tls.given();
    let secret =
        |secret: &Field<Spanned<_>>, files: &mut Files| secret.given().map(|secret| files.secret(secret));
    let ca_file = tls.and_then(|tls| files.resolve_field(&tls.ca_file));
    let certificate = tls.and_then(|tls| files.resolve_field(&tls.certificate_file));
    let key = tls.and_then(|tls| files.resolve_field(&tls.key_file));
    Some(Some(SharedSettings {
        servers: servers?,
        mode: mode?,
        username: written.username.value().map(Into::into),
        password: secret(&written.password, files),
        ca_file,
        certificate: certificate.zip(key),
        secret_key: secret(&written.secret_key, files)?,
        other_secret_key: secret(&written.other_secret_key, files),
        prefix: written.prefix.or(SharedSettings::DEFAULT_PREFIX.to_owned()).into(),
        timeout: written.timeout.or(SharedSettings::DEFAULT_TIMEOUT),
        start_wait: written.start_wait.or(SharedSettings::DEFAULT_START_WAIT),
        insecure_plaintext: written.insecure_plaintext.or(false),
    }))
}

fn mode(written: &Shared, files: &mut Files, report: &mut Report) -> Option<SharedMode> {
    let mode = match &written.mode {
        Field::Given(mode) => mode.value,
        Field::Absent => Mode::Single,
        Field::Broken => return None,
    };
    if mode == Mode::Sentinel {
        if written.master.is_absent() {
            report
                .error(Code::MissingKey, written.head, "`master` is missing")
                .help("sentinels may watch several: name the one that is meant");
        }
        return Some(SharedMode::Sentinel {
            master: written.master.value()?.into(),
            username: written.sentinel_username.value().map(Into::into),
            password: written.sentinel_password.given().map(|password| files.secret(password)),
        });
    }
    let theirs = [
        ("master", place(&written.master)),
        ("sentinel_username", place(&written.sentinel_username)),
        ("sentinel_password", place(&written.sentinel_password)),
    ];
    for (key, span) in theirs.into_iter().filter_map(|(key, span)| Some((key, span?))) {
        report
            .error(Code::ConflictingKeys, span, format!("`{key}` means nothing without sentinels"))
            .help("remove it, or write `mode: sentinel`");
    }
    Some(if mode == Mode::Cluster { SharedMode::Cluster } else { SharedMode::Single })
}

fn servers(written: &Shared, report: &mut Report) -> Option<Vec<SharedServer>> {
    let servers = &written.servers.given()?.value;
    let [first, rest @ ..] = servers.as_slice() else { return None };
    let mode = written.mode.or(Mode::Single);
    if let (Mode::Single, Some(second)) = (mode, rest.first()) {
        report
            .error(Code::ConflictingKeys, second.span, "a single server is one server")
            .help("remove the others, or write `mode: cluster` or `mode: sentinel`");
    }
    for server in servers {
        if mode == Mode::Cluster && server.value.database != 0 {
            report
                .error(Code::BadValue, server.span, "a cluster has the database 0 alone")
                .help("leave the number out; `prefix` keeps things apart");
        } else if server.value.tls != first.value.tls || server.value.database != first.value.database {
            report
                .error(Code::ConflictingKeys, server.span, "the servers differ in TLS or database")
                .also(first.span, "the first one")
                .help("let them be alike");
        }
        if !server.value.tls && !server.value.is_loopback() && !written.insecure_plaintext.or(false) {
            report
                .error(Code::InsecureUrl, server.span, "the password would travel in the clear")
                .help("write `rediss://`; if the network between is safe beyond doubt, say `insecure_plaintext: true`");
        }
    }
    Some(servers.iter().map(|server| server.value.clone()).collect())
}

fn place<T>(field: &Field<Spanned<T>>) -> Option<Span> {
    field.given().map(|given| given.span)
}
