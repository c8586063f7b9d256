//! Answers that gateways take over from each other.

use crate::gateway::{Gateway, INACTIVE, KEY, OTHER_KEY, active, secret, secs, settings};
use crate::house::Outcome;
use crate::server::RedisServer;
use std::time::Duration;
use tollgate::policy::Reason;
use tollgate::shared::RedisSettings;
use tollgate::testing::ManualClock;

#[tokio::test]
async fn two_gateways_ask_once() {
    for (line, expected) in
        [(active(), Outcome::Allowed), (INACTIVE.to_owned(), Outcome::Refused(Reason::Inactive))]
    {
        let (server, clock) = (RedisServer::start(), ManualClock::new());
        let first = Gateway::join(&settings(&server), &clock, &line).await;
        let second = Gateway::join(&settings(&server), &clock, &line).await;
        assert_eq!(first.get().await, expected);
        let keys = server.has(1, "tollgate:answer:").await;
        assert_eq!(second.get().await, expected);
        assert_eq!((first.asked(), second.asked()), (1, 0));
        let left: i64 = redis::cmd("PTTL").arg(&keys[0]).query(&mut server.connection()).unwrap();
        let most = if line == INACTIVE { 10_000 } else { 3_600_000 };
        assert!((1..=most).contains(&left), "{left} ms");
    }
}

#[tokio::test]
async fn the_instants_inside_count_and_not_redis_s_own() {
    let (server, clock) = (RedisServer::start(), ManualClock::new());
    let first = Gateway::join(&settings(&server), &clock, INACTIVE).await;
    assert_eq!(first.get().await, Outcome::Refused(Reason::Inactive));
    let keys = server.has(1, "tollgate:answer:").await;
    redis::cmd("PERSIST").arg(&keys[0]).exec(&mut server.connection()).unwrap();
    clock.advance(secs(10));
    let second = Gateway::join(&settings(&server), &clock, &active()).await;
    assert_eq!(second.get().await, Outcome::Allowed, "asked anew");
    assert_eq!(second.asked(), 1);
}

/// Whoever can write to Redis can make us ask, and nothing else.
#[tokio::test]
async fn a_forged_value_is_none() {
    let (server, clock) = (RedisServer::start(), ManualClock::new());
    let first = Gateway::join(&settings(&server), &clock, &active()).await;
    assert_eq!(first.get().await, Outcome::Allowed);
    let mine = server.has(1, "tollgate:answer:").await.remove(0);
    assert_eq!(first.house.get("another-opaque-token").await, Outcome::Allowed);
    let both = server.has(2, "tollgate:answer:").await;
    let other = both.into_iter().find(|key| *key != mine).unwrap();

    let mut redis = server.connection();
    let mut read = |key: &str| redis::cmd("GET").arg(key).query::<Vec<u8>>(&mut redis).unwrap();
    let (genuine, of_another_token) = (read(&mine), read(&other));
    let changed = |at: usize| {
        let mut value = genuine.clone();
        value[at] ^= 1;
        value
    };
    let forgeries = [
        b"".to_vec(),
        b"x".to_vec(),
        active().into_bytes(),
        [&[1; 21], active().as_bytes()].concat(),
        of_another_token,
        changed(0),
        changed(1),
        changed(20),
        changed(genuine.len() - 1),
        genuine[..genuine.len() - 1].to_vec(),
        [&genuine[..], b"x"].concat(),
        vec![1; 10_000_000],
    ];
    for forgery in &forgeries {
        redis::cmd("SET").arg(&mine).arg(forgery).exec(&mut redis).unwrap();
        let victim = Gateway::join(&settings(&server), &clock, INACTIVE).await;
        let length = forgery.len();
        assert_eq!(victim.get().await, Outcome::Refused(Reason::Inactive), "{length} bytes");
        assert_eq!(victim.asked(), 1);
        assert!(victim.memory.is_reachable());
    }
    redis::cmd("DEL").arg(&mine).exec(&mut redis).unwrap();
    redis::cmd("LPUSH").arg(&mine).arg("x").exec(&mut redis).unwrap();
    let victim = Gateway::join(&settings(&server), &clock, INACTIVE).await;
    assert_eq!(victim.get().await, Outcome::Refused(Reason::Inactive), "a list");

    redis::cmd("DEL").arg(&mine).exec(&mut redis).unwrap();
    redis::cmd("SET").arg(&mine).arg(&genuine).exec(&mut redis).unwrap();
    let witness = Gateway::join(&settings(&server), &clock, INACTIVE).await;
    assert_eq!(witness.get().await, Outcome::Allowed, "the genuine one is taken still");
}

#[tokio::test]
async fn another_key_or_prefix_is_another_memory() {
    let (server, clock) = (RedisServer::start(), ManualClock::new());
    let first = Gateway::join(&settings(&server), &clock, &active()).await;
    assert_eq!(first.get().await, Outcome::Allowed);
    server.has(1, "tollgate:answer:").await;
    let others = [
        RedisSettings { key: secret(OTHER_KEY), other_key: Some(secret(KEY)), ..settings(&server) },
        RedisSettings { prefix: "staging".into(), ..settings(&server) },
    ];
    for other in others {
        let second = Gateway::join(&other, &clock, INACTIVE).await;
        assert_eq!(second.get().await, Outcome::Refused(Reason::Inactive));
        assert!(second.memory.is_reachable(), "that is no outage");
    }
    server.has(2, "tollgate:answer:").await;
    server.has(1, "staging:answer:").await;
}

#[tokio::test]
async fn an_answer_that_is_too_long_is_not_shared() {
    let (server, clock) = (RedisServer::start(), ManualClock::new());
    let long = active().replace("alice", &"a".repeat(64 * 1024));
    let first = Gateway::join(&settings(&server), &clock, &long).await;
    assert_eq!(first.get().await, Outcome::Allowed);
    assert_eq!(first.house.get("another-opaque-token").await, Outcome::Allowed);
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(server.keys("tollgate:answer:").is_empty());
}

#[tokio::test]
async fn a_thousand_requests_with_a_thousand_tokens_are_served_whatever_the_memory_can_hold() {
    let (server, clock) = (RedisServer::start(), ManualClock::new());
    let first = Gateway::join(&settings(&server), &clock, &active()).await;
    for n in 0..100 {
        assert_eq!(first.house.get(&format!("token-number-{n}")).await, Outcome::Allowed);
    }
    server.has(100, "tollgate:answer:").await;
    let second = std::sync::Arc::new(Gateway::join(&settings(&server), &clock, INACTIVE).await);
    let requests: Vec<_> = (0..1_000)
        .map(|n| {
            let second = second.clone();
            tokio::spawn(async move { second.house.get(&format!("token-number-{}", n % 100)).await })
        })
        .collect();
    for request in requests {
        assert_eq!(request.await.unwrap(), Outcome::Allowed);
    }
    assert_eq!(second.asked(), 0);
}
