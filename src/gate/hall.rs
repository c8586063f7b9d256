//! One request's walk through the hall, step by step.

use super::desk::{Outcome, Question};
use super::errand::{Errand, Progress, Task};
use super::facts::Remembered;
use super::observe::{Event, Lookup};
use super::{Gate, LiveIssuer, State, Verdict};
use crate::policy::{
    CanonicalPath, Decision, Denial, IssuerRules, JwtMode, NotFound, PathError, Permit, Preflight, Principal,
    Reason, RequestHead, Requirement, Route, RouteIndex, Rules, bound, met_by,
};
use crate::proof::{Algorithm, Candidates, ProofError, Provenance, Verified, verify};
use crate::time::UnixTime;
use crate::token::{
    Claims, Credential, CredentialError, Fingerprint, JwsError, Presented, Scheme, Shape, UnverifiedJws,
};
use std::sync::Arc;
use std::time::Duration;
use zeroize::Zeroizing;

/// The hall, as one request finds it: the gate, and the snapshot in force.
pub(super) struct Hall<'a> {
    pub(super) gate: &'a Gate,
    pub(super) state: &'a State,
}

/// Facts that a token has, or why they can't be had here and now.
enum Facts {
    Known { facts: Arc<Verified>, degraded: bool },
    Errand(Errand),
    None(Denial),
}

