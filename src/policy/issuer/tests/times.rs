//! `exp`, `nbf`, `iat`, and the lifetime between them.

use super::*;

fn with_leeway(seconds: u64) -> IssuerRules {
    IssuerRules { leeway: Duration::from_secs(seconds), ..rules(Profile::Generic) }
}

#[test]
fn times_are_judged_to_the_millisecond_give_or_take_the_leeway() {
    let (expired, not_yet, future) =
        (Some(Reason::Expired), Some(Reason::NotYetValid), Some(Reason::IssuedInFuture));
    let cases = [
        // Leeway, claim, seconds from now.
        (30, "exp", 1.0, None),
        (30, "exp", 0.0, None),
        (30, "exp", -29.0, None),
        (30, "exp", -29.999, None),
        (30, "exp", -30.0, expired),
        (30, "exp", -31.0, expired),
        (0, "exp", 1.0, None),
        (0, "exp", 0.001, None),
        (0, "exp", 0.0, expired),
        (0, "exp", -1.0, expired),
        (300, "exp", -299.0, None),
        (300, "exp", -300.0, expired),
        (30, "nbf", 30.0, None),
        (30, "nbf", 30.001, not_yet),
        (30, "nbf", 31.0, not_yet),
        (0, "nbf", 0.0, None),
        (0, "nbf", 0.001, not_yet),
        (0, "nbf", -100.0, None),
        (30, "iat", 30.0, None),
        (30, "iat", 30.001, future),
        (0, "iat", 0.0, None),
        (0, "iat", 1.0, future),
        (0, "iat", -1e6, None),
    ];
    for (leeway, claim, seconds, expected) in cases {
        let instant = NOW.as_millis() as f64 / 1_000.0 + seconds;
        let token = facts(&sound(Profile::Generic).claim(claim, instant));
        let found = refusal(&with_leeway(leeway), &token, &route());
        assert_eq!(found, expected, "{claim} {seconds:+} s from now, with a leeway of {leeway} s");
        let mut members = json!({"aud": API, "client_id": "shop"});
        members[claim] = instant.into();
        let found = refusal(&with_leeway(leeway), &answer(members), &route());
        assert_eq!(found, expected, "the same in an answer: {claim} {seconds:+}, {leeway}");
    }
}

#[test]
fn a_signed_token_says_when_it_expires() {
    let endless = facts(&sound(Profile::Generic).without("exp"));
    assert_eq!(refusal(&with_leeway(30), &endless, &route()), Some(Reason::ExpiryMissing));
    let answer = answer(json!({"aud": API, "client_id": "shop"}));
    assert_eq!(
        refusal(&with_leeway(30), &answer, &route()),
        None,
        "an answer need not (RFC 7662 section 2.2)"
    );
}

#[test]
fn absurd_dates_are_no_way_in_and_no_way_down() {
    for (value, expected) in [
        (json!(0), Some(Reason::Expired)),
        (json!(0.0001), Some(Reason::Expired)),
        (json!(9_007_199_254_740_993_u64), None),
        (json!(u64::MAX), None),
        (json!(1e308), None),
    ] {
        let token = facts(&sound(Profile::Generic).claim("exp", value.clone()));
        assert_eq!(refusal(&with_leeway(300), &token, &route()), expected, "{value}");
    }
    for value in [json!("1767229200"), json!(-1), json!(true), json!(null), json!([1_767_229_200])] {
        for claim in ["exp", "nbf", "iat"] {
            let refused = prove(&sound(Profile::Generic).claim(claim, value.clone()), ISSUER);
            assert!(matches!(refused, Err(ProofError::Claims(_))), "{claim} {value}");
        }
    }
}

#[test]
fn a_judgement_follows_the_clock_in_either_direction() {
    let (rules, token) = (with_leeway(30), facts(&sound(Profile::Generic)));
    let judge = |now: UnixTime| rules.admit(token.clone(), &route(), now).err();
    assert_eq!(judge(ManualClock::START + Duration::from_secs(3_629)), None);
    assert_eq!(judge(ManualClock::START + Duration::from_secs(3_630)), Some(Reason::Expired));
    assert_eq!(judge(UnixTime::MAX), Some(Reason::Expired));
    assert_eq!(judge(ManualClock::START), None, "set back, it is valid again");
    assert_eq!(judge(ManualClock::START - Duration::from_secs(31)), Some(Reason::IssuedInFuture));
    assert_eq!(judge(UnixTime::EPOCH), Some(Reason::IssuedInFuture));
}

#[test]
fn a_route_may_cap_the_lifetime() {
    let too_long = Some(Reason::LifetimeTooLong);
    let cases = [
        // `iat` and `exp`, in seconds from now.
        (Some(-10), Some(50), None),
        (Some(-10), Some(51), too_long),
        (Some(-3_000), Some(10), too_long),
        (Some(10), Some(70), None),
        (None, Some(10), too_long),
    ];
    let mut route = route();
    route.max_token_lifetime = Some(Duration::from_secs(60));
    for (issued, expires, expected) in cases {
        let date = |token: TokenBuilder, claim, seconds: Option<i64>| match seconds {
            Some(seconds) => token.claim(claim, at(seconds)),
            None => token.without(claim),
        };
        let token = date(date(sound(Profile::Generic), "iat", issued), "exp", expires);
        assert_eq!(refusal(&with_leeway(30), &facts(&token), &route), expected, "{issued:?} {expires:?}");
    }
    let fraction = facts(&sound(Profile::Generic).claim("iat", at(0)).claim("exp", at(60) as f64 + 0.001));
    assert_eq!(refusal(&with_leeway(30), &fraction, &route), too_long);
    let unknown = answer(json!({"aud": API, "client_id": "shop", "iat": at(0)}));
    assert_eq!(refusal(&with_leeway(30), &unknown, &route), too_long, "an unknown lifetime is no short one");
}
