//! The signature algorithms that are known here, and the keys that may use them: RFC 7518 section 3.1, RFC 8037, RFC 9864.

use std::fmt;

/// A JWS signature algorithm. There is no `none` and no HMAC: what can't be named can't be mistaken for a signature
/// (RFC 8725 sections 2.1 and 3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Algorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    RS256,
    /// RSASSA-PKCS1-v1_5 with SHA-384.
    RS384,
    /// RSASSA-PKCS1-v1_5 with SHA-512.
    RS512,
    /// RSASSA-PSS with SHA-256.
    PS256,
    /// RSASSA-PSS with SHA-384.
    PS384,
    /// RSASSA-PSS with SHA-512.
    PS512,
    /// ECDSA with P-256 and SHA-256.
    ES256,
    /// ECDSA with P-384 and SHA-384.
    ES384,
    /// Edwards-curve signatures with Ed25519, under the name `EdDSA` (RFC 8037) or `Ed25519` (RFC 9864).
    EdDSA,
}

impl Algorithm {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::RS256,
        Self::RS384,
        Self::RS512,
        Self::PS256,
        Self::PS384,
        Self::PS512,
        Self::ES256,
        Self::ES384,
        Self::EdDSA,
    ];

    /// The algorithm of this registered name, compared exactly. `None` for all that is not taken here.
    ///
    /// ```
    /// use tollgate::proof::Algorithm;
    ///
    /// assert_eq!(Algorithm::from_name("Ed25519"), Some(Algorithm::EdDSA));
    /// assert_eq!(Algorithm::from_name("none"), None);
    /// assert_eq!(Algorithm::from_name("HS256"), None);
    /// ```
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "Ed25519" => Some(Self::EdDSA),
            _ => Self::ALL.into_iter().find(|algorithm| algorithm.name() == name),
        }
    }

    /// The registered name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::RS256 => "RS256",
            Self::RS384 => "RS384",
            Self::RS512 => "RS512",
            Self::PS256 => "PS256",
            Self::PS384 => "PS384",
            Self::PS512 => "PS512",
            Self::ES256 => "ES256",
            Self::ES384 => "ES384",
            Self::EdDSA => "EdDSA",
        }
    }

    /// The only type of key that may use it.
    pub const fn key_type(self) -> KeyType {
        match self {
            Self::RS256 | Self::RS384 | Self::RS512 | Self::PS256 | Self::PS384 | Self::PS512 => KeyType::Rsa,
            Self::ES256 => KeyType::P256,
            Self::ES384 => KeyType::P384,
            Self::EdDSA => KeyType::Ed25519,
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A type of public key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyType {
    /// RSA, 2048 to 8192 bits.
    Rsa,
    /// The elliptic curve P-256.
    P256,
    /// The elliptic curve P-384.
    P384,
    /// The Edwards curve Ed25519.
    Ed25519,
}

/// A set of algorithms, such as an issuer's allow-list.
///
/// ```
/// use tollgate::proof::{Algorithm, AlgorithmSet};
///
/// let allowed: AlgorithmSet = [Algorithm::RS256, Algorithm::ES256].into_iter().collect();
/// assert!(allowed.contains(Algorithm::ES256) && !allowed.contains(Algorithm::PS256));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct AlgorithmSet(u16);

impl AlgorithmSet {
    /// Every algorithm that a key of this type may use.
    pub fn of_key_type(key_type: KeyType) -> Self {
        Algorithm::ALL.into_iter().filter(|algorithm| algorithm.key_type() == key_type).collect()
    }

    /// Whether the algorithm is in the set.
    pub const fn contains(self, algorithm: Algorithm) -> bool {
        self.0 & (1 << algorithm as u8) != 0
    }

    /// Whether there is none.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The algorithms, in the order of [`Algorithm::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Algorithm> {
        Algorithm::ALL.into_iter().filter(move |algorithm| self.contains(*algorithm))
    }
}

impl FromIterator<Algorithm> for AlgorithmSet {
    fn from_iter<I: IntoIterator<Item = Algorithm>>(algorithms: I) -> Self {
        Self(algorithms.into_iter().fold(0, |set, algorithm| set | 1 << algorithm as u8))
    }
}

impl fmt::Debug for AlgorithmSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_exact() {
        for algorithm in Algorithm::ALL {
            assert_eq!(Algorithm::from_name(algorithm.name()), Some(algorithm));
            assert_eq!(algorithm.to_string(), algorithm.name());
        }
        for other in
            ["", "none", "None", "NONE", "rs256", "RS256 ", "HS256", "ES512", "ES256K", "Ed448", "RSA1_5"]
        {
            assert_eq!(Algorithm::from_name(other), None, "{other}");
        }
    }

    #[test]
    fn every_algorithm_is_in_the_set_of_its_key_type_alone() {
        for algorithm in Algorithm::ALL {
            for key_type in [KeyType::Rsa, KeyType::P256, KeyType::P384, KeyType::Ed25519] {
                let fits = AlgorithmSet::of_key_type(key_type).contains(algorithm);
                assert_eq!(fits, algorithm.key_type() == key_type);
            }
        }
    }

    #[test]
    fn a_set_has_what_was_put_in() {
        assert!(AlgorithmSet::default().is_empty() && AlgorithmSet::default().iter().next().is_none());
        assert_eq!(Algorithm::from_name("Ed25519"), Some(Algorithm::EdDSA));
        let twice: AlgorithmSet =
            [Algorithm::EdDSA, Algorithm::RS256, Algorithm::EdDSA].into_iter().collect();
        assert!(!twice.is_empty());
        assert_eq!(twice.iter().collect::<Vec<_>>(), [Algorithm::RS256, Algorithm::EdDSA]);
        assert_eq!(format!("{twice:?}"), "{RS256, EdDSA}");
    }
}
