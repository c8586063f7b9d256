//! Published vectors, whole, through the very functions that the gate calls: a key set is read, a token is taken apart, its
//! keys are found, its signature is verified. `vectors/README.md` says where they come from, and
//! `vectors/divergences.json` where and why this gate answers otherwise.
//!
//! The vectors of bare signatures, which are over no token, run as a unit test of `proof/verify.rs`.

#[path = "vectors/runner.rs"]
mod runner;

use runner::{Outcome, check, is_valid, public, read, wycheproof};
use serde_json::{Value, json};
use tollgate::proof::{
    Algorithm, Candidates, IssuerName, JwkError, KeySet, KeySetError, ProofError, VerifyingKey, verify,
};
use tollgate::token::{JwsError, Shape, UnverifiedJws};

/// What the gate does with a token of an issuer that publishes `keys` and may use every algorithm.
///
/// Payloads that are no claims are all right here: they are looked at only behind a signature that verifies.
fn gate(keys: &Value, token: &str) -> Result<(), String> {
    let jws = UnverifiedJws::parse(token).map_err(|error| error.to_string())?;
    let keys = KeySet::from_json(keys.to_string().as_bytes()).map_err(|error| error.to_string())?;
    let algorithm = Algorithm::from_name(jws.alg()).ok_or("the algorithm is not one that is taken")?;
    let keys = match keys.select(algorithm, jws.kid()) {
        Candidates::Keys(keys) => keys,
        Candidates::Misfit => return Err("the key may not use the algorithm".into()),
        Candidates::Unknown => return Err("there is no such key".into()),
    };
    match verify(&jws, algorithm, &keys, &IssuerName::new("joe")) {
        Ok(_) | Err(ProofError::Claims(_)) => Ok(()),
        Err(ProofError::Signature) => Err(ProofError::Signature.to_string()),
    }
}

/// A key set of what a file has for keys: a JWK, several, or a whole set.
fn published(keys: &Value) -> Value {
    let keys = match keys {
        Value::Null => vec![],
        Value::Array(keys) => keys.clone(),
        Value::Object(members) => match members.get("keys") {
            Some(Value::Array(keys)) => keys.clone(),
            _ => vec![keys.clone()],
        },
        other => panic!("{other}"),
    };
    json!({"keys": keys.iter().map(public).collect::<Vec<_>>()})
}

/// A token is a string; what is serialised as a JSON object is sent as its text.
fn text(token: &Value) -> String {
    token.as_str().map_or_else(|| token.to_string(), str::to_owned)
}

fn run_wycheproof(file: &str) {
    let outcome = |(group, test): (Value, Value)| {
        let keys = published(if group["public"].is_null() { &group["private"] } else { &group["public"] });
        let token = text(if test["jws"].is_null() { &test["jwe"] } else { &test["jws"] });
        Outcome { case: test["tcId"].to_string(), valid: is_valid(&test), actual: gate(&keys, &token) }
    };
    let outcomes: Vec<_> = wycheproof(file).into_iter().map(outcome).collect();
    check(file, &outcomes);
}

#[test]
fn wycheproof_signatures() {
    run_wycheproof("json_web_signature_test.json");
}

#[test]
fn wycheproof_keys() {
    run_wycheproof("json_web_key_test.json");
}

#[test]
fn wycheproof_crypto() {
    run_wycheproof("json_web_crypto_test.json");
}

#[test]
fn wycheproof_encryption() {
    run_wycheproof("json_web_encryption_test.json");
}

#[test]
fn sound_encrypted_tokens_are_refused_for_what_they_are() {
    for (_, test) in wycheproof("json_web_encryption_test.json") {
        let token = text(&test["jwe"]);
        if is_valid(&test) {
            assert_eq!(Shape::of(&token), Shape::Jwe, "{}", test["tcId"]);
            assert_eq!(UnverifiedJws::parse(&token).err(), Some(JwsError::Jwe), "{}", test["tcId"]);
        }
        assert!(UnverifiedJws::parse(&token).is_err(), "{}", test["tcId"]);
    }
}

#[test]
fn sound_signed_tokens_are_told_by_their_shape() {
    for file in ["json_web_signature_test.json", "json_web_key_test.json", "json_web_crypto_test.json"] {
        for (group, test) in wycheproof(file) {
            let keys =
                published(if group["public"].is_null() { &group["private"] } else { &group["public"] });
            let token = text(&test["jws"]);
            if gate(&keys, &token).is_ok() {
                assert_eq!(Shape::of(&token), Shape::Jws, "{file} {}", test["tcId"]);
            }
        }
    }
}

#[test]
fn private_keys_that_are_published_are_refused() {
    let mut seen = 0;
    for file in ["json_web_signature_test.json", "json_web_key_test.json", "json_web_crypto_test.json"] {
        for (group, test) in wycheproof(file) {
            let jwk = match group["private"].get("keys") {
                Some(keys) => keys[0].clone(),
                None => group["private"].clone(),
            };
            if jwk.get("d").is_some() {
                let error = VerifyingKey::from_jwk(jwk.to_string().as_bytes()).err();
                seen += usize::from(error == Some(JwkError::Private));
                // A few are not for signatures at all, which is seen first.
                let refused = matches!(error, Some(JwkError::Private | JwkError::NotForSignatures));
                assert!(refused, "{file} {}: {error:?}", test["tcId"]);
            }
        }
    }
    assert!(seen > 300, "{seen}");
}

