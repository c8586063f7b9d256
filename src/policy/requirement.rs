//! What a route asks of a caller, and the judgement whether it is met.

use super::{CanonicalPath, Denial, Permit, Policy, Principal, Reason, RouteIndex, Template};
use crate::proof::IssuerName;
use crate::token::{Scope, ScopeSet};
use http::Method;
use serde_json::{Number, Value};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

/// What a route asks.
#[derive(Clone, Debug, PartialEq)]
pub enum Requirement {
    /// Nothing: no token is looked at.
    Public,
    /// A token that meets these rules, all of them.
    Token(Rules),
}

/// The rules that a token must meet on a route, beside those of its issuer.
#[derive(Clone, Debug, PartialEq)]
pub struct Rules {
    /// The scopes, by method.
    pub scopes: MethodScopes,
    /// The issuers whose tokens are taken; `None` for all that are configured.
    pub issuers: Option<Box<[IssuerName]>>,
    /// The audiences, of which a token must name one, instead of its issuer's.
    pub audiences: Option<Box<[Box<str>]>>,
    /// The clients whose tokens are taken, beside what the issuer's rules say of them.
    pub clients: Option<Box<[Box<str>]>>,
    /// What must be true of the claims.
    pub claims: Vec<ClaimCondition>,
    /// The longest lifetime of a token, `exp - iat`.
    pub max_token_lifetime: Option<Duration>,
    /// The issuer that is asked about opaque tokens; `None` if their prefix tells, or if there is only one to ask.
    pub opaque_issuer: Option<IssuerName>,
}

impl Rules {
    /// Rules that ask for these scopes and for nothing else.
    pub fn new(scopes: MethodScopes) -> Self {
        Self {
            scopes,
            issuers: None,
            audiences: None,
            clients: None,
            claims: Vec::new(),
            max_token_lifetime: None,
            opaque_issuer: None,
        }
    }
}

/// The scopes that a route asks for.
#[derive(Clone, Debug, PartialEq)]
pub enum MethodScopes {
    /// The same for every method.
    Every(ScopeRule),
    /// By method. `HEAD` follows `GET`; a method that is not here is not allowed.
    PerMethod(Vec<(Method, ScopeRule)>),
}

impl MethodScopes {
    /// The rule for this method.
    pub fn get(&self, method: &Method) -> Option<&ScopeRule> {
        match self {
            Self::Every(rule) => Some(rule),
            Self::PerMethod(rules) => {
                let of =
                    |wanted: &Method| rules.iter().find(|(method, _)| method == wanted).map(|(_, rule)| rule);
                of(method).or_else(|| if method == Method::HEAD { of(&Method::GET) } else { None })
            }
        }
    }
}

/// Any of several sets of scopes, each of which must be granted as a whole.
///
/// ```
/// use tollgate::policy::{Implications, ScopeRule};
/// use tollgate::token::{Scope, ScopeSet};
///
/// let implications = Implications::new([(Scope::new("admin")?, vec![Scope::new("read")?])]);
/// let rule = ScopeRule::all(&[Scope::new("read")?], &implications);
/// assert!(rule.met_by(&ScopeSet::from_delimited("read write")));
/// assert!(rule.met_by(&ScopeSet::from_delimited("admin")));
/// assert!(!rule.met_by(&ScopeSet::from_delimited("reader")));
/// # Ok::<(), tollgate::token::InvalidScope>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct ScopeRule {
    any: Box<[Box<[RequiredScope]>]>,
}

/// A scope, and every other that implies it.
#[derive(Clone, Debug, PartialEq)]
struct RequiredScope {
    scope: Scope,
    implied_by: Box<[Scope]>,
}

impl ScopeRule {
    /// No scope: any valid token will do.
    pub fn none() -> Self {
        Self { any: Box::new([Box::new([])]) }
    }

    /// All of these scopes.
    pub fn all(scopes: &[Scope], implications: &Implications) -> Self {
        Self::any(&[scopes.to_vec()], implications)
    }

