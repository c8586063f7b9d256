//! For whom a token is meant, and to whom it was given.

use super::*;

#[test]
fn an_audience_is_one_of_ours_as_a_whole() {
    let refused = Some(Reason::Audience);
    let cases = [
        (json!(API), None),
        (json!([API]), None),
        (json!(["shop", API]), None),
        (json!([API, "https://as.example/userinfo"]), None),
        (json!("https://api.example"), refused),
        (json!("https://api.example/orders/"), refused),
        (json!("https://api.example/orders/1"), refused),
        (json!("https://api.example/ord"), refused),
        (json!("https://API.example/orders"), refused),
        (json!("HTTPS://api.example/orders"), refused),
        (json!(" https://api.example/orders"), refused),
        (json!("https://api.example/orders shop"), refused),
        (json!("shop,https://api.example/orders"), refused),
        (json!("*"), refused),
        (json!("shop"), refused),
        (json!(["shop"]), refused),
        (json!(""), refused),
        (json!([]), refused),
        (json!([""]), refused),
    ];
    for (audience, expected) in cases {
        let token = facts(&sound(Profile::Generic).claim("aud", audience.clone()));
        assert_eq!(refusal(&rules(Profile::Generic), &token, &route()), expected, "{audience}");
        let answer = answer(json!({"aud": audience, "client_id": "shop"}));
        assert_eq!(refusal(&rules(Profile::Generic), &answer, &route()), expected, "{audience}");
    }
    let missing = facts(&sound(Profile::Generic).without("aud"));
    assert_eq!(refusal(&rules(Profile::Generic), &missing, &route()), refused);
    for wrong in [json!(null), json!(1), json!({"a": API}), json!([API, 1]), json!([[API]])] {
        assert!(prove(&sound(Profile::Generic).claim("aud", wrong.clone()), ISSUER).is_err(), "{wrong}");
    }
}

#[test]
fn a_route_s_audiences_replace_the_issuer_s() {
    let mut route = route();
    route.audiences = texts(&["https://api.example/funds", "https://api.example/bills"]);
    for (audience, expected) in [
        ("https://api.example/funds", None),
        ("https://api.example/bills", None),
        (API, Some(Reason::Audience)),
    ] {
        let token = facts(&sound(Profile::Generic).audience(audience));
        assert_eq!(refusal(&rules(Profile::Generic), &token, &route), expected, "{audience}");
    }
    route.audiences = texts(&[]);
    let token = facts(&sound(Profile::Generic));
    assert_eq!(refusal(&rules(Profile::Generic), &token, &route), Some(Reason::Audience), "none is none");
}

#[test]
fn who_has_many_audiences_needs_one() {
    let rules = IssuerRules::new(ISSUER, Profile::Generic, &["a", API, "b"]);
    assert_eq!(
        refusal(&rules, &facts(&sound(Profile::Generic).claim("aud", json!(["x", "b"]))), &route()),
        None
    );
    let none = IssuerRules::new(ISSUER, Profile::Generic, &[]);
    assert_eq!(refusal(&none, &facts(&sound(Profile::Generic)), &route()), Some(Reason::Audience));
}

#[test]
fn cognito_alone_may_leave_the_audience_out_and_only_where_none_is_asked_for() {
    let without = |profile| facts(&sound(profile).without("aud"));
    for profile in Profile::ALL {
        assert_eq!(
            refusal(&rules(profile), &without(profile), &route()),
            Some(Reason::Audience),
            "{profile}"
        );
        let open = IssuerRules { audiences: Box::default(), ..rules(profile) };
        let expected = Some(Reason::Audience).filter(|_| profile != Profile::Cognito);
        assert_eq!(refusal(&open, &without(profile), &route()), expected, "{profile}");
    }
    let cognito = IssuerRules { audiences: Box::default(), ..rules(Profile::Cognito) };
    let other = facts(&sound(Profile::Cognito).audience("https://other.example/"));
    assert_eq!(refusal(&cognito, &other, &route()), Some(Reason::Audience), "one that is there is judged");
    let mut route = route();
    route.audiences = texts(&[API]);
    let refused = refusal(&cognito, &without(Profile::Cognito), &route);
    assert_eq!(refused, Some(Reason::Audience), "where a route asks for one, there must be one");
}

#[test]
fn what_an_answer_may_lack_is_still_there_where_a_route_asks_for_it() {
    let missing = Missing { audience: true, client: true };
    let rules = IssuerRules { missing, clients: texts(&["shop"]), ..rules(Profile::Generic) };
    let silent = answer(json!({"sub": "alice"}));
    let with = |audiences, clients| Rules { audiences, clients, ..route() };
    assert_eq!(refusal(&rules, &silent, &with(None, None)), None);
    assert_eq!(refusal(&rules, &silent, &with(texts(&[API]), None)), Some(Reason::Audience));
    assert_eq!(refusal(&rules, &silent, &with(None, texts(&["shop"]))), Some(Reason::Client));
    let full = answer(json!({"sub": "alice", "aud": API, "client_id": "shop"}));
    assert_eq!(refusal(&rules, &full, &with(texts(&[API]), texts(&["shop"]))), None);
}