#[test]
fn rfc_7515_appendix_a() {
    let file = "rfc7515_appendix_a.json";
    let document = read(&format!("rfc7515/{file}"));
    let mut outcomes = Vec::new();
    let mut keys = Vec::new();
    for test in document["tests"].as_array().unwrap() {
        let case = text(&test["section"]);
        keys.extend(test["jwk"].as_object().map(|jwk| Value::Object(jwk.clone())));
        let actual = gate(&published(&test["jwk"]), &text(&test["jws_compact"]));
        outcomes.push(Outcome { case, valid: is_valid(test), actual });
    }
    for test in document["json_serialization"].as_array().unwrap() {
        let actual = gate(&published(&json!(keys)), &text(&test["jws_json"]));
        outcomes.push(Outcome { case: text(&test["section"]), valid: false, actual });
    }
    check(file, &outcomes);
}

#[test]
fn the_claims_of_rfc_7515_are_read_as_printed() {
    let document = read("rfc7515/rfc7515_appendix_a.json");
    for section in ["A.2", "A.3"] {
        let tests = document["tests"].as_array().unwrap();
        let test = tests.iter().find(|test| test["section"] == section).unwrap();
        let token = text(&test["jws_compact"]);
        let keys = KeySet::from_json(published(&test["jwk"]).to_string().as_bytes()).unwrap();
        let jws = UnverifiedJws::parse(&token).unwrap();
        let algorithm = Algorithm::from_name(jws.alg()).unwrap();
        let Candidates::Keys(keys) = keys.select(algorithm, None) else { panic!("{section}") };
        let facts = verify(&jws, algorithm, &keys, &IssuerName::new("joe")).unwrap();
        assert_eq!(facts.claims().issuer(), Some("joe"));
        assert_eq!(facts.claims().expires().map(|at| at.as_secs()), Some(1_300_819_380));
        assert_eq!(facts.claims().get("http://example.com/is_root"), Some(true.into()));
    }
}

#[test]
fn rfc_7520_cookbook() {
    // The compact serialisations with the whole payload inside, and no option that is none of ours.
    let valid = [
        "jws/4_1.rsa_v15_signature",
        "jws/4_2.rsa-pss_signature",
        "jws/4_3.ecdsa_signature",
        "jws/4_4.hmac-sha2_integrity_protection",
        "curve25519/jws",
    ];
    let others = [
        "jws/4_5.signature_with_detached_content",
        "jws/4_6.protecting_specific_header_fields",
        "jws/4_7.protecting_content_only",
        "jws/4_8.multiple_signatures",
        "jwe/5_1.key_encryption_using_rsa_v15_and_aes-hmac-sha2",
        "jwe/5_2.key_encryption_using_rsa-oaep_with_aes-gcm",
        "jwe/5_3.key_wrap_using_pbes2-aes-keywrap_with-aes-cbc-hmac-sha2",
        "jwe/5_4.key_agreement_with_key_wrapping_using_ecdh-es_and_aes-keywrap_with_aes-gcm",
        "jwe/5_5.key_agreement_using_ecdh-es_with_aes-cbc-hmac-sha2",
        "jwe/5_6.direct_encryption_using_aes-gcm",
        "jwe/5_7.key_wrap_using_aes-gcm_keywrap_with_aes-cbc-hmac-sha2",
        "jwe/5_8.key_wrap_using_aes-keywrap_with_aes-gcm",
        "jwe/5_9.compressed_content",
        "jwe/5_10.including_additional_authentication_data",
        "jwe/5_11.protecting_specific_header_fields",
        "jwe/5_12.protecting_content_only",
        "jwe/5_13.encrypting_to_multiple_recipients",
        "rfc7797/4.2.hmac-sha2_b64_false",
        "rfc7797/hmac-sha2_b64_false",
    ];
    let mut outcomes = Vec::new();
    for name in valid.into_iter().chain(others) {
        let document = read(&format!("jose-cookbook/{name}.json"));
        let keys = published(&document["input"]["key"]);
        for (form, token) in document["output"].as_object().unwrap() {
            let valid = valid.contains(&name) && form == "compact";
            outcomes.push(Outcome {
                case: format!("{name} {form}"),
                valid,
                actual: gate(&keys, &text(token)),
            });
        }
    }
    let nested = read("jose-cookbook/6.nesting_signatures_and_encryption.json");
    for (layer, keys) in
        [("sign", &nested["sign"]["input"]["key"]), ("encrypt", &nested["encrypt"]["input"]["key"])]
    {
        let token = text(&nested[layer]["output"]["compact"]);
        // Its inner layer is a sound signed token in its own right, and is what the outer one hides.
        let valid = layer == "sign";
        let case = format!("6.nesting_signatures_and_encryption {layer}");
        outcomes.push(Outcome { case, valid, actual: gate(&published(keys), &token) });
    }
    check("jose-cookbook", &outcomes);
}

#[test]
fn rfc_7520_keys() {
    let cases = [
        ("3_1.ec_public_key", Some(JwkError::Type)),
        ("3_2.ec_private_key", Some(JwkError::Private)),
        ("3_3.rsa_public_key", None),
        ("3_4.rsa_private_key", Some(JwkError::Private)),
        ("3_5.symmetric_key_mac_computation", Some(JwkError::Symmetric)),
        ("3_6.symmetric_key_encryption", Some(JwkError::NotForSignatures)),
    ];
    for (name, expected) in cases {
        let jwk = read(&format!("jose-cookbook/jwk/{name}.json"));
        assert_eq!(VerifyingKey::from_jwk(jwk.to_string().as_bytes()).err(), expected, "{name}");
        let set = KeySet::from_json(json!({ "keys": [jwk] }).to_string().as_bytes());
        assert_eq!(matches!(set, Err(KeySetError::NoUsableKey(_))), expected.is_some(), "{name}");
    }
}
