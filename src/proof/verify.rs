//! Signatures: RFC 7515 section 5.2. The one file that calls the cryptography.
//!
//! The keys are aws-lc-rs's, parsed once and kept, behind `jsonwebtoken`'s `JwtVerifier`. Its own verifiers of the same
//! library can't be kept (they aren't `Send`) and parse the key at each check, which costs RS256 a sixth more
//! (`benches/decide.rs`).

use super::{Algorithm, AlgorithmSet, Fitting, IssuerName, KeyType, Provenance, Verified};
use crate::token::{Claims, ClaimsError, UnverifiedJws};
use aws_lc_rs::signature::{self, ParsedPublicKey, RsaParameters, RsaPublicKeyComponents};
use jsonwebtoken::crypto::JwtVerifier;
use jsonwebtoken::signature::{Error as SignatureError, Verifier};

/// Verifies a token's signature with the candidate keys of one issuer, and makes its claims facts.
///
/// 1. Each key is used with `algorithm` and nothing else. The caller took `algorithm` from the issuer's allow-list, and the
///    keys from that issuer's set, each of which allows that algorithm (RFC 8725 section 3.1).
/// 2. The claims are read only after a signature has verified.
///
/// # Errors
/// [`ProofError::Signature`] if no candidate explains the signature, [`ProofError::Claims`] if the signed payload is no
/// acceptable set of claims.
pub fn verify(
    jws: &UnverifiedJws<'_>,
    algorithm: Algorithm,
    keys: &Fitting<'_>,
    issuer: &IssuerName,
) -> Result<Verified, ProofError> {
    let key = keys
        .iter()
        .find(|key| key.verifiers().verify(algorithm, jws.signing_input().as_bytes(), jws.signature()))
        .ok_or(ProofError::Signature)?;
    let claims = Claims::parse(jws.payload())?;
    let provenance = Provenance::Signed { issuer: issuer.clone(), key: key.id(), algorithm, confirmed: None };
    Ok(Verified::assertion(claims, provenance, jws.typ().map(Into::into)))
}

/// Why a token's claims are no facts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// No candidate key explains the signature.
    #[error("the signature does not verify")]
    Signature,
    /// The payload is no acceptable set of claims.
    #[error(transparent)]
    Claims(#[from] ClaimsError),
}

/// The numbers that make up a public key.
pub(super) enum KeyMaterial {
    Rsa { n: Vec<u8>, e: Vec<u8> },
    P256 { x: [u8; 32], y: [u8; 32] },
    P384 { x: [u8; 48], y: [u8; 48] },
    Ed25519 { x: [u8; 32] },
}

impl KeyMaterial {
    pub(super) fn key_type(&self) -> KeyType {
        match self {
            Self::Rsa { .. } => KeyType::Rsa,
            Self::P256 { .. } => KeyType::P256,
            Self::P384 { .. } => KeyType::P384,
            Self::Ed25519 { .. } => KeyType::Ed25519,
        }
    }

    fn parse(&self, algorithm: Algorithm) -> Option<ParsedPublicKey> {
        let point = |x: &[u8], y: &[u8]| [&[0x04], x, y].concat();
        match (self, algorithm) {
            (Self::Rsa { n, e }, _) => {
                RsaPublicKeyComponents { n, e }.to_parsed_public_key(rsa_parameters(algorithm)?).ok()
            }
            (Self::P256 { x, y }, Algorithm::ES256) => {
                ParsedPublicKey::new(&signature::ECDSA_P256_SHA256_FIXED, point(x, y)).ok()
            }
            (Self::P384 { x, y }, Algorithm::ES384) => {
                ParsedPublicKey::new(&signature::ECDSA_P384_SHA384_FIXED, point(x, y)).ok()
            }
            (Self::Ed25519 { x }, Algorithm::EdDSA) => ParsedPublicKey::new(&signature::ED25519, x).ok(),
            _ => None,
        }
    }
}

fn rsa_parameters(algorithm: Algorithm) -> Option<&'static RsaParameters> {
    Some(match algorithm {
        Algorithm::RS256 => &signature::RSA_PKCS1_2048_8192_SHA256,
        Algorithm::RS384 => &signature::RSA_PKCS1_2048_8192_SHA384,
        Algorithm::RS512 => &signature::RSA_PKCS1_2048_8192_SHA512,
        Algorithm::PS256 => &signature::RSA_PSS_2048_8192_SHA256,
        Algorithm::PS384 => &signature::RSA_PSS_2048_8192_SHA384,
        Algorithm::PS512 => &signature::RSA_PSS_2048_8192_SHA512,
        Algorithm::ES256 | Algorithm::ES384 | Algorithm::EdDSA => return None,
    })
}

/// One key, made ready for each algorithm that it may be used with. Key and algorithm can't be taken apart.
pub(super) struct Verifiers(Vec<ParsedKey>);

impl Verifiers {
    /// `None` if the cryptographic library refuses the key: for example a point that is not on its curve.
    pub(super) fn new(material: &KeyMaterial, algorithms: AlgorithmSet) -> Option<Self> {
        let ready = |algorithm| Some(ParsedKey { algorithm, key: material.parse(algorithm)? });
        algorithms.iter().map(ready).collect::<Option<Vec<_>>>().map(Self)
    }

    fn verify(&self, algorithm: Algorithm, message: &[u8], signature: &Vec<u8>) -> bool {
        let ready = self.0.iter().find(|ready| ready.algorithm == algorithm);
        ready.is_some_and(|key| key.verify(message, signature).is_ok())
    }
}

struct ParsedKey {
    algorithm: Algorithm,
    key: ParsedPublicKey,
}

impl Verifier<Vec<u8>> for ParsedKey {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> Result<(), SignatureError> {
        self.key.verify_sig(message, signature).map_err(|_| SignatureError::new())
    }
}

impl JwtVerifier for ParsedKey {
    fn algorithm(&self) -> jsonwebtoken::Algorithm {
        match self.algorithm {
            Algorithm::RS256 => jsonwebtoken::Algorithm::RS256,
            Algorithm::RS384 => jsonwebtoken::Algorithm::RS384,
            Algorithm::RS512 => jsonwebtoken::Algorithm::RS512,
            Algorithm::PS256 => jsonwebtoken::Algorithm::PS256,
            Algorithm::PS384 => jsonwebtoken::Algorithm::PS384,
            Algorithm::PS512 => jsonwebtoken::Algorithm::PS512,
            Algorithm::ES256 => jsonwebtoken::Algorithm::ES256,
            Algorithm::ES384 => jsonwebtoken::Algorithm::ES384,
            Algorithm::EdDSA => jsonwebtoken::Algorithm::EdDSA,
        }
    }
}

#[cfg(test)]
mod tests;
