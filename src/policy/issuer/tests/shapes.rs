//! How real issuers speak: each of these exists, and is told here as it was met.

use super::*;
use crate::proof::{KeySet, Provenance};

/// A token as some server makes it, and what it is judged by.
struct Shape {
    what: &'static str,
    profile: Profile,
    claims: Value,
    typ: Option<&'static str>,
    /// What becomes of it.
    expected: Option<Reason>,
}

#[test]
fn access_tokens_as_they_are_met() {
    let shapes = [
        Shape {
            what: "Okta, for a user",
            profile: Profile::Okta,
            claims: json!({"ver": 1, "aud": API, "cid": "shop", "uid": "00u1", "scp": ["openid", "orders:read"],
                "sub": "alice@example.com", "auth_time": 1_700_000_000}),
            typ: None,
            expected: None,
        },
        Shape {
            what: "Okta, for the client itself: no `uid`",
            profile: Profile::Okta,
            claims: json!({"ver": 1, "aud": API, "cid": "shop", "scp": ["orders:read"], "sub": "shop"}),
            typ: None,
            expected: None,
        },
        Shape {
            what: "Okta's ID token, with the client for its audience",
            profile: Profile::Okta,
            claims: json!({"ver": 1, "aud": "shop", "sub": "00u1", "amr": ["pwd"], "at_hash": "x"}),
            typ: None,
            expected: Some(Reason::IdToken),
        },
        Shape {
            what: "Entra, version 1",
            profile: Profile::Entra,
            claims: json!({"ver": "1.0", "aud": API, "appid": "shop", "scp": "orders:read", "sub": "x"}),
            typ: Some("JWT"),
            expected: None,
        },
        Shape {
            what: "Entra, for the client itself: roles, and no scopes",
            profile: Profile::Entra,
            claims: json!({"ver": "2.0", "aud": API, "azp": "shop", "roles": ["reader"]}),
            typ: Some("JWT"),
            expected: None,
        },
        Shape {
            what: "Auth0: the API, and the server's own userinfo",
            profile: Profile::Auth0,
            claims: json!({"aud": [API, "https://as.example/userinfo"], "azp": "shop", "scope": "openid orders:read"}),
            typ: Some("JWT"),
            expected: None,
        },
        Shape {
            what: "Auth0, as RFC 9068 has it",
            profile: Profile::Auth0,
            claims: json!({"aud": API, "client_id": "shop", "scope": "orders:read"}),
            typ: Some("at+jwt"),
            expected: None,
        },
        Shape {
            what: "Keycloak, with a `nonce` in its access token",
            profile: Profile::Keycloak,
            claims: json!({"typ": "Bearer", "aud": [API, "account"], "azp": "shop", "scope": "orders:read", "nonce": "n"}),
            typ: Some("JWT"),
            expected: None,
        },
        Shape {
            what: "Keycloak's ID token, for the same audience",
            profile: Profile::Keycloak,
            claims: json!({"typ": "ID", "aud": API, "azp": "shop", "nonce": "n", "at_hash": "h"}),
            typ: Some("JWT"),
            expected: Some(Reason::TypeNotAccess),
        },
        Shape {
            what: "Cognito, which names no audience",
            profile: Profile::Cognito,
            claims: json!({"token_use": "access", "client_id": "shop", "scope": "orders:read", "version": 2}),
            typ: None,
            expected: None,
        },
        Shape {
            what: "Cognito's ID token",
            profile: Profile::Cognito,
            claims: json!({"token_use": "id", "aud": "shop"}),
            typ: None,
            expected: Some(Reason::TypeNotAccess),
        },
        Shape {
            what: "an ID token with the same `typ` and audience: its `nonce` tells",
            profile: Profile::Generic,
            claims: json!({"aud": API, "azp": "shop", "nonce": "n"}),
            typ: Some("JWT"),
            expected: Some(Reason::IdToken),
        },
        Shape {
            what: "an ID token with the same `typ` and audience: its `at_hash` tells",
            profile: Profile::Generic,
            claims: json!({"aud": API, "azp": "shop", "at_hash": "h"}),
            typ: Some("JWT"),
            expected: Some(Reason::IdToken),
        },
        Shape {
            what: "an ID token with the client for its audience",
            profile: Profile::Generic,
            claims: json!({"aud": "shop", "azp": "shop"}),
            typ: None,
            expected: Some(Reason::Audience),
        },
        Shape {
            what: "a server that says next to nothing",
            profile: Profile::Generic,
            claims: json!({"aud": [API], "azp": "shop", "scp": "orders:read"}),
            typ: None,
            expected: None,
        },
        Shape {
            what: "the client and the API for audiences",
            profile: Profile::Generic,
            claims: json!({"aud": ["shop", API], "client_id": "shop", "scp": ["orders:read"]}),
            typ: None,
            expected: None,
        },
    ];
    for Shape { what, profile, claims, typ, expected } in shapes {
        let bare = token().without("iat").without("jti");
        let members = claims.as_object().unwrap().iter();
        let token = members.fold(bare, |token, (name, value)| token.claim(name, value.clone()));
        let token = typ.into_iter().fold(token, |token, typ| token.typ(typ));
        let mut rules = rules(profile);
        if profile == Profile::Cognito {
            rules.audiences = Box::default();
        }
        assert_eq!(refusal(&rules, &facts(&token), &route()), expected, "{what}");
    }
}

