//! How an issuer is reached: for its keys, and about its opaque tokens.

use crate::gate::{IntrospectionSettings, IssuerSources};
use crate::proof::{Algorithm, IssuerName, KeyPolicy};
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;
use zeroize::Zeroizing;

/// How one issuer is reached. What is asked of its tokens is in the [`Policy`](crate::policy::Policy).
#[derive(Debug, Clone)]
pub struct IssuerSettings {
    /// Its name in the configuration, which logs and metrics use.
    pub name: Box<str>,
    /// Its identifier, the `iss` of its tokens.
    pub issuer: IssuerName,
    /// Its keys.
    pub keys: KeySettings,
    /// Asking about tokens; `None` if opaque tokens are refused.
    pub introspection: Option<IntrospectionEndpoint>,
    /// A PEM file of roots to trust beside the system's.
    pub ca_file: Option<PathBuf>,
    /// Whether plain http is allowed, which is otherwise so for loopback addresses only.
    pub insecure_http: bool,
    /// Whether it may be reached at a private address (RFC 1918, RFC 4193, link-local).
    pub allow_private_addresses: bool,
}

/// Where keys come from, and how patient we are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeySettings {
    /// Where they are.
    pub location: KeyLocation,
    /// How often they are fetched: a cool-down of 1 s to 1 h, and a maximal age that is no shorter, if any.
    pub policy: KeyPolicy,
    /// How long a request may wait for the fetch that its unknown key caused: up to 5 s.
    pub wait: Duration,
    /// How long a fetch may take: 100 ms to 30 s.
    pub timeout: Duration,
}

/// Where an issuer's keys are.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum KeyLocation {
    /// Named by the metadata at either well-known place of the issuer (OpenID Connect Discovery 4, RFC 8414 section 3).
    #[default]
    Discover,
    /// Named by the metadata at this URL.
    Metadata(Box<str>),
    /// At this URL.
    JwksUri(Box<str>),
    /// In this file, a JWK set.
    File(PathBuf),
    /// Nowhere: all tokens of the issuer are opaque.
    None,
}

/// Where and how an issuer is asked about tokens (RFC 7662).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IntrospectionEndpoint {
    /// Where; `None` if the metadata says.
    pub url: Option<Box<str>>,
    /// Who we are.
    pub credentials: ClientCredentials,
    /// The `token_type_hint` to send (RFC 7662 section 2.1); `None` to send none.
    pub token_type_hint: Option<Box<str>>,
    /// How often, and how long the answers are believed.
    pub settings: IntrospectionSettings,
}

/// How we authenticate to an introspection endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClientCredentials {
    /// `client_secret_basic`: id and secret form-encoded in an `Authorization` header (RFC 6749 section 2.3.1).
    Basic {
        /// Our client id.
        client_id: Box<str>,
        /// Our secret.
        secret: SecretSource,
    },
    /// `client_secret_post`: id and secret in the body.
    Post {
        /// Our client id.
        client_id: Box<str>,
        /// Our secret.
        secret: SecretSource,
    },
    /// `private_key_jwt`: an assertion that we sign (RFC 7523).
    PrivateKeyJwt {
        /// Our client id.
        client_id: Box<str>,
        /// Our private key: PKCS#8 PEM, or a JWK.
        key_file: PathBuf,
        /// RS256, ES256 or EdDSA; `None` for the one that the key is for.
        algorithm: Option<Algorithm>,
        /// The `kid` to name in the assertion; `None` for the JWK's own, if it has one.
        key_id: Option<Box<str>>,
    },
    /// `tls_client_auth`: a client certificate (RFC 8705 section 2).
    TlsClientAuth {
        /// Our client id.
        client_id: Box<str>,
        /// PEM: our certificate and its chain.
        certificate_file: PathBuf,
        /// PEM: its private key.
        key_file: PathBuf,
    },
    /// A bearer token of our own (RFC 7662 section 2.1).
    Bearer {
        /// The token.
        token: SecretSource,
    },
}

/// A secret, or the file to read it from each time that the file changes.
#[derive(Clone, PartialEq, Eq)]
pub enum SecretSource {
    /// The secret itself; wiped from memory when dropped.
    Value(Zeroizing<String>),
    /// The file that holds it. A newline at its end is no part of it.
    File(PathBuf),
}

impl fmt::Debug for SecretSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Value(_) => f.write_str("Value(***)"),
            Self::File(path) => f.debug_tuple("File").field(path).finish(),
        }
    }
}

impl KeySettings {
    /// 5 s: a cold authorization server answers within it, and a hanging one does not hold the next attempt up.
    pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(5);
}

impl Default for KeySettings {
    fn default() -> Self {
        Self {
            location: KeyLocation::default(),
            policy: KeyPolicy { cool_down: IssuerSources::DEFAULT_COOL_DOWN, max_age: None },
            wait: IssuerSources::DEFAULT_WAIT,
            timeout: Self::DEFAULT_TIMEOUT,
        }
    }
}

impl IntrospectionEndpoint {
    /// `access_token`: it spares the issuer a search among refresh tokens.
    pub const DEFAULT_TOKEN_TYPE_HINT: &str = "access_token";
    /// 16 bytes: a shorter token could be guessed (RFC 6749 section 10.10), so no issuer hands one out.
    pub const DEFAULT_MIN_TOKEN_LENGTH: usize = 16;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_not_shown() {
        let secret = SecretSource::Value(Zeroizing::new("hunter2".to_owned()));
        assert_eq!(format!("{secret:?}"), "Value(***)");
    }
}