impl Hall<'_> {
    /// 1. The path: one canonical form, or 400.
    /// 2. The route: the most specific, or 404, or 405.
    /// 3. A public route, or a preflight that the route forwards, needs no more.
    /// 4. The credential: exactly one bearer token.
    /// 5. Its facts: remembered, or proven, or asked for.
    /// 6. The issuer's rules: issuer, kind, times, audience, client.
    /// 7. The binding.
    /// 8. What the route asks: scopes and claims.
    pub(super) fn walk(&self, head: &RequestHead<'_>, progress: Progress) -> Verdict {
        match self.enter(head) {
            Err(denial) => Verdict::Decided(Decision::Deny(denial)),
            Ok(Entered::Permitted(permit)) => Verdict::Decided(Decision::Allow(permit)),
            Ok(Entered::Asked(visit)) => match self.facts(&visit, progress) {
                Facts::Errand(errand) => Verdict::Errand(errand),
                Facts::None(denial) => Verdict::Decided(Decision::Deny(denial)),
                Facts::Known { facts, degraded } => Verdict::Decided(match self.judge(head, &visit, facts) {
                    Ok(permit) if degraded => Decision::Allow(permit.mark_degraded()),
                    Ok(permit) => Decision::Allow(permit),
                    Err(denial) => Decision::Deny(denial),
                }),
            },
        }
    }

    fn enter<'h>(&'h self, head: &'h RequestHead<'_>) -> Result<Entered<'h>, Denial> {
        let path = CanonicalPath::parse(head.target).map_err(|error| self.deny_path(error))?;
        let index = match self.find(head, &path)? {
            Found::Route(index) => index,
            Found::Preflight(index) => {
                return Ok(Entered::Permitted(Permit::preflight(&self.state.policy, index)));
            }
        };
        let deny = |reason| self.deny(reason).on(index);
        let route = self.state.policy.routes().get(index).ok_or_else(|| self.deny(Reason::NoRoute))?;
        let Requirement::Token(rules) = &route.requirement else {
            return met_by(&self.state.policy, index, None, head.method, &path).map(Entered::Permitted);
        };
        let unusable = |error| deny(credential_reason(error));
        let presented = Presented::from_headers(head.headers).map_err(unusable)?;
        let presented = presented.ok_or_else(|| deny(Reason::TokenMissing))?;
        let (credential, fingerprint) = self.gate.fingerprints.of(presented).map_err(unusable)?;
        if credential.scheme() == Scheme::Dpop {
            return Err(deny(Reason::SchemeUnsupported));
        }
        Ok(Entered::Asked(Visit { path, index, rules, credential, fingerprint, now: self.gate.clock.now() }))
    }

    fn find(&self, head: &RequestHead<'_>, path: &CanonicalPath<'_>) -> Result<Found, Denial> {
        let routes = self.state.policy.routes();
        let found = routes.find(head.authority, head.method, path);
        let forwards = |route: &Route| route.preflight == Preflight::Forward;
        if let Some(asked) = head.preflight() {
            // A route that lists OPTIONS judges it like any other method.
            let listed =
                found.as_ref().is_ok_and(|index| routes.get(*index).is_some_and(Route::lists_options));
            if !listed && let Ok(index) = routes.find(head.authority, &asked, path) {
                match routes.get(index) {
                    Some(route) if forwards(route) => return Ok(Found::Preflight(index)),
                    // It is a request like others, which asks for no more than may be had.
                    Some(Route { requirement: Requirement::Public, .. }) => {}
                    _ => return Err(self.deny(Reason::TokenMissing).on(index)),
                }
            }
        }
        found.map(Found::Route).map_err(|error| match error {
            NotFound::Unmatched => self.deny(Reason::NoRoute),
            NotFound::Method(methods) => self.deny(Reason::MethodNotAllowed).allowing(methods),
            NotFound::Path(error) => self.deny_path(error),
        })
    }

    /// The facts of the token: from memory, else by its signature or its issuer's word.
    fn facts(&self, visit: &Visit<'_>, progress: Progress) -> Facts {
        let key = visit.fingerprint;
        if Shape::may_be_jws(visit.credential.bytes())
            && let Some(facts) = self.remembered(&key, visit.now)
        {
            return Facts::Known { facts, degraded: false };
        }
        let token = visit.credential.token();
        // What is a sound JWS has the shape of one; only of other tokens does the shape say more.
        match UnverifiedJws::parse(token) {
            Ok(jws) => self.signed(visit, &jws, key, progress),
            Err(error) => match Shape::of(token) {
                Shape::Jws => self.refuse(visit, jws_reason(error)),
                Shape::Jwe => self.refuse(visit, Reason::TokenEncrypted),
                Shape::Opaque => self.opaque(visit, progress),
            },
        }
    }

    /// Facts from memory. A signature counts only while the key that made it is in its issuer's key set.
    fn remembered(&self, key: &Fingerprint, now: UnixTime) -> Option<Arc<Verified>> {
        let found = self.gate.memory.facts.get(key, now);
        let lookup = match &found {
            None => Lookup::Miss,
            Some(facts) if self.still_vouched_for(facts) => Lookup::Hit,
            Some(_) => {
                self.gate.memory.facts.forget(key);
                Lookup::KeyWithdrawn
            }
        };
        self.gate.observer.event(&Event::Lookup(lookup));
        found.filter(|_| lookup == Lookup::Hit)
    }

    /// Whether facts are still proven in the way that is asked for now.
    fn still_vouched_for(&self, facts: &Verified) -> bool {
        let Some(live) = self.state.issuers.get(facts.issuer()) else { return false };
        match facts.provenance() {
            Provenance::Introspected { .. } => live.desk.is_some(),
            Provenance::Signed { key, algorithm, confirmed, .. } => {
                let known = |ring: &Arc<super::KeyRing>| {
                    ring.with_keys(|set| set.is_some_and(|set| set.vouches(*key, *algorithm)))
                };
                let rules = self.state.policy.issuer(facts.issuer().as_str());
                let enough = |rules: &IssuerRules| rules.jwts == JwtMode::Signature || confirmed.is_some();
                live.ring.as_ref().is_some_and(known) && rules.is_some_and(enough)
            }
        }
    }

    /// A signed token that is not remembered: RFC 7515 section 5.2.
    fn signed(
        &self,
        visit: &Visit<'_>,
        jws: &UnverifiedJws<'_>,
        key: Fingerprint,
        mut progress: Progress,
    ) -> Facts {
        let prepared = || -> Result<_, Reason> {
            let issuer = Claims::peek_issuer(jws.payload()).map_err(|_| Reason::ClaimsMalformed)?;
            let issuer = issuer.ok_or(Reason::IssuerUnknown)?;
            let rules = self.state.policy.issuer(&issuer).ok_or_else(|| self.unknown_issuer(&issuer))?;
            let live = self.state.issuers.get(&rules.name).ok_or(Reason::IssuerUnknown)?;
            let algorithm = Algorithm::from_name(jws.alg()).filter(|named| rules.algorithms.contains(*named));
            Ok((algorithm.ok_or(Reason::AlgorithmNotAllowed)?, rules, live))
        };
        let (algorithm, rules, live) = match prepared() {
            Ok(prepared) => prepared,
            Err(reason) => return self.refuse(visit, reason),
        };
        let Some(ring) = &live.ring else { return self.refuse(visit, Reason::KeyUnknown) };
        if !progress.waited
            && let Some(turns) = &self.gate.turns
            && turns.are_due(self.gate.clock.elapsed())
        {
            return Facts::Errand(Errand { task: Task::Turn(turns.clone()), progress });
        }
        let turn = progress.turn.take();
        let proof = ring.with_keys(|set| {
            let Some(set) = set else { return Err(Unproven::NoKeys) };
            match set.select(algorithm, jws.kid()) {
                Candidates::Unknown => Err(Unproven::UnknownKey),
                Candidates::Misfit => Err(Unproven::Refused(Reason::AlgorithmNotAllowed)),
                Candidates::Keys(keys) => {
                    verify(jws, algorithm, &keys, &rules.name).map_err(|error| match error {
                        // A key that the set lacks may explain a signature that names no key.
                        ProofError::Signature if !keys.named() => Unproven::Unexplained,
                        ProofError::Signature => Unproven::Refused(Reason::Signature),
                        ProofError::Claims(_) => Unproven::Refused(Reason::ClaimsMalformed),
                    })
                }
            }
        });
        drop(turn);
        match proof {
            Ok(facts) => self.proven(visit, key, rules, live, Arc::new(facts), progress),
            Err(Unproven::Refused(reason)) => self.refuse(visit, reason),
            // What could never be valid is not worth a fetch. Elsewhere, the claims are read behind the signature.
            Err(_) if Claims::parse(jws.payload()).is_err() => self.refuse(visit, Reason::ClaimsMalformed),
            Err(unproven) if progress.keys => self.without_key(visit, ring, unproven),
            Err(_) => {
                Facts::Errand(Errand { task: Task::Keys { ring: ring.clone(), wait: live.wait }, progress })
            }
        }
    }

    /// A token whose key is not known, after the key set was asked for.
    fn without_key(&self, visit: &Visit<'_>, ring: &super::KeyRing, unproven: Unproven) -> Facts {
        let reason = match unproven {
            Unproven::Unexplained => Reason::Signature,
            _ => Reason::KeyUnknown,
        };
        if ring.is_ready() {
            return self.refuse(visit, reason);
        }
        self.unavailable(visit, Reason::KeysUnavailable, ring.until_next_attempt())
    }

    fn proven(
        &self,
        visit: &Visit<'_>,
        key: Fingerprint,
        rules: &IssuerRules,
        live: &LiveIssuer,
        facts: Arc<Verified>,
        progress: Progress,
    ) -> Facts {
        if rules.jwts == JwtMode::SignatureAndIntrospection {
            // What it is refused for anyway is not the issuer's to say.
            return match self.admit(visit, facts.clone()) {
                Ok(_) => self.asked(visit, key, live, Some(facts), progress),
                Err(reason) => self.refuse(visit, reason),
            };
        }
        let now = visit.now;
        let expires = facts.claims().expires().unwrap_or(now);
        let until = self.gate.max_lifetime.map_or(expires, |ceiling| expires.min(now + ceiling));
        let entry = Remembered { facts: facts.clone(), until, grace_until: until };
        self.gate.memory.facts.remember(key, entry, now);
        Facts::Known { facts, degraded: false }
    }

    /// An opaque token: its issuer's word, remembered or asked for.
    fn opaque(&self, visit: &Visit<'_>, progress: Progress) -> Facts {
        let token = visit.credential.token();
        let (rules, live) = match self.issuer_to_ask(visit.rules, token) {
            Ok(found) => found,
            Err(reason) => return self.refuse(visit, reason),
        };
        if rules.opaque.as_ref().is_some_and(|opaque| token.len() < opaque.min_length) {
            return self.refuse(visit, Reason::TokenMalformed);
        }
        let key = visit.fingerprint.at_issuer(rules.name.as_str());
        if let Some(facts) = self.remembered(&key, visit.now) {
            return Facts::Known { facts, degraded: false };
        }
        self.asked(visit, key, live, None, progress)
    }

    /// The issuer that is asked about an opaque token: the one whose prefix it has, else the one that the route names, else
    /// the only one without prefixes that the route takes. A token with the prefix of an issuer that the route does not take is
    /// nobody else's.
    fn issuer_to_ask(&self, rules: &Rules, token: &str) -> Result<(&IssuerRules, &LiveIssuer), Reason> {
        let taken =
            |issuer: &IssuerRules| rules.issuers.as_ref().is_none_or(|names| names.contains(&issuer.name));
        let has_prefix = |issuer: &&IssuerRules| {
            issuer
                .opaque
                .as_ref()
                .is_some_and(|opaque| opaque.prefixes.iter().any(|prefix| token.starts_with(&**prefix)))
        };
        let named = || self.state.policy.issuer(rules.opaque_issuer.as_ref()?.as_str());
        let has_none =
            |issuer: &&IssuerRules| issuer.opaque.as_ref().is_none_or(|opaque| opaque.prefixes.is_empty());
        let only = || {
            let others = self.state.policy.opaque_issuers().filter(has_none);
            let mut asked = others.filter(|issuer| taken(issuer));
            asked.next().filter(|_| asked.next().is_none())
        };
        let found = match self.state.policy.opaque_issuers().find(has_prefix) {
            Some(issuer) if !taken(issuer) => return Err(Reason::IssuerNotForRoute),
            Some(issuer) => issuer,
            None => named().or_else(only).ok_or(Reason::OpaqueNotTaken)?,
        };
        self.state.issuers.get(&found.name).map(|live| (found, &**live)).ok_or(Reason::OpaqueNotTaken)
    }

    fn asked(
        &self,
        visit: &Visit<'_>,
        key: Fingerprint,
        live: &LiveIssuer,
        signed: Option<Arc<Verified>>,
        progress: Progress,
    ) -> Facts {
        let Some(desk) = &live.desk else { return self.refuse(visit, Reason::OpaqueNotTaken) };
        // What another desk has heard, before a reload, is not this one's word.
        let outcome = progress.introspection.as_ref().filter(|(asked, _)| Arc::ptr_eq(asked, desk));
        match outcome.map(|(_, outcome)| outcome.clone()) {
            None if self.gate.memory.facts.is_inactive(&key, visit.now) => {
                self.refuse(visit, Reason::Inactive)
            }
            None => {
                let token = Zeroizing::new(visit.credential.token().to_owned());
                let question = Question { key, token, signed };
                Facts::Errand(Errand { task: Task::Introspection { desk: desk.clone(), question }, progress })
            }
            Some(Outcome::Active(facts)) => Facts::Known { facts, degraded: false },
            Some(Outcome::Inactive) => self.refuse(visit, Reason::Inactive),
            Some(Outcome::Failed(pause)) => match self.gate.memory.facts.get_in_outage(&key, visit.now) {
                Some(facts) if self.still_vouched_for(&facts) => Facts::Known { facts, degraded: true },
                _ => self.unavailable(visit, Reason::IntrospectionUnavailable, pause),
            },
            Some(Outcome::Busy) => {
                self.unavailable(visit, Reason::IntrospectionUnavailable, Duration::from_secs(1))
            }
        }
    }

    /// Whose token it is, if the route takes it.
    fn admit(&self, visit: &Visit<'_>, facts: Arc<Verified>) -> Result<Principal, Reason> {
        let rules = self.state.policy.issuer(facts.issuer().as_str()).ok_or(Reason::IssuerUnknown)?;
        if self.gate.revocations.cover(&visit.fingerprint, &facts, visit.now) {
            return Err(Reason::Revoked);
        }
        rules.admit(facts, visit.rules, visit.now)
    }

    /// Judges the facts for this very request, under the policy in force and at this instant.
    fn judge(
        &self,
        head: &RequestHead<'_>,
        visit: &Visit<'_>,
        facts: Arc<Verified>,
    ) -> Result<Permit, Denial> {
        let deny = |reason| self.deny_token(visit, reason);
        let principal = self.admit(visit, facts).map_err(deny)?;
        bound(&principal, visit.credential.scheme(), head).map_err(deny)?;
        met_by(&self.state.policy, visit.index, Some(principal), head.method, &visit.path)
            .map(|permit| permit.about(visit.fingerprint))
            .map_err(|denial| denial.about(visit.fingerprint))
    }

    fn unknown_issuer(&self, issuer: &str) -> Reason {
        let org = self.state.policy.issuers().any(|rules| rules.is_org_server_of(issuer));
        if org { Reason::OrgAuthorizationServer } else { Reason::IssuerUnknown }
    }

    fn unavailable(&self, visit: &Visit<'_>, reason: Reason, pause: Duration) -> Facts {
        Facts::None(self.deny_token(visit, reason).retry_after(pause))
    }

    fn refuse(&self, visit: &Visit<'_>, reason: Reason) -> Facts {
        Facts::None(self.deny_token(visit, reason))
    }

    fn deny_token(&self, visit: &Visit<'_>, reason: Reason) -> Denial {
        self.deny(reason).on(visit.index).about(visit.fingerprint)
    }

    fn deny_path(&self, error: PathError) -> Denial {
        self.deny(path_reason(error)).because(error)
    }

    fn deny(&self, reason: Reason) -> Denial {
        Denial::new(reason, &self.state.policy)
    }
}

