//! A server's keys and random names. The one file of this room that calls the cryptography; what signs is the test issuer's key.

use crate::proof::Algorithm;
use crate::testing::SigningKey;
use aws_lc_rs::rand;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};

/// The key that signs, and those that are published.
pub(super) struct KeyChain {
    algorithm: Algorithm,
    signing: NamedKey,
    /// Newest last.
    published: Vec<Value>,
}

/// A key and its `kid`.
pub(super) struct NamedKey {
    kid: String,
    key: SigningKey,
}

impl NamedKey {
    /// A new key under a name of its own, so that no cache mistakes it for the key of a server that ran here before.
    pub(super) fn generate(algorithm: Algorithm) -> Self {
        Self { kid: random_name(), key: SigningKey::generate(algorithm.key_type()) }
    }

    fn describe(&self, algorithm: Algorithm) -> Value {
        let mut jwk = self.key.public_jwk();
        jwk.insert("alg".into(), algorithm.name().into());
        jwk.insert("kid".into(), self.kid.as_str().into());
        jwk.insert("use".into(), "sig".into());
        jwk.into()
    }
}

impl KeyChain {
    pub(super) fn new(algorithm: Algorithm) -> Self {
        let signing = NamedKey::generate(algorithm);
        let published = vec![signing.describe(algorithm)];
        Self { algorithm, signing, published }
    }

    /// Signs with this key from now on, and publishes it too.
    pub(super) fn rotate(&mut self, key: NamedKey) -> String {
        self.published.push(key.describe(self.algorithm));
        self.signing = key;
        self.signing.kid.clone()
    }

    /// Publishes the key that signs, and no other.
    pub(super) fn withdraw_old(&mut self) {
        self.published = vec![self.signing.describe(self.algorithm)];
    }

    /// The JWK set (RFC 7517 section 5).
    pub(super) fn set(&self) -> Value {
        json!({ "keys": self.published })
    }

    /// A JWT in compact form, with Okta's header: `kid` and `alg`, no `typ`.
    pub(super) fn sign(&self, claims: &Map<String, Value>) -> String {
        let header = json!({"kid": self.signing.kid, "alg": self.algorithm.name()}).to_string();
        let payload = Value::Object(claims.clone()).to_string();
        let input = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload));
        let signature = self.signing.key.sign(self.algorithm, input.as_bytes());
        format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

/// 32 random bytes in base64url: a name that nobody guesses.
///
/// # Panics
/// If the operating system has no randomness to give.
#[expect(
    clippy::expect_used,
    reason = "without randomness there are no keys either: see `SigningKey::generate`"
)]
pub(super) fn random_name() -> String {
    let mut bytes = [0; 32];
    rand::fill(&mut bytes).expect("the operating system gives randomness");
    URL_SAFE_NO_PAD.encode(bytes)
}