#[test]
fn issuers_are_named_by_origin_by_path_and_with_a_slash_at_the_end() {
    for name in
        ["https://as.example", "https://as.example/", "https://as.example/a/b", "https://as.example/a/"]
    {
        let token = Issuer::with_algorithm(name, Algorithm::EdDSA).token().audience(API);
        let facts = prove(&token, name).unwrap();
        let rules = IssuerRules::new(name, Profile::Generic, &[API]);
        assert_eq!(refusal(&rules, &facts, &route()), None, "{name}");
        let toggled = name.strip_suffix('/').map_or_else(|| format!("{name}/"), str::to_owned);
        let rules = IssuerRules::new(&toggled, Profile::Generic, &[API]);
        assert_eq!(refusal(&rules, &facts, &route()), Some(Reason::IssuerUnknown), "{toggled}");
    }
}

#[test]
fn keys_and_tokens_fit_whatever_they_leave_out() {
    for algorithm in
        [Algorithm::RS256, Algorithm::PS256, Algorithm::ES256, Algorithm::ES384, Algorithm::EdDSA]
    {
        for (alg, kid) in [(true, true), (false, true), (true, false), (false, false)] {
            let issuer = Issuer::with_algorithm(ISSUER, algorithm);
            issuer.describe("k1", |jwk| {
                jwk.retain(|name, _| name != "use" && (name != "alg" || alg) && (name != "kid" || kid));
            });
            let keys = issuer.key_set();
            // With a `kid`, and without one before the first rotation.
            for token in [issuer.token(), issuer.token().without_header("kid")] {
                let facts = prove_with(&keys, &token.audience(API).sign(), algorithm).unwrap();
                let mut rules = IssuerRules::new(ISSUER, Profile::Generic, &[API]);
                rules.algorithms = std::iter::once(algorithm).collect();
                let principal = rules.admit(Arc::new(facts), &route(), NOW);
                assert!(principal.is_ok(), "{algorithm}, `alg` {alg}, `kid` {kid}");
            }
        }
    }
}

#[test]
fn a_token_without_kid_is_tried_with_each_key_that_fits() {
    let issuer = Issuer::with_algorithm(ISSUER, Algorithm::ES256);
    let oldest = issuer.token().without_header("kid").sign();
    for _ in 0..3 {
        issuer.rotate();
    }
    let newest = issuer.token().without_header("kid").sign();
    let keys = issuer.key_set();
    for (token, kid) in [(oldest, "k1"), (newest, "k4")] {
        let facts = prove_with(&keys, &token, Algorithm::ES256).unwrap();
        let signed_by = keys.keys().iter().find(|key| key.kid() == Some(kid)).unwrap().id();
        assert!(
            matches!(facts.provenance(), Provenance::Signed { key, .. } if *key == signed_by),
            "{kid}: {:?}",
            facts.provenance()
        );
    }
    issuer.rotate();
    let fifth = issuer.token().without_header("kid").sign();
    let refused = prove_with(&issuer.key_set(), &fifth, Algorithm::ES256);
    assert_eq!(refused.err(), Some(ProofError::Signature), "four are tried, and no more");
}

#[test]
fn eddsa_and_ed25519_name_the_same_keys() {
    for of_key in ["EdDSA", "Ed25519"] {
        let issuer = Issuer::with_algorithm(ISSUER, Algorithm::EdDSA);
        issuer.describe("k1", |jwk| {
            jwk.insert("alg".into(), of_key.into());
        });
        for of_token in ["EdDSA", "Ed25519"] {
            let token = issuer.token().header("alg", of_token).sign();
            let algorithm = Algorithm::from_name(UnverifiedJws::parse(&token).unwrap().alg()).unwrap();
            assert!(prove_with(&issuer.key_set(), &token, algorithm).is_ok(), "{of_key} {of_token}");
        }
    }
}

#[test]
fn introspection_answers_as_they_are_met() {
    let cases = [
        (
            "all that the RFC has",
            json!({"iss": ISSUER, "sub": "alice", "aud": API, "client_id": "shop", "iat": at(-1),
            "exp": at(60), "scope": "orders:read", "token_type": "Bearer", "jti": "1"}),
            None,
        ),
        (
            "no `iss`, `sub`, `iat` or `token_type`",
            json!({"aud": API, "client_id": "shop", "exp": at(60)}),
            None,
        ),
        (
            "fractions",
            json!({"aud": API, "client_id": "shop", "exp": at(60) as f64 + 0.25, "iat": at(0) as f64 - 0.5}),
            None,
        ),
        ("an array for `aud`", json!({"aud": ["x", API], "client_id": "shop"}), None),
        ("an empty array for `aud`", json!({"aud": [], "client_id": "shop"}), Some(Reason::Audience)),
        (
            "the asking client for `aud`",
            json!({"aud": "gateway", "client_id": "shop"}),
            Some(Reason::Audience),
        ),
        (
            "another `iss`",
            json!({"iss": "https://other.example/", "aud": API, "client_id": "shop"}),
            Some(Reason::IssuerUnknown),
        ),
        (
            "an expired token, called active",
            json!({"aud": API, "client_id": "shop", "exp": at(-60)}),
            Some(Reason::Expired),
        ),
        (
            "a refresh token",
            json!({"aud": API, "client_id": "shop", "token_type": "refresh_token"}),
            Some(Reason::TypeNotAccess),
        ),
        (
            "an ID token without a type",
            json!({"aud": "shop", "nonce": "n", "client_id": "shop"}),
            Some(Reason::IdToken),
        ),
    ];
    for (what, members, expected) in cases {
        assert_eq!(refusal(&rules(Profile::Generic), &answer(members), &route()), expected, "{what}");
    }
}

fn prove_with(keys: &KeySet, token: &str, algorithm: Algorithm) -> Result<Verified, ProofError> {
    let jws = UnverifiedJws::parse(token).unwrap();
    let Candidates::Keys(keys) = keys.select(algorithm, jws.kid()) else { panic!("{token}") };
    verify(&jws, algorithm, &keys, &IssuerName::new(ISSUER))
}
