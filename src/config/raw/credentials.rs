//! Who we are when we ask: the ways to authenticate to an introspection endpoint, each with its own keys.

use super::super::code::Code;
use super::super::fields::{Field, Fields};
use super::super::plan::SecretSource;
use super::super::problem::Report;
use super::super::read;
use super::super::source::Spanned;
use super::values;
use crate::proof::Algorithm;
use std::path::PathBuf;

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

impl Credentials {
    /// Read the keys of every way to authenticate, then insist on those of the chosen one and refuse those of the others.
    pub(super) fn read(fields: &mut Fields<'_>, report: &mut Report) -> Field<Self> {
        let auth = fields.get("auth", report, |node, report| read::choice(node, AUTHS, report));
        let client_id = fields.get("client_id", report, read::text);
        let secret = values::secret(fields, ("client_secret", "client_secret_file"), report);
        let key_file = fields.get("signing_key_file", report, values::file);
        let algorithm = fields
            .get("signing_algorithm", report, |node, report| read::choice(node, SIGNING_ALGORITHMS, report));
        let key_id = fields.get("signing_key_id", report, read::text);
        let certificate_file = fields.get("certificate_file", report, values::file);
        let tls_key_file = fields.get("key_file", report, values::file);
        let token = values::secret(fields, ("bearer_token", "bearer_token_file"), report);
        let auth = match auth {
            Field::Given(auth) => auth.value,
            Field::Absent => Auth::Basic,
            Field::Broken => return Field::Broken,
        };
        let only_theirs = auth.refuse_strangers(fields, report);
        // Each key is demanded before the first `?`, so that every gap is told.
        let demanded = match auth {
            Auth::Bearer => auth.demand(&token, "bearer_token", fields).map(|token| Self::Bearer { token }),
            Auth::Basic | Auth::Post => {
                let client_id = auth.demand(&client_id, "client_id", fields);
                let secret = auth.demand(&secret, "client_secret", fields);
                client_id.zip(secret).map(|(id, secret)| match auth {
                    Auth::Post => Self::Post { client_id: id.value, secret },
                    _ => Self::Basic { client_id: id.value, secret },
                })
            }
            Auth::PrivateKeyJwt => {
                let client_id = auth.demand(&client_id, "client_id", fields);
                let key_file = auth.demand(&key_file, "signing_key_file", fields);
                let (algorithm, key_id) = (algorithm.value(), key_id.value());
                let jwt = |(id, key_file): (Spanned<String>, _)| Self::PrivateKeyJwt {
                    client_id: id.value,
                    key_file,
                    algorithm,
                    key_id,
                };
                client_id.zip(key_file).map(jwt)
            }
            Auth::Certificate => {
                let client_id = auth.demand(&client_id, "client_id", fields);
                let certificate_file = auth.demand(&certificate_file, "certificate_file", fields);
                let key_file = auth.demand(&tls_key_file, "key_file", fields);
                client_id.zip(certificate_file.zip(key_file)).map(|(id, (certificate_file, key_file))| {
                    Self::TlsClientAuth { client_id: id.value, certificate_file, key_file }
                })
            }
        };
        demanded.filter(|_| only_theirs).map_or(Field::Broken, Field::Given)
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Auth {
    Basic,
    Post,
    PrivateKeyJwt,
    Certificate,
    Bearer,
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
            Auth::Certificate => &["client_id", "certificate_file", "key_file"],
            Auth::Bearer => &["bearer_token", "bearer_token_file"],
        }
    }

    /// The value of a key that this method needs.
    fn demand<T: Clone>(self, field: &Field<T>, name: &'static str, fields: &mut Fields<'_>) -> Option<T> {
        if field.is_absent() {
            let has_twin = self.keys().iter().any(|key| key.strip_suffix("_file") == Some(name));
            let twin = if has_twin { format!(", or `{name}_file`") } else { String::new() };
            fields.missing(name, format!("`auth: {}` needs it{twin}", self.name()));
        }
        field.given().cloned()
    }

    /// Report the keys that belong to another method. Returns whether there was none.
    fn refuse_strangers(self, fields: &Fields<'_>, report: &mut Report) -> bool {
        let mut keys: Vec<&str> = AUTHS.iter().flat_map(|(_, other)| other.keys()).copied().collect();
        keys.sort_unstable();
        keys.dedup();
        let mut alone = true;
        for key in keys.into_iter().filter(|key| !self.keys().contains(key)) {
            if let Some(span) = fields.place(key) {
                let theirs = AUTHS.iter().filter(|(_, other)| other.keys().contains(&key));
                let theirs =
                    theirs.map(|(name, _)| format!("`auth: {name}`")).collect::<Vec<_>>().join(" or ");
                let message = format!("`{key}` means nothing with `auth: {}`", self.name());
                report
                    .error(Code::ConflictingKeys, span, message)
                    .help(format!("remove it, or write {theirs}"));
                alone = false;
            }
        }
        alone
    }
}

/// The names of OpenID Connect Core 9, RFC 8705 and, for `bearer`, RFC 7662 2.1.
const AUTHS: &[(&str, Auth)] = &[
    ("client_secret_basic", Auth::Basic),
    ("client_secret_post", Auth::Post),
    ("private_key_jwt", Auth::PrivateKeyJwt),
    ("tls_client_auth", Auth::Certificate),
    ("bearer", Auth::Bearer),
];

/// The algorithms that we sign client assertions with.
const SIGNING_ALGORITHMS: &[(&str, Algorithm)] =
    &[("RS256", Algorithm::RS256), ("ES256", Algorithm::ES256), ("EdDSA", Algorithm::EdDSA)];
