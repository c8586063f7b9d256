//! `issuers:`: whom we believe, about what, and where the keys are.

use super::super::code::Code;
use super::super::fields::{Field, Fields};
use super::super::node::{Node, Value};
use super::super::problem::Report;
use super::super::read;
use super::super::source::Spanned;
use super::super::spelling::Section;
use super::introspection::Introspection;
use super::{Texts, values};
use crate::policy::{IssuerRules, Profile};
use crate::proof::Algorithm;
use crate::token::ClientClaim;
use std::path::PathBuf;
use std::time::Duration;

/// One issuer.
#[derive(Debug)]
pub(crate) struct Issuer {
    pub(crate) issuer: Field<Spanned<String>>,
    pub(crate) profile: Field<Spanned<Profile>>,
    pub(crate) audiences: Field<Texts>,
    pub(crate) clients: Field<Spanned<Clients>>,
    pub(crate) algorithms: Field<Spanned<Vec<Spanned<Algorithm>>>>,
    pub(crate) client_claims: Field<Spanned<Vec<Spanned<ClientClaim>>>>,
    pub(crate) leeway: Field<Spanned<Duration>>,
    pub(crate) keys: Field<Keys>,
    pub(crate) introspection: Field<Introspection>,
    pub(crate) ca_file: Field<Spanned<PathBuf>>,
    pub(crate) insecure_http: Field<Spanned<bool>>,
    pub(crate) allow_private_addresses: Field<Spanned<bool>>,
}

/// Which clients' tokens are accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Clients {
    Any,
    These(Vec<Spanned<String>>),
}

/// Where keys come from and how patient we are.
#[derive(Debug, Default)]
pub(crate) struct Keys {
    pub(crate) source: Field<KeySource>,
    pub(crate) cool_down: Field<Spanned<Duration>>,
    pub(crate) wait: Field<Spanned<Duration>>,
    pub(crate) timeout: Field<Spanned<Duration>>,
    pub(crate) max_age: Field<Spanned<Duration>>,
}

/// Where keys come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum KeySource {
    /// Both well-known forms of the issuer.
    Auto,
    Discovery(Spanned<String>),
    JwksUri(Spanned<String>),
    File(Spanned<PathBuf>),
    /// `keys: none`: all tokens are opaque.
    None,
}

impl Issuer {
    pub(super) fn read(node: &Node, report: &mut Report) -> Option<Self> {
        let profiles = Profile::ALL.map(|profile| (profile.name(), profile));
        let claims = ClientClaim::ALL.map(|claim| (claim.name(), claim));
        let mut fields = Fields::of(node, Section::Issuer, report)?;
        let profile = fields.get("profile", report, |node, report| read::choice(node, &profiles, report));
        let mut audiences = fields.get("audiences", report, read::texts);
        if audiences.is_absent() && !profile.or(Profile::default()).may_lack_audience() {
            fields.missing("audiences", "list the `aud` values that mean this API");
            audiences = Field::Broken;
        }
        let issuer = Self {
            issuer: fields.need("issuer", "write the `iss` of its tokens, byte for byte", report, issuer_url),
            profile,
            audiences,
            clients: fields.need("clients", CLIENTS, report, clients),
            algorithms: fields.get("algorithms", report, |node, report| read::list(node, report, algorithm)),
            client_claims: fields.get("client_claims", report, |node, report| {
                read::list(node, report, |node, report| read::choice(node, &claims, report))
            }),
            leeway: fields.get("leeway", report, |node, report| {
                read::duration(node, Duration::ZERO..=IssuerRules::MAX_LEEWAY, report)
            }),
            keys: fields.get("keys", report, Keys::read),
            introspection: fields.get("introspection", report, Introspection::read),
            ca_file: fields.get("tls", report, tls).flatten(),
            insecure_http: fields.get("insecure_http", report, read::boolean),
            allow_private_addresses: fields.get("allow_private_addresses", report, read::boolean),
        };
        fields.finish(report);
        Some(issuer)
    }
}

