use super::*;
use crate::proof::{Algorithm, Candidates, verify};
use crate::testing::Issuer;
use crate::token::UnverifiedJws;

const NOW: UnixTime = UnixTime::from_secs(1_000_000);

fn add(list: &Revocations, what: What, now: UnixTime) -> Result<(), RevocationsFull> {
    list.add(&Selector::new(what), now, now + Duration::from_secs(10), now)
}

fn jti(id: &str) -> What {
    What::Id(id.into())
}

#[test]
fn the_list_is_bounded_and_nothing_that_counts_makes_room() {
    let list = Revocations::new(3, Duration::from_secs(10));
    add(&list, jti("a"), NOW).unwrap();
    add(&list, What::Token(TokenName::of("b")), NOW).unwrap();
    add(&list, What::All, NOW + Duration::from_secs(1)).unwrap();
    assert_eq!(add(&list, jti("d"), NOW), Err(RevocationsFull(3)));
    assert_eq!(add(&list, jti("a"), NOW), Ok(()), "it is listed already");
    assert_eq!(list.len(), 3);
    let later = NOW + Duration::from_secs(10);
    add(&list, jti("d"), later).unwrap();
    assert_eq!(list.len(), 2, "what has ended makes room");
}

#[test]
fn who_is_revoked_again_is_listed_once_for_the_longer_time() {
    let list = Revocations::new(3, Duration::from_secs(10));
    add(&list, What::Subject("alice".into()), NOW).unwrap();
    add(&list, What::Subject("alice".into()), NOW + Duration::from_secs(5)).unwrap();
    add(&list, What::Subject("alice".into()), NOW + Duration::from_secs(3)).unwrap();
    let elsewhere = Selector::new(What::Subject("alice".into())).of_issuer(IssuerName::new("https://a/"));
    list.add(&elsewhere, NOW, NOW, NOW).unwrap();
    let lists = list.lists.read().unwrap();
    let spans: Vec<_> = lists.subjects["alice"].iter().map(|entry| entry.until.since(NOW)).collect();
    assert_eq!(spans, [Duration::from_secs(15), Duration::ZERO]);
    assert_eq!(lists.count, 2);
}

const AS: &str = "https://as.example/";

/// Facts of a signed token, issued a second ago.
fn signed(claims: &[(&str, &str)]) -> Verified {
    let issuer = Issuer::with_algorithm(AS, Algorithm::EdDSA);
    let token = issuer.token().claim("iat", NOW.as_secs() - 1).without("jti");
    let token = claims.iter().fold(token, |token, (name, value)| token.claim(name, *value)).sign();
    let (jws, keys) = (UnverifiedJws::parse(&token).unwrap(), issuer.key_set());
    let Candidates::Keys(keys) = keys.select(Algorithm::EdDSA, jws.kid()) else { panic!("{token}") };
    verify(&jws, Algorithm::EdDSA, &keys, &IssuerName::new(AS)).unwrap()
}

fn covered(selector: &Selector, since: UnixTime, facts: &Verified, now: UnixTime) -> bool {
    let list = Revocations::new(3, Duration::from_secs(10));
    list.add(selector, since, NOW + Duration::from_secs(10), NOW).unwrap();
    list.cover(&Fingerprint::of("one"), facts, now)
}

#[test]
fn each_selector_names_its_tokens_of_its_issuer_for_its_time() {
    let alice = signed(&[("sub", "alice"), ("azp", "shop"), ("sid", "s1"), ("jti", "t1")]);
    let named = |kind: fn(Box<str>) -> What, right: &str| [kind(right.into()), kind("other".into())];
    let cases = [
        ([What::Token(TokenName::of("one")), What::Token(TokenName::of("two"))], true),
        (named(What::Id, "t1"), true),
        (named(What::Subject, "alice"), false),
        (named(What::Client, "shop"), false),
        (named(What::Session, "s1"), false),
        ([What::All, What::Id("other".into())], false),
    ];
    for ([right, wrong], single) in cases {
        let right = Selector::new(right);
        assert!(!covered(&Selector::new(wrong), NOW, &alice, NOW), "{right:?}");
        assert!(covered(&right, NOW, &alice, NOW), "{right:?}");
        assert!(covered(&right.clone().of_issuer(IssuerName::new(AS)), NOW, &alice, NOW), "{right:?}");
        let elsewhere = right.clone().of_issuer(IssuerName::new("https://other/"));
        assert_eq!(elsewhere.issuer().map(IssuerName::as_str), Some("https://other/"));
        assert!(!covered(&elsewhere, NOW, &alice, NOW), "{right:?}");
        // What was issued in the very second may be from before.
        assert!(covered(&right, NOW - Duration::from_secs(1), &alice, NOW), "{right:?}");
        assert_eq!(
            covered(&right, NOW - Duration::from_secs(2), &alice, NOW),
            single,
            "issued later: {right:?}"
        );
        let end = NOW + Duration::from_secs(10);
        assert!(covered(&right, NOW, &alice, end - Duration::from_millis(1)), "{right:?}");
        assert!(!covered(&right, NOW, &alice, end), "{right:?}");
        // A single token is told by its fingerprint, not by its facts.
        assert_eq!(right.matches(&alice), !matches!(right.what(), What::Token(_)), "{right:?}");
        assert!(!elsewhere.matches(&alice), "{right:?}");
    }
}

#[test]
fn an_entry_ends_a_little_after_its_token_or_after_the_longest_lifetime() {
    let list = Revocations::new(3, Duration::from_secs(10));
    let within_leeway = crate::policy::IssuerRules::MAX_LEEWAY;
    assert_eq!(list.end(Some(NOW), UnixTime::EPOCH), NOW + within_leeway);
    assert_eq!(list.end(None, NOW), NOW + Duration::from_secs(10) + within_leeway);
}

#[test]
fn all_that_has_ended_makes_room_at_once() {
    let list = Revocations::new(7, Duration::from_secs(10));
    let kinds: [fn(Box<str>) -> What; 4] = [What::Id, What::Subject, What::Client, What::Session];
    kinds.iter().for_each(|kind| add(&list, kind("a".into()), NOW).unwrap());
    add(&list, What::Token(TokenName::of("a")), NOW).unwrap();
    add(&list, What::All, NOW).unwrap();
    add(&list, jti("b"), NOW + Duration::from_secs(5)).unwrap();
    assert_eq!(list.len(), 7);
    add(&list, jti("c"), NOW + Duration::from_secs(10)).unwrap();
    assert_eq!(list.len(), 2);
    let lists = list.lists.read().unwrap();
    let mut ids: Vec<_> = lists.ids.keys().map(|id| &**id).collect();
    ids.sort_unstable();
    assert_eq!(ids, ["b", "c"]);
    assert!(lists.tokens.is_empty() && lists.subjects.is_empty() && lists.clients.is_empty());
    assert!(lists.sessions.is_empty() && lists.all.is_empty());
}

#[test]
fn what_is_shown_of_a_selector_names_no_person() {
    let person = || "alice@example.com".into();
    let cases = [
        (What::Token(TokenName::of("abc")), "token ba7816bf8f01cfea"),
        (What::Id(person()), "jti"),
        (What::Subject(person()), "sub"),
        (What::Client("shop".into()), "client shop"),
        (What::Session(person()), "sid"),
        (What::All, "all"),
    ];
    for (what, expected) in cases {
        assert_eq!(format!("{what:?}"), expected);
    }
}
