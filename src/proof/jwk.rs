//! One JSON Web Key as it came from an issuer, made into a key that verifies, or refused with a reason: RFC 7517 section 4,
//! RFC 7518 section 6, RFC 8037.

use super::verify::{KeyMaterial, Verifiers};
use super::{Algorithm, AlgorithmSet, KeyType};
use crate::token::{MAX_KID_BYTES, Members, UniqueMembers};
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::{IgnoredAny, MapAccess};
use std::fmt;

/// A public key that can verify signatures, with the algorithms that it may be used for.
///
/// A key is taken if
/// 1. it is one JSON object with unique members, and `kid`, if present, a string of at most 256 bytes;
/// 2. `use`, if present, is `sig`; `key_ops`, if present, contains `verify` (RFC 7517 sections 4.2, 4.3);
/// 3. its type is RSA of 2048 to 8192 bits with an odd exponent of at least 65537 and a modulus without the mark of ROCA, or P-256,
///    P-384 or Ed25519, its point on the curve and not of small order;
/// 4. `alg`, if present, is one that its type may use, and then the only one;
/// 5. it is public: no symmetric key, and no private one, which whoever reads the key set could sign with.
pub struct VerifyingKey {
    id: KeyId,
    kid: Option<Box<str>>,
    key_type: KeyType,
    algorithms: AlgorithmSet,
    verifiers: Verifiers,
}

impl VerifyingKey {
    /// Makes a key of a JWK.
    ///
    /// ```
    /// use tollgate::proof::{Algorithm, VerifyingKey};
    ///
    /// let jwk = r#"{"kty":"OKP","crv":"Ed25519","kid":"k1","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
    /// let key = VerifyingKey::from_jwk(jwk.as_bytes())?;
    /// assert_eq!(key.kid(), Some("k1"));
    /// assert!(key.algorithms().contains(Algorithm::EdDSA));
    /// # Ok::<(), tollgate::proof::JwkError>(())
    /// ```
    ///
    /// # Errors
    /// The [`JwkError`] that says which of the rules above it breaks.
    pub fn from_jwk(json: &[u8]) -> Result<Self, JwkError> {
        let mut jwk = Jwk::default();
        if UniqueMembers::read(json, &mut jwk).is_err() {
            return Err(JwkError::Malformed);
        }
        if jwk.kid.as_ref().is_some_and(|kid| kid.len() > MAX_KID_BYTES) {
            return Err(JwkError::Kid);
        }
        if jwk.usage.as_deref().is_some_and(|usage| usage != "sig")
            || jwk.key_ops.as_ref().is_some_and(|ops| !ops.iter().any(|op| **op == *"verify"))
        {
            return Err(JwkError::NotForSignatures);
        }
        if jwk.private {
            return Err(JwkError::Private);
        }
        let material = jwk.material()?;
        let key_type = material.key_type();
        let possible = AlgorithmSet::of_key_type(key_type);
        let algorithms = match jwk.alg.as_deref() {
            None => possible,
            Some(name) => match Algorithm::from_name(name) {
                Some(algorithm) if possible.contains(algorithm) => std::iter::once(algorithm).collect(),
                _ => return Err(JwkError::Algorithm),
            },
        };
        let verifiers = Verifiers::new(&material, algorithms).ok_or(JwkError::Point)?;
        Ok(Self { id: KeyId::of(&material), kid: jwk.kid, key_type, algorithms, verifiers })
    }

    /// The key's own name: its thumbprint. A key that is replaced under the same `kid` has another one.
    pub fn id(&self) -> KeyId {
        self.id
    }

    /// The name that the issuer gave it.
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// Its type.
    pub fn key_type(&self) -> KeyType {
        self.key_type
    }

    /// What it may be used for.
    pub fn algorithms(&self) -> AlgorithmSet {
        self.algorithms
    }

    pub(super) fn verifiers(&self) -> &Verifiers {
        &self.verifiers
    }
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifyingKey")
            .field("id", &self.id)
            .field("kid", &self.kid)
            .field("algorithms", &self.algorithms)
            .finish_non_exhaustive()
    }
}

