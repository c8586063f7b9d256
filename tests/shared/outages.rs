//! Redis is killed, restarted, frozen, or was never there: the gate works on.

use crate::gateway::{Gateway, INACTIVE, TOKEN, active, eventually, secret, secs, settings};
use crate::house::Outcome;
use crate::server::RedisServer;
use std::time::{Duration, Instant};
use tollgate::gate::{CLOCK_SKEW, Selector, What};
use tollgate::policy::Reason;
use tollgate::shared::{RedisSettings, Secret};
use tollgate::testing::ManualClock;

#[tokio::test]
async fn killed_and_restarted_it_is_done_without_and_nothing_is_lost() {
    let (mut server, clock) = (RedisServer::start(), ManualClock::new());
    let first = Gateway::join(&settings(&server), &clock, &active()).await;
    let second = Gateway::join(&settings(&server), &clock, &active()).await;
    let (before, meanwhile) = (first.house.token(), first.house.issuer.token().subject("bob"));
    let meanwhile =
        meanwhile.audience(crate::house::API).client("shop").scope("orders:read").subject("bob").sign();
    first.house.gate.revoke(&Selector::token(&before), None).unwrap();
    assert_eq!(first.get().await, Outcome::Allowed);
    server.has(1, "tollgate:answer:").await;
    eventually(secs(1), || second.house.gate.revoked() == 1).await;

    server.kill();
    eventually(secs(1), || !first.memory.is_reachable() && !second.memory.is_reachable()).await;
    for n in 0..10 {
        let began = Instant::now();
        let token = format!("token-number-{n}");
        assert_eq!(first.get().await, Outcome::Allowed, "remembered");
        assert_eq!(first.house.get(&token).await, Outcome::Allowed, "asked anew");
        assert_eq!(second.house.get(&token).await, Outcome::Allowed, "by each of them");
        assert!(began.elapsed() < secs(1), "nobody waits: {:?}", began.elapsed());
    }
    assert_eq!((first.asked(), second.asked()), (11, 10));
    first.house.gate.revoke(&Selector::new(What::Subject("bob".into())), None).unwrap();
    assert_eq!(second.house.get(&meanwhile).await, Outcome::Allowed, "it can't know yet");

    server.restart();
    eventually(secs(5), || second.house.gate.revoked() == 2).await;
    assert_eq!(second.house.get(&meanwhile).await, Outcome::Refused(Reason::Revoked));
    let late = Gateway::join(&settings(&server), &clock, INACTIVE).await;
    for token in [&before, &meanwhile] {
        assert_eq!(late.house.get(token).await, Outcome::Refused(Reason::Revoked), "put back");
    }
    eventually(secs(5), || first.memory.is_reachable() && second.memory.is_reachable()).await;
    clock.advance(CLOCK_SKEW + secs(1));
    assert_eq!(first.house.get("a-token-after-that").await, Outcome::Allowed);
    server.has(1, "tollgate:answer:").await;
    assert_eq!(second.house.get("a-token-after-that").await, Outcome::Allowed);
    assert_eq!(second.asked(), 10, "shared again");
    assert_eq!(first.told.all(), [true, false, true], "each change is told once");
}

#[tokio::test]
async fn frozen_it_costs_each_request_its_bound_and_then_nothing() {
    let (server, clock) = (RedisServer::start(), ManualClock::new());
    let gateway = Gateway::join(&settings(&server), &clock, &active()).await;
    server.freeze();
    let mut slowest = Duration::ZERO;
    for n in 0..20 {
        let began = Instant::now();
        assert_eq!(gateway.house.get(&format!("token-number-{n}")).await, Outcome::Allowed);
        slowest = slowest.max(began.elapsed());
    }
    assert!(slowest < secs(1), "{slowest:?}, though 100 ms are allowed");
    assert!(!gateway.memory.is_reachable());
    let began = Instant::now();
    assert_eq!(gateway.get().await, Outcome::Allowed);
    assert!(began.elapsed() < Duration::from_millis(90), "{:?}", began.elapsed());
    gateway.house.gate.revoke(&Selector::token(TOKEN), None).unwrap();

    server.thaw();
    eventually(secs(6), || gateway.memory.is_reachable()).await;
    server.has(1, "tollgate:revoked").await;
    assert_eq!(gateway.told.all(), [true, false, true]);
}

/// A connection that is dead without saying so is found out although nothing is asked.
#[tokio::test]
async fn frozen_while_nothing_is_asked_it_is_noticed_and_what_was_missed_is_read() {
    let (server, clock) = (RedisServer::start(), ManualClock::new());
    let gateway = Gateway::join(&settings(&server), &clock, &active()).await;
    server.freeze();
    eventually(secs(4), || !gateway.memory.is_reachable()).await;
    server.thaw();
    eventually(secs(6), || gateway.memory.is_reachable()).await;
}

