use super::*;
use crate::testing::{Issuer, ManualClock, SigningKey, TokenBuilder};
use crate::token::Confirmation;
use serde_json::{Value, json};
use std::sync::Arc;

const ISSUER: &str = "https://as.example/";

type Change = fn(TokenBuilder) -> TokenBuilder;

fn issuer() -> Issuer {
    Issuer::with_algorithm(ISSUER, Algorithm::ES256)
}

/// An answer as RFC 9701 section 5 has it: no `exp` of its own.
fn answer(issuer: &Issuer, inner: Value) -> TokenBuilder {
    let token =
        issuer.token().typ("token-introspection+jwt").audience("gateway").without("exp").without("jti");
    token.claim("token_introspection", inner)
}

fn read_signed(issuer: &Issuer, token: &TokenBuilder) -> Result<Introspected, IntrospectionError> {
    let (name, keys) = (IssuerName::new(ISSUER), issuer.key_set());
    let expected = SignedIntrospection {
        issuer: &name,
        keys: &keys,
        algorithms: [Algorithm::ES256, Algorithm::RS256].into_iter().collect(),
        client_id: "gateway",
        at: ManualClock::START,
    };
    read_signed_introspection(&token.sign(), &expected)
}

fn error(change: impl Fn(TokenBuilder) -> TokenBuilder) -> Option<IntrospectionError> {
    let issuer = issuer();
    read_signed(&issuer, &change(answer(&issuer, json!({"active": true})))).err()
}

#[test]
fn the_answer_inside_is_read_like_a_plain_one() {
    let issuer = issuer();
    let inner = json!({"active": true, "sub": "alice", "scope": "orders:read", "exp": 1_767_229_200, "cnf": {"kid": "a"}});
    let Ok(Introspected::Active(facts)) = read_signed(&issuer, &answer(&issuer, inner)) else { panic!() };
    assert_eq!(facts.claims().subject(), Some("alice"));
    assert!(facts.claims().scopes().contains("orders:read"));
    assert_eq!(facts.claims().confirmation(), Some(&Confirmation::Unknown));
    assert_eq!(facts.claims().audiences().count(), 0, "the envelope's audience is not the token's");
    assert!(matches!(
        facts.provenance(),
        Provenance::Introspected { issuer, at } if issuer.as_str() == ISSUER && *at == ManualClock::START
    ));
    assert!(facts.typ().is_none());
    let inactive = read_signed(&issuer, &answer(&issuer, json!({"active": false})));
    assert!(matches!(inactive, Ok(Introspected::Inactive)));
}

#[test]
fn what_is_inside_must_be_an_answer() {
    let issuer = issuer();
    for (inner, error) in [
        (json!({}), IntrospectionError::Active),
        (json!({"active": "true"}), IntrospectionError::Active),
        (json!([]), IntrospectionError::Answer),
        (json!(null), IntrospectionError::Answer),
        (json!("x"), IntrospectionError::Answer),
        (json!(true), IntrospectionError::Answer),
    ] {
        let found = read_signed(&issuer, &answer(&issuer, inner.clone())).err();
        assert_eq!(found, Some(error), "{inner}");
    }
    assert_eq!(error(|token| token.without("token_introspection")), Some(IntrospectionError::Answer));
    // An `active` of the envelope is not one.
    let outside = error(|token| token.without("token_introspection").claim("active", true));
    assert_eq!(outside, Some(IntrospectionError::Answer));
    let wrong = read_signed(&issuer, &answer(&issuer, json!({"active": true, "exp": "1"}))).err();
    assert_eq!(wrong, Some(IntrospectionError::Claims(ClaimsError::WrongType("exp"))));
}

#[test]
fn no_other_token_of_the_issuer_passes_for_an_answer() {
    for typ in
        ["JWT", "at+jwt", "", "token-introspection", "introspection+jwt", "text/token-introspection+jwt"]
    {
        assert_eq!(error(|token| token.typ(typ)), Some(IntrospectionError::Answer), "{typ:?}");
    }
    assert_eq!(error(|token| token.without_header("typ")), Some(IntrospectionError::Answer));
    for typ in ["token-introspection+jwt", "Token-Introspection+JWT", "application/token-introspection+jwt"] {
        assert_eq!(error(|token| token.typ(typ)), None, "{typ:?}");
    }
}

