//! What one gateway forgets or revokes, the others follow.

use crate::gateway::{Gateway, INACTIVE, KEY, OTHER_KEY, TOKEN, active, eventually, secret, secs, settings};
use crate::house::Outcome;
use crate::server::RedisServer;
use std::time::{Duration, Instant};
use tollgate::gate::{CLOCK_SKEW, Selector, What};
use tollgate::policy::Reason;
use tollgate::shared::RedisSettings;
use tollgate::testing::ManualClock;

fn alice() -> Selector {
    Selector::new(What::Subject("alice".into()))
}

#[tokio::test]
async fn what_is_forgotten_is_forgotten_everywhere_within_a_second() {
    for selector in [Selector::token(TOKEN), alice(), Selector::new(What::All)] {
        let (server, clock) = (RedisServer::start(), ManualClock::new());
        let first = Gateway::join(&settings(&server), &clock, &active()).await;
        let second = Gateway::join(&settings(&server), &clock, INACTIVE).await;
        assert_eq!(first.get().await, Outcome::Allowed);
        server.has(1, "tollgate:answer:").await;
        assert_eq!(second.get().await, Outcome::Allowed);

        first.house.gate.forget(&selector);
        eventually(secs(1), || second.house.gate.remembered().0 == 0).await;
        assert_eq!(second.get().await, Outcome::Refused(Reason::Inactive), "asked anew: {selector:?}");

        let late = Gateway::join(&settings(&server), &clock, INACTIVE).await;
        assert_eq!(late.get().await, Outcome::Refused(Reason::Inactive), "nor taken over: {selector:?}");
    }
}

