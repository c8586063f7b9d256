//! An authorization server, as far as a resource server sees it: a name, keys, and tokens signed with them.

use super::{SigningKey, TokenBuilder};
use crate::proof::{Algorithm, KeySet, KeyType};
use serde_json::{Map, Value, json};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// An issuer that signs tokens and publishes its keys. Clones are the same issuer.
///
/// What signs and what is published are two things: [`Issuer::withdraw`] takes a key out of the set although it goes on signing,
/// and [`Issuer::rotate`] does not reach whoever has read the set before.
///
/// ```
/// use tollgate::proof::Algorithm;
/// use tollgate::testing::Issuer;
///
/// let issuer = Issuer::with_algorithm("https://as.example/", Algorithm::ES256);
/// let before = issuer.key_set();
/// let kid = issuer.rotate();
/// assert_eq!((before.keys().len(), issuer.key_set().keys().len()), (1, 2));
/// assert_eq!((kid.as_str(), issuer.kid().as_str()), ("k2", "k2"));
/// issuer.withdraw("k1");
/// assert_eq!(issuer.key_set().keys().len(), 1);
/// ```
#[derive(Clone, Debug)]
pub struct Issuer {
    name: Arc<str>,
    algorithm: Algorithm,
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    published: Vec<Published>,
    kid: String,
    key: Arc<SigningKey>,
    keys_made: usize,
    tokens_made: u64,
}

/// A key in the set: the name by which it was added, and how it is described.
#[derive(Debug)]
struct Published {
    kid: String,
    jwk: Map<String, Value>,
}

impl Issuer {
    /// An issuer of this name, byte for byte as in `iss`, that signs with RS256.
    pub fn new(name: &str) -> Self {
        Self::with_algorithm(name, Algorithm::RS256)
    }

    /// An issuer that signs with this algorithm. Its first key is the published one of its type, and is called `k1`.
    pub fn with_algorithm(name: &str, algorithm: Algorithm) -> Self {
        let key = Arc::new(SigningKey::published(algorithm.key_type()));
        let state = State { published: Vec::new(), kid: String::new(), key, keys_made: 0, tokens_made: 0 };
        let issuer = Self { name: name.into(), algorithm, state: Arc::new(Mutex::new(state)) };
        let key = issuer.state().key.clone();
        issuer.sign_with(key);
        issuer
    }

    /// Its name: the issuer identifier.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The algorithm that it signs with.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The name of the key that signs.
    pub fn kid(&self) -> String {
        self.state().kid.clone()
    }

    /// The key that signs.
    pub fn key(&self) -> Arc<SigningKey> {
        self.state().key.clone()
    }

    /// A token of this issuer, to be completed and signed. Each has a `jti` of its own.
    pub fn token(&self) -> TokenBuilder {
        let mut state = self.state();
        state.tokens_made += 1;
        TokenBuilder::new(&self.name, &state.kid, state.key.clone(), self.algorithm, state.tokens_made)
    }

    /// The key set's document, as it is published now (RFC 7517 section 5).
    pub fn jwks(&self) -> String {
        let keys: Vec<Value> = self.state().published.iter().map(|key| key.jwk.clone().into()).collect();
        json!({ "keys": keys }).to_string()
    }

    /// The same, as a gate reads it.
    ///
    /// # Panics
    /// If no key of it can be used.
    #[expect(clippy::expect_used, reason = "a test that wants an unusable set reads `jwks` itself")]
    pub fn key_set(&self) -> KeySet {
        KeySet::from_json(self.jwks().as_bytes()).expect("the issuer publishes a key that can be used")
    }

    /// Signs with a new key from now on, and publishes it beside the old ones. Returns its name: `k2`, `k3`, …
    pub fn rotate(&self) -> String {
        let key = self.new_key();
        self.sign_with(key)
    }

    /// Signs with this key from now on, and publishes it beside the old ones. Returns its name: `k2`, `k3`, …
    pub fn sign_with(&self, key: Arc<SigningKey>) -> String {
        let mut state = self.state();
        state.keys_made += 1;
        let kid = format!("k{}", state.keys_made);
        let jwk = describe(&key, &kid, self.algorithm);
        state.published.push(Published { kid: kid.clone(), jwk });
        (state.kid, state.key) = (kid.clone(), key);
        kid
    }

    /// Takes a key out of the set. If it is the one that signs, it goes on signing.
    pub fn withdraw(&self, kid: &str) {
        self.state().published.retain(|key| key.kid != kid);
    }

