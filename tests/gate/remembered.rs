//! Facts are remembered; judgements are made fresh.

use crate::house::{API, AS, House, Outcome, orders, rules, scopes};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use std::sync::Arc;
use std::time::Duration;
use tollgate::gate::{IssuerSources, KeySource, Selector, StaticKeys, What};
use tollgate::policy::{
    ClaimCondition, ClaimTest, IssuerRules, Policy, Profile, Reason, Requirement, Route, RouteTable, Rules,
    Template,
};
use tollgate::proof::{Algorithm, IssuerName};
use tollgate::testing::{Issuer, ManualClock};
use tollgate::time::Clock;

const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

#[tokio::test]
async fn the_same_token_on_two_routes_is_judged_for_each() {
    let house = House::new().await;
    let token = house.token();
    assert_eq!(house.get(&token).await, Outcome::Allowed);
    assert_eq!(house.get_at("/admin", &token).await, Outcome::Refused(Reason::Scope));
    assert_eq!(house.get(&token).await, Outcome::Allowed);
    assert_eq!(house.gate.remembered().0, 1);
}

#[tokio::test]
async fn a_reload_that_tightens_a_rule_acts_on_the_next_request() {
    type Tighten = fn(&mut Rules, &mut IssuerRules);
    let cases: [(Reason, Tighten); 11] = [
        (Reason::Audience, |_, issuer| issuer.audiences = Box::new(["https://other/".into()])),
        (Reason::Audience, |route, _| route.audiences = Some(Box::new(["https://other/".into()]))),
        (Reason::Client, |_, issuer| issuer.clients = Some(Box::new(["other".into()]))),
        (Reason::Client, |route, _| route.clients = Some(Box::new(["other".into()]))),
        (Reason::IssuerNotForRoute, |route, _| {
            route.issuers = Some(Box::new([IssuerName::new("https://other/")]))
        }),
        (Reason::Scope, |route, _| route.scopes = scopes("orders:write")),
        (Reason::LifetimeTooLong, |route, _| route.max_token_lifetime = Some(secs(60))),
        (Reason::TypeNotAccess, |_, issuer| issuer.profile = Profile::Rfc9068),
        (Reason::AlgorithmNotAllowed, |_, issuer| {
            issuer.algorithms = [Algorithm::ES256].into_iter().collect()
        }),
        (Reason::IssuerUnknown, |_, issuer| issuer.name = IssuerName::new("https://other/")),
        (Reason::Claim, |route, _| {
            route.claims.push(ClaimCondition { claim: "sub".into(), test: ClaimTest::Equals("bob".into()) });
        }),
    ];
    for (expected, tighten) in cases {
        let house = House::new().await;
        let token = house.token();
        assert_eq!(house.get(&token).await, Outcome::Allowed);
        let (mut route, mut issuer) = (orders(), rules());
        tighten(&mut route, &mut issuer);
        house.reload(route, issuer);
        assert_eq!(house.get(&token).await, Outcome::Refused(expected));
        house.reload(orders(), rules());
        assert_eq!(house.get(&token).await, Outcome::Allowed, "and back again");
        assert_eq!(house.keys.fetched(), 1, "a reload that leaves the sources alone fetches nothing");
    }
}

#[tokio::test]
async fn expiry_is_judged_on_every_hit_and_leeway_lengthens_no_entry() {
    let house = House::new().await;
    let token = house.token();
    assert_eq!(house.get(&token).await, Outcome::Allowed);
    house.clock.advance(secs(3_599));
    assert_eq!(house.get(&token).await, Outcome::Allowed);
    house.clock.advance(secs(30));
    assert_eq!(house.get(&token).await, Outcome::Allowed, "within the leeway it is verified anew");
    house.clock.advance(secs(1));
    assert_eq!(house.get(&token).await, Outcome::Refused(Reason::Expired));
}

