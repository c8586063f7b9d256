//! Floods and herds: what they cost the issuer.

use crate::house::{COOL_DOWN, House, LONG, Patience, SHORT, get};
use std::sync::Arc;
use std::time::Duration;
use tollgate::gate::{Gate, IntrospectionSettings};
use tollgate::testing::{Behaviour, Resource};

/// The answers to all these tokens, presented at once, and the longest wait.
async fn at_once(gate: &Arc<Gate>, tokens: Vec<String>) -> (Vec<String>, Duration) {
    let requests: Vec<_> = tokens
        .into_iter()
        .map(|token| {
            let gate = gate.clone();
            tokio::spawn(async move { get(&gate, &token).await })
        })
        .collect();
    let (mut told, mut longest) = (Vec::new(), Duration::ZERO);
    for request in requests {
        let (answer, took) = request.await.unwrap();
        told.push(answer);
        longest = longest.max(took);
    }
    (told, longest)
}

/// A token whose `kid` nobody has: it needs no sound signature to be looked up.
fn forged(house: &House, kid: usize) -> String {
    house.token().header("kid", format!("random-{kid}-{}", kid * 7_919)).signature(&[7; 64]).sign()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_random_kids_cost_one_fetch_a_cool_down() {
    let house = House::new(SHORT).await;
    let gate = house.ready(IntrospectionSettings::default()).await;
    let known = house.token().sign();
    assert_eq!(get(&gate, &known).await.0, "200");
    // The one that hangs comes last: its fetch would still be under way in the next turn, which would join it.
    let behaviours =
        [Behaviour::Normal, Behaviour::Status(500), Behaviour::Empty, Behaviour::Reset, Behaviour::Hang];
    for (turn, behaviour) in behaviours.into_iter().enumerate() {
        house.clock.advance(COOL_DOWN);
        house.server.script_all(&behaviour);
        let before = house.server.requests(Resource::Jwks);
        let tokens = (0..2_000).map(|n| forged(&house, turn * 2_000 + n)).collect();
        let (told, _) = at_once(&gate, tokens).await;
        assert!(told.iter().all(|told| told == "401 key_unknown"), "{behaviour}");
        assert_eq!(house.server.requests(Resource::Jwks) - before, 1, "{behaviour}");
        let (told, took) = get(&gate, &known).await;
        assert_eq!(told, "200");
        assert!(took < Duration::from_secs(2), "who is known waits for nobody: {took:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_requests_with_one_new_opaque_token_ask_once() {
    let house = House::new(LONG).await;
    let gate = house.ready(IntrospectionSettings::default()).await;
    house.server.script(Resource::Introspection, Behaviour::Slow(Duration::from_millis(100)));
    let opaque = house.opaque();
    let (told, _) = at_once(&gate, vec![opaque; 1_000]).await;
    assert!(told.iter().all(|told| told == "200"));
    assert_eq!(house.server.requests(Resource::Introspection), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_herd_in_a_cold_start_costs_one_fetch_and_all_are_answered() {
    let house = House::new(LONG).await;
    house.server.script(Resource::Jwks, Behaviour::Slow(Duration::from_millis(50)));
    let tokens: Vec<_> = (0..64).map(|_| house.token().sign()).collect();
    let gate = house.open(IntrospectionSettings::default());
    let (told, _) = at_once(&gate, tokens).await;
    assert!(told.iter().all(|told| told == "200"), "{told:?}");
    assert_eq!(house.server.requests(Resource::Jwks), 1);
    assert_eq!(house.server.requests(Resource::OpenIdConfiguration), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_hanging_questions_hold_up_no_signed_token() {
    let house = House::new(Patience { timeout: Duration::from_secs(3), ..LONG }).await;
    let gate = house.ready(IntrospectionSettings::default()).await;
    house.server.script(Resource::Introspection, Behaviour::Hang);
    let hanging = {
        let (gate, tokens) = (gate.clone(), (0..100).map(|n| format!("hanging-token-{n}")).collect());
        tokio::spawn(async move { at_once(&gate, tokens).await })
    };
    while house.server.requests(Resource::Introspection) < 64 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let (told, took) = get(&gate, &house.token().sign()).await;
    assert!(told == "200" && took < Duration::from_secs(2), "{told} after {took:?}");
    let (told, took) = get(&gate, "one-more-opaque-token").await;
    assert!(
        told == "503 introspection_unavailable" && took < Duration::from_secs(2),
        "{told} after {took:?}"
    );
    let (told, longest) = hanging.await.unwrap();
    assert!(told.iter().all(|told| told == "503 introspection_unavailable"));
    assert!(longest < Duration::from_secs(5), "{longest:?}");
    // And perhaps already one about a word of the gate's own, to know whether the issuer answers at all.
    assert!((64..=65).contains(&house.server.requests(Resource::Introspection)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_issuer_that_is_killed_and_started_again_costs_nobody_who_is_known() {
    let house = House::new(LONG).await;
    let gate = house.ready(IntrospectionSettings::default()).await;
    let (signed, opaque) = (house.token().sign(), house.opaque());
    for _ in 0..3 {
        for token in [&signed, &opaque] {
            assert_eq!(get(&gate, token).await.0, "200");
        }
        house.server.stop().await;
        for token in [&signed, &opaque] {
            assert_eq!(get(&gate, token).await.0, "200");
        }
        assert_eq!(get(&gate, &house.opaque()).await.0, "503 introspection_unavailable");
        house.server.restart().await;
        house.clock.advance(COOL_DOWN);
        assert_eq!(get(&gate, &house.opaque()).await.0, "200");
    }
}
