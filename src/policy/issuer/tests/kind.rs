//! Access tokens, and what passes for one elsewhere.

use super::*;

#[test]
fn typ_is_that_of_an_access_token_or_says_nothing() {
    let of_access_tokens = ["at+jwt", "AT+JWT", "At+Jwt", "application/at+jwt", "Application/AT+jwt"];
    let of_any_jwt = ["JWT", "jwt", "application/jwt"];
    let of_others = [
        "",
        " JWT",
        "JWT ",
        "JWS",
        "JOSE",
        "at",
        "at+jwt+x",
        "at_jwt",
        "application/",
        "application/application/at+jwt",
        "text/at+jwt",
        "application-at+jwt",
        "application/+at+jwt",
        "dpop+jwt",
        "logout+jwt",
        "secevent+jwt",
        "rt+jwt",
        "id_token",
        "client-authentication+jwt",
        "oauth-authz-req+jwt",
        "token-introspection+jwt",
        "vc+sd-jwt",
        "kb+jwt",
    ];
    for profile in Profile::ALL {
        let (rules, strict) = (rules(profile), profile == Profile::Rfc9068);
        let judge = |typ: &str| refusal(&rules, &facts(&sound(profile).typ(typ)), &route());
        let refused = Some(Reason::TypeNotAccess);
        for typ in of_access_tokens {
            assert_eq!(judge(typ), None, "{profile} {typ:?}");
        }
        for typ in of_any_jwt {
            assert_eq!(judge(typ), refused.filter(|_| strict), "{profile} {typ:?}");
        }
        for typ in of_others {
            assert_eq!(judge(typ), refused, "{profile} {typ:?}");
        }
        let silent = facts(&sound(profile).without_header("typ"));
        assert_eq!(refusal(&rules, &silent, &route()), refused.filter(|_| strict), "{profile}");
    }
}

#[test]
fn id_tokens_are_told_by_their_claims() {
    for claim in ["nonce", "at_hash", "c_hash", "s_hash"] {
        for value in [json!("x"), json!(""), json!(null), json!(1)] {
            for profile in Profile::ALL {
                let token = facts(&sound(profile).claim(claim, value.clone()));
                // Keycloak has put `nonce` into access tokens too, and says in `typ` what they are.
                let expected =
                    Some(Reason::IdToken).filter(|_| profile != Profile::Keycloak || claim != "nonce");
                assert_eq!(refusal(&rules(profile), &token, &route()), expected, "{profile} {claim} {value}");
            }
        }
    }
}

#[test]
fn security_events_and_logout_tokens_are_told_by_their_events() {
    let events = json!({"http://schemas.openid.net/event/backchannel-logout": {}});
    for profile in Profile::ALL {
        for events in [events.clone(), json!({}), json!(null)] {
            let token = facts(&sound(profile).claim("events", events));
            assert_eq!(refusal(&rules(profile), &token, &route()), Some(Reason::TypeNotAccess), "{profile}");
        }
    }
}

#[test]
fn issuers_that_name_the_kind_are_believed() {
    let refused = Some(Reason::TypeNotAccess);
    let cases = [
        (Profile::Keycloak, "typ", json!("Bearer"), None),
        // Bound, but not to anything.
        (Profile::Keycloak, "typ", json!("DPoP"), Some(Reason::Binding)),
        (Profile::Generic, "token_type", json!("dpop"), Some(Reason::Binding)),
        (Profile::Keycloak, "typ", json!("bearer"), refused),
        (Profile::Keycloak, "typ", json!("ID"), refused),
        (Profile::Keycloak, "typ", json!("Refresh"), refused),
        (Profile::Keycloak, "typ", json!("Offline"), refused),
        (Profile::Keycloak, "typ", json!("Logout"), refused),
        (Profile::Keycloak, "typ", json!(""), refused),
        (Profile::Cognito, "token_use", json!("access"), None),
        (Profile::Cognito, "token_use", json!("id"), refused),
        (Profile::Cognito, "token_use", json!("Access"), refused),
        (Profile::Cognito, "token_use", json!(""), refused),
        // Whoever says `id` there means it, whatever the profile.
        (Profile::Generic, "token_use", json!("id"), refused),
        (Profile::Generic, "token_use", json!("access"), None),
        (Profile::Okta, "typ", json!("ID"), refused),
        (Profile::Auth0, "typ", json!("Refresh"), refused),
        (Profile::Generic, "typ", json!("Offline"), refused),
        (Profile::Generic, "typ", json!("Logout"), refused),
        (Profile::Generic, "typ", json!("identity card"), None),
    ];
    for (profile, claim, value, expected) in cases {
        let token = facts(&sound(profile).claim(claim, value.clone()));
        assert_eq!(refusal(&rules(profile), &token, &route()), expected, "{profile} {claim} {value}");
    }
    let bound = sound(Profile::Keycloak).claim("typ", "DPoP").claim("cnf", json!({"jkt": "x"}));
    assert_eq!(refusal(&rules(Profile::Keycloak), &facts(&bound), &route()), None, "whoever shows the key");
    let silent = facts(&sound(Profile::Keycloak).without("typ"));
    assert_eq!(refusal(&rules(Profile::Keycloak), &silent, &route()), None, "older ones don't say");
    let silent = facts(&sound(Profile::Cognito).without("token_use"));
    assert_eq!(refusal(&rules(Profile::Cognito), &silent, &route()), refused, "every one says");
}

