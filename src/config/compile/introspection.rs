//! Introspection: how an issuer is asked about tokens, and about which.

use super::Files;
use super::issuers::Issuers;
use crate::config::code::Code;
use crate::config::plan::{ClientCredentials, IntrospectionEndpoint, KeyLocation};
use crate::config::problem::Report;
use crate::config::raw::credentials::Credentials;
use crate::config::raw::introspection::{Introspection, Missing as Lack};
use crate::config::source::Spanned;
use crate::config::urls;
use crate::gate::IntrospectionSettings;
use crate::policy::{Missing, OpaqueRules};
use crate::proof::AlgorithmSet;
use std::time::Duration;

/// How the issuer `name`, whose rules and keys are these, is asked. `ceiling` bounds how long an answer is believed.
pub(super) fn endpoint(
    name: &Spanned<String>,
    written: &Introspection,
    issuer: &Asking<'_>,
    files: &mut Files,
    report: &mut Report,
) -> Option<IntrospectionEndpoint> {
    let url = written.endpoint.given();
    if let Some(url) = url {
        urls::may_be_asked(url, issuer.insecure_http, report);
    }
    let discovers = matches!(issuer.keys, KeyLocation::Discover | KeyLocation::Metadata(_));
    if written.endpoint.is_absent() && !discovers {
        report
            .error(Code::MissingKey, name.span, "`introspection` has no `endpoint`")
            .help("without discovery, nothing else names it: write `endpoint: https://…`");
    }
    let default = IntrospectionSettings::default();
    let in_flight = written.max_in_flight.value().and_then(|number| usize::try_from(number).ok());
    let hint = Some(IntrospectionEndpoint::DEFAULT_TOKEN_TYPE_HINT.to_owned());
    Some(IntrospectionEndpoint {
        url: url.map(|url| url.value.as_str().into()),
        credentials: credentials(written.credentials.given()?, files),
        token_type_hint: written.token_type_hint.or(hint).map(Into::into),
        settings: IntrospectionSettings {
            timeout: written.timeout.or(default.timeout),
            max_in_flight: in_flight.unwrap_or(default.max_in_flight),
            max_lifetime: issuer.ceiling,
            lifetime_without_exp: written.cache_without_exp.or(default.lifetime_without_exp),
            inactive_lifetime: written.remember_inactive.or(default.inactive_lifetime),
            grace: written.grace.or(default.grace),
            algorithms: issuer.algorithms,
            signed: written.signed.or(default.signed),
        },
    })
}

/// What introspection needs to know of the rest of the file.
pub(super) struct Asking<'a> {
    pub(super) keys: &'a KeyLocation,
    pub(super) insecure_http: bool,
    pub(super) algorithms: AlgorithmSet,
    pub(super) ceiling: Option<Duration>,
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

pub(super) fn opaque(written: &Introspection) -> OpaqueRules {
    let prefixes = written.token_prefixes.given().map(|list| &list.value);
    OpaqueRules {
        min_length: written
            .min_token_length
            .value()
            .map_or(IntrospectionEndpoint::DEFAULT_MIN_TOKEN_LENGTH, |n| {
                usize::try_from(n).unwrap_or(usize::MAX)
            }),
        prefixes: prefixes.into_iter().flatten().map(|prefix| prefix.value.as_str().into()).collect(),
    }
}

pub(super) fn missing(written: &Introspection) -> Missing {
    let lacks = |lack: Lack| {
        written.accept_missing.given().is_some_and(|list| list.value.iter().any(|l| l.value == lack))
    };
    Missing { audience: lacks(Lack::Audience), client: lacks(Lack::Client) }
}

/// A prefix of one issuer's opaque tokens that begins another's.
pub(super) fn refuse_shared_prefixes(issuers: &Issuers<'_>, report: &mut Report) {
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
