//! Every judgement of [`IssuerRules::admit`], as tables: a token, or an introspection answer, and what becomes of it.
//!
//! The tokens are real ones: signed by the test issuer, and proven before they are judged.

mod kind;
mod parties;
mod shapes;
mod times;

use super::*;
use crate::policy::{MethodScopes, ScopeRule};
use crate::proof::{Algorithm, Candidates, Introspected, ProofError, read_introspection, verify};
use crate::testing::{Issuer, ManualClock, TokenBuilder};
use crate::token::UnverifiedJws;
use serde_json::{Value, json};

const ISSUER: &str = "https://as.example/oauth2/default";
const API: &str = "https://api.example/orders";

/// A minute after the tokens were issued, and an hour less a minute before they expire.
const NOW: UnixTime = UnixTime::from_millis(ManualClock::START.as_millis() + 60_000);

/// `NOW` and some seconds, as a NumericDate.
fn at(seconds: i64) -> i64 {
    i64::try_from(NOW.as_secs()).unwrap() + seconds
}

/// A token of the issuer. Ed25519 is the quickest.
fn token() -> TokenBuilder {
    Issuer::with_algorithm(ISSUER, Algorithm::EdDSA).token()
}

/// A sound access token of this kind of authorization server.
fn sound(profile: Profile) -> TokenBuilder {
    token().like(profile).audience(API)
}

fn prove(token: &TokenBuilder, name: &str) -> Result<Arc<Verified>, ProofError> {
    let keys = Issuer::with_algorithm(ISSUER, Algorithm::EdDSA).key_set();
    let signed = token.sign();
    let jws = UnverifiedJws::parse(&signed).unwrap();
    let Candidates::Keys(keys) = keys.select(Algorithm::EdDSA, jws.kid()) else { panic!("{signed}") };
    verify(&jws, Algorithm::EdDSA, &keys, &IssuerName::new(name)).map(Arc::new)
}

fn facts(token: &TokenBuilder) -> Arc<Verified> {
    prove(token, ISSUER).unwrap()
}

/// What the issuer answers when it is asked about a token: that it is active, and these members.
fn answer(members: Value) -> Arc<Verified> {
    let mut answer = members;
    answer["active"] = true.into();
    match read_introspection(answer.to_string().as_bytes(), &IssuerName::new(ISSUER), NOW) {
        Ok(Introspected::Active(facts)) => Arc::from(facts),
        other => panic!("{answer}: {other:?}"),
    }
}

/// The issuer's rules: this profile, one audience, one client. It may sign with the quickest algorithm too.
fn rules(profile: Profile) -> IssuerRules {
    let mut rules = IssuerRules::new(ISSUER, profile, &[API]);
    rules.algorithms = profile.algorithms().iter().chain([Algorithm::EdDSA]).collect();
    rules.clients = Some(Box::new(["shop".into()]));
    rules
}

/// A route that asks for nothing but a valid token.
fn route() -> Rules {
    Rules::new(MethodScopes::Every(ScopeRule::none()))
}

/// `None` if the facts are admitted; otherwise why they are not.
fn refusal(rules: &IssuerRules, facts: &Arc<Verified>, route: &Rules) -> Option<Reason> {
    rules.admit(facts.clone(), route, NOW).err()
}

fn texts(list: &[&str]) -> Option<Box<[Box<str>]>> {
    Some(list.iter().map(|text| (*text).into()).collect())
}

#[test]
fn a_sound_token_of_every_profile_is_admitted() {
    for profile in Profile::ALL {
        let principal = rules(profile).admit(facts(&sound(profile)), &route(), NOW).unwrap();
        assert_eq!(principal.subject(), Some("alice"), "{profile}");
        assert_eq!(principal.client(), Some("shop"), "{profile}");
        assert_eq!(principal.issuer().as_str(), ISSUER, "{profile}");
        assert!(principal.scopes().contains("orders:read"), "{profile}");
    }
}

#[test]
fn the_issuer_is_the_configured_one_byte_for_byte() {
    let others = [
        "https://as.example/oauth2/default/",
        "https://as.example/oauth2/defaul",
        "https://as.example/oauth2/default2",
        "https://AS.example/oauth2/default",
        "https://as.example:443/oauth2/default",
        "http://as.example/oauth2/default",
        "https://as.example/oauth2/Default",
        "https://as.example/oauth2/default ",
        "https://as.example/",
        "",
    ];
    for other in others {
        let other = facts(&sound(Profile::Generic).claim("iss", other));
        assert_eq!(
            refusal(&rules(Profile::Generic), &other, &route()),
            Some(Reason::IssuerUnknown),
            "{other:?}"
        );
    }
    let missing = facts(&sound(Profile::Generic).without("iss"));
    assert_eq!(refusal(&rules(Profile::Generic), &missing, &route()), Some(Reason::IssuerUnknown));
}

