//! What the tests of this room need again and again: a caller, and a policy of one route.

use super::{
    CanonicalPath, IssuerRules, MethodScopes, Policy, Principal, Profile, Requirement, Route, RouteIndex,
    RouteTable, Rules, ScopeRule, Template,
};
use crate::proof::{Introspected, IssuerName, read_introspection};
use crate::time::UnixTime;
use http::Method;
use serde_json::Value;
use std::sync::Arc;

const ISSUER: &str = "https://as.example/";

/// An admitted caller with these claims.
pub(super) fn principal(claims: Value) -> Principal {
    let mut answer = claims;
    answer["active"] = true.into();
    spelled(&answer.to_string())
}

/// The same, of the very text of an answer.
pub(super) fn spelled(answer: &str) -> Principal {
    let now = UnixTime::from_secs(1_767_225_600);
    let Ok(Introspected::Active(facts)) =
        read_introspection(answer.as_bytes(), &IssuerName::new(ISSUER), now)
    else {
        panic!("{answer}")
    };
    let mut rules = IssuerRules::new(ISSUER, Profile::Generic, &[]);
    rules.missing.audience = true;
    rules.admit(Arc::from(facts), &any_token(), now).unwrap()
}

/// Rules that any valid token meets.
pub(super) fn any_token() -> Rules {
    Rules::new(MethodScopes::Every(ScopeRule::none()))
}

/// A policy with one route, and that route's place.
pub(super) fn policy(template: &str, requirement: Requirement) -> (Arc<Policy>, RouteIndex) {
    let mut routes = RouteTable::builder();
    let index = routes.add(Route::new(Template::parse(template).unwrap(), requirement)).unwrap();
    (Arc::new(Policy::new(routes.build(), [])), index)
}

/// The permit that the caller gets on a route of its own.
pub(super) fn permit(principal: Option<Principal>) -> super::Permit {
    let requirement = match &principal {
        Some(_) => Requirement::Token(any_token()),
        None => Requirement::Public,
    };
    let (policy, index) = policy("/a", requirement);
    let path = CanonicalPath::parse(b"/a").unwrap();
    super::met_by(&policy, index, principal, &Method::GET, &path).unwrap()
}