#[tokio::test]
async fn a_broken_subscription_loses_no_invalidation() {
    let (server, clock) = (RedisServer::start(), ManualClock::new());
    let first = Gateway::join(&settings(&server), &clock, &active()).await;
    let second = Gateway::join(&settings(&server), &clock, INACTIVE).await;
    assert_eq!(first.get().await, Outcome::Allowed);
    server.has(1, "tollgate:answer:").await;
    assert_eq!(second.get().await, Outcome::Allowed);
    let mut redis = server.connection();
    for n in 1..=5 {
        let kind = if n % 2 == 0 { "normal" } else { "pubsub" };
        redis::cmd("CLIENT").arg("KILL").arg("TYPE").arg(kind).exec(&mut redis).unwrap();
        first.house.gate.revoke(&Selector::token(&format!("token-number-{n}")), None).unwrap();
        eventually(secs(5), || second.house.gate.revoked() == n).await;
    }
    first.house.gate.forget(&Selector::token(TOKEN));
    redis::cmd("CLIENT").arg("KILL").arg("TYPE").arg("pubsub").exec(&mut redis).unwrap();
    eventually(secs(5), || second.house.gate.remembered().0 == 0).await;
    assert_eq!(second.get().await, Outcome::Refused(Reason::Inactive));
}

#[tokio::test]
async fn a_gateway_starts_without_it_and_catches_up() {
    let (mut server, clock) = (RedisServer::start(), ManualClock::new());
    let first = Gateway::join(&settings(&server), &clock, INACTIVE).await;
    let token = first.house.token();
    first.house.gate.revoke(&Selector::token(&token), None).unwrap();
    server.kill();
    let patient = RedisSettings { start_wait: Duration::from_millis(300), ..settings(&server) };
    let began = Instant::now();
    let late = Gateway::try_join(&patient, &clock, &active()).await;
    assert!(!late.read && began.elapsed() < secs(2));
    assert_eq!(late.get().await, Outcome::Allowed);
    assert_eq!(late.told.all(), [false], "that is said");
    server.restart();
    eventually(secs(5), || late.house.gate.revoked() == 1).await;
    assert_eq!(late.house.get(&token).await, Outcome::Refused(Reason::Revoked));
}

#[tokio::test]
async fn a_password_is_read_anew_for_each_connection() {
    let (server, clock) = (RedisServer::with(&["requirepass hunter2"]), ManualClock::new());
    let file = server.folder().join("password");
    std::fs::write(&file, "wrong\n").unwrap();
    let password = Some(Secret::File(file.clone()));
    let start_wait = Duration::from_millis(300);
    let settings = RedisSettings { password, start_wait, ..settings(&server) };
    let gateway = Gateway::try_join(&settings, &clock, &active()).await;
    assert!(!gateway.read);
    assert_eq!(gateway.get().await, Outcome::Allowed);
    std::fs::write(&file, "hunter2\n").unwrap();
    eventually(secs(5), || gateway.memory.is_reachable()).await;
}

#[tokio::test]
async fn the_rights_that_the_manual_names_suffice() {
    let rights = "user tollgate on >hunter2 ~tollgate:* &tollgate:* +getrange +set +zadd +pexpire \
                  +zrangebyscore +zcount +zremrangebyscore +publish +subscribe +ping";
    let (server, clock) = (RedisServer::start(), ManualClock::new());
    let rights =
        rights.split_whitespace().skip(1).fold(redis::cmd("ACL").arg("SETUSER").clone(), |mut acl, word| {
            acl.arg(word);
            acl
        });
    rights.exec(&mut server.connection()).unwrap();
    let password = Some(secret("hunter2"));
    let settings = RedisSettings { username: Some("tollgate".into()), password, ..settings(&server) };
    let first = Gateway::join(&settings, &clock, &active()).await;
    let second = Gateway::join(&settings, &clock, INACTIVE).await;
    assert_eq!(first.get().await, Outcome::Allowed);
    server.has(1, "tollgate:answer:").await;
    assert_eq!(second.get().await, Outcome::Allowed);
    first.house.gate.revoke(&Selector::token(TOKEN), None).unwrap();
    eventually(secs(1), || second.house.gate.revoked() == 1).await;
    tokio::time::sleep(Duration::from_millis(1_200)).await;
    assert_eq!(second.told.all(), [true]);
}

#[tokio::test]
async fn when_the_gate_goes_its_connections_go() {
    let (server, clock) = (RedisServer::start(), ManualClock::new());
    let gateway = Gateway::join(&settings(&server), &clock, INACTIVE).await;
    let clients = || -> usize {
        let list: String = redis::cmd("CLIENT").arg("LIST").query(&mut server.connection()).unwrap();
        list.lines().count()
    };
    assert_eq!(clients(), 3, "commands, messages, and the one that asks");
    drop(gateway);
    eventually(secs(3), || clients() == 1).await;
}
