//! An issuer's key set: RFC 7517 section 5. Immutable; a new document makes a new set.

use super::{Algorithm, JwkError, KeyId, VerifyingKey};
use crate::token::{Members, UniqueMembers};
use serde::de::{IgnoredAny, MapAccess};
use serde_json::value::RawValue;
use std::fmt;

/// The keys of one issuer, found by `kid` and algorithm.
///
/// A document is read key by key: one that can't be used is skipped, with its reason kept for the operator, and the
/// others serve (RFC 7517 section 5). At most [`MAX_KEYS`] entries are looked at.
///
/// ```
/// use tollgate::proof::{Algorithm, Candidates, KeySet};
///
/// let document = r#"{"keys":[
///     {"kty":"OKP","crv":"Ed25519","kid":"k1","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"},
///     {"kty":"oct","k":"c2VjcmV0"}]}"#;
/// let set = KeySet::from_json(document.as_bytes())?;
/// assert_eq!((set.keys().len(), set.skipped().len()), (1, 1));
/// assert!(matches!(set.select(Algorithm::EdDSA, Some("k1")), Candidates::Keys(_)));
/// assert!(matches!(set.select(Algorithm::EdDSA, Some("k2")), Candidates::Unknown));
/// # Ok::<(), tollgate::proof::KeySetError>(())
/// ```
#[derive(Debug)]
pub struct KeySet {
    keys: Vec<VerifyingKey>,
    skipped: Vec<SkippedKey>,
}

impl KeySet {
    /// Reads a JWK set.
    ///
    /// # Errors
    /// A [`KeySetError`] if it is no JWK set, or if no key in it can be used.
    pub fn from_json(json: &[u8]) -> Result<Self, KeySetError> {
        let mut document = Document::default();
        UniqueMembers::read(json, &mut document).map_err(|_| KeySetError::Malformed)?;
        let entries = document.keys.ok_or(KeySetError::Malformed)?;
        if entries.len() > MAX_KEYS {
            return Err(KeySetError::TooMany(entries.len()));
        }
        let (mut keys, mut skipped) = (Vec::new(), Vec::new());
        for (index, entry) in entries.iter().enumerate() {
            match VerifyingKey::from_jwk(entry.get().as_bytes()) {
                Ok(key) => keys.push(key),
                Err(reason) => skipped.push(SkippedKey { index, reason }),
            }
        }
        if keys.is_empty() {
            return Err(KeySetError::NoUsableKey(skipped));
        }
        Ok(Self { keys, skipped })
    }

    /// The keys that may have signed a token with this header.
    ///
    /// 1. With a `kid`: the keys of that name, else those that have no name, as far as they fit the algorithm.
    /// 2. Without: every key that fits the algorithm.
    /// 3. In either case the first [`MAX_CANDIDATES`] of them, in the document's order. So two keys of one name are both tried.
    pub fn select(&self, algorithm: Algorithm, kid: Option<&str>) -> Candidates<'_> {
        let fits = |key: &&VerifyingKey| key.algorithms().contains(algorithm);
        match kid {
            None => Fitting::collect(self.keys.iter().filter(fits), false),
            Some(kid) => {
                let mut named = self.keys.iter().filter(|key| key.kid() == Some(kid)).peekable();
                if named.peek().is_some() {
                    return match Fitting::collect(named.filter(fits), true) {
                        Candidates::Unknown => Candidates::Misfit,
                        keys => keys,
                    };
                }
                Fitting::collect(self.keys.iter().filter(|key| key.kid().is_none()).filter(fits), false)
            }
        }
    }

    /// Whether this very key is in the set.
    pub fn contains(&self, id: KeyId) -> bool {
        self.keys.iter().any(|key| key.id() == id)
    }

    /// Whether it is, and may be used with this algorithm: what it has signed counts then.
    pub fn vouches(&self, id: KeyId, algorithm: Algorithm) -> bool {
        self.keys.iter().any(|key| key.id() == id && key.algorithms().contains(algorithm))
    }

    /// The keys that can be used.
    pub fn keys(&self) -> &[VerifyingKey] {
        &self.keys
    }

    /// The entries that can't.
    pub fn skipped(&self) -> &[SkippedKey] {
        &self.skipped
    }
}