#[test]
fn the_envelope_is_of_this_issuer_and_for_this_gate() {
    let others: [(&str, Change); 6] = [
        ("another issuer", |token| token.claim("iss", "https://other.example/")),
        ("no issuer", |token| token.without("iss")),
        ("another audience", |token| token.audience("other")),
        ("no audience", |token| token.without("aud")),
        ("a part of our name", |token| token.audience("gate")),
        ("an empty list", |token| token.claim("aud", json!([]))),
    ];
    for (what, change) in others {
        assert_eq!(error(change), Some(IntrospectionError::NotForUs), "{what}");
    }
    assert_eq!(error(|token| token.claim("aud", json!(["other", "gateway"]))), None);
    let wrong = Some(IntrospectionError::Claims(ClaimsError::WrongType("aud")));
    assert_eq!(error(|token| token.claim("aud", 1)), wrong);
}

#[test]
fn it_was_given_now() {
    let now = ManualClock::START.as_secs();
    let age = MAX_ANSWER_AGE.as_secs();
    let at = |name: &'static str, secs: u64| error(|token| token.claim(name, secs));
    for iat in [now - age, now, now + age] {
        assert_eq!(at("iat", iat), None, "{iat}");
    }
    for iat in [0, now - age - 1, now + age + 1] {
        assert_eq!(at("iat", iat), Some(IntrospectionError::Stale), "{iat}");
    }
    assert_eq!(error(|token| token.without("iat")), Some(IntrospectionError::Stale));
    assert_eq!((at("exp", now - 60), at("exp", now + 1)), (None, None));
    assert_eq!(at("exp", now - 61), Some(IntrospectionError::Stale));
    assert_eq!((at("nbf", 0), at("nbf", now + 60)), (None, None));
    assert_eq!(at("nbf", now + 61), Some(IntrospectionError::Stale));
}

#[test]
fn the_signature_verifies_with_a_key_of_the_issuer() {
    assert_eq!(error(TokenBuilder::tampered), Some(IntrospectionError::Signature));
    let stranger = Arc::new(SigningKey::generate(crate::proof::KeyType::P256));
    assert_eq!(error(|token| token.key(stranger.clone())), Some(IntrospectionError::Signature));
    assert_eq!(error(|token| token.hmac(b"secret")), Some(IntrospectionError::Signature));
    assert_eq!(error(|token| token.header("alg", "none")), Some(IntrospectionError::Signature));
    assert_eq!(
        error(|token| token.header("alg", "PS256")),
        Some(IntrospectionError::Signature),
        "not allowed"
    );
    assert_eq!(
        error(|token| token.header("alg", "RS256")),
        Some(IntrospectionError::Signature),
        "not of this key"
    );
    assert_eq!(error(|token| token.header("kid", "k2")), Some(IntrospectionError::UnknownKey));
    assert_eq!(
        error(|token| token.header("crit", json!(["exp"]))),
        Some(IntrospectionError::Jws(JwsError::Critical))
    );
    let empty = error(|token| token.signature(b""));
    assert_eq!(empty, Some(IntrospectionError::Jws(JwsError::Parts)));
}

fn read(json: &str) -> Result<Introspected, IntrospectionError> {
    read_introspection(json.as_bytes(), &IssuerName::new("https://as"), UnixTime::EPOCH)
}

#[test]
fn active_is_the_json_boolean_true() {
    assert!(matches!(read(r#"{"active":true}"#), Ok(Introspected::Active(_))));
    assert!(matches!(read(r#"{"active":false,"exp":"x"}"#), Ok(Introspected::Inactive)));
    for odd in [
        "{}",
        " \t{}",
        r#"{"active":"true"}"#,
        r#"{"active":1}"#,
        r#"{"active":null}"#,
        r#"{"active":true,"active":true}"#,
        r#"{"active":false,"active":true}"#,
        r#"{"active":[true]}"#,
        r#"{"Active":true}"#,
    ] {
        assert_eq!(read(odd).err(), Some(IntrospectionError::Active), "{odd}");
    }
    for other in [
        "[]",
        "",
        "<html>",
        "true",
        r#""{}""#,
        "{",
        r#"{"active":true"#,
        r#"{"active":true}{}"#,
        "{active:true}",
    ] {
        assert_eq!(read(other).err(), Some(IntrospectionError::Answer), "{other}");
    }
}

#[test]
fn claims_are_read_strictly() {
    assert_eq!(
        read(r#"{"active":true,"exp":"1"}"#).err(),
        Some(IntrospectionError::Claims(ClaimsError::WrongType("exp")))
    );
    let Ok(Introspected::Active(facts)) = read(r#"{"active":true,"exp":1.25,"aud":[]}"#) else { panic!() };
    assert_eq!(facts.claims().expires(), Some(UnixTime::from_millis(1_250)));
    assert_eq!(facts.issuer().as_str(), "https://as");
}
