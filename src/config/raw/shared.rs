//! `shared:`: the memory that several gateways share in Redis or Valkey.

use super::super::fields::{Field, Fields};
use super::super::node::Node;
use super::super::plan::{SecretSource, SharedServer};
use super::super::problem::Report;
use super::super::read;
use super::super::source::{Span, Spanned};
use super::super::spelling::Section;
use super::values;
use std::path::PathBuf;
use std::time::Duration;

/// Where the memory is, who we are there, and with which key we seal.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) head: Span,
    pub(crate) servers: Field<Spanned<Vec<Spanned<SharedServer>>>>,
    pub(crate) mode: Field<Spanned<Mode>>,
    pub(crate) master: Field<Spanned<String>>,
    pub(crate) username: Field<Spanned<String>>,
    pub(crate) password: Field<Spanned<SecretSource>>,
    pub(crate) sentinel_username: Field<Spanned<String>>,
    pub(crate) sentinel_password: Field<Spanned<SecretSource>>,
    pub(crate) secret_key: Field<Spanned<SecretSource>>,
    pub(crate) other_secret_key: Field<Spanned<SecretSource>>,
    pub(crate) prefix: Field<Spanned<String>>,
    pub(crate) timeout: Field<Spanned<Duration>>,
    pub(crate) start_wait: Field<Spanned<Duration>>,
    pub(crate) tls: Field<SharedTls>,
    pub(crate) insecure_plaintext: Field<Spanned<bool>>,
}

/// What the servers are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    Single,
    Cluster,
    Sentinel,
}

/// What TLS needs.
#[derive(Debug)]
pub(crate) struct SharedTls {
    pub(crate) ca_file: Field<Spanned<PathBuf>>,
    pub(crate) certificate_file: Field<Spanned<PathBuf>>,
    pub(crate) key_file: Field<Spanned<PathBuf>>,
}

impl Shared {
    pub(super) fn read(node: &Node, report: &mut Report) -> Option<Self> {
        let modes = [("single", Mode::Single), ("cluster", Mode::Cluster), ("sentinel", Mode::Sentinel)];
        let mut fields = Fields::of(node, Section::Shared, report)?;
        let shared = Self {
            head: fields.head(),
            servers: fields.need(
                "servers",
                "write where Redis is: `servers: [rediss://redis.internal:6379]`",
                report,
                |node, report| read::list(node, report, server),
            ),
            mode: fields.get("mode", report, |node, report| read::choice(node, &modes, report)),
            master: fields.get("master", report, read::text),
            username: fields.get("username", report, read::text),
            password: values::secret(&mut fields, ("password", "password_file"), report),
            sentinel_username: fields.get("sentinel_username", report, read::text),
            sentinel_password: values::secret(
                &mut fields,
                ("sentinel_password", "sentinel_password_file"),
                report,
            ),
            secret_key: values::secret(&mut fields, ("secret_key", "secret_key_file"), report),
            other_secret_key: values::secret(
                &mut fields,
                ("other_secret_key", "other_secret_key_file"),
                report,
            ),
            prefix: fields.get("prefix", report, prefix),
            timeout: fields.get("timeout", report, |node, report| {
                read::duration(node, Duration::from_millis(10)..=Duration::from_secs(1), report)
            }),
            start_wait: fields.get("start_wait", report, |node, report| {
                read::duration(node, Duration::ZERO..=Duration::from_secs(60), report)
            }),
            tls: fields.get("tls", report, SharedTls::read),
            insecure_plaintext: fields.get("insecure_plaintext", report, read::boolean),
        };
        if shared.secret_key.is_absent() {
            let why = "what gateways share is sealed: put 32 bytes there (`openssl rand -base64 32`), the same for all of them";
            fields.missing("secret_key_file", why);
        }
        fields.finish(report);
        Some(shared)
    }
}

impl SharedTls {
    fn read(node: &Node, report: &mut Report) -> Option<Self> {
        let mut fields = Fields::of(node, Section::SharedTls, report)?;
        let tls = Self {
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

fn server(node: &Node, report: &mut Report) -> Option<Spanned<SharedServer>> {
    read::parsed(node, "a Redis server", report, |text| {
        SharedServer::parse(text).ok_or_else(|| match text.contains('@') {
            true => {
                "leave the credentials out: `username` and `password_file` are keys of their own".to_owned()
            }
            false => "write `rediss://host:port`, such as `rediss://redis.internal:6379`".to_owned(),
        })
    })
}

fn prefix(node: &Node, report: &mut Report) -> Option<Spanned<String>> {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | ':');
    read::parsed(node, "a prefix", report, |text| {
        match (1..=64).contains(&text.len()) && text.chars().all(fits) {
            true => Ok(text.to_owned()),
            false => Err("take 1 to 64 letters, digits, `-`, `_`, `.` or `:`".to_owned()),
        }
    })
}
