use super::*;
use crate::proof::{Introspected, IssuerName, read_introspection};
use std::time::Duration;

const NOW: UnixTime = UnixTime::from_secs(1_767_225_600);

const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

fn facts(claims: &str) -> Arc<Verified> {
    let answer = format!(r#"{{"active":true{claims}}}"#);
    let answer = read_introspection(answer.as_bytes(), &IssuerName::new("https://as.example/"), NOW);
    let Ok(Introspected::Active(facts)) = answer else { panic!("{claims}") };
    Arc::from(facts)
}

fn entry(until: UnixTime, grace_until: UnixTime) -> Remembered {
    Remembered { facts: facts(""), until, grace_until }
}

fn key(name: usize) -> Fingerprint {
    Fingerprint::of(&name.to_string())
}

#[test]
fn an_entry_serves_until_its_instant_and_in_an_outage_until_the_other() {
    let cache = FactCache::new(1 << 20);
    cache.remember(key(1), entry(NOW + secs(10), NOW + secs(20)), NOW);
    let at = |after| {
        let now = NOW + secs(after);
        (cache.get(&key(1), now).is_some(), cache.get_in_outage(&key(1), now).is_some())
    };
    assert_eq!(
        [0, 9, 10, 19, 20].map(at),
        [(true, true), (true, true), (false, true), (false, true), (false, false)]
    );
    assert!(cache.get(&key(2), NOW).is_none());
    // Also where nobody has looked, and so taken it out, before.
    cache.remember(key(3), entry(NOW + secs(10), NOW + secs(20)), NOW);
    assert!(cache.get_in_outage(&key(3), NOW + secs(20)).is_none());
}

#[test]
fn what_has_ended_already_is_not_remembered() {
    let cache = FactCache::new(1 << 20);
    cache.remember_inactive(key(1), NOW + secs(10));
    cache.remember(key(1), entry(NOW, NOW), NOW);
    assert_eq!(cache.size().0, 0);
    assert!(cache.is_inactive(&key(1), NOW), "and what was known stays known");
    cache.remember(key(1), entry(NOW + secs(1), NOW + secs(1)), NOW);
    assert!(!cache.is_inactive(&key(1), NOW) && cache.get(&key(1), NOW).is_some());
    cache.remember_inactive(key(1), NOW + secs(10));
    assert!(cache.is_inactive(&key(1), NOW + secs(9)) && cache.get(&key(1), NOW).is_none());
    assert!(!cache.is_inactive(&key(1), NOW + secs(10)));
    assert!(!cache.forget(&key(1)), "no facts were forgotten");
    assert!(!cache.is_inactive(&key(1), NOW), "but the question is open again");
}

#[test]
fn weight_is_bounded_in_bytes() {
    let heavy = facts(&format!(r#","x":"{}""#, "x".repeat(8_000)));
    let weight = heavy.weight() + ENTRY_BYTES;
    assert!((8_000..9_000).contains(&weight), "{weight}");
    let cache = FactCache::new(200 * weight as u64);
    for n in 0..10 {
        let until = NOW + secs(100);
        cache.remember(key(n), Remembered { facts: heavy.clone(), until, grace_until: until }, NOW);
    }
    assert_eq!(cache.size(), (10, 10 * weight as u64));
    for n in 10..1_000 {
        let until = NOW + secs(100);
        cache.remember(key(n), Remembered { facts: heavy.clone(), until, grace_until: until }, NOW);
    }
    let (count, bytes) = cache.size();
    assert!((100..=200).contains(&count) && bytes <= 200 * weight as u64, "{count} entries, {bytes} bytes");
}

#[test]
fn a_flood_of_inactive_tokens_pushes_out_nothing_and_is_bounded_itself() {
    let cache = FactCache::new(1 << 20);
    cache.remember(key(0), entry(NOW + secs(100), NOW + secs(100)), NOW);
    for n in 1..5_000 {
        cache.remember_inactive(key(n), NOW + secs(100));
    }
    assert!(cache.get(&key(0), NOW).is_some());
    let bound = (1 << 20) / 16 / INACTIVE_BYTES;
    let count = cache.inactive.len() as u64;
    assert!((1..=bound).contains(&count), "{count} of {bound}");
}

#[test]
fn all_that_is_named_is_forgotten_and_counted() {
    let cache = FactCache::new(1 << 20);
    for (n, subject) in ["alice", "bob", "alice"].iter().enumerate() {
        let (facts, until) = (facts(&format!(r#","sub":"{subject}""#)), NOW + secs(100));
        cache.remember(key(n), Remembered { facts, until, grace_until: until }, NOW);
    }
    assert_eq!(cache.forget_where(|facts| facts.claims().subject() == Some("alice")), 2);
    assert_eq!([0, 1, 2].map(|n| cache.get(&key(n), NOW).is_some()), [false, true, false]);
    assert!(cache.forget(&key(1)) && !cache.forget(&key(1)));
}

#[test]
fn what_has_ended_goes_when_it_is_asked_for() {
    let cache = FactCache::new(1 << 20);
    cache.remember(key(1), entry(NOW + secs(10), NOW + secs(20)), NOW);
    assert!(cache.get(&key(1), NOW + secs(19)).is_none());
    assert_eq!(cache.size().0, 1, "an outage may still need it");
    assert!(cache.get(&key(1), NOW + secs(20)).is_none());
    assert_eq!(cache.size(), (0, 0));
}
