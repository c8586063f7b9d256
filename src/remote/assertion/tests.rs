//! Assertions verify with the public key, and say what RFC 7523 asks for.

use super::*;
use crate::proof::{Candidates, IssuerName, KeySet, KeyType, verify};
use crate::testing::ManualClock;
use crate::token::{Claims, UnverifiedJws};
use std::fs;
use std::path::PathBuf;

const PEMS: [(&str, KeyType); 3] = [
    (include_str!("../../testing/keys/rsa-1.pem"), KeyType::Rsa),
    (include_str!("../../testing/keys/p256.pem"), KeyType::P256),
    (include_str!("../../testing/keys/ed25519.pem"), KeyType::Ed25519),
];

/// A file of this test, removed when it is dropped.
struct Temporary(PathBuf);

impl Temporary {
    fn holding(name: &str, text: &str) -> Self {
        let path = std::env::temp_dir().join(format!("tollgate-assertion-{}-{name}", std::process::id()));
        fs::write(&path, text).unwrap();
        Self(path)
    }

    fn key(&self, algorithm: Option<Algorithm>) -> Result<AssertionKey, SetupError> {
        AssertionKey::from_file(&self.0, algorithm, None, Arc::new(ManualClock::new()))
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

fn public_set(key_type: KeyType) -> KeySet {
    let jwk = serde_json::Value::Object(crate::testing::SigningKey::published(key_type).public_jwk());
    KeySet::from_json(json!({"keys": [jwk]}).to_string().as_bytes()).unwrap()
}

/// The claims of an assertion that verifies with the published key of this type.
fn verified(assertion: &str, key_type: KeyType, algorithm: Algorithm) -> Claims {
    let (jws, keys) = (UnverifiedJws::parse(assertion).unwrap(), public_set(key_type));
    assert_eq!(jws.alg(), algorithm.name());
    let Candidates::Keys(fitting) = keys.select(algorithm, None) else { panic!() };
    verify(&jws, algorithm, &fitting, &IssuerName::new("gateway")).unwrap().claims().clone()
}

#[test]
fn keys_of_each_type_sign() {
    let now = ManualClock::START;
    for (index, (pem, key_type)) in PEMS.into_iter().enumerate() {
        let file = Temporary::holding(&format!("pem-{index}"), pem);
        let algorithm = [Algorithm::RS256, Algorithm::ES256, Algorithm::EdDSA][index];
        let key = file.key(Some(algorithm)).unwrap();
        let assertion = key.assertion("gateway", "https://as.example/", now).unwrap();
        let claims = verified(&assertion, key_type, algorithm);
        assert_eq!((claims.issuer(), claims.subject()), (Some("gateway"), Some("gateway")));
        assert!(claims.audiences().eq(["https://as.example/"]));
        assert_eq!(claims.expires(), Some(now + std::time::Duration::from_secs(60)));
        assert_eq!(claims.issued_at(), Some(now));
        let again = key.assertion("gateway", "https://as.example/", now).unwrap();
        assert_ne!(claims.id(), verified(&again, key_type, algorithm).id(), "each has its own `jti`");
        assert_eq!(claims.id().unwrap().len(), 22);
    }
}

#[test]
fn a_named_algorithm_must_be_the_key_s() {
    let file = Temporary::holding("named", PEMS[1].0);
    let error = file.key(Some(Algorithm::RS256)).unwrap_err().to_string();
    assert!(error.ends_with("its key is not for the algorithm that is configured"), "{error}");
}

#[test]
fn jwks_of_each_type_sign_and_name_themselves() {
    // The examples of RFC 7517 appendix A.2 and RFC 8037 appendix A.1.
    let ec = r#"{"kty":"EC","crv":"P-256","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
        "y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM","d":"870MB6gfuTJ4HtUnUvYMyJpr5eUZNP4Bk43bVdj3eAE","use":"enc","kid":"1"}"#;
    let okp = r#" {"kty":"OKP","crv":"Ed25519","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
        "x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
    let rsa = include_str!("../../testing/keys/rsa-1.jwk.json");
    for (name, jwk, algorithm, kid) in [
        ("ec", ec, Algorithm::ES256, Some("1")),
        ("okp", okp, Algorithm::EdDSA, None),
        ("rsa", rsa, Algorithm::RS256, Some("rsa-1")),
    ] {
        let file = Temporary::holding(name, jwk);
        let assertion = file.key(None).unwrap().assertion("gateway", "x", ManualClock::START).unwrap();
        let jws = UnverifiedJws::parse(&assertion).unwrap();
        assert_eq!((jws.alg(), jws.kid()), (algorithm.name(), kid));
        let keys = KeySet::from_json(format!(r#"{{"keys":[{}]}}"#, public(jwk)).as_bytes()).unwrap();
        let Candidates::Keys(fitting) = keys.select(algorithm, None) else { panic!() };
        assert!(verify(&jws, algorithm, &fitting, &IssuerName::new("gateway")).is_ok(), "{name}");
    }
}

/// The public part of a JWK.
fn public(jwk: &str) -> serde_json::Value {
    let mut jwk: serde_json::Value = serde_json::from_str(jwk).unwrap();
    for private in ["d", "p", "q", "dp", "dq", "qi", "use"] {
        jwk.as_object_mut().unwrap().remove(private);
    }
    jwk
}

#[test]
fn what_is_no_private_key_is_refused_without_showing_it() {
    for (name, text, reason) in [
        ("empty", "", "private key"),
        ("prose", "hunter2", "private key"),
        (
            "public",
            r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#,
            "private key",
        ),
        ("oct", r#"{"kty":"oct","k":"aHVudGVyMg"}"#, "private key"),
        ("set", r#"{"keys":[]}"#, "key set"),
        ("twice", r#"{"kty":"OKP","kty":"OKP"}"#, "unique members"),
        ("p384", include_str!("../../testing/keys/p384.pem"), "private key"),
    ] {
        let error = Temporary::holding(name, text).key(None).unwrap_err().to_string();
        assert!(error.contains(reason) && !error.contains("hunter2"), "{error}");
    }
}
