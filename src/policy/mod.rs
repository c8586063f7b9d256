//! What is asked of whom: routes, requirements, issuers' rules, and the answer. Immutable once compiled, and pure.
//!
//! Two types here are proofs. [`Principal`] exists only for facts that an issuer's rules admitted at an instant;
//! [`Permit`] only for a request that meets its route's requirement. A door forwards a request only with a permit in hand.

mod answer;
mod binding;
mod decision;
mod demand;
#[cfg(test)]
mod fixtures;
mod identity;
mod issuer;
mod path;
mod principal;
mod profile;
mod request;
mod requirement;
mod routes;
mod template;

pub(crate) use binding::check as bound;
#[cfg(feature = "config")]
pub(crate) use requirement::is_exact;
pub(crate) use requirement::met_by;

pub use answer::{Answer, AnswerForm};
pub use decision::{Decision, Denial, Fault, Permit, Reason};
pub use identity::{HeaderRules, IdentityHeaders, IdentitySource, InvalidIdentityHeader};
pub use issuer::{IssuerRules, JwtMode, Missing, OpaqueRules};
pub use path::{CanonicalPath, PathError};
pub use principal::Principal;
pub use profile::Profile;
pub use request::RequestHead;
pub use requirement::{ClaimCondition, ClaimTest, Implications, MethodScopes, Requirement, Rules, ScopeRule};
pub use routes::{
    Handling, HostPattern, InvalidHost, Methods, NotFound, Preflight, Route, RouteIndex, RouteTable,
    RouteTableBuilder, Tie,
};
pub use template::{InvalidTemplate, Template};

use crate::proof::IssuerName;
use std::collections::HashMap;

/// What requests are looked up in. A caller chooses what is looked for, but never what is in there, so that the quick hash
/// can't be turned against us.
pub(crate) type Map<K, V> = HashMap<K, V, foldhash::fast::RandomState>;

/// Everything that is asked of requests: what one configuration file means, compiled.
///
/// A policy never changes; a reload makes a new one.
#[derive(Debug, Default)]
pub struct Policy {
    routes: RouteTable,
    issuers: Map<IssuerName, IssuerRules>,
    /// Those that are asked about opaque tokens.
    asked: Vec<IssuerName>,
    identity: IdentityHeaders,
    realm: Option<Box<str>>,
}

impl Policy {
    /// A policy of these routes and issuers, with the default identity headers and no realm.
    pub fn new(routes: RouteTable, issuers: impl IntoIterator<Item = IssuerRules>) -> Self {
        let issuers: Map<_, _> = issuers.into_iter().map(|rules| (rules.name.clone(), rules)).collect();
        let asked =
            issuers.values().filter(|rules| rules.opaque.is_some()).map(|rules| rules.name.clone()).collect();
        Self { routes, issuers, asked, identity: IdentityHeaders::default(), realm: None }
    }

    /// The same with a realm, which challenges name (RFC 9110 section 11.5). Quotes and control characters are left out.
    #[must_use]
    pub fn with_realm(mut self, realm: &str) -> Self {
        let plain: String =
            realm.chars().filter(|c| (' '..='~').contains(c) && !matches!(c, '"' | '\\')).collect();
        self.realm = Some(plain.into());
        self
    }

    /// The same with other identity headers.
    #[must_use]
    pub fn with_identity(mut self, identity: IdentityHeaders) -> Self {
        self.identity = identity;
        self
    }

    /// The routes.
    pub fn routes(&self) -> &RouteTable {
        &self.routes
    }

    /// The rules of this issuer, if it is a configured one. Compared byte for byte.
    pub fn issuer(&self, name: &str) -> Option<&IssuerRules> {
        self.issuers.get(name)
    }

    /// The rules of all issuers, in no particular order.
    pub fn issuers(&self) -> impl Iterator<Item = &IssuerRules> {
        self.issuers.values()
    }

    /// The rules of the issuers that are asked about opaque tokens.
    pub(crate) fn opaque_issuers(&self) -> impl Iterator<Item = &IssuerRules> + Clone {
        self.asked.iter().filter_map(|name| self.issuers.get(name))
    }

    /// How identity is passed on.
    pub fn identity(&self) -> &IdentityHeaders {
        &self.identity
    }

    /// The realm that challenges name.
    pub fn realm(&self) -> Option<&str> {
        self.realm.as_deref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_knows_its_issuers_by_their_exact_names_and_who_is_asked() {
        let rules = |name: &str, opaque: bool| {
            let mut rules = IssuerRules::new(name, Profile::Generic, &[]);
            rules.opaque = opaque.then(OpaqueRules::default);
            rules
        };
        let policy =
            Policy::new(RouteTable::default(), [rules("https://a/", false), rules("https://b/", true)]);
        assert_eq!(policy.issuers().count(), 2);
        assert_eq!(policy.issuer("https://a/").map(|rules| rules.name.as_str()), Some("https://a/"));
        assert!(policy.issuer("https://a").is_none() && policy.issuer("").is_none());
        let asked: Vec<_> = policy.opaque_issuers().map(|rules| rules.name.as_str()).collect();
        assert_eq!(asked, ["https://b/"]);
        assert!(policy.routes().is_empty() && policy.realm().is_none());
    }

    #[test]
    fn a_policy_has_the_realm_and_the_identity_headers_that_it_was_given() {
        let policy =
            Policy::default().with_realm("a \"b\" \\ ~\u{7f}é").with_identity(IdentityHeaders::none());
        assert_eq!(policy.realm(), Some("a b  ~"));
        assert!(!policy.identity().rules().strips("x-auth-request-user"));
    }
}
