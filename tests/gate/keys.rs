//! Keys: one fetch at a time, one a cool-down, and never a wait without a bound.

use crate::house::{API, AS, House, Outcome, orders, policy, rules};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tollgate::policy::Reason;
use tollgate::proof::KeyPolicy;
use tollgate::testing::Issuer;

const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

#[tokio::test]
async fn a_new_key_costs_one_fetch_and_no_refusal() {
    let house = House::new().await;
    house.issuer.rotate();
    house.clock.advance(secs(30));
    assert_eq!(house.get(&house.token()).await, Outcome::Allowed);
    assert_eq!(house.get(&house.token()).await, Outcome::Allowed);
    assert_eq!(house.keys.fetched(), 2);
}

#[tokio::test]
async fn a_herd_with_a_new_key_costs_one_fetch() {
    let house = Arc::new(House::new().await);
    house.issuer.rotate();
    house.clock.advance(secs(30));
    let requests: Vec<_> = (0..64)
        .map(|_| {
            let house = house.clone();
            tokio::spawn(async move { house.get(&house.token()).await })
        })
        .collect();
    for request in requests {
        assert_eq!(request.await.unwrap(), Outcome::Allowed);
    }
    assert_eq!(house.keys.fetched(), 2);
}

#[tokio::test]
async fn random_key_ids_cost_one_fetch_a_cool_down() {
    let house = House::new().await;
    for n in 0..1_000 {
        let token = house.issuer.token().audience(API).header("kid", format!("random-{n}")).sign();
        assert_eq!(house.get(&token).await, Outcome::Refused(Reason::KeyUnknown));
    }
    assert_eq!(house.keys.fetched(), 1, "the first fetch has just been");
    house.clock.advance(secs(30));
    for n in 0..10 {
        let token = house.issuer.token().audience(API).header("kid", format!("more-{n}")).sign();
        assert_eq!(house.get(&token).await, Outcome::Refused(Reason::KeyUnknown));
    }
    assert_eq!(house.keys.fetched(), 2);
    assert_eq!(house.get(&house.token()).await, Outcome::Allowed);
}

#[tokio::test]
async fn what_can_never_be_valid_costs_no_fetch() {
    let house = House::new().await;
    house.clock.advance(secs(300));
    let builder = || house.issuer.token().audience(API).header("kid", "unknown");
    let cases = [
        (builder().claim("iss", "https://other/").sign(), Reason::IssuerUnknown),
        (builder().header("alg", "HS256").sign(), Reason::AlgorithmNotAllowed),
        (builder().header("alg", "none").sign(), Reason::AlgorithmNotAllowed),
        (builder().header("alg", "ES384").sign(), Reason::AlgorithmNotAllowed),
        (builder().header("crit", "x").sign(), Reason::TokenCritical),
        (builder().raw_payload("{}").sign(), Reason::IssuerUnknown),
        (builder().raw_payload("[]").sign(), Reason::ClaimsMalformed),
        (builder().claim("exp", "soon").sign(), Reason::ClaimsMalformed),
        (house.issuer.token().audience(API).tampered().sign(), Reason::Signature),
        (house.issuer.token().audience(API).header("alg", "ES256").sign(), Reason::AlgorithmNotAllowed),
    ];
    for (token, reason) in cases {
        assert_eq!(house.get(&token).await, Outcome::Refused(reason));
    }
    assert_eq!(house.keys.fetched(), 1);
}

#[tokio::test]
async fn a_signature_that_no_key_explains_may_cost_one_fetch_if_no_key_is_named() {
    let house = House::new().await;
    house.issuer.rotate();
    house.issuer.withdraw("k1");
    house.clock.advance(secs(30));
    let token =
        house.issuer.token().audience(API).client("shop").scope("orders:read").without_header("kid").sign();
    assert_eq!(house.get(&token).await, Outcome::Allowed);
    assert_eq!(house.keys.fetched(), 2);
    let forged = house.issuer.token().audience(API).without_header("kid").tampered().sign();
    assert_eq!(house.get(&forged).await, Outcome::Refused(Reason::Signature));
    assert_eq!(house.keys.fetched(), 2);
}