/// The keys to try for a token.
#[derive(Debug)]
pub enum Candidates<'a> {
    /// These, and no others.
    Keys(Fitting<'a>),
    /// The set has keys of the token's `kid`, but none that may use its algorithm: the token is wrong, not the set.
    Misfit,
    /// The set knows no such key. A newer one may.
    Unknown,
}

/// A handful of keys, without an allocation.
#[derive(Debug)]
pub struct Fitting<'a> {
    keys: [Option<&'a VerifyingKey>; MAX_CANDIDATES],
    named: bool,
}

impl<'a> Fitting<'a> {
    fn collect(found: impl Iterator<Item = &'a VerifyingKey>, named: bool) -> Candidates<'a> {
        let mut keys = [None; MAX_CANDIDATES];
        for (slot, key) in keys.iter_mut().zip(found) {
            *slot = Some(key);
        }
        if keys.iter().any(Option::is_some) {
            Candidates::Keys(Self { keys, named })
        } else {
            Candidates::Unknown
        }
    }

    /// The keys, in the order in which they are tried.
    pub fn iter(&self) -> impl Iterator<Item = &'a VerifyingKey> {
        self.keys.iter().copied().flatten()
    }

    /// Whether the token named them by their `kid`. If it did not, a signature that none of them explains may come from
    /// a key that the set does not have yet.
    pub fn named(&self) -> bool {
        self.named
    }
}

/// An entry of a key set that can't be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SkippedKey {
    /// Its place in the document, counted from 0.
    pub index: usize,
    /// Why.
    pub reason: JwkError,
}

impl fmt::Display for SkippedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "key {} was skipped: {}", self.index, self.reason)
    }
}

/// Why a document is no key set that could be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeySetError {
    /// Not a JSON object with unique members and an array `keys`.
    #[error("the document is not a JSON object with an array `keys`")]
    Malformed,
    /// More than [`MAX_KEYS`] entries.
    #[error("the document has {0} keys; at most 64 are taken")]
    TooMany(usize),
    /// Nothing in it can be used.
    #[error("the document has no key that can be used{}", .0.first().map(|first| format!(" ({first})")).unwrap_or_default())]
    NoUsableKey(Vec<SkippedKey>),
}

/// The most entries that a key set may have.
pub const MAX_KEYS: usize = 64;

/// The most keys that are tried for one token.
pub const MAX_CANDIDATES: usize = 4;

#[derive(Default)]
struct Document<'a> {
    keys: Option<Vec<&'a RawValue>>,
}

