//! Keys that sign. The one file of this room that calls the cryptography.

use crate::proof::{Algorithm, KeyType};
use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{self, EcdsaKeyPair, Ed25519KeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Map, Value, json};
use std::fmt;

/// A private key that signs tokens in tests.
///
/// ```
/// use tollgate::proof::{KeyType, VerifyingKey};
/// use tollgate::testing::SigningKey;
///
/// let key = SigningKey::generate(KeyType::P256);
/// let jwk = serde_json::Value::Object(key.public_jwk()).to_string();
/// assert_eq!(VerifyingKey::from_jwk(jwk.as_bytes())?.key_type(), key.key_type());
/// # Ok::<(), tollgate::proof::JwkError>(())
/// ```
pub struct SigningKey {
    key_type: KeyType,
    pair: Pair,
}

enum Pair {
    Rsa(Box<RsaKeyPair>),
    Ec(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

impl SigningKey {
    /// The published test key of this type: the same at each call, and known to everyone.
    pub fn published(key_type: KeyType) -> Self {
        Self::from_pem(
            match key_type {
                KeyType::Rsa => include_str!("keys/rsa-1.pem"),
                KeyType::P256 => include_str!("keys/p256.pem"),
                KeyType::P384 => include_str!("keys/p384.pem"),
                KeyType::Ed25519 => include_str!("keys/ed25519.pem"),
            },
            key_type,
        )
    }

    /// A second published RSA key. Making one takes tenths of a second, where other types take none to speak of.
    pub fn published_rsa_2() -> Self {
        Self::from_pem(include_str!("keys/rsa-2.pem"), KeyType::Rsa)
    }

    /// A new key. RSA keys have 2048 bits.
    ///
    /// # Panics
    /// If the operating system has no randomness to give.
    #[expect(clippy::expect_used, reason = "without randomness there is nothing to test")]
    pub fn generate(key_type: KeyType) -> Self {
        let pair = match key_type {
            KeyType::Rsa => RsaKeyPair::generate(KeySize::Rsa2048).map(|pair| Pair::Rsa(Box::new(pair))),
            KeyType::P256 => {
                EcdsaKeyPair::generate(&signature::ECDSA_P256_SHA256_FIXED_SIGNING).map(Pair::Ec)
            }
            KeyType::P384 => {
                EcdsaKeyPair::generate(&signature::ECDSA_P384_SHA384_FIXED_SIGNING).map(Pair::Ec)
            }
            KeyType::Ed25519 => Ed25519KeyPair::generate().map(Pair::Ed25519),
        };
        Self { key_type, pair: pair.expect("a key can be made") }
    }

    #[expect(clippy::expect_used, reason = "the files are part of this crate, and each is read by a test")]
    fn from_pem(pem: &str, key_type: KeyType) -> Self {
        let base64: String = pem
            .lines()
            .skip_while(|line| !line.starts_with("-----"))
            .filter(|line| !line.starts_with('-'))
            .collect();
        let der = STANDARD.decode(base64).expect("a PEM file holds base64");
        let pair = match key_type {
            KeyType::Rsa => RsaKeyPair::from_pkcs8(&der).map(|pair| Pair::Rsa(Box::new(pair))),
            KeyType::P256 => {
                EcdsaKeyPair::from_pkcs8(&signature::ECDSA_P256_SHA256_FIXED_SIGNING, &der).map(Pair::Ec)
            }
            KeyType::P384 => {
                EcdsaKeyPair::from_pkcs8(&signature::ECDSA_P384_SHA384_FIXED_SIGNING, &der).map(Pair::Ec)
            }
            KeyType::Ed25519 => Ed25519KeyPair::from_pkcs8_maybe_unchecked(&der).map(Pair::Ed25519),
        };
        Self { key_type, pair: pair.expect("the file holds a key of its type") }
    }

    /// Its type.
    pub fn key_type(&self) -> KeyType {
        self.key_type
    }

    /// The public key as a JWK with the members that its type demands, and no others (RFC 7518 section 6, RFC 8037).
    pub fn public_jwk(&self) -> Map<String, Value> {
        let b64 = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let point = |pair: &EcdsaKeyPair, curve: &str| {
            // Uncompressed: 0x04, and then both coordinates in full length.
            let point = pair.public_key().as_ref().get(1..).unwrap_or_default();
            let (x, y) = point.split_at(point.len() / 2);
            json!({"kty": "EC", "crv": curve, "x": b64(x), "y": b64(y)})
        };
        let jwk = match &self.pair {
            Pair::Rsa(pair) => {
                let key = pair.public_key();
                let (n, e) = (key.modulus(), key.exponent());
                json!({
                    "kty": "RSA",
                    "n": b64(n.big_endian_without_leading_zero()),
                    "e": b64(e.big_endian_without_leading_zero()),
                })
            }
            Pair::Ec(pair) if self.key_type == KeyType::P256 => point(pair, "P-256"),
            Pair::Ec(pair) => point(pair, "P-384"),
            Pair::Ed25519(pair) => {
                json!({"kty": "OKP", "crv": "Ed25519", "x": b64(pair.public_key().as_ref())})
            }
        };
        match jwk {
            Value::Object(members) => members,
            _ => Map::new(),
        }
    }

    /// The public key as SubjectPublicKeyInfo in DER (RFC 5280 section 4.1.2.7).
    pub fn public_der(&self) -> Vec<u8> {
        match &self.pair {
            Pair::Rsa(pair) => AsDer::as_der(pair.public_key()).map(|der| der.as_ref().to_vec()),
            Pair::Ec(pair) => AsDer::as_der(pair.public_key()).map(|der| der.as_ref().to_vec()),
            Pair::Ed25519(pair) => AsDer::as_der(pair.public_key()).map(|der| der.as_ref().to_vec()),
        }
        .unwrap_or_default()
    }

    /// Signs a message. An algorithm of another type of key falls back to the first of this one's: so a token can name an
    /// algorithm that its key has nothing to do with.
    ///
    /// # Panics
    /// If the operating system has no randomness to give.
    #[expect(clippy::expect_used, reason = "without randomness there is nothing to test")]
    pub fn sign(&self, algorithm: Algorithm, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match &self.pair {
            Pair::Rsa(pair) => {
                let padding: &'static dyn signature::RsaEncoding = match algorithm {
                    Algorithm::RS384 => &signature::RSA_PKCS1_SHA384,
                    Algorithm::RS512 => &signature::RSA_PKCS1_SHA512,
                    Algorithm::PS256 => &signature::RSA_PSS_SHA256,
                    Algorithm::PS384 => &signature::RSA_PSS_SHA384,
                    Algorithm::PS512 => &signature::RSA_PSS_SHA512,
                    _ => &signature::RSA_PKCS1_SHA256,
                };
                let mut signed = vec![0; pair.public_modulus_len()];
                pair.sign(padding, &random, message, &mut signed).expect("an RSA key can sign");
                signed
            }
            Pair::Ec(pair) => pair.sign(&random, message).expect("an EC key can sign").as_ref().to_vec(),
            Pair::Ed25519(pair) => pair.sign(message).as_ref().to_vec(),
        }
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({:?})", self.key_type)
    }
}
