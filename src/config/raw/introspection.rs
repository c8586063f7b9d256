//! `introspection:`: asking the issuer about opaque tokens (RFC 7662), and who we are when we ask.

use super::super::code::Code;
use super::super::node::Node;
use super::super::plan::SecretSource;
use super::super::problem::Report;
use super::super::read::{self, Field, Fields};
use super::super::source::Spanned;
use super::super::spelling::Section;
use super::{Texts, issuer, values};
use crate::policy::JwtMode;
use crate::proof::Algorithm;
use std::path::PathBuf;
use std::time::Duration;

/// How an issuer is asked about tokens.
#[derive(Debug)]
pub(crate) struct Introspection {
    pub(crate) endpoint: Field<Spanned<String>>,
    pub(crate) mode: Field<Spanned<JwtMode>>,
    pub(crate) credentials: Field<Credentials>,
    /// `None` sends no hint.
    pub(crate) token_type_hint: Field<Spanned<Option<String>>>,
    pub(crate) timeout: Field<Spanned<Duration>>,
    pub(crate) max_in_flight: Field<Spanned<u64>>,
    pub(crate) min_token_length: Field<Spanned<u64>>,
    pub(crate) token_prefixes: Field<Texts>,
    pub(crate) accept_missing: Field<Spanned<Vec<Spanned<Missing>>>>,
    pub(crate) cache_without_exp: Field<Spanned<Duration>>,
    pub(crate) remember_inactive: Field<Spanned<Duration>>,
    pub(crate) grace: Field<Spanned<Duration>>,
    pub(crate) signed: Field<Spanned<bool>>,
}

/// What an answer may lack although it is required.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Missing {
    Audience,
    Client,
}

/// Client authentication at the endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Credentials {
    Basic {
        client_id: String,
        secret: Spanned<SecretSource>,
    },
    Post {
        client_id: String,
        secret: Spanned<SecretSource>,
    },
    PrivateKeyJwt {
        client_id: String,
        key_file: Spanned<PathBuf>,
        algorithm: Option<Algorithm>,
        key_id: Option<String>,
    },
    TlsClientAuth {
        client_id: String,
        certificate_file: Spanned<PathBuf>,
        key_file: Spanned<PathBuf>,
    },
    Bearer {
        token: Spanned<SecretSource>,
    },
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Auth {
    Basic,
    Post,
    PrivateKeyJwt,
    TlsClientAuth,
    Bearer,
}

impl Introspection {
    pub(super) fn read(node: &Node, report: &mut Report) -> Option<Self> {
        let modes = [("opaque", JwtMode::Signature), ("always", JwtMode::SignatureAndIntrospection)];
        let lacks = [("audience", Missing::Audience), ("client", Missing::Client)];
        let mut fields = Fields::of(node, Section::Introspection, report)?;
        let introspection = Self {
            endpoint: fields.get("endpoint", report, values::url),
            mode: fields.get("mode", report, |node, report| read::choice(node, &modes, report)),
            credentials: credentials(&mut fields, report),
            token_type_hint: fields.get("token_type_hint", report, |node, report| {
                let hint = read::text(node, report)?;
                Some(hint.map(|hint| (hint != "none").then_some(hint)))
            }),
            timeout: fields.get("timeout", report, issuer::fetch_timeout),
            max_in_flight: fields
                .get("max_in_flight", report, |node, report| read::integer(node, 1..=10_000, report)),
            min_token_length: fields
                .get("min_token_length", report, |node, report| read::integer(node, 1..=1024, report)),
            token_prefixes: fields.get("token_prefixes", report, read::texts),
            accept_missing: fields.get("accept_missing", report, |node, report| {
                read::list(node, report, |node, report| read::choice(node, &lacks, report))
            }),
            cache_without_exp: fields.get("cache_without_exp", report, up_to_a_day),
            remember_inactive: fields.get("remember_inactive", report, up_to_a_day),
            grace: fields.get("grace", report, up_to_a_day),
            signed: fields.get("signed", report, read::boolean),
        };
        fields.finish(report);
        Some(introspection)
    }
}

fn up_to_a_day(node: &Node, report: &mut Report) -> Option<Spanned<Duration>> {
    read::duration(node, Duration::ZERO..=values::DAY, report)
}

