//! Issuers: their rules for the policy, and how they are reached.

use super::Files;
use crate::config::code::Code;
use crate::config::plan::{
    ClientCredentials, IntrospectionSettings, IssuerSettings, KeyLocation, KeySettings,
};
use crate::config::problem::Report;
use crate::config::raw::Raw;
use crate::config::raw::introspection::{Credentials, Introspection, Missing as Lack};
use crate::config::raw::issuer::{Clients, Issuer, KeySource, Keys};
use crate::config::read::Field;
use crate::config::source::{Span, Spanned};
use crate::config::urls;
use crate::policy::{IssuerRules, Missing, OpaqueRules, Profile};
use crate::proof::IssuerName;
use std::collections::HashMap;

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
    let list = table
        .iter()
        .map(|(name, raw)| Compiled { name, raw, parts: issuer(name, raw, files, report) })
        .collect();
    let issuers = Issuers { list, partial: matches!(raw.issuers, Field::Broken) };
    refuse_twins(&issuers, report);
    refuse_shared_prefixes(&issuers, report);
    issuers
}

fn issuer(
    name: &Spanned<String>,
    raw: &Issuer,
    files: &mut Files,
    report: &mut Report,
) -> Option<(IssuerRules, IssuerSettings)> {
    let insecure = raw.insecure_http.or(false);
    let profile = raw.profile.or(Profile::default());
    let url = raw.issuer.given().filter(|url| urls::may_be_asked(url, insecure, report));
    let url = url.filter(|url| is_no_org_server(url, profile, report));
    let keys = keys(&raw.keys, insecure, files, report);
    let introspection = match raw.introspection.given() {
        Some(written) => introspection(name, written, &keys.location, insecure, files, report).map(Some),
        None => (!matches!(raw.introspection, Field::Broken)).then_some(None),
    };
    let clients = clients(name, raw, report);
    let audiences: Vec<&str> = match &raw.audiences {
        Field::Absent => Vec::new(),
        Field::Broken => return None,
        Field::Given(list) => list.value.iter().map(|audience| audience.value.as_str()).collect(),
    };
    let url = url?;
    let mut rules = IssuerRules::new(&url.value, profile, &audiences);
    rules.clients = clients?;
    if let Some(algorithms) = raw.algorithms.given() {
        rules.algorithms = algorithms.value.iter().map(|algorithm| algorithm.value).collect();
    }
    if let Some(claims) = raw.client_claims.given() {
        rules.client_claims = claims.value.iter().map(|claim| claim.value).collect();
    }
    rules.leeway = raw.leeway.or(IssuerRules::DEFAULT_LEEWAY);
    if let Some(written) = raw.introspection.given() {
        rules.jwts = written.mode.or(rules.jwts);
        rules.opaque = Some(opaque(written));
        rules.missing = missing(written);
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
        Some(KeySource::File(path)) => KeyLocation::File(files.resolve(path)),
    };
    let cool_down = written.cool_down.or(KeySettings::DEFAULT_COOL_DOWN);
    if let Some(max_age) = written.max_age.given().filter(|max_age| max_age.value < cool_down) {
        let problem = report.error(Code::OutOfRange, max_age.span, "`max_age` is shorter than `cool_down`");
        problem.help("keys are never fetched more often than `cool_down` (30s by default) allows");
        if let Some(cool_down) = written.cool_down.given() {
            problem.also(cool_down.span, "the cool-down");
        }
    }
    KeySettings {
        location,
        cool_down,
        wait: written.wait.or(KeySettings::DEFAULT_WAIT),
        timeout: written.timeout.or(KeySettings::DEFAULT_TIMEOUT),
        max_age: written.max_age.value(),
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

fn introspection(
    name: &Spanned<String>,
    written: &Introspection,
    keys: &KeyLocation,
    insecure: bool,
    files: &mut Files,
    report: &mut Report,
) -> Option<IntrospectionSettings> {
    let endpoint = written.endpoint.given();
    if let Some(url) = endpoint {
        urls::may_be_asked(url, insecure, report);
    }
    let discovers = matches!(keys, KeyLocation::Discover | KeyLocation::Metadata(_));
    if written.endpoint.is_absent() && !discovers {
        report
            .error(Code::MissingKey, name.span, "`introspection` has no `endpoint`")
            .help("without discovery, nothing else names it: write `endpoint: https://…`");
    }
    let hint = Some(IntrospectionSettings::DEFAULT_TOKEN_TYPE_HINT.to_owned());
    let number = |field: &Field<Spanned<u64>>, default: usize| {
        field.value().map_or(default, |number| usize::try_from(number).unwrap_or(usize::MAX))
    };
    Some(IntrospectionSettings {
        endpoint: endpoint.map(|url| url.value.as_str().into()),
        credentials: credentials(written.credentials.given()?, files),
        token_type_hint: written.token_type_hint.or(hint).map(Into::into),
        timeout: written.timeout.or(IntrospectionSettings::DEFAULT_TIMEOUT),
        max_in_flight: number(&written.max_in_flight, IntrospectionSettings::DEFAULT_MAX_IN_FLIGHT),
        cache_without_exp: written.cache_without_exp.or(IntrospectionSettings::DEFAULT_CACHE_WITHOUT_EXP),
        remember_inactive: written.remember_inactive.or(IntrospectionSettings::DEFAULT_REMEMBER_INACTIVE),
        grace: written.grace.or(std::time::Duration::ZERO),
        signed: written.signed.or(false),
    })
}

fn credentials(written: &Credentials, files: &mut Files) -> ClientCredentials {
    let mut secret = |secret: &Spanned<_>| files.secret(secret);
    match written {
        Credentials::Basic { client_id, secret: value } => {
            ClientCredentials::Basic { client_id: client_id.as_str().into(), secret: secret(value) }
        }
        Credentials::Post { client_id, secret: value } => {
            ClientCredentials::Post { client_id: client_id.as_str().into(), secret: secret(value) }
        }
        Credentials::Bearer { token } => ClientCredentials::Bearer { token: secret(token) },
        Credentials::PrivateKeyJwt { client_id, key_file, algorithm, key_id } => {
            ClientCredentials::PrivateKeyJwt {
                client_id: client_id.as_str().into(),
                key_file: files.resolve(key_file),
                algorithm: *algorithm,
                key_id: key_id.as_deref().map(Into::into),
            }
        }
        Credentials::TlsClientAuth { client_id, certificate_file, key_file } => {
            ClientCredentials::TlsClientAuth {
                client_id: client_id.as_str().into(),
                certificate_file: files.resolve(certificate_file),
                key_file: files.resolve(key_file),
            }
        }
    }
}

fn opaque(written: &Introspection) -> OpaqueRules {
    let prefixes = written.token_prefixes.given().map(|list| &list.value);
    OpaqueRules {
        min_length: written
            .min_token_length
            .value()
            .map_or(IntrospectionSettings::DEFAULT_MIN_TOKEN_LENGTH, |n| {
                usize::try_from(n).unwrap_or(usize::MAX)
            }),
        prefixes: prefixes.into_iter().flatten().map(|prefix| prefix.value.as_str().into()).collect(),
    }
}

fn missing(written: &Introspection) -> Missing {
    let lacks = |lack: Lack| {
        written.accept_missing.given().is_some_and(|list| list.value.iter().any(|l| l.value == lack))
    };
    Missing { audience: lacks(Lack::Audience), client: lacks(Lack::Client) }
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

/// A prefix of one issuer's opaque tokens that begins another's.
fn refuse_shared_prefixes(issuers: &Issuers<'_>, report: &mut Report) {
    let mut seen: Vec<(&Spanned<String>, &str)> = Vec::new();
    for issuer in issuers.iter() {
        let written = issuer.raw.introspection.given().and_then(|written| written.token_prefixes.given());
        for prefix in written.map(|list| &list.value).into_iter().flatten() {
            let clash = |(other, owner): &&(&Spanned<String>, &str)| {
                *owner != issuer.name.value
                    && (other.value.starts_with(&prefix.value) || prefix.value.starts_with(&other.value))
            };
            if let Some((other, _)) = seen.iter().find(clash) {
                report
                    .error(
                        Code::Duplicate,
                        prefix.span,
                        "a token could have this prefix and another issuer's",
                    )
                    .also(other.span, "the other prefix")
                    .help("choose prefixes of which none begins with another");
            }
            seen.push((prefix, &issuer.name.value));
        }
    }
}