/// A request that has found its route.
enum Entered<'h> {
    /// Nothing more is asked.
    Permitted(Permit),
    /// A token is asked, and one came.
    Asked(Visit<'h>),
}

enum Found {
    Route(RouteIndex),
    Preflight(RouteIndex),
}

/// A request with a token, on a route that asks for one, at an instant.
struct Visit<'h> {
    path: CanonicalPath<'h>,
    index: RouteIndex,
    rules: &'h Rules,
    credential: Credential<'h>,
    fingerprint: Fingerprint,
    now: UnixTime,
}

/// Why a signature is not proven yet.
enum Unproven {
    /// The issuer's keys were never loaded.
    NoKeys,
    /// No key of this name, or for this algorithm.
    UnknownKey,
    /// A token without `kid`, whose signature no key explains.
    Unexplained,
    /// It never will be.
    Refused(Reason),
}

fn path_reason(error: PathError) -> Reason {
    match error {
        PathError::TooLong => Reason::TargetTooLong,
        PathError::TokenInQuery => Reason::TokenInQuery,
        _ => Reason::PathAmbiguous,
    }
}

fn credential_reason(error: CredentialError) -> Reason {
    match error {
        CredentialError::Repeated => Reason::AuthorizationRepeated,
        CredentialError::OtherScheme => Reason::SchemeUnsupported,
        CredentialError::Malformed => Reason::AuthorizationMalformed,
        CredentialError::TooLong => Reason::TokenTooLong,
    }
}

fn jws_reason(error: JwsError) -> Reason {
    match error {
        JwsError::Jwe => Reason::TokenEncrypted,
        JwsError::Critical => Reason::TokenCritical,
        JwsError::Parts | JwsError::Base64 | JwsError::Header | JwsError::Kid | JwsError::Signature => {
            Reason::TokenMalformed
        }
    }
}
