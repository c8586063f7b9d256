//! What an authority is made of: authorization servers, and clients with their grants.

use crate::proof::Algorithm;
use crate::token::Fingerprint;
use std::fmt;
use std::time::Duration;

/// A custom authorization server: an issuer with its own audience, scopes and signing key.
///
/// ```
/// use std::time::Duration;
/// use tollgate::authority::AuthorizationServer;
///
/// let orders = AuthorizationServer::new("default", "https://api.example.com/orders")
///     .scopes(["orders:read", "orders:write"])
///     .lifetime(Duration::from_secs(300));
/// ```
#[derive(Clone, Debug)]
pub struct AuthorizationServer {
    pub(super) id: Box<str>,
    pub(super) audience: Box<str>,
    pub(super) scopes: Vec<Box<str>>,
    pub(super) algorithm: Algorithm,
    pub(super) lifetime: Duration,
}

impl AuthorizationServer {
    /// One hour: how long a token lives where nothing else is said.
    pub const DEFAULT_LIFETIME: Duration = Duration::from_secs(3_600);

    /// A server of this id (letters, digits, `-` and `_`; it becomes part of the issuer) whose tokens are for this audience. It signs
    /// with RS256 and has no scopes yet.
    pub fn new(id: &str, audience: &str) -> Self {
        Self {
            id: id.into(),
            audience: audience.into(),
            scopes: Vec::new(),
            algorithm: Algorithm::RS256,
            lifetime: Self::DEFAULT_LIFETIME,
        }
    }

    /// Adds scopes that can be granted here.
    #[must_use]
    pub fn scopes<S: AsRef<str>>(mut self, scopes: impl IntoIterator<Item = S>) -> Self {
        self.scopes.extend(scopes.into_iter().map(|scope| scope.as_ref().into()));
        self
    }

    /// Signs with this algorithm.
    #[must_use]
    pub fn algorithm(mut self, algorithm: Algorithm) -> Self {
        self.algorithm = algorithm;
        self
    }

    /// Lets tokens live so long, in whole seconds.
    #[must_use]
    pub fn lifetime(mut self, lifetime: Duration) -> Self {
        self.lifetime = lifetime;
        self
    }
}

/// A confidential client (RFC 6749 section 2.1), known to all servers of an authority. It gets tokens only where it has a grant.
///
/// ```
/// use tollgate::authority::Client;
///
/// let shop = Client::new("shop", "a secret of the shop's").grant("default", ["orders:read"]);
/// let gateway = Client::new("gateway", "a secret of the gateway's"); // may introspect, and no more
/// ```
#[derive(Clone)]
pub struct Client {
    pub(super) id: Box<str>,
    /// Of the secret only this is kept. Two fingerprints may be compared in whatever time that takes: it tells nothing about what
    /// they were taken of.
    secret: Fingerprint,
    pub(super) grants: Vec<Grant>,
    pub(super) tokens: TokenForm,
}

/// The scopes that a client may have at one server.
#[derive(Clone, Debug)]
pub(super) struct Grant {
    pub(super) server: Box<str>,
    pub(super) scopes: Vec<Box<str>>,
}

/// What a client's tokens look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TokenForm {
    Jwt,
    Opaque,
}

impl Client {
    /// A client with this id and secret, whose tokens are JWTs. It may introspect and revoke, but is granted nothing yet.
    pub fn new(id: &str, secret: &str) -> Self {
        Self { id: id.into(), secret: Fingerprint::of(secret), grants: Vec::new(), tokens: TokenForm::Jwt }
    }

    /// Grants scopes at the server of this id.
    #[must_use]
    pub fn grant<S: AsRef<str>>(mut self, server: &str, scopes: impl IntoIterator<Item = S>) -> Self {
        let scopes = scopes.into_iter().map(|scope| scope.as_ref().into()).collect();
        self.grants.push(Grant { server: server.into(), scopes });
        self
    }

    /// Gives it opaque tokens: random texts that only introspection can tell anything about.
    #[must_use]
    pub fn opaque_tokens(mut self) -> Self {
        self.tokens = TokenForm::Opaque;
        self
    }

    pub(super) fn has_secret(&self, secret: &str) -> bool {
        self.secret == Fingerprint::of(secret)
    }

    /// The scopes that it may have at a server; `None` if it may not have tokens there.
    pub(super) fn scopes_at(&self, server: &str) -> Option<impl Fn(&str) -> bool> {
        let mut grants = self.grants.iter().filter(move |grant| *grant.server == *server).peekable();
        grants.peek()?;
        let grants: Vec<&Grant> = grants.collect();
        Some(move |scope: &str| {
            grants.iter().any(|grant| grant.scopes.iter().any(|granted| **granted == *scope))
        })
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("id", &self.id).field("grants", &self.grants).finish_non_exhaustive()
    }
}
