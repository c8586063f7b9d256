//! From what is written to what is meant: names resolved, defaults applied, and what makes no sense together refused.
//!
//! Each part is compiled as far as it goes, so that one problem does not hide another. What the reading stage has reported as broken is passed over in
//! silence.

mod gateway;
mod introspection;
mod issuers;
mod overlaps;
mod requirement;
mod routes;
mod scopes;
mod shared;
mod upstreams;

use super::code::Code;
use super::fields::Field;
use super::plan::{CacheSettings, Limits, Plan, SecretSource};
use super::problem::Report;
use super::problems::Problems;
use super::raw::{Identity, Preset, Raw};
use super::source::Spanned;
use super::spelling;
use crate::policy::{IdentityHeaders, IdentitySource, InvalidIdentityHeader, Policy};
use std::path::{Path, PathBuf};

/// Compile `raw`; relative files are found from `base`. `None` if something kept the plan from being made, which `report` then tells.
pub(super) fn compile(raw: &Raw, base: &Path, files: &mut Files, report: &mut Report) -> Option<Plan> {
    files.base = base.to_owned();
    let issuers = issuers::compile(raw, files, report);
    let implications = scopes::implications(raw, report);
    let upstreams = upstreams::compile(raw, files, report);
    let gateway = gateway::compile(raw, files, report);
    let shared = shared::compile(raw, files, report);
    let identity = identity(raw, report);
    identity.iter().for_each(|headers| request_id(raw, headers, report));
    let routes = routes::compile(raw, &issuers, &implications, report);
    let cache = raw.cache.given().map_or_else(CacheSettings::default, |cache| CacheSettings {
        size: cache.size.or(CacheSettings::DEFAULT_SIZE),
        max_lifetime: cache.max_lifetime.value(),
        max_revocations: usize::try_from(
            cache.max_revocations.or(CacheSettings::DEFAULT_MAX_REVOCATIONS as u64),
        )
        .unwrap_or(CacheSettings::DEFAULT_MAX_REVOCATIONS),
        keep_revocations: cache.keep_revocations.or(CacheSettings::DEFAULT_KEEP_REVOCATIONS),
    });
    let (rules, settings): (Vec<_>, Vec<_>) = issuers.into_compiled()?.into_iter().unzip();
    let mut policy = Policy::new(routes?, rules).with_identity(identity?);
    if let Some(realm) = raw.realm.given() {
        policy = policy.with_realm(&realm.value);
    }
    Some(Plan {
        policy,
        issuers: settings,
        cache,
        shared: shared?,
        gateway: gateway?,
        upstreams: upstreams?,
        warnings: Problems::default(),
    })
}

/// The files that the configuration names.
#[derive(Default)]
pub(super) struct Files {
    base: PathBuf,
    /// Each, resolved, and where it is named.
    pub(super) named: Vec<Spanned<PathBuf>>,
}

impl Files {
    /// The path of a file, relative to the configuration's folder.
    fn resolve(&mut self, path: &Spanned<PathBuf>) -> PathBuf {
        let resolved = self.base.join(&path.value);
        self.named.push(path.clone().map(|_| resolved.clone()));
        resolved
    }

    fn secret(&mut self, secret: &Spanned<SecretSource>) -> SecretSource {
        match &secret.value {
            SecretSource::File(path) => {
                SecretSource::File(self.resolve(&secret.clone().map(|_| path.clone())))
            }
            SecretSource::Value(value) => SecretSource::Value(value.clone()),
        }
    }

    fn resolve_field(&mut self, path: &Field<Spanned<PathBuf>>) -> Option<PathBuf> {
        path.given().map(|path| self.resolve(path))
    }
}