impl<'de> Members<'de> for Document<'de> {
    fn member<A: MapAccess<'de>>(&mut self, name: &str, map: &mut A) -> Result<(), A::Error> {
        if name == "keys" {
            self.keys = Some(map.next_value()?);
            return Ok(());
        }
        map.next_value::<IgnoredAny>().map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const X: [&str; 5] = [
        "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
        "FnKI6QeXyLEtIMVXJPDuKkzaXYjKiV2rzXPpVXUcSaM",
        "_FHNjmIYoaONpH7QAjDwWAgW7RO6MwOsXeuRFUiQgCU",
        "PUAXw-hDiVqStwqnTRt-vJyYLM8uxJaMwM1V8Sr0Zgw",
        "gVIPGC5xKOaHbE4Nuhk2HJJXn6kSpZVqkw3ZqXl7-Q0",
    ];

    fn set(keys: &[&str]) -> Result<KeySet, KeySetError> {
        KeySet::from_json(format!(r#"{{"keys":[{}]}}"#, keys.join(",")).as_bytes())
    }

    fn ed(n: usize, more: &str) -> String {
        format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{}"{more}}}"#, X[n])
    }

    fn found(set: &KeySet, algorithm: Algorithm, kid: Option<&str>) -> Option<(usize, bool)> {
        match set.select(algorithm, kid) {
            Candidates::Keys(keys) => Some((keys.iter().count(), keys.named())),
            _ => None,
        }
    }

    #[test]
    fn keys_are_found_by_name_else_by_algorithm() {
        let set =
            set(&[&ed(0, r#","kid":"a""#), &ed(1, r#","kid":"a""#), &ed(2, r#","kid":"b""#), &ed(3, "")])
                .unwrap();
        assert_eq!(
            found(&set, Algorithm::EdDSA, Some("a")),
            Some((2, true)),
            "two of one name are both tried"
        );
        assert_eq!(found(&set, Algorithm::EdDSA, Some("b")), Some((1, true)));
        assert_eq!(
            found(&set, Algorithm::EdDSA, Some("c")),
            Some((1, false)),
            "a key without a name may be meant"
        );
        assert_eq!(found(&set, Algorithm::EdDSA, None), Some((4, false)));
        assert!(matches!(set.select(Algorithm::ES256, Some("a")), Candidates::Misfit));
        assert!(matches!(set.select(Algorithm::ES256, Some("c")), Candidates::Unknown));
        assert!(matches!(set.select(Algorithm::ES256, None), Candidates::Unknown));
    }

    #[test]
    fn names_are_compared_exactly() {
        let set = set(&[&ed(0, r#","kid":"a""#)]).unwrap();
        for other in ["", "A", "a ", "a\0", "%61", "aa"] {
            assert!(matches!(set.select(Algorithm::EdDSA, Some(other)), Candidates::Unknown), "{other:?}");
        }
    }

    #[test]
    fn at_most_four_are_tried() {
        let keys: Vec<String> = (0..5).map(|n| ed(n, "")).collect();
        let set = set(&keys.iter().map(String::as_str).collect::<Vec<_>>()).unwrap();
        assert_eq!(found(&set, Algorithm::EdDSA, None), Some((4, false)));
    }

    #[test]
    fn bad_entries_are_skipped_with_a_reason() {
        let mixed = set(&[r#"{"kty":"oct"}"#, &ed(0, ""), "1", r#"{"kty":"EC","crv":"P-521"}"#]).unwrap();
        assert_eq!(mixed.keys().len(), 1);
        let reasons: Vec<_> = mixed.skipped().iter().map(|s| (s.index, s.reason)).collect();
        assert_eq!(reasons, [(0, JwkError::Symmetric), (2, JwkError::Malformed), (3, JwkError::Type)]);
    }

    #[test]
    fn a_document_without_a_usable_key_is_no_set() {
        assert!(matches!(set(&[]), Err(KeySetError::NoUsableKey(_))));
        assert!(matches!(set(&[r#"{"kty":"oct"}"#]), Err(KeySetError::NoUsableKey(_))));
        let many = vec!["{}"; MAX_KEYS + 1];
        assert_eq!(set(&many).err(), Some(KeySetError::TooMany(65)));
        let deep = [format!("{}{}", "[".repeat(50_000), "]".repeat(50_000))];
        assert!(
            matches!(set(&deep.each_ref().map(String::as_str)), Err(KeySetError::NoUsableKey(_))),
            "no recursion"
        );
        for bad in [
            "",
            "null",
            "[]",
            "{}",
            r#"{"keys":{}}"#,
            r#"{"keys":null}"#,
            r#"{"keys":[],"keys":[]}"#,
            "<html>",
        ] {
            assert_eq!(KeySet::from_json(bad.as_bytes()).err(), Some(KeySetError::Malformed));
        }
    }

    #[test]
    fn a_set_of_64_keys_is_read_whole_and_its_keys_are_found_by_their_own_name() {
        let bad = vec!["{}".to_owned(); MAX_KEYS - 1];
        let keys: Vec<_> = bad.into_iter().chain([ed(0, "")]).collect();
        let set = set(&keys.iter().map(String::as_str).collect::<Vec<_>>()).unwrap();
        assert_eq!((set.keys().len(), set.skipped().len()), (1, 63));
        assert!(set.contains(set.keys()[0].id()));
        let vouches = |algorithm| set.vouches(set.keys()[0].id(), algorithm);
        assert_eq!((vouches(Algorithm::EdDSA), vouches(Algorithm::ES256)), (true, false));
        let other = VerifyingKey::from_jwk(ed(1, "").as_bytes()).unwrap();
        assert!(!set.contains(other.id()) && !set.vouches(other.id(), Algorithm::EdDSA));
        let first = set.skipped()[0].to_string();
        assert_eq!(
            first,
            "key 0 was skipped: it is not a JSON object with unique members of the right types"
        );
    }
}