/// Read the keys of every way to authenticate, then insist on those of the chosen one and refuse those of the others.
fn credentials(fields: &mut Fields<'_>, report: &mut Report) -> Field<Credentials> {
    let auth = fields.get("auth", report, |node, report| read::choice(node, AUTHS, report));
    let client_id = fields.get("client_id", report, read::text);
    let secret = values::secret(fields, ("client_secret", "client_secret_file"), report);
    let signing_key = fields.get("signing_key_file", report, values::file);
    let algorithm = fields
        .get("signing_algorithm", report, |node, report| read::choice(node, SIGNING_ALGORITHMS, report));
    let key_id = fields.get("signing_key_id", report, read::text);
    let certificate = fields.get("certificate_file", report, values::file);
    let tls_key = fields.get("key_file", report, values::file);
    let bearer = values::secret(fields, ("bearer_token", "bearer_token_file"), report);
    let auth = match auth {
        Field::Given(auth) => auth.value,
        Field::Absent => Auth::Basic,
        Field::Broken => return Field::Broken,
    };
    // Every key is asked for before the first `?`, so that each gap is told.
    let only_theirs = strangers(auth, fields, report);
    let client_id = |fields: &Fields<'_>, report: &mut Report| {
        demanded(&client_id, "client_id", auth, fields, report).map(|id| id.value)
    };
    let credentials = match auth {
        Auth::Bearer => {
            demanded(&bearer, "bearer_token", auth, fields, report).map(|token| Credentials::Bearer { token })
        }
        Auth::Basic | Auth::Post => {
            let id = client_id(fields, report);
            let secret = demanded(&secret, "client_secret", auth, fields, report);
            id.zip(secret).map(|(client_id, secret)| match auth {
                Auth::Post => Credentials::Post { client_id, secret },
                _ => Credentials::Basic { client_id, secret },
            })
        }
        Auth::PrivateKeyJwt => {
            let id = client_id(fields, report);
            let key = demanded(&signing_key, "signing_key_file", auth, fields, report);
            let (algorithm, key_id) = (algorithm.value(), key_id.value());
            id.zip(key).map(|(client_id, key_file)| Credentials::PrivateKeyJwt {
                client_id,
                key_file,
                algorithm,
                key_id,
            })
        }
        Auth::TlsClientAuth => {
            let id = client_id(fields, report);
            let certificate = demanded(&certificate, "certificate_file", auth, fields, report);
            let key = demanded(&tls_key, "key_file", auth, fields, report);
            id.zip(certificate.zip(key)).map(|(client_id, (certificate_file, key_file))| {
                Credentials::TlsClientAuth { client_id, certificate_file, key_file }
            })
        }
    };
    credentials.filter(|_| only_theirs).map_or(Field::Broken, Field::Given)
}

fn demanded<T: Clone>(
    field: &Field<T>,
    name: &'static str,
    auth: Auth,
    fields: &Fields<'_>,
    report: &mut Report,
) -> Option<T> {
    if field.is_absent() {
        let or_file = match auth.keys().iter().any(|key| key.strip_suffix("_file") == Some(name)) {
            true => format!(", or `{name}_file`"),
            false => String::new(),
        };
        fields.missing(name, &format!("`auth: {}` needs it{or_file}", auth.name()), report);
    }
    field.given().cloned()
}

/// Report the keys that belong to another way of authenticating. Returns whether there was none.
fn strangers(auth: Auth, fields: &Fields<'_>, report: &mut Report) -> bool {
    let mut keys: Vec<&str> = AUTHS.iter().flat_map(|(_, other)| other.keys()).copied().collect();
    keys.sort_unstable();
    keys.dedup();
    let mut alone = true;
    for key in keys.into_iter().filter(|key| !auth.keys().contains(key)) {
        if let Some(span) = fields.place(key) {
            let theirs = AUTHS.iter().filter(|(_, other)| other.keys().contains(&key));
            let theirs = theirs.map(|(name, _)| format!("`auth: {name}`")).collect::<Vec<_>>().join(" or ");
            let message = format!("`{key}` means nothing with `auth: {}`", auth.name());
            report.error(Code::ConflictingKeys, span, message).help(format!("remove it, or write {theirs}"));
            alone = false;
        }
    }
    alone
}

impl Auth {
    fn name(self) -> &'static str {
        AUTHS.iter().find(|(_, auth)| *auth == self).map_or("", |(name, _)| name)
    }

    /// The keys that have a meaning with this method.
    fn keys(self) -> &'static [&'static str] {
        match self {
            Auth::Basic | Auth::Post => &["client_id", "client_secret", "client_secret_file"],
            Auth::PrivateKeyJwt => &["client_id", "signing_key_file", "signing_algorithm", "signing_key_id"],
            Auth::TlsClientAuth => &["client_id", "certificate_file", "key_file"],
            Auth::Bearer => &["bearer_token", "bearer_token_file"],
        }
    }
}

/// The names of OpenID Connect Core 9, RFC 8705 and, for `bearer`, RFC 7662 2.1.
const AUTHS: &[(&str, Auth)] = &[
    ("client_secret_basic", Auth::Basic),
    ("client_secret_post", Auth::Post),
    ("private_key_jwt", Auth::PrivateKeyJwt),
    ("tls_client_auth", Auth::TlsClientAuth),
    ("bearer", Auth::Bearer),
];

/// The algorithms that we sign client assertions with.
const SIGNING_ALGORITHMS: &[(&str, Algorithm)] =
    &[("RS256", Algorithm::RS256), ("ES256", Algorithm::ES256), ("EdDSA", Algorithm::EdDSA)];