fn identity(raw: &Raw, report: &mut Report) -> Option<IdentityHeaders> {
    let Some(written) = raw.identity.given() else { return Some(IdentityHeaders::default()) };
    let preset = match written.preset.or(Preset::XAuthRequest) {
        Preset::XAuthRequest => IdentityHeaders::x_auth_request(),
        Preset::XForwarded => IdentityHeaders::x_forwarded(),
        Preset::None => IdentityHeaders::none(),
    };
    let headers = claim_headers(written, preset, report)?;
    let names = written.allow_underscores.given().map(|list| list.value.as_slice()).unwrap_or_default();
    let allowed: Vec<&str> = names.iter().map(|name| name.value.as_str()).collect();
    let headers = headers.allowing_underscores(&allowed);
    names.iter().for_each(|name| allowed_name(name, &headers, report));
    Some(headers)
}

/// One field can't carry an identity and a request's id.
fn request_id(raw: &Raw, headers: &IdentityHeaders, report: &mut Report) {
    let limits = raw.gateway.given().and_then(|gateway| gateway.limits.given());
    let written = limits.and_then(|limits| limits.request_id_header.given());
    let identity = raw.identity.given().and_then(|identity| identity.headers.given()).into_iter().flatten();
    let default = Limits::DEFAULT_REQUEST_ID_HEADER;
    let clash = match written {
        Some(name) => Some(name).filter(|name| headers.rules().strips(&name.value)),
        None => identity.map(|(name, _)| name).find(|name| name.value.eq_ignore_ascii_case(default.as_str())),
    };
    if let Some(name) = clash {
        let message = format!("{} can't carry both an identity and the request's id", name.quoted());
        report
            .error(Code::Duplicate, name.span, message)
            .help("give the id another header: `gateway.limits.request_id_header`");
    }
}

/// A server that takes `_` for `-` must not find a length, a host, an identity or the like in it.
fn allowed_name(name: &Spanned<String>, headers: &IdentityHeaders, report: &mut Report) {
    let taken_for = name.value.to_ascii_lowercase().replace('_', "-");
    let hint = match IdentityHeaders::none().with(&taken_for, IdentitySource::Subject) {
        Ok(_) if !headers.rules().strips(&name.value) => return,
        Ok(_) => {
            "callers may not send it however it is spelled: it tells an identity or overrides the method; leave it out"
        }
        Err(InvalidIdentityHeader::Name) => "header names are letters, digits and ``!#$%&'*+-.^_`|~``",
        Err(_) => {
            "a server that takes `_` for `-` would read a header in it that HTTP gives a meaning; leave it out"
        }
    };
    report.error(Code::BadValue, name.span, format!("{} can't be allowed", name.quoted())).help(hint);
}

fn claim_headers(
    written: &Identity,
    preset: IdentityHeaders,
    report: &mut Report,
) -> Option<IdentityHeaders> {
    let mut headers = preset;
    for (name, claim) in written.headers.given().into_iter().flatten() {
        match headers.clone().with(&name.value, IdentitySource::Claim(claim.value.as_str().into())) {
            Ok(more) => headers = more,
            Err(InvalidIdentityHeader::Twice) => {
                let hint = "the preset sets it, or another header here that differs in case or `_` alone; `preset: none` sets none";
                report
                    .error(Code::Duplicate, name.span, format!("{} is set already", name.quoted()))
                    .help(hint);
                return None;
            }
            // The reading stage has refused every other name.
            Err(_) => return None,
        }
    }
    Some(headers)
}

/// Find `name` among `known`; report it if it isn't there.
fn find<'a, T>(
    name: &Spanned<String>,
    known: impl Iterator<Item = (&'a str, T)> + Clone,
    (what, place): (&str, &str),
    report: &mut Report,
) -> Option<T> {
    if let Some((_, found)) = known.clone().find(|(other, _)| *other == name.value) {
        return Some(found);
    }
    let names: Vec<&str> = known.map(|(name, _)| name).collect();
    let hint = match spelling::nearest(&name.value, names.iter().copied()) {
        Some(nearest) if !name.expanded => format!("did you mean `{nearest}`?"),
        _ if names.is_empty() => format!("define it under `{place}:`"),
        _ => {
            let all = names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
            format!("under `{place}:` there are {all}")
        }
    };
    report.error(Code::UnknownName, name.span, format!("{} is no {what}", name.quoted())).help(hint);
    None
}
