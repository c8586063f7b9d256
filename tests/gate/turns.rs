//! A storm of new tokens, and those that are known.

use crate::house::{House, Outcome};
use std::sync::Arc;
use std::time::Duration;
use tollgate::gate::GateBuilder;
use tollgate::policy::Reason;

const NEW: usize = 40;

/// How often a known token is asked about until all the new ones have been verified, on one thread.
async fn asked_in_a_storm(finish: impl FnOnce(GateBuilder) -> GateBuilder) -> usize {
    let house = Arc::new(House::finished(finish).await);
    // The clock stands still from here on: whatever comes, comes at once.
    house.clock.advance(Duration::from_secs(1));
    let known = house.token();
    assert_eq!(house.get(&known).await, Outcome::Allowed);
    let mut storm = tokio::task::JoinSet::new();
    for id in 0..NEW {
        let house = house.clone();
        let token = house.issuer.token().audience(crate::house::API).client("shop").scope("orders:read");
        let (token, expected) = match id % 2 {
            0 => (token.claim("jti", id.to_string()).sign(), Outcome::Allowed),
            _ => (token.claim("jti", id.to_string()).tampered().sign(), Outcome::Refused(Reason::Signature)),
        };
        storm.spawn(async move { assert_eq!(house.get(&token).await, expected) });
    }
    let mut asked = 0;
    while !storm.is_empty() {
        assert_eq!(house.get(&known).await, Outcome::Allowed);
        asked += 1;
        tokio::task::yield_now().await;
        while let Some(ended) = storm.try_join_next() {
            ended.unwrap();
        }
    }
    asked
}

#[tokio::test]
async fn new_tokens_take_turns_so_that_known_ones_need_not_wait_for_all_of_them() {
    assert!(asked_in_a_storm(|gate| gate).await <= 3, "each is verified when it comes");
    let asked = asked_in_a_storm(|gate| gate.verify_in_turns(1)).await;
    assert!(asked >= NEW / 2, "{asked}");
    let asked = asked_in_a_storm(|gate| gate.verify_in_turns(NEW)).await;
    assert!(asked <= 6, "with a place for each, nobody queues: {asked}");
}