/// A key's SHA-256 thumbprint (RFC 7638): the same for the same key, whatever its `kid`, `alg` or `use`.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct KeyId([u8; 32]);

impl KeyId {
    fn of(material: &KeyMaterial) -> Self {
        let b64 = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        // RFC 7638 section 3.2: the required members, in lexicographic order, without whitespace.
        let canonical = match material {
            KeyMaterial::Rsa { n, e } => format!(r#"{{"e":"{}","kty":"RSA","n":"{}"}}"#, b64(e), b64(n)),
            KeyMaterial::P256 { x, y } => {
                format!(r#"{{"crv":"P-256","kty":"EC","x":"{}","y":"{}"}}"#, b64(x), b64(y))
            }
            KeyMaterial::P384 { x, y } => {
                format!(r#"{{"crv":"P-384","kty":"EC","x":"{}","y":"{}"}}"#, b64(x), b64(y))
            }
            KeyMaterial::Ed25519 { x } => format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{}"}}"#, b64(x)),
        };
        let mut id = [0; 32];
        // SHA-256 gives 32 bytes.
        id.copy_from_slice(digest(&SHA256, canonical.as_bytes()).as_ref());
        Self(id)
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&URL_SAFE_NO_PAD.encode(self.0))
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Why a JWK can't be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JwkError {
    /// Not one JSON object with unique members of the types that RFC 7517 gives them.
    #[error("it is not a JSON object with unique members of the right types")]
    Malformed,
    /// `kid` is longer than 256 bytes.
    #[error("its `kid` is longer than 256 bytes")]
    Kid,
    /// `use` or `key_ops` does not allow to verify signatures.
    #[error("it is not meant for verifying signatures (`use`, `key_ops`)")]
    NotForSignatures,
    /// It has private members: whoever reads the key set could sign with it.
    #[error("it is a private key, published")]
    Private,
    /// A symmetric key: whoever verifies with it could sign with it.
    #[error("it is a symmetric key (`oct`)")]
    Symmetric,
    /// A `kty` or `crv` that is not taken here.
    #[error("its type or curve is none of RSA, P-256, P-384 and Ed25519")]
    Type,
    /// `alg` is not taken here, or not for this type of key.
    #[error("its `alg` is not one that this type of key may use")]
    Algorithm,
    /// RSA of fewer than 2048 or more than 8192 bits, or an even modulus.
    #[error("its modulus is not an odd number of 2048 to 8192 bits")]
    Modulus,
    /// RSA with a modulus that can be factored: its primes came from a broken generator (ROCA, CVE-2017-15361).
    #[error("its modulus can be factored (ROCA, CVE-2017-15361)")]
    Weak,
    /// RSA with an exponent that is even or below 65537, or above 33 bits.
    #[error("its exponent is not an odd number from 65537 to 2^33")]
    Exponent,
    /// A point that is not on the curve, of small order, or of the wrong length.
    #[error("its point is not on the curve, of small order, or of the wrong length")]
    Point,
}

/// A JWK's members that matter here.
#[derive(Default)]
struct Jwk {
    kty: Option<Box<str>>,
    crv: Option<Box<str>>,
    kid: Option<Box<str>>,
    alg: Option<Box<str>>,
    usage: Option<Box<str>>,
    key_ops: Option<Vec<Box<str>>>,
    n: Option<Box<str>>,
    e: Option<Box<str>>,
    x: Option<Box<str>>,
    y: Option<Box<str>>,
    private: bool,
}

impl<'de> Members<'de> for Jwk {
    fn member<A: MapAccess<'de>>(&mut self, name: &str, map: &mut A) -> Result<(), A::Error> {
        match name {
            "kty" => self.kty = Some(map.next_value()?),
            "crv" => self.crv = Some(map.next_value()?),
            "kid" => self.kid = Some(map.next_value()?),
            "alg" => self.alg = Some(map.next_value()?),
            "use" => self.usage = Some(map.next_value()?),
            "key_ops" => self.key_ops = Some(map.next_value()?),
            "n" => self.n = Some(map.next_value()?),
            "e" => self.e = Some(map.next_value()?),
            "x" => self.x = Some(map.next_value()?),
            "y" => self.y = Some(map.next_value()?),
            "d" | "p" | "q" | "dp" | "dq" | "qi" | "oth" => {
                self.private = true;
                map.next_value::<IgnoredAny>()?;
            }
            _ => map.next_value::<IgnoredAny>().map(drop)?,
        }
        Ok(())
    }
}

impl Jwk {
    fn material(&self) -> Result<KeyMaterial, JwkError> {
        match (self.kty.as_deref(), self.crv.as_deref()) {
            (Some("RSA"), _) => self.rsa(),
            (Some("EC"), Some("P-256")) => {
                Ok(KeyMaterial::P256 { x: coordinate(&self.x)?, y: coordinate(&self.y)? })
            }
            (Some("EC"), Some("P-384")) => {
                Ok(KeyMaterial::P384 { x: coordinate(&self.x)?, y: coordinate(&self.y)? })
            }
            (Some("OKP"), Some("Ed25519")) => {
                let x = coordinate(&self.x)?;
                if is_small_order(&x) { Err(JwkError::Point) } else { Ok(KeyMaterial::Ed25519 { x }) }
            }
            (Some("oct"), _) => Err(JwkError::Symmetric),
            (Some(_), _) => Err(JwkError::Type),
            (None, _) => Err(JwkError::Malformed),
        }
    }

    fn rsa(&self) -> Result<KeyMaterial, JwkError> {
        let n = integer(&self.n)?;
        let e = integer(&self.e)?;
        let bits = n.len() * 8 - n.first().map_or(0, |first| first.leading_zeros() as usize);
        let odd = |number: &[u8]| number.last().is_some_and(|last| last & 1 == 1);
        if !(2048..=8192).contains(&bits) || !odd(&n) {
            return Err(JwkError::Modulus);
        }
        if super::roca::is_weak(&n) {
            return Err(JwkError::Weak);
        }
        let exponent = (e.len() <= 5).then(|| e.iter().fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte)));
        match exponent {
            Some(65_537..=0x1_ffff_ffff) if odd(&e) => Ok(KeyMaterial::Rsa { n, e }),
            _ => Err(JwkError::Exponent),
        }
    }
}