    /// Any of these sets. Of none at all, nothing can meet it.
    pub fn any(sets: &[Vec<Scope>], implications: &Implications) -> Self {
        let required =
            |scope: &Scope| RequiredScope { scope: scope.clone(), implied_by: implications.of(scope) };
        Self { any: sets.iter().map(|set| set.iter().map(required).collect()).collect() }
    }

    /// Whether what is granted suffices.
    pub fn met_by(&self, granted: &ScopeSet<'_>) -> bool {
        self.any.iter().any(|set| set.iter().all(|required| required.met_by(granted)))
    }

    /// The set that a caller with these scopes is told to ask for: the one of which the least is missing. It is named as a
    /// whole, since a new token replaces the old one.
    pub fn nearest(&self, granted: &ScopeSet<'_>) -> impl Iterator<Item = &Scope> {
        let missing =
            |set: &&[RequiredScope]| set.iter().filter(|required| !required.met_by(granted)).count();
        let sets = self.any.iter().map(|set| &**set);
        sets.min_by_key(missing).into_iter().flatten().map(|required| &required.scope)
    }

    /// Every scope that is named, without those that imply them.
    pub fn iter(&self) -> impl Iterator<Item = &Scope> {
        self.any.iter().flat_map(|set| set.iter().map(|required| &required.scope))
    }
}

impl RequiredScope {
    fn met_by(&self, granted: &ScopeSet<'_>) -> bool {
        granted.contains(self.scope.as_str())
            || self.implied_by.iter().any(|other| granted.contains(other.as_str()))
    }
}

/// Which scope implies which others: `orders:admin` implies `orders:write`, which implies `orders:read`.
#[derive(Clone, Debug, Default)]
pub struct Implications(HashMap<Scope, Vec<Scope>>);

impl Implications {
    /// A table of scopes, each with those that it implies. What those imply in turn is implied too.
    pub fn new(table: impl IntoIterator<Item = (Scope, Vec<Scope>)>) -> Self {
        Self(table.into_iter().collect())
    }

    /// A scope that implies itself, directly or through others, if there is one: most likely a mistake.
    pub fn cycle(&self) -> Option<&Scope> {
        self.0.keys().find(|scope| self.of(scope).contains(scope))
    }

    /// Every scope that implies this one, however indirectly.
    fn of(&self, scope: &Scope) -> Box<[Scope]> {
        let mut found: Vec<Scope> = Vec::new();
        let mut next = vec![scope.clone()];
        while let Some(implied) = next.pop() {
            for (implying, _) in self.0.iter().filter(|(_, all)| all.contains(&implied)) {
                if !found.contains(implying) {
                    found.push(implying.clone());
                    next.push(implying.clone());
                }
            }
        }
        found.sort();
        found.into()
    }
}

/// Something that must be true of a claim.
#[derive(Clone, Debug, PartialEq)]
pub struct ClaimCondition {
    /// The claim: its name at the top level, or a JSON pointer (RFC 6901) if it begins with `/`.
    pub claim: Box<str>,
    /// What it must be.
    pub test: ClaimTest,
}

/// What a claim must be. A claim that is absent meets none of these.
#[derive(Clone, Debug, PartialEq)]
pub enum ClaimTest {
    /// This value.
    Equals(Value),
    /// One of these values.
    OneOf(Vec<Value>),
    /// An array that has this value as an element, or this value itself.
    Contains(Value),
    /// The text that the route's capture of this name stands for, its escapes decoded: `/bills/{uid}` shows a user only their own bill.
    /// It must be the same text to who takes `%2F` for a slash, so none with a `%2F` in it is met.
    EqualsCapture(Box<str>),
}