#[tokio::test]
async fn a_clock_that_jumps_is_followed_in_both_directions() {
    let house = House::new().await;
    let builder = house.issuer.token().audience(API).client("shop").scope("orders:read");
    let token = builder.claim("nbf", ManualClock::START.as_secs()).sign();
    assert_eq!(house.get(&token).await, Outcome::Allowed);
    house.clock.jump(ManualClock::START + secs(100_000));
    assert_eq!(house.get(&token).await, Outcome::Refused(Reason::Expired));
    house.clock.jump(ManualClock::START - secs(100_000));
    assert_eq!(house.get(&token).await, Outcome::Refused(Reason::NotYetValid));
    house.clock.jump(ManualClock::START);
    assert_eq!(house.get(&token).await, Outcome::Allowed);
}

#[tokio::test]
async fn a_key_that_may_no_longer_use_an_algorithm_takes_its_tokens_with_it() {
    let house = House::signing(Algorithm::RS256).await;
    let token = house.token();
    assert_eq!(house.get(&token).await, Outcome::Allowed);
    for (alg, outcome) in [
        ("RS256", Outcome::Allowed),
        ("RS512", Outcome::Refused(Reason::AlgorithmNotAllowed)),
        ("RS256", Outcome::Allowed),
    ] {
        house.issuer.describe("k1", |jwk| drop(jwk.insert("alg".into(), alg.into())));
        house.clock.advance(secs(30));
        // It names a key that nobody has, so the set is fetched again.
        let stranger = house.issuer.token().audience(API).header("kid", "k9").sign();
        house.get(&stranger).await;
        assert_eq!(house.get(&token).await, outcome, "{alg}");
    }
}

#[tokio::test]
async fn a_key_that_leaves_the_set_takes_its_tokens_along() {
    let house = House::new().await;
    let old = house.token();
    assert_eq!(house.get(&old).await, Outcome::Allowed);
    house.issuer.rotate();
    house.issuer.withdraw("k1");
    assert_eq!(house.get(&old).await, Outcome::Allowed, "nobody has looked yet");
    house.clock.advance(secs(30));
    assert_eq!(house.get(&house.token()).await, Outcome::Allowed);
    assert_eq!(house.get(&old).await, Outcome::Refused(Reason::KeyUnknown));
}

#[tokio::test]
async fn a_key_replaced_under_its_name_takes_its_tokens_along() {
    let house = House::new().await;
    let old = house.token();
    assert_eq!(house.get(&old).await, Outcome::Allowed);
    house.issuer.replace();
    let new = house.token();
    assert_eq!(
        house.get(&new).await,
        Outcome::Refused(Reason::Signature),
        "a known name is no reason to fetch"
    );
    house.clock.advance(secs(30));
    let unknown = house.issuer.token().audience(API).header("kid", "k9").sign();
    assert_eq!(house.get(&unknown).await, Outcome::Refused(Reason::KeyUnknown));
    assert_eq!(house.get(&old).await, Outcome::Refused(Reason::Signature));
    assert_eq!(house.get(&new).await, Outcome::Allowed);
}

#[tokio::test]
async fn another_spelling_of_a_remembered_token_is_another_token() {
    let house = House::new().await;
    let token = house.token();
    assert_eq!(house.get(&token).await, Outcome::Allowed);
    let mut other = token.clone();
    let last = other.pop().unwrap();
    // The last character of a 256-byte signature carries four bits that mean nothing.
    other.push(if last == 'A' { 'B' } else { char::from(last as u8 + 1) });
    assert_eq!(house.get(&other).await, Outcome::Refused(Reason::TokenMalformed));
    assert_eq!(house.get(&format!("{token}=")).await, Outcome::Refused(Reason::TokenMalformed));
}