#[tokio::test]
async fn what_is_revoked_is_refused_everywhere_and_by_those_who_come_later() {
    let (server, clock) = (RedisServer::start(), ManualClock::new());
    let first = Gateway::join(&settings(&server), &clock, INACTIVE).await;
    let second = Gateway::join(&settings(&server), &clock, INACTIVE).await;
    let token = first.house.token();
    assert_eq!(second.house.get(&token).await, Outcome::Allowed);

    first.house.gate.revoke(&Selector::token(&token), None).unwrap();
    let began = Instant::now();
    while second.house.get(&token).await != Outcome::Refused(Reason::Revoked) {
        assert!(began.elapsed() < secs(1));
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let late = Gateway::join(&settings(&server), &clock, INACTIVE).await;
    assert_eq!(late.house.get(&token).await, Outcome::Refused(Reason::Revoked), "from the first request on");
    assert_eq!([&first, &second, &late].map(|gateway| gateway.house.gate.revoked()), [1; 3]);
}

#[tokio::test]
async fn a_list_of_many_pages_is_read_whole() {
    let (server, clock) = (RedisServer::start(), ManualClock::new());
    let first = Gateway::join(&settings(&server), &clock, INACTIVE).await;
    let second = Gateway::join(&settings(&server), &clock, INACTIVE).await;
    for n in 0..1_234 {
        let selector = Selector::new(What::Id(format!("token-{n}").into()));
        first.house.gate.revoke(&selector, None).unwrap();
    }
    eventually(secs(5), || second.house.gate.revoked() == 1_234).await;
    let late = Gateway::join(&settings(&server), &clock, INACTIVE).await;
    assert_eq!(late.house.gate.revoked(), 1_234);
}

#[tokio::test]
async fn a_revocation_ends_with_its_token_in_redis_too() {
    let (server, clock) = (RedisServer::start(), ManualClock::new());
    let first = Gateway::join(&settings(&server), &clock, INACTIVE).await;
    first.house.gate.revoke(&Selector::token(TOKEN), Some(ManualClock::START + secs(60))).unwrap();
    server.has(1, "tollgate:revoked").await;
    let left: i64 = redis::cmd("TTL").arg("tollgate:revoked").query(&mut server.connection()).unwrap();
    assert!((1..=60 + 300 + 3_600).contains(&left), "{left} s");
    clock.advance(secs(60 + 300));
    let late = Gateway::join(&settings(&server), &clock, INACTIVE).await;
    assert_eq!(late.house.gate.revoked(), 0);
    clock.advance(secs(3_600));
    let _later = Gateway::join(&settings(&server), &clock, INACTIVE).await;
    assert!(server.keys("tollgate:revoked").is_empty(), "an hour later it is tidied away");
}

// The spy blocks its thread.
#[tokio::test(flavor = "multi_thread")]
async fn forged_messages_and_entries_are_ignored_and_replayed_ones_do_no_harm() {
    let (server, clock) = (RedisServer::start(), ManualClock::new());
    let first = Gateway::join(&settings(&server), &clock, &active()).await;
    let second = Gateway::join(&settings(&server), &clock, &active()).await;
    let stranger = RedisSettings { key: secret(OTHER_KEY), ..settings(&server) };
    let stranger = Gateway::join(&stranger, &clock, INACTIVE).await;

    let mut spy = server.connection();
    let mut spy = spy.as_pubsub();
    spy.subscribe("tollgate:notices").unwrap();
    first.house.gate.forget(&alice());
    let overheard = spy.get_message().unwrap().get_payload_bytes().to_vec();
    clock.advance(CLOCK_SKEW + secs(1));
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(second.get().await, Outcome::Allowed);

    stranger.house.gate.forget(&Selector::new(What::All));
    stranger.house.gate.revoke(&Selector::new(What::All), None).unwrap();
    let token = second.house.token();
    assert_eq!(second.house.get(&token).await, Outcome::Allowed);
    let remembered = second.house.gate.remembered().0;

    let mut redis = server.connection();
    let length = |bytes: &[u8]| [&u32::try_from(bytes.len()).unwrap().to_be_bytes(), bytes].concat();
    let mut changed = overheard.clone();
    changed[30] ^= 1;
    let forgeries = [
        overheard.clone(),
        [&overheard[..], &overheard].concat(),
        changed,
        overheard[..overheard.len() - 1].to_vec(),
        b"forget all".to_vec(),
        vec![0xff; 100],
        vec![0; 100_000],
        length(&[1; 100]),
        length(&vec![1; 1_000_000]),
    ];
    for forgery in &forgeries {
        redis::cmd("PUBLISH").arg("tollgate:notices").arg(forgery).exec(&mut redis).unwrap();
        for list in ["tollgate:revoked", "tollgate:forgotten"] {
            redis::cmd("ZADD").arg(list).arg(9e15).arg(forgery).exec(&mut redis).unwrap();
        }
    }
    // It takes part still: what it hears next comes after all that.
    first.house.gate.revoke(&Selector::token("some-other-token"), None).unwrap();
    eventually(secs(1), || second.house.gate.revoked() == 1).await;
    // Longer than it takes to notice that the lists are longer than they should be, and to read them again.
    tokio::time::sleep(secs(3)).await;
    assert_eq!(second.house.gate.remembered().0, remembered);
    assert_eq!(second.house.get(&token).await, Outcome::Allowed);
    let late = Gateway::join(&settings(&server), &clock, INACTIVE).await;
    assert_eq!(late.house.gate.revoked(), 1);
    eventually(secs(5), || late.told.all() == [true]).await;
    assert_eq!(second.told.all(), [true], "none of that is an outage");
}

#[tokio::test]
async fn one_key_replaces_another_without_a_gap() {
    let (server, clock) = (RedisServer::start(), ManualClock::new());
    let key = |key: &str, other: Option<&str>| RedisSettings {
        key: secret(key),
        other_key: other.map(secret),
        ..settings(&server)
    };
    let old = Gateway::join(&key(KEY, Some(OTHER_KEY)), &clock, INACTIVE).await;
    old.house.gate.revoke(&Selector::token("revoked-under-the-old-one"), None).unwrap();
    server.has(1, "tollgate:revoked").await;
    let new = Gateway::join(&key(OTHER_KEY, Some(KEY)), &clock, INACTIVE).await;
    assert_eq!(new.house.gate.revoked(), 1);
    new.house.gate.revoke(&Selector::token("revoked-under-the-new-one"), None).unwrap();
    eventually(secs(1), || old.house.gate.revoked() == 2).await;
}

#[tokio::test]
async fn what_redis_loses_is_put_back() {
    let (server, clock) = (RedisServer::start(), ManualClock::new());
    let first = Gateway::join(&settings(&server), &clock, INACTIVE).await;
    first.house.gate.revoke(&alice(), None).unwrap();
    server.has(1, "tollgate:revoked").await;
    redis::cmd("FLUSHALL").exec(&mut server.connection()).unwrap();
    server.has(1, "tollgate:revoked").await;
    let late = Gateway::join(&settings(&server), &clock, INACTIVE).await;
    assert_eq!(late.house.gate.revoked(), 1);
}