impl ClaimCondition {
    fn met_by(&self, principal: &Principal, template: &Template, path: &CanonicalPath<'_>) -> bool {
        let Some(value) = principal.claim(&self.claim) else { return false };
        match &self.test {
            ClaimTest::Equals(wanted) => same(&value, wanted),
            ClaimTest::OneOf(wanted) => wanted.iter().any(|wanted| same(&value, wanted)),
            ClaimTest::Contains(wanted) => match &value {
                Value::Array(elements) => elements.iter().any(|element| same(element, wanted)),
                single => same(single, wanted),
            },
            ClaimTest::EqualsCapture(name) => {
                let equals = |path: &CanonicalPath<'_>| {
                    template.capture(name, path).is_some_and(|captured| match &value {
                        Value::String(text) => *text == *captured,
                        Value::Number(number) if number.is_u64() || number.is_i64() => {
                            number.to_string() == *captured
                        }
                        _ => false,
                    })
                };
                // Who takes `%2F` for a slash may find another name there, or this one elsewhere.
                let decoded = path.has_encoded_slash().then(|| path.with_slashes_decoded());
                let equals_decoded = |decoded: String| {
                    CanonicalPath::parse(decoded.as_bytes()).is_ok_and(|decoded| equals(&decoded))
                };
                equals(path) && decoded.is_none_or(equals_decoded)
            }
        }
    }
}

/// Whether two values are the same. Numbers are compared by value, `1` and `1.0` are the same; but a float that can't tell an
/// integer from its neighbours (RFC 8259 section 6) is the same as none, not even as itself.
fn same(one: &Value, other: &Value) -> bool {
    let whole = |number: &Number| number.is_u64() || number.is_i64();
    match (one, other) {
        (Value::Number(one), Value::Number(other)) if whole(one) && whole(other) => one == other,
        (Value::Number(one), Value::Number(other)) => {
            is_exact(one) && is_exact(other) && one.as_f64() == other.as_f64()
        }
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            let is_there =
                |(name, value): (&String, &Value)| other.get(name).is_some_and(|other| same(value, other));
            one.len() == other.len() && one.iter().all(is_there)
        }
        _ => one == other,
    }
}

/// Whether a number is what it was written as: an integer of 64 bits, or a float up to 2^53 - 1, where it stands for one integer alone.
pub(crate) fn is_exact(number: &Number) -> bool {
    number.is_u64() || number.is_i64() || number.as_f64().is_some_and(|value| value.abs() <= MAX_EXACT)
}

/// 2^53 - 1.
const MAX_EXACT: f64 = 9_007_199_254_740_991.0;

/// Judges whether the caller, or nobody in particular, meets what a route asks, and permits the request if so.
///
/// # Errors
/// A [`Denial`]: [`Reason::Scope`] or [`Reason::Claim`].
pub(crate) fn met_by(
    policy: &Arc<Policy>,
    route: RouteIndex,
    principal: Option<Principal>,
    method: &Method,
    path: &CanonicalPath<'_>,
) -> Result<Permit, Denial> {
    let deny = |reason| Denial::new(reason, policy).on(route);
    let there = policy.routes().get(route).ok_or_else(|| deny(Reason::NoRoute))?;
    let rules = match (&there.requirement, &principal) {
        (Requirement::Public, _) => return Ok(Permit::assertion(policy, route, None)),
        (Requirement::Token(_), None) => return Err(deny(Reason::TokenMissing)),
        (Requirement::Token(rules), Some(_)) => rules,
    };
    // The arm above leaves only requests with a principal.
    let Some(principal) = principal else { return Err(deny(Reason::TokenMissing)) };
    let Some(scopes) = rules.scopes.get(method) else { return Err(deny(Reason::MethodNotAllowed)) };
    if !scopes.met_by(&principal.scopes()) {
        let wanted: Vec<&str> = scopes.nearest(&principal.scopes()).map(Scope::as_str).collect();
        return Err(deny(Reason::Scope).wanting(&wanted.join(" ")));
    }
    if !rules.claims.iter().all(|condition| condition.met_by(&principal, &there.template, path)) {
        return Err(deny(Reason::Claim));
    }
    Ok(Permit::assertion(policy, route, Some(principal)))
}

#[cfg(test)]
mod tests;