#[tokio::test]
async fn a_revoked_token_stays_refused_until_it_expires_and_others_pass() {
    type Choose = fn(&str) -> Selector;
    let selectors: [(Choose, bool); 7] = [
        (|token| Selector::token(token), true),
        (|_| Selector::new(What::Id("token-1".into())), true),
        (|_| Selector::new(What::Subject("alice".into())), false),
        (|_| Selector::new(What::Client("shop".into())), false),
        (|_| Selector::new(What::Session("s1".into())), false),
        (|_| Selector::new(What::All).of_issuer(IssuerName::new(AS)), false),
        (|_| Selector::new(What::All), false),
    ];
    for (selector, single) in selectors {
        let house = House::new().await;
        let make = || {
            let builder =
                house.issuer.token().audience(API).client("shop").scope("orders:read").subject("alice");
            builder.claim("sid", "s1")
        };
        let (token, other) = (make().claim("jti", "token-1").sign(), make().claim("jti", "token-2").sign());
        assert_eq!(house.get(&token).await, Outcome::Allowed);
        let selector = selector(&token);
        house.clock.advance(secs(10));
        assert_eq!(house.gate.revoke(&selector, None).unwrap(), 1, "{selector:?}");
        assert_eq!(house.get(&token).await, Outcome::Refused(Reason::Revoked), "{selector:?}");
        let expected = if single { Outcome::Allowed } else { Outcome::Refused(Reason::Revoked) };
        assert_eq!(house.get(&other).await, expected, "issued before: {selector:?}");
        house.clock.advance(secs(10));
        let later = make().issued(ManualClock::START + secs(20), secs(3_600)).claim("jti", "token-3").sign();
        assert_eq!(house.get(&later).await, Outcome::Allowed, "issued afterwards: {selector:?}");
    }
}

/// The same token with its ECDSA signature written in the other way that verifies: (r, n - s).
fn in_other_words(token: &str) -> String {
    const ORDER: [u8; 32] = [
        0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa,
        0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
    ];
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let mut signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    let mut borrowed = 0;
    for (s, n) in signature[32..].iter_mut().zip(ORDER).rev() {
        let difference = 256 + i32::from(n) - i32::from(*s) - borrowed;
        borrowed = i32::from(difference < 256);
        *s = (difference & 0xff) as u8;
    }
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
}

#[tokio::test]
async fn a_revoked_token_is_revoked_in_other_words_too() {
    let house = House::signing(Algorithm::ES256).await;
    let token = house.token();
    let twin = in_other_words(&token);
    assert_ne!(token, twin);
    assert_eq!(in_other_words(&twin), token);
    let another =
        house.issuer.token().audience(API).client("shop").scope("orders:read").claim("jti", "another").sign();
    let third = house.token();
    for known in [&token, &twin, &another, &third] {
        assert_eq!(house.get(known).await, Outcome::Allowed, "the signature is as good");
    }
    assert_eq!(house.gate.revoke(&Selector::token(&token), None).unwrap(), 2);
    for revoked in [&token, &twin] {
        assert_eq!(house.get(revoked).await, Outcome::Refused(Reason::Revoked));
    }
    assert_eq!(house.get(&another).await, Outcome::Allowed);
}

#[tokio::test]
async fn a_token_of_a_clock_that_is_ahead_is_revoked_with_the_others() {
    for what in [What::Subject("alice".into()), What::Client("shop".into()), What::All] {
        let house = House::new().await;
        let make = || house.issuer.token().audience(API).client("shop").scope("orders:read").subject("alice");
        let ahead = make().issued(ManualClock::START + secs(20), secs(3_600)).sign();
        assert_eq!(house.get(&ahead).await, Outcome::Allowed, "within the leeway");
        let selector = Selector::new(what);
        assert_eq!(house.gate.revoke(&selector, None).unwrap(), 1);
        assert_eq!(house.get(&ahead).await, Outcome::Refused(Reason::Revoked), "{selector:?}");
        let later = make().issued(ManualClock::START + secs(21), secs(3_600)).sign();
        assert_eq!(house.get(&later).await, Outcome::Allowed, "{selector:?}");
    }
}

