//! Who is calling: facts that an issuer's rules admitted.

use crate::proof::{IssuerName, Verified};
use crate::token::{ClientClaim, ScopeSet};
use serde::de::DeserializeOwned;
use std::sync::Arc;

/// The caller, as an admitted token tells it. Cloning it is cheap.
///
/// It can be made by [`IssuerRules::admit`](super::IssuerRules::admit) alone: a value of it is proof that the token was
/// valid for a route at an instant.
///
/// ```no_run
/// # fn handler(principal: tollgate::policy::Principal) {
/// #[derive(serde::Deserialize)]
/// struct Tenant {
///     tenant: String,
/// }
/// let subject = principal.subject();
/// let tenant = principal.claims::<Tenant>().map(|claims| claims.tenant);
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Principal {
    facts: Arc<Verified>,
    client_claim: Option<ClientClaim>,
}

impl Principal {
    /// The one constructor. Whoever calls it asserts that the facts were admitted.
    pub(super) fn assertion(facts: Arc<Verified>, client_claim: Option<ClientClaim>) -> Self {
        Self { facts, client_claim }
    }

    /// Whom the token is about (`sub`).
    pub fn subject(&self) -> Option<&str> {
        self.facts.claims().subject()
    }

    /// The client that the token was issued to, by the claim that the issuer's rules name.
    pub fn client(&self) -> Option<&str> {
        self.facts.claims().client(self.client_claim?)
    }

    /// The issuer that vouches for the token.
    pub fn issuer(&self) -> &IssuerName {
        self.facts.issuer()
    }

    /// What the token allows.
    pub fn scopes(&self) -> ScopeSet<'_> {
        self.facts.claims().scopes()
    }

    /// All claims, as a type of yours.
    ///
    /// # Errors
    /// If they don't fit it.
    pub fn claims<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        self.facts.claims().deserialize()
    }

    /// One claim, by its name or, if that begins with `/`, by its JSON pointer (RFC 6901).
    pub fn claim(&self, name: &str) -> Option<serde_json::Value> {
        self.facts.claims().get(name)
    }

    /// The facts themselves.
    pub fn facts(&self) -> &Arc<Verified> {
        &self.facts
    }
}