impl Keys {
    fn read(node: &Node, report: &mut Report) -> Option<Self> {
        if matches!(&node.value, Value::Scalar(scalar) if scalar.text == "none") {
            return Some(Self { source: Field::Given(KeySource::None), ..Self::default() });
        }
        let mut fields = Fields::of(node, Section::Keys, report)?;
        let discovery = fields.get("discovery", report, discovery);
        let jwks_uri = fields.get("jwks_uri", report, values::url);
        let file = fields.get("file", report, values::file);
        let source =
            match (fields.exclusive(&["discovery", "jwks_uri", "file"], report), discovery, jwks_uri, file) {
                (true, Field::Given(source), ..) => Field::Given(source),
                (true, _, Field::Given(url), _) => Field::Given(KeySource::JwksUri(url)),
                (true, _, _, Field::Given(path)) => Field::Given(KeySource::File(path)),
                (true, Field::Absent, Field::Absent, Field::Absent) => Field::Absent,
                _ => Field::Broken,
            };
        let keys = Self {
            source,
            cool_down: fields.get("cool_down", report, |node, report| {
                read::duration(node, Duration::from_secs(1)..=Duration::from_secs(3600), report)
            }),
            wait: fields.get("wait", report, |node, report| {
                read::duration(node, Duration::ZERO..=Duration::from_secs(5), report)
            }),
            timeout: fields.get("timeout", report, fetch_timeout),
            max_age: fields.get("max_age", report, |node, report| {
                read::duration(node, Duration::from_secs(1)..=values::YEAR, report)
            }),
        };
        fields.finish(report);
        Some(keys)
    }
}

/// How long one question to an issuer may take.
pub(super) fn fetch_timeout(node: &Node, report: &mut Report) -> Option<Spanned<Duration>> {
    read::duration(node, Duration::from_millis(100)..=Duration::from_secs(30), report)
}

/// An issuer has no query (RFC 8414 2).
fn issuer_url(node: &Node, report: &mut Report) -> Option<Spanned<String>> {
    let url = values::url(node, report)?;
    if url.value.contains('?') {
        let hint = "an issuer has no query (RFC 8414 2); write the `iss` of its tokens, byte for byte";
        report.error(Code::BadValue, url.span, "this is not an issuer").help(hint);
        return None;
    }
    Some(url)
}

fn clients(node: &Node, report: &mut Report) -> Option<Spanned<Clients>> {
    match &node.value {
        Value::Scalar(scalar) if scalar.text == "any" => Some(Spanned::new(Clients::Any, node.span)),
        Value::Scalar(_) => {
            read::wrong_type(node, "a list, or the word `any`", Some(CLIENTS.to_owned()), report)
        }
        _ => read::texts(node, report).map(|list| list.map(Clients::These)),
    }
}

fn algorithm(node: &Node, report: &mut Report) -> Option<Spanned<Algorithm>> {
    if let Value::Scalar(scalar) = &node.value
        && (scalar.text.starts_with("HS") || scalar.text.eq_ignore_ascii_case("none"))
    {
        let hint = "with a shared secret, or without a signature, whoever can check a token could make one; use `RS256`, `ES256` or `EdDSA`";
        report
            .error(Code::UnknownValue, node.span, format!("{} is never accepted", scalar.quoted()))
            .help(hint);
        return None;
    }
    let algorithms = Algorithm::ALL.map(|algorithm| (algorithm.name(), algorithm));
    read::choice(node, &algorithms, report)
}

fn discovery(node: &Node, report: &mut Report) -> Option<KeySource> {
    match &node.value {
        Value::Scalar(scalar) if scalar.text == "auto" => Some(KeySource::Auto),
        _ => values::url(node, report).map(KeySource::Discovery),
    }
}

fn tls(node: &Node, report: &mut Report) -> Option<Field<Spanned<PathBuf>>> {
    let mut fields = Fields::of(node, Section::IssuerTls, report)?;
    let file = fields.need("ca_file", "name a PEM file of root certificates", report, values::file);
    fields.finish(report);
    Some(file)
}

const CLIENTS: &str = "list the client ids that may call, `clients: [orders-app]`, or write `clients: any`";
