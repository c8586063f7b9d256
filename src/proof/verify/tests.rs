//! Wycheproof's vectors of bare signatures, whole: each signs bytes of its own, and no token. Where this gate answers otherwise is
//! listed in `tests/vectors/divergences.json`.

#[path = "../../../tests/vectors/runner.rs"]
mod runner;

use super::*;
use crate::proof::VerifyingKey;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use runner::{Outcome, check, is_valid, public, wycheproof};
use serde_json::{Value, json};

fn run(file: &str, algorithm: Algorithm) {
    let outcome = |(group, test): (Value, Value)| {
        let key = VerifyingKey::from_jwk(jwk(&group, algorithm).to_string().as_bytes());
        let (message, signature) = (bytes(&test["msg"]), bytes(&test["sig"]));
        let actual = match key {
            Err(error) => Err(error.to_string()),
            Ok(key) if key.verifiers().verify(algorithm, &message, &signature) => Ok(()),
            Ok(_) => Err(ProofError::Signature.to_string()),
        };
        Outcome { case: test["tcId"].to_string(), valid: is_valid(&test), actual }
    };
    let outcomes: Vec<_> = wycheproof(file).into_iter().map(outcome).collect();
    check(file, &outcomes);
}

/// The group's key as a JWK. Some groups have it only as numbers.
fn jwk(group: &Value, algorithm: Algorithm) -> Value {
    let given = [&group["publicKeyJwk"], &group["keyJwk"]].into_iter().find(|jwk| !jwk.is_null());
    given.map(public).unwrap_or_else(|| {
        let (key, b64) = (&group["publicKey"], |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes));
        let curve = match algorithm.key_type() {
            KeyType::Rsa => {
                let (n, e) = (bytes(&key["modulus"]), bytes(&key["publicExponent"]));
                return json!({"kty": "RSA", "alg": algorithm.name(), "n": b64(&n), "e": b64(&e)});
            }
            KeyType::P256 => "P-256",
            KeyType::P384 => "P-384",
            KeyType::Ed25519 => panic!("{group}"),
        };
        let point = bytes(&key["uncompressed"]);
        let (x, y) = point[1..].split_at(point.len() / 2);
        json!({"kty": "EC", "crv": curve, "x": b64(x), "y": b64(y)})
    })
}

fn bytes(hex: &Value) -> Vec<u8> {
    let digits = hex.as_str().unwrap().as_bytes();
    assert!(digits.len().is_multiple_of(2), "{hex}");
    let pair = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    digits.chunks(2).map(pair).collect()
}

#[test]
fn es256() {
    run("ecdsa_secp256r1_sha256_p1363_test.json", Algorithm::ES256);
}

#[test]
fn es384() {
    run("ecdsa_secp384r1_sha384_p1363_test.json", Algorithm::ES384);
}

#[test]
fn eddsa() {
    run("ed25519_test.json", Algorithm::EdDSA);
}

#[test]
fn rs256() {
    run("rsa_signature_2048_sha256_test.json", Algorithm::RS256);
}

#[test]
fn rs384() {
    run("rsa_signature_3072_sha384_test.json", Algorithm::RS384);
}

#[test]
fn ps256() {
    run("rsa_pss_2048_sha256_mgf1_32_test.json", Algorithm::PS256);
}

#[test]
fn ps384() {
    run("rsa_pss_2048_sha384_mgf1_48_test.json", Algorithm::PS384);
}

#[test]
fn ps512() {
    run("rsa_pss_4096_sha512_mgf1_64_test.json", Algorithm::PS512);
}

#[test]
fn a_key_verifies_with_the_algorithms_that_it_was_made_for_alone() {
    use crate::testing::SigningKey;
    for signing in Algorithm::ALL {
        let key = SigningKey::published(signing.key_type());
        let mut jwk = key.public_jwk();
        let signature = key.sign(signing, b"message");
        let any = VerifyingKey::from_jwk(Value::Object(jwk.clone()).to_string().as_bytes()).unwrap();
        jwk.insert("alg".into(), signing.name().into());
        let one = VerifyingKey::from_jwk(Value::Object(jwk).to_string().as_bytes()).unwrap();
        for verifying in Algorithm::ALL {
            let expected = signing == verifying;
            for key in [&any, &one] {
                let verifies = key.verifiers().verify(verifying, b"message", &signature);
                assert_eq!(verifies, expected, "signed with {signing}, verified with {verifying}");
                assert!(!key.verifiers().verify(verifying, b"massage", &signature), "{verifying}");
            }
        }
    }
}

#[test]
fn a_key_goes_by_the_name_of_its_algorithm() {
    use crate::testing::SigningKey;
    for algorithm in Algorithm::ALL {
        let jwk = Value::Object(SigningKey::published(algorithm.key_type()).public_jwk()).to_string();
        let key = VerifyingKey::from_jwk(jwk.as_bytes()).unwrap();
        let ready = key.verifiers().0.iter().find(|ready| ready.algorithm == algorithm).unwrap();
        assert_eq!(format!("{:?}", JwtVerifier::algorithm(ready)), algorithm.name());
    }
}