#[test]
fn another_issuer_s_key_proves_nothing_of_this_one() {
    // A token that says it is ours, proven with the key of another configured issuer.
    let theirs = prove(&sound(Profile::Generic), "https://other.example/").unwrap();
    assert_eq!(refusal(&rules(Profile::Generic), &theirs, &route()), Some(Reason::IssuerUnknown));
}

#[test]
fn the_algorithm_is_one_that_the_issuer_may_use_now() {
    for algorithm in Algorithm::ALL {
        let issuer = Issuer::with_algorithm(ISSUER, algorithm);
        let (signed, keys) = (issuer.token().audience(API).sign(), issuer.key_set());
        let jws = UnverifiedJws::parse(&signed).unwrap();
        let Candidates::Keys(keys) = keys.select(algorithm, jws.kid()) else { panic!("{signed}") };
        let facts = Arc::new(verify(&jws, algorithm, &keys, &IssuerName::new(ISSUER)).unwrap());
        for allowed in Algorithm::ALL {
            let mut rules = IssuerRules::new(ISSUER, Profile::Generic, &[API]);
            rules.algorithms = std::iter::once(allowed).collect();
            let expected = Some(Reason::AlgorithmNotAllowed).filter(|_| allowed != algorithm);
            assert_eq!(
                refusal(&rules, &facts, &route()),
                expected,
                "{algorithm}, where {allowed} is allowed"
            );
        }
    }
}

#[test]
fn a_route_may_take_some_issuers_alone() {
    let mut route = route();
    route.issuers = Some(Box::new([IssuerName::new("https://other.example/")]));
    let facts = facts(&sound(Profile::Generic));
    assert_eq!(refusal(&rules(Profile::Generic), &facts, &route), Some(Reason::IssuerNotForRoute));
    route.issuers = Some(Box::new([IssuerName::new("https://other.example/"), IssuerName::new(ISSUER)]));
    assert_eq!(refusal(&rules(Profile::Generic), &facts, &route), None);
    route.issuers = Some(Box::new([]));
    assert_eq!(refusal(&rules(Profile::Generic), &facts, &route), Some(Reason::IssuerNotForRoute));
}

#[test]
fn the_org_authorization_server_is_told_from_the_custom_ones() {
    let custom = IssuerRules::new("https://example.okta.com/oauth2/default", Profile::Okta, &[API]);
    let cases = [
        ("https://example.okta.com", true),
        ("https://example.okta.com/", false),
        ("https://example.okta.com/oauth2", false),
        ("https://example.okta.com/oauth2/default", false),
        ("https://example.okta.co", false),
        ("https://other.okta.com", false),
        ("", false),
    ];
    for (issuer, expected) in cases {
        assert_eq!(custom.is_org_server_of(issuer), expected, "{issuer}");
    }
    let generic = IssuerRules::new("https://example.okta.com/oauth2/default", Profile::Generic, &[API]);
    assert!(!generic.is_org_server_of("https://example.okta.com"), "other servers have no such thing");
}

#[test]
fn the_first_judgement_that_fails_is_the_answer() {
    // Each token has one defect less than the one before.
    let route = &{
        let mut route = route();
        route.max_token_lifetime = Some(Duration::from_secs(60));
        route
    };
    let rules = rules(Profile::Rfc9068);
    let worst = token().claim("iss", "x").claim("nonce", "n").claim("exp", at(-90)).without("jti");
    type Mend = fn(TokenBuilder) -> TokenBuilder;
    let steps: [(Mend, Option<Reason>); 9] = [
        (|token| token, Some(Reason::IssuerUnknown)),
        (|token| token.claim("iss", ISSUER), Some(Reason::TypeNotAccess)),
        (|token| token.typ("at+jwt"), Some(Reason::IdToken)),
        (|token| token.without("nonce"), Some(Reason::Expired)),
        (|token| token.claim("exp", at(60)).subject("alice").client("other"), Some(Reason::ClaimMissing)),
        (|token| token.claim("jti", "1"), Some(Reason::Audience)),
        (|token| token.audience(API), Some(Reason::Client)),
        (|token| token.client("shop"), Some(Reason::LifetimeTooLong)),
        (|token| token.claim("iat", at(0)), None),
    ];
    steps.into_iter().fold(worst, |token, (mend, expected)| {
        let token = mend(token);
        assert_eq!(refusal(&rules, &facts(&token), route), expected, "{token:?}");
        token
    });
}