#[tokio::test]
async fn an_issuer_whose_clock_is_ahead_locks_nobody_else_out() {
    const AHEAD: &str = "https://ahead.example/";
    let house = House::new().await;
    let ahead = Issuer::new(AHEAD);
    let sources =
        [(AS, house.keys.clone() as Arc<dyn KeySource>), (AHEAD, Arc::new(StaticKeys::new(ahead.jwks())))];
    let all = sources.each_ref().map(|(name, _)| IssuerRules { name: IssuerName::new(name), ..rules() });
    let mut routes = RouteTable::builder();
    routes.add(Route::new(Template::parse("/orders/{id}").unwrap(), Requirement::Token(orders()))).unwrap();
    let policy = Policy::new(routes.build(), all);
    house.gate.replace(policy, sources.map(|(name, keys)| IssuerSources::new(name, keys)).into());
    let token = |issuer: &Issuer, issued| {
        let token = issuer.token().audience(API).client("shop").scope("orders:read").subject("alice");
        token.issued(issued, secs(3_600)).sign()
    };
    let next_year = token(&ahead, ManualClock::START + secs(31_536_000));
    assert_eq!(house.get(&next_year).await, Outcome::Refused(Reason::IssuedInFuture));
    for selector in [Selector::new(What::Subject("alice".into())), Selector::new(What::All)] {
        let old = token(&house.issuer, house.clock.now());
        assert_eq!(house.get(&old).await, Outcome::Allowed);
        let _ = house.gate.revoke(&selector, None).unwrap();
        assert_eq!(house.get(&old).await, Outcome::Refused(Reason::Revoked), "{selector:?}");
        house.clock.advance(secs(1));
        let new = token(&house.issuer, house.clock.now());
        assert_eq!(house.get(&new).await, Outcome::Allowed, "{selector:?}");
    }
    assert_eq!(house.get(&next_year).await, Outcome::Refused(Reason::Revoked), "of its own, all");
}

#[tokio::test]
async fn a_revocation_of_another_issuer_is_none_of_ours() {
    let house = House::new().await;
    let token = house.token();
    let other = Selector::new(What::Subject("alice".into())).of_issuer(IssuerName::new("https://other/"));
    assert_eq!(house.gate.revoke(&other, None).unwrap(), 0);
    assert_eq!(house.get(&token).await, Outcome::Allowed);
    assert_eq!(house.gate.revoked(), 1);
}

#[tokio::test]
async fn a_forgotten_signed_token_is_verified_anew() {
    let house = House::new().await;
    let token = house.token();
    assert_eq!(house.get(&token).await, Outcome::Allowed);
    assert_eq!(house.gate.forget(&Selector::token(&token)), 1);
    assert_eq!(house.gate.forget(&Selector::token(&token)), 0);
    assert_eq!(house.get(&token).await, Outcome::Allowed);
    assert_eq!(house.gate.forget(&Selector::new(What::All)), 1);
}

#[tokio::test]
async fn a_revocation_of_unknown_end_counts_for_a_day() {
    let house = House::new().await;
    let long = house.issuer.token().audience(API).client("shop").scope("orders:read");
    let token = long.issued(ManualClock::START, secs(100 * 3_600)).sign();
    house.gate.revoke(&Selector::token(&token), None).unwrap();
    house.clock.advance(secs(24 * 3_600));
    assert_eq!(house.get(&token).await, Outcome::Refused(Reason::Revoked));
    house.clock.advance(IssuerRules::MAX_LEEWAY);
    assert_eq!(house.get(&token).await, Outcome::Allowed, "who knows better says when it ends");
}

#[tokio::test]
async fn what_is_remembered_is_counted_and_weighed() {
    let house = House::new().await;
    assert_eq!(house.gate.remembered(), (0, 0));
    for subject in ["a", "b", "c"] {
        let token = house.issuer.token().audience(API).client("shop").scope("orders:read").subject(subject);
        assert_eq!(house.get(&token.sign()).await, Outcome::Allowed);
    }
    let (count, bytes) = house.gate.remembered();
    assert!(count == 3 && (1_000..10_000).contains(&bytes), "{count} {bytes}");
}