#[test]
fn an_introspection_answer_may_name_the_kind() {
    let refused = Some(Reason::TypeNotAccess);
    let cases = [
        ("Bearer", None),
        ("bearer", None),
        // Bound, and not said to what.
        ("DPoP", Some(Reason::Binding)),
        ("access_token", None),
        ("urn:ietf:params:oauth:token-type:access_token", None),
        ("refresh_token", refused),
        ("id_token", refused),
        ("Refresh", refused),
        ("urn:ietf:params:oauth:token-type:refresh_token", refused),
        ("urn:ietf:params:oauth:token-type:id_token", refused),
        ("N_A", refused),
        ("mac", refused),
        ("", refused),
        ("Bearer ", refused),
    ];
    for (token_type, expected) in cases {
        let facts = answer(json!({"aud": API, "client_id": "shop", "token_type": token_type}));
        assert_eq!(refusal(&rules(Profile::Generic), &facts, &route()), expected, "{token_type:?}");
    }
    // A refresh token, or an ID token, that is answered for as active.
    for (profile, members) in [
        (Profile::Keycloak, json!({"aud": API, "client_id": "shop", "typ": "Refresh"})),
        (Profile::Keycloak, json!({"aud": API, "client_id": "shop", "typ": "ID"})),
        (Profile::Generic, json!({"aud": API, "client_id": "shop", "token_use": "id"})),
        (Profile::Generic, json!({"aud": API, "client_id": "shop", "token_use": "refresh"})),
    ] {
        assert_eq!(refusal(&rules(profile), &answer(members.clone()), &route()), refused, "{members}");
    }
    let id_token = answer(json!({"aud": API, "client_id": "shop", "nonce": "n"}));
    assert_eq!(refusal(&rules(Profile::Generic), &id_token, &route()), Some(Reason::IdToken));
}

#[test]
fn a_jwt_s_own_token_type_need_not_be_bearer() {
    // RFC 7662 defines it for answers alone; in a JWT it is what its issuer likes. Only what is surely no access token is none.
    for (kind, expected) in [
        ("access", None),
        ("api", None),
        ("identity", None),
        ("refresh_token", Some(Reason::TypeNotAccess)),
        ("REFRESH", Some(Reason::TypeNotAccess)),
        ("id+jwt", Some(Reason::TypeNotAccess)),
        ("Logout-Token+JWT", Some(Reason::TypeNotAccess)),
        ("refreshable", None),
        ("re", None),
    ] {
        let token = facts(&sound(Profile::Generic).claim("token_type", kind));
        assert_eq!(refusal(&rules(Profile::Generic), &token, &route()), expected, "{kind}");
    }
}

#[test]
fn the_profile_s_mandatory_claims_are_there() {
    let missing = Some(Reason::ClaimMissing);
    let cases = [
        (Profile::Rfc9068, "sub", missing),
        (Profile::Rfc9068, "iat", missing),
        (Profile::Rfc9068, "jti", missing),
        (Profile::Rfc9068, "client_id", missing),
        (Profile::Okta, "cid", missing),
        (Profile::Cognito, "client_id", missing),
        (Profile::Okta, "sub", None),
        (Profile::Okta, "uid", None),
        (Profile::Okta, "iat", None),
        (Profile::Generic, "sub", None),
        (Profile::Generic, "iat", None),
        (Profile::Generic, "jti", None),
        (Profile::Generic, "client_id", None),
        (Profile::Entra, "azp", missing),
        (Profile::Auth0, "azp", missing),
        (Profile::Keycloak, "azp", missing),
    ];
    for (profile, claim, expected) in cases {
        let mut rules = rules(profile);
        rules.clients = None;
        assert_eq!(
            refusal(&rules, &facts(&sound(profile).without(claim)), &route()),
            expected,
            "{profile} {claim}"
        );
    }
    // Okta's `cid` is not replaced by what other servers call the client.
    let other = facts(&sound(Profile::Okta).without("cid").client("shop").claim("azp", "shop"));
    assert_eq!(refusal(&rules(Profile::Okta), &other, &route()), missing);
    // An answer need not repeat them (RFC 7662 section 2.2).
    let answer = answer(json!({"aud": API, "client_id": "shop"}));
    assert_eq!(refusal(&rules(Profile::Rfc9068), &answer, &route()), None);
}
