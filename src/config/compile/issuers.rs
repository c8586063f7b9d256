//! Issuers: their rules for the policy, and how they are reached.

use super::introspection::Asking;
use super::{Files, introspection};
use crate::config::code::Code;
use crate::config::fields::Field;
use crate::config::plan::{IssuerSettings, KeyLocation, KeySettings};
use crate::config::problem::Report;
use crate::config::raw::Raw;
use crate::config::raw::issuer::{Clients, Issuer, KeySource, Keys};
use crate::config::source::{Span, Spanned};
use crate::config::urls;
use crate::gate::IssuerSources;
use crate::policy::{IssuerRules, Profile};
use crate::proof::{IssuerName, KeyPolicy};
use std::collections::HashMap;
use std::time::Duration;

/// All issuers, by their names in the file.
pub(super) struct Issuers<'r> {
    list: Vec<Compiled<'r>>,
    /// Whether there may be others, which could not be read.
    pub(super) partial: bool,
}

/// One issuer, as far as it could be compiled.
pub(super) struct Compiled<'r> {
    pub(super) name: &'r Spanned<String>,
    pub(super) raw: &'r Issuer,
    /// `None` if it is broken, which was reported.
    parts: Option<(IssuerRules, IssuerSettings)>,
}

impl Compiled<'_> {
    /// The identifier.
    pub(super) fn issuer(&self) -> Option<IssuerName> {
        self.parts.as_ref().map(|(rules, _)| rules.name.clone())
    }
}

impl<'r> Issuers<'r> {
    pub(super) fn iter(&self) -> impl Iterator<Item = &Compiled<'r>> + Clone {
        self.list.iter()
    }

    /// Everything that was compiled, if all was.
    pub(super) fn into_compiled(self) -> Option<Vec<(IssuerRules, IssuerSettings)>> {
        if self.partial { None } else { self.list.into_iter().map(|issuer| issuer.parts).collect() }
    }
}

pub(super) fn compile<'r>(raw: &'r Raw, files: &mut Files, report: &mut Report) -> Issuers<'r> {
    let table = raw.issuers.given().map_or(&[][..], Vec::as_slice);
    // What is remembered, however long it lives, and so the revocation window of introspection.
    let ceiling = raw.cache.given().and_then(|cache| cache.max_lifetime.value());
    let list = table
        .iter()
        .map(|(name, raw)| Compiled { name, raw, parts: issuer(name, raw, ceiling, files, report) })
        .collect();
    let issuers = Issuers { list, partial: matches!(raw.issuers, Field::Broken) };
    refuse_twins(&issuers, report);
    introspection::refuse_shared_prefixes(&issuers, report);
    issuers
}

fn issuer(
    name: &Spanned<String>,
    raw: &Issuer,
    ceiling: Option<Duration>,
    files: &mut Files,
    report: &mut Report,
) -> Option<(IssuerRules, IssuerSettings)> {
    let insecure = raw.insecure_http.or(false);
    let profile = raw.profile.or(Profile::default());
    let url = raw.issuer.given().filter(|url| urls::may_be_asked(url, insecure, report));
    let url = url.filter(|url| is_no_org_server(url, profile, report));
    let keys = keys(&raw.keys, insecure, files, report);
    let algorithms = match raw.algorithms.given() {
        Some(list) => list.value.iter().map(|algorithm| algorithm.value).collect(),
        None => profile.algorithms(),
    };
    let asking = Asking { keys: &keys.location, insecure_http: insecure, algorithms, ceiling };
    let introspection = match &raw.introspection {
        Field::Given(written) => introspection::endpoint(name, written, &asking, files, report).map(Some),
        Field::Absent => Some(None),
        Field::Broken => None,
    };
    if keys.location == KeyLocation::None && raw.introspection.is_absent() {
        let message = "with `keys: none` and no `introspection`, no token of this issuer can be judged";
        report
            .error(Code::MissingKey, name.span, message)
            .help("add `introspection`, or say where its keys are");
    }
    let clients = clients(name, raw, report);
    let audiences: Vec<&str> = match &raw.audiences {
        Field::Absent => Vec::new(),
        Field::Broken => return None,
        Field::Given(list) => list.value.iter().map(|audience| audience.value.as_str()).collect(),
    };
    let url = url?;
    let mut rules = IssuerRules::new(&url.value, profile, &audiences);
    rules.clients = clients?;
    rules.algorithms = algorithms;
    if let Some(claims) = raw.client_claims.given() {
        rules.client_claims = claims.value.iter().map(|claim| claim.value).collect();
    }
    rules.leeway = raw.leeway.or(IssuerRules::DEFAULT_LEEWAY);
    if let Some(written) = raw.introspection.given() {
        rules.jwts = written.mode.or(rules.jwts);
        rules.opaque = Some(introspection::opaque(written));
        rules.missing = introspection::missing(written);
    }
    let settings = IssuerSettings {
        name: name.value.as_str().into(),
        issuer: rules.name.clone(),
        keys,
        introspection: introspection?,
        ca_file: files.resolve_field(&raw.ca_file),
        insecure_http: insecure,
        allow_private_addresses: raw.allow_private_addresses.or(false),
    };
    Some((rules, settings))
}