#[test]
fn a_client_is_one_of_the_issuer_s_and_one_of_the_route_s() {
    let refused = Some(Reason::Client);
    let cases = [
        // The issuer's, the route's, the token's.
        (None, None, Some("shop"), None),
        (None, None, None, None),
        (texts(&["shop", "app"]), None, Some("app"), None),
        (texts(&["shop"]), None, Some("app"), refused),
        (texts(&["shop"]), None, None, refused),
        (texts(&["shop"]), None, Some("Shop"), refused),
        (texts(&["shop"]), None, Some("sho"), refused),
        (texts(&["shop"]), None, Some("shop "), refused),
        (texts(&["shop"]), None, Some(""), refused),
        (texts(&[]), None, Some("shop"), refused),
        (None, texts(&["shop"]), Some("shop"), None),
        (None, texts(&["shop"]), Some("app"), refused),
        (None, texts(&["shop"]), None, refused),
        (None, texts(&[]), Some("shop"), refused),
        (texts(&["shop", "app"]), texts(&["app"]), Some("app"), None),
        (texts(&["shop", "app"]), texts(&["app"]), Some("shop"), refused),
        (texts(&["shop"]), texts(&["app"]), Some("app"), refused),
    ];
    for (ours, theirs, client, expected) in cases {
        let rules = IssuerRules { clients: ours.clone(), ..rules(Profile::Generic) };
        let route = Rules { clients: theirs.clone(), ..route() };
        let token = match client {
            Some(client) => sound(Profile::Generic).client(client),
            None => sound(Profile::Generic).without("client_id"),
        };
        assert_eq!(refusal(&rules, &facts(&token), &route), expected, "{ours:?} {theirs:?} {client:?}");
    }
}

#[test]
fn the_first_claim_that_names_a_client_counts() {
    use ClientClaim::{Appid, Azp, Cid, ClientId};
    let refused = Some(Reason::Client);
    let cases: [(&[ClientClaim], Value, Option<Reason>); 9] = [
        (&[Cid, ClientId, Azp], json!({"cid": "shop"}), None),
        (&[Cid, ClientId, Azp], json!({"client_id": "shop"}), None),
        (&[Cid, ClientId, Azp], json!({"azp": "shop"}), None),
        (&[Cid, ClientId, Azp], json!({"appid": "shop"}), refused),
        (&[Cid, ClientId, Azp], json!({"cid": "app", "client_id": "shop", "azp": "shop"}), refused),
        (&[Cid, ClientId, Azp], json!({"cid": "", "client_id": "shop"}), refused),
        (&[Azp, Appid], json!({"appid": "shop"}), None),
        (&[Azp, Appid], json!({"azp": "app", "appid": "shop"}), refused),
        (&[Cid], json!({"client_id": "shop", "azp": "shop", "appid": "shop"}), refused),
    ];
    for (claims, members, expected) in cases {
        let rules = IssuerRules { client_claims: claims.into(), ..rules(Profile::Generic) };
        let token = members
            .as_object()
            .unwrap()
            .iter()
            .fold(token().audience(API), |token, (name, value)| token.claim(name, value.clone()));
        let admitted = rules.admit(facts(&token), &route(), NOW);
        assert_eq!(admitted.as_ref().err().copied(), expected, "{claims:?} {members}");
        assert!(admitted.is_err() || admitted.is_ok_and(|principal| principal.client() == Some("shop")));
    }
}

#[test]
fn relaxations_are_for_answers_alone_and_for_what_they_name() {
    let missing = |audience, client| Missing { audience, client };
    let relaxed = |missing| IssuerRules { missing, ..rules(Profile::Generic) };
    let (no_audience, no_client) = (json!({"client_id": "shop"}), json!({"aud": API}));
    let cases = [
        (missing(false, false), no_audience.clone(), Some(Reason::Audience)),
        (missing(true, false), no_audience.clone(), None),
        (missing(true, false), json!({"client_id": "shop", "aud": []}), None),
        (missing(true, false), json!({"client_id": "shop", "aud": "other"}), Some(Reason::Audience)),
        (missing(true, false), no_client.clone(), Some(Reason::Client)),
        (missing(false, true), no_client, None),
        (missing(false, true), no_audience, Some(Reason::Audience)),
        (missing(false, true), json!({"aud": API, "client_id": "app"}), Some(Reason::Client)),
        (missing(true, true), json!({}), None),
    ];
    for (missing, members, expected) in cases {
        let found = refusal(&relaxed(missing), &answer(members.clone()), &route());
        assert_eq!(found, expected, "{missing:?} {members}");
    }
    let all = relaxed(missing(true, true));
    let signed = sound(Profile::Generic);
    assert_eq!(refusal(&all, &facts(&signed.clone().without("aud")), &route()), Some(Reason::Audience));
    assert_eq!(refusal(&all, &facts(&signed.without("client_id")), &route()), Some(Reason::Client));
}