/// A Base64urlUInt (RFC 7518 section 2), leading zeros taken off, as some issuers send them.
fn integer(text: &Option<Box<str>>) -> Result<Vec<u8>, JwkError> {
    let text = text.as_deref().ok_or(JwkError::Malformed)?;
    let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| JwkError::Malformed)?;
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    Ok(bytes.into_iter().skip(zeros).collect())
}

/// A coordinate, which has the full length of its curve (RFC 7518 section 6.2.1.2).
fn coordinate<const N: usize>(text: &Option<Box<str>>) -> Result<[u8; N], JwkError> {
    let text = text.as_deref().ok_or(JwkError::Malformed)?;
    let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| JwkError::Malformed)?;
    bytes.try_into().map_err(|_| JwkError::Point)
}

/// Whether an Ed25519 point has an order of 1, 2, 4 or 8, in any encoding: with such a key, signatures can be made by anyone.
fn is_small_order(point: &[u8; 32]) -> bool {
    let mut point = *point;
    // The top bit is the sign of x; each y below comes with both.
    if let Some(last) = point.last_mut() {
        *last &= 0x7f;
    }
    SMALL_ORDER_Y.contains(&point)
}

/// The y coordinates of the small-order points, little-endian, and their encodings that exceed the field's prime.
const SMALL_ORDER_Y: [[u8; 32]; 7] = {
    const fn filled(first: u8, middle: u8, last: u8) -> [u8; 32] {
        let mut y = [middle; 32];
        y[0] = first;
        y[31] = last;
        y
    }
    [
        filled(0x00, 0x00, 0x00),
        filled(0x01, 0x00, 0x00),
        // y of the points of order 8.
        [
            0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0,
            0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05,
        ],
        [
            0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f,
            0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a,
        ],
        // p - 1, p and p + 1, where p = 2^255 - 19.
        filled(0xec, 0xff, 0x7f),
        filled(0xed, 0xff, 0x7f),
        filled(0xee, 0xff, 0x7f),
    ]
};

#[cfg(test)]
mod tests;
