//! Key sets: RFC 7517 sections 4 and 5, RFC 7518 section 6, RFC 7638. The input is the JSON.

use super::json::Members;
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::value::RawValue;
use tollgate::proof::{
    Algorithm, AlgorithmSet, Candidates, KeySet, KeySetError, KeyType, MAX_CANDIDATES, MAX_KEYS, VerifyingKey,
};

/// Each entry is a key that may be used, or skipped; and a token finds no key that may not have signed it.
pub fn check(data: &[u8]) {
    let document = Members::unique(data);
    let entries = document.and_then(|document| entries(document.get("keys")?));
    let set = match (KeySet::from_json(data), entries) {
        (Ok(set), Some(entries)) => {
            assert_eq!(set.keys().len() + set.skipped().len(), entries.len(), "each entry counts once");
            assert!(entries.len() <= MAX_KEYS && !set.keys().is_empty());
            let kept =
                (0..entries.len()).filter(|at| set.skipped().iter().all(|skipped| skipped.index != *at));
            for (at, key) in kept.zip(set.keys()) {
                may_be_used(entries[at].get(), key);
            }
            set
        }
        (Err(KeySetError::TooMany(count)), Some(entries)) => {
            return assert!(count == entries.len() && count > MAX_KEYS);
        }
        (Err(KeySetError::NoUsableKey(skipped)), Some(entries)) => {
            return assert_eq!(skipped.len(), entries.len(), "each has its reason");
        }
        (Err(KeySetError::Malformed), None) => return,
        (read, entries) => panic!("{read:?}, of {:?} entries", entries.map(|entries| entries.len())),
    };
    let names = set.keys().iter().map(VerifyingKey::kid).chain([None, Some(""), Some("unknown")]);
    for kid in names {
        for algorithm in Algorithm::ALL {
            let Candidates::Keys(found) = set.select(algorithm, kid) else { continue };
            assert!((1..=MAX_CANDIDATES).contains(&found.iter().count()));
            for key in found.iter() {
                assert!(key.algorithms().contains(algorithm) && set.contains(key.id()));
                assert!(key.kid().is_none() || kid.is_none() || key.kid() == kid, "a key of another name");
                assert_eq!(found.named(), kid.is_some() && key.kid() == kid);
            }
        }
    }
}

fn entries(json: &str) -> Option<Vec<&RawValue>> {
    serde_json::from_str(json).ok()
}

/// Holds a key that was kept against the JWK that it was made of.
fn may_be_used(json: &str, key: &VerifyingKey) {
    let jwk = Members::unique(json.as_bytes()).expect("an object with unique names");
    let text = |name: &str| jwk.string(name).expect("a string");
    let need = |name: &str| text(name).unwrap_or_else(|| panic!("`{name}` is missing"));
    let bytes = |name: &str| URL_SAFE_NO_PAD.decode(need(name)).expect("base64url");
    for private in ["d", "p", "q", "dp", "dq", "qi", "oth"] {
        assert_eq!(jwk.get(private), None, "a private key is never used");
    }
    assert_eq!(key.kid(), text("kid").as_deref());
    assert!(text("use").is_none_or(|usage| usage == "sig"));
    let operations: Option<Vec<String>> = jwk.get("key_ops").map(|ops| serde_json::from_str(ops).unwrap());
    assert!(operations.is_none_or(|operations| operations.iter().any(|op| op == "verify")));
    let (key_type, canonical) = match (&*need("kty"), text("crv").as_deref()) {
        ("RSA", _) => {
            let number =
                |name: &str| bytes(name).into_iter().skip_while(|byte| *byte == 0).collect::<Vec<_>>();
            let (n, e) = (number("n"), number("e"));
            assert!((256..=1024).contains(&n.len()) && (n.len() > 256 || n[0] >= 0x80), "2048 to 8192 bits");
            assert!(e.len() >= 3 && (e.len() > 3 || e >= vec![1, 0, 1]), "an exponent of at least 65537");
            assert!(n[n.len() - 1] & e[e.len() - 1] & 1 == 1, "both odd");
            let [n, e] = [n, e].map(|number| URL_SAFE_NO_PAD.encode(number));
            (KeyType::Rsa, format!(r#"{{"e":"{e}","kty":"RSA","n":"{n}"}}"#))
        }
        ("EC", Some(curve @ ("P-256" | "P-384"))) => {
            let (key_type, length) = if curve == "P-256" { (KeyType::P256, 32) } else { (KeyType::P384, 48) };
            assert_eq!([bytes("x").len(), bytes("y").len()], [length; 2]);
            let (x, y) = (need("x"), need("y"));
            (key_type, format!(r#"{{"crv":"{curve}","kty":"EC","x":"{x}","y":"{y}"}}"#))
        }
        ("OKP", Some("Ed25519")) => {
            assert_eq!(bytes("x").len(), 32);
            (KeyType::Ed25519, format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{}"}}"#, need("x")))
        }
        other => panic!("no key of type {other:?} is used"),
    };
    assert_eq!(key.key_type(), key_type);
    assert_eq!(key.id().to_string(), URL_SAFE_NO_PAD.encode(digest(&SHA256, canonical.as_bytes())));
    let allowed = match text("alg") {
        None => AlgorithmSet::of_key_type(key_type),
        Some(name) => {
            let algorithm = Algorithm::from_name(&name).expect("an algorithm that is known");
            assert_eq!(algorithm.key_type(), key_type);
            std::iter::once(algorithm).collect()
        }
    };
    assert!(key.algorithms() == allowed, "its own algorithms, and no others");
}