    /// Publishes another key under the name of the one that signs, in its place, and signs with it from now on.
    pub fn replace(&self) {
        let key = self.new_key();
        let mut state = self.state();
        let jwk = describe(&key, &state.kid, self.algorithm);
        state.key = key;
        let kid = state.kid.clone();
        state.published.iter_mut().filter(|key| key.kid == kid).for_each(|key| key.jwk = jwk.clone());
    }

    /// Changes how a key is described in the set: takes its `alg` or `kid` away, for example.
    pub fn describe(&self, kid: &str, change: impl Fn(&mut Map<String, Value>)) {
        self.state().published.iter_mut().filter(|key| key.kid == kid).for_each(|key| change(&mut key.jwk));
    }

    fn new_key(&self) -> Arc<SigningKey> {
        let first_rsa = self.algorithm.key_type() == KeyType::Rsa && self.state().keys_made == 1;
        Arc::new(if first_rsa {
            SigningKey::published_rsa_2()
        } else {
            SigningKey::generate(self.algorithm.key_type())
        })
    }

    /// A test that has failed elsewhere while it held the lock has left nothing half-done.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn describe(key: &SigningKey, kid: &str, algorithm: Algorithm) -> Map<String, Value> {
    let mut jwk = key.public_jwk();
    // A key that is not of the issuer's own type is described without the algorithm.
    if key.key_type() == algorithm.key_type() {
        jwk.insert("alg".into(), algorithm.name().into());
    }
    jwk.insert("kid".into(), kid.into());
    jwk.insert("use".into(), "sig".into());
    jwk
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proof::{Candidates, IssuerName, ProofError, Verified, verify};
    use crate::token::UnverifiedJws;

    fn prove(issuer: &Issuer, token: &str) -> Result<Verified, ProofError> {
        let (jws, keys) = (UnverifiedJws::parse(token).unwrap(), issuer.key_set());
        match keys.select(issuer.algorithm(), jws.kid()) {
            Candidates::Keys(keys) => {
                verify(&jws, issuer.algorithm(), &keys, &IssuerName::new(issuer.name()))
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn tokens_of_every_algorithm_verify_and_changed_ones_do_not() {
        for algorithm in Algorithm::ALL {
            let issuer = Issuer::with_algorithm("https://as/", algorithm);
            let facts = prove(&issuer, &issuer.token().sign()).unwrap();
            assert_eq!(
                (facts.claims().issuer(), facts.claims().id()),
                (Some("https://as/"), Some("token-1"))
            );
            let tampered = issuer.token().tampered().sign();
            assert_eq!(prove(&issuer, &tampered).err(), Some(ProofError::Signature), "{algorithm}");
            let stranger = Arc::new(SigningKey::generate(algorithm.key_type()));
            let forged = issuer.token().key(stranger).sign();
            assert_eq!(prove(&issuer, &forged).err(), Some(ProofError::Signature), "{algorithm}");
        }
    }

    #[test]
    fn a_replaced_key_keeps_its_name_and_nothing_else() {
        let issuer = Issuer::new("https://as/");
        let old = issuer.token().sign();
        let id = issuer.key_set().keys()[0].id();
        issuer.replace();
        assert!(!issuer.key_set().contains(id));
        assert_eq!(issuer.kid(), "k1");
        assert_eq!(prove(&issuer, &old).err(), Some(ProofError::Signature));
        assert!(prove(&issuer, &issuer.token().sign()).is_ok());
    }

    #[test]
    fn keys_can_be_described_in_other_ways() {
        let issuer = Issuer::new("https://as/");
        issuer.describe("k1", |jwk| {
            jwk.remove("alg");
            jwk.remove("kid");
        });
        let set = issuer.key_set();
        assert!(set.keys()[0].kid().is_none() && set.keys()[0].algorithms().contains(Algorithm::PS512));
        assert!(prove(&issuer, &issuer.token().without_header("kid").sign()).is_ok());
    }

    #[test]
    fn published_keys_are_keys_of_their_type() {
        for key_type in [KeyType::Rsa, KeyType::P256, KeyType::P384, KeyType::Ed25519] {
            assert_eq!(SigningKey::published(key_type).key_type(), key_type);
            assert!(!SigningKey::published(key_type).public_der().is_empty());
        }
        assert_ne!(
            SigningKey::published_rsa_2().public_jwk(),
            SigningKey::published(KeyType::Rsa).public_jwk()
        );
    }
}