/// Okta's custom authorization servers are at `/oauth2/{id}`; the org authorization server is the bare domain.
fn is_no_org_server(url: &Spanned<String>, profile: Profile, report: &mut Report) -> bool {
    let path = urls::path(&url.value);
    let custom = path.strip_prefix("/oauth2/").is_some_and(|id| !id.is_empty());
    if profile == Profile::Okta && !custom {
        let message = "this is Okta's org authorization server, whose access tokens are for Okta alone";
        let hint = format!(
            "nobody else can validate them. Name a custom authorization server: `{}/oauth2/default`, or the issuer that Okta shows under Security > API",
            if url.expanded {
                "https://…"
            } else {
                url.value.trim_end_matches('/').trim_end_matches("/oauth2")
            }
        );
        report.error(Code::OrgIssuer, url.span, message).label("no `/oauth2/…` in it").help(hint);
        return false;
    }
    true
}

fn keys(written: &Field<Keys>, insecure: bool, files: &mut Files, report: &mut Report) -> KeySettings {
    let Some(written) = written.given() else { return KeySettings::default() };
    let location = match written.source.given() {
        None | Some(KeySource::Auto) => KeyLocation::Discover,
        Some(KeySource::Discovery(url)) => {
            urls::may_be_asked(url, insecure, report);
            KeyLocation::Metadata(url.value.as_str().into())
        }
        Some(KeySource::JwksUri(url)) => {
            urls::may_be_asked(url, insecure, report);
            KeyLocation::JwksUri(url.value.as_str().into())
        }
        Some(KeySource::None) => KeyLocation::None,
        Some(KeySource::File(path)) => KeyLocation::File(files.resolve(path)),
    };
    let cool_down = written.cool_down.or(IssuerSources::DEFAULT_COOL_DOWN);
    if let Some(max_age) = written.max_age.given().filter(|max_age| max_age.value < cool_down) {
        let problem = report.error(Code::OutOfRange, max_age.span, "`max_age` is shorter than `cool_down`");
        problem.help("keys are never fetched more often than `cool_down` (30s by default) allows");
        if let Some(cool_down) = written.cool_down.given() {
            problem.also(cool_down.span, "the cool-down");
        }
    }
    KeySettings {
        location,
        policy: KeyPolicy { cool_down, max_age: written.max_age.value() },
        wait: written.wait.or(IssuerSources::DEFAULT_WAIT),
        timeout: written.timeout.or(KeySettings::DEFAULT_TIMEOUT),
    }
}

fn clients(name: &Spanned<String>, raw: &Issuer, report: &mut Report) -> Option<Option<Box<[Box<str>]>>> {
    let written = raw.clients.given()?;
    match &written.value {
        Clients::These(list) => Some(Some(list.iter().map(|client| client.value.as_str().into()).collect())),
        Clients::Any if raw.audiences.is_absent() => {
            let hint = "list the client ids; tokens without `aud` are told apart by their client alone";
            report
                .error(
                    Code::ConflictingKeys,
                    written.span,
                    "`any` client without `audiences` would take every token of this issuer",
                )
                .also(name.span, "no `audiences` here")
                .help(hint);
            None
        }
        Clients::Any => Some(None),
    }
}

/// Two issuers of one identifier: a token could not tell which rules are its own.
fn refuse_twins(issuers: &Issuers<'_>, report: &mut Report) {
    let mut seen: HashMap<&str, Span> = HashMap::new();
    for url in issuers.iter().filter_map(|issuer| issuer.raw.issuer.given()) {
        match seen.get(url.value.as_str()) {
            Some(first) => {
                report
                    .error(Code::Duplicate, url.span, "another issuer has this identifier")
                    .also(*first, "first here")
                    .help("keep one of the two; routes can narrow `audiences` and `clients` down");
            }
            None => {
                seen.insert(&url.value, url.span);
            }
        }
    }
}