#[tokio::test]
async fn a_broken_answer_keeps_the_last_good_set() {
    let house = House::new().await;
    let token = house.token();
    for document in
        ["down", "", "<html>", "[]", "{}", r#"{"keys":[]}"#, r#"{"keys":[{"kty":"oct","k":"AAAA"}]}"#]
    {
        house.keys.answer(Some(document));
        house.clock.advance(secs(30));
        let fetched = house.keys.fetched();
        let unknown = house.issuer.token().audience(API).header("kid", "unknown").sign();
        assert_eq!(house.get(&unknown).await, Outcome::Refused(Reason::KeyUnknown), "{document}");
        assert_eq!(house.keys.fetched(), fetched + 1);
        assert_eq!(house.get(&token).await, Outcome::Allowed, "{document}");
    }
}

#[tokio::test]
async fn without_any_keys_it_is_503_and_recovers_by_itself() {
    let house = House::unready(|_| (), rules());
    house.keys.answer(Some("down"));
    let token = house.token();
    assert_eq!(house.get(&token).await, Outcome::Refused(Reason::KeysUnavailable));
    assert_eq!(house.get_at("/health", "whatever").await, Outcome::Allowed);
    assert!(!house.gate.ready(Duration::from_millis(20)).await);
    house.keys.answer(None);
    house.clock.advance(secs(30));
    assert!(house.gate.ready(secs(5)).await);
    assert_eq!(house.get(&token).await, Outcome::Allowed);
}

#[tokio::test]
async fn nobody_waits_longer_than_the_bound_and_a_late_set_still_counts() {
    let house = House::with(|sources| sources.wait = Duration::from_millis(50)).await;
    house.issuer.rotate();
    house.clock.advance(secs(30));
    let held = house.keys.held.write().await;
    let began = Instant::now();
    assert_eq!(house.get(&house.token()).await, Outcome::Refused(Reason::KeyUnknown));
    assert!((50..1_000).contains(&began.elapsed().as_millis()));
    drop(held);
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(house.get(&house.token()).await, Outcome::Allowed);
    assert_eq!(house.keys.fetched(), 2);
}

#[tokio::test]
async fn a_request_that_goes_away_cancels_nothing() {
    let house = Arc::new(House::new().await);
    house.issuer.rotate();
    house.clock.advance(secs(30));
    let held = house.keys.held.write().await;
    let leaving = tokio::spawn({
        let house = house.clone();
        async move { house.get(&house.token()).await }
    });
    while house.keys.fetched() < 2 {
        tokio::task::yield_now().await;
    }
    leaving.abort();
    drop(held);
    assert_eq!(house.get(&house.token()).await, Outcome::Allowed);
    assert_eq!(house.keys.fetched(), 2);
}

#[tokio::test]
async fn an_aged_set_is_fetched_again_in_the_background() {
    let millis = Duration::from_millis;
    let policy = KeyPolicy { cool_down: millis(10), max_age: Some(millis(50)) };
    let house = House::with(|sources| sources.key_policy = policy).await;
    let old = house.token();
    assert_eq!(house.get(&old).await, Outcome::Allowed);
    house.issuer.rotate();
    house.issuer.withdraw("k1");
    house.clock.advance(millis(49));
    tokio::time::sleep(millis(100)).await;
    assert_eq!(house.keys.fetched(), 1);
    assert_eq!(house.get(&old).await, Outcome::Allowed);
    house.clock.advance(millis(1));
    let fetched = async {
        while house.keys.fetched() < 2 || house.get(&old).await == Outcome::Allowed {
            tokio::time::sleep(millis(5)).await;
        }
    };
    tokio::time::timeout(secs(30), fetched).await.expect("its time has come, and nobody asks for it");
    assert_eq!(house.get(&old).await, Outcome::Refused(Reason::KeyUnknown));
    assert_eq!(house.get(&house.token()).await, Outcome::Allowed);
}

#[tokio::test]
async fn the_same_key_id_at_two_issuers_never_crosses() {
    let house = House::new().await;
    let other = Issuer::new("https://other.example/");
    other.rotate();
    let crossing = other
        .token()
        .claim("iss", house.issuer.name())
        .header("kid", "k1")
        .audience(API)
        .client("shop")
        .sign();
    assert_eq!(house.get(&crossing).await, Outcome::Refused(Reason::Signature));
}

#[tokio::test]
async fn a_reload_keeps_the_keys_of_the_same_place() {
    let house = House::new().await;
    let token = house.token();
    house.keys.answer(Some("down"));
    let mut sources = house.sources.clone();
    let ring = house.gate.key_ring(AS).unwrap();
    let same_ring = || Arc::ptr_eq(&ring, &house.gate.key_ring(AS).unwrap());
    let reload = |sources: &tollgate::gate::IssuerSources| {
        house.gate.replace(policy(orders(), rules()), vec![sources.clone()]);
    };
    reload(&sources);
    assert!(same_ring(), "nothing has changed");
    (sources.tag, sources.wait) = ("patient".into(), secs(1));
    reload(&sources);
    assert!(!same_ring());
    assert_eq!(house.get(&token).await, Outcome::Allowed);
    house.issuer.rotate();
    assert_eq!(house.get(&house.token()).await, Outcome::Refused(Reason::KeyUnknown));
    assert_eq!(house.keys.fetched(), 1, "the cool-down goes on");

    (sources.tag, sources.keys_tag) = ("moved".into(), "elsewhere".into());
    reload(&sources);
    assert_eq!(house.get(&token).await, Outcome::Refused(Reason::KeysUnavailable));
}
