//! Client assertions: RFC 7523 sections 2.2 and 3. We sign that we are who we say.

use super::SetupError;
use super::watched::Watched;
use crate::gate::{SourceError, SourceErrorKind};
use crate::proof::Algorithm;
use crate::time::{Clock, UnixTime};
use crate::token::{Members, UniqueMembers};
use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeyPairComponents, PublicKeyComponents};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, RSA_PKCS1_SHA256};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;
use serde::de::{IgnoredAny, MapAccess};
use serde_json::json;
use std::fmt;
use std::path::Path;
use std::sync::Arc;
use zeroize::{Zeroize, Zeroizing};

/// Whom an assertion is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AssertionAudience {
    /// The issuer, and nobody else: what the current advice and FAPI 2.0 ask for, since an assertion for one endpoint's URL could be
    /// tricked out of us by somebody else's metadata.
    #[default]
    Issuer,
    /// The URL of the endpoint that is asked. Okta wants that.
    Endpoint,
}

/// The key that signs client assertions, in a file that is read again when it changes. RSA signs RS256, P-256 ES256, Ed25519 EdDSA.
pub struct AssertionKey {
    file: Watched<SigningKey>,
    algorithm: Option<Algorithm>,
    key_id: Option<Box<str>>,
}

impl AssertionKey {
    /// The key in this file: PEM (PKCS#8, PKCS#1, SEC 1), or a JWK. An algorithm that is named must be the one that the key is for.
    /// The `kid` to name in assertions is `key_id`, else the JWK's own.
    ///
    /// # Errors
    /// [`SetupError::File`] if it holds no such key.
    pub fn from_file(
        path: &Path,
        algorithm: Option<Algorithm>,
        key_id: Option<&str>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, SetupError> {
        let file = Watched::open(path, clock, SigningKey::read)?;
        let key = Self { algorithm, key_id: key_id.map(Into::into), file };
        key.fitting().map_err(|reason| SetupError::file(path, reason))?;
        Ok(key)
    }

    /// An assertion that `client_id` is asking, good for a minute and one use (RFC 7523 section 3).
    pub(super) fn assertion(
        &self,
        client_id: &str,
        audience: &str,
        now: UnixTime,
    ) -> Result<String, SourceError> {
        let local = |reason: &str| {
            let told = format!("`{}` can't sign: {reason}", self.file.path().display());
            SourceError::new(SourceErrorKind::Local, told)
        };
        let key = self.fitting().map_err(local)?;
        let mut id = [0; 16];
        SystemRandom::new().fill(&mut id).map_err(|_| local("there is no randomness"))?;
        let mut header = json!({"alg": key.pair.algorithm().name(), "typ": "JWT"});
        if let (Some(kid), Some(members)) =
            (self.key_id.as_ref().or(key.kid.as_ref()), header.as_object_mut())
        {
            members.insert("kid".into(), (**kid).into());
        }
        let claims = json!({
            "iss": client_id,
            "sub": client_id,
            "aud": audience,
            "jti": URL_SAFE_NO_PAD.encode(id),
            "iat": now.as_secs(),
            "exp": now.as_secs() + LIFETIME_SECS,
        });
        let part = |json: &serde_json::Value| URL_SAFE_NO_PAD.encode(json.to_string());
        let input = format!("{}.{}", part(&header), part(&claims));
        let signature = key.pair.sign(input.as_bytes()).ok_or_else(|| local("the key is refused"))?;
        Ok(format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }

    fn fitting(&self) -> Result<Arc<SigningKey>, &'static str> {
        let key = self.file.get();
        match self.algorithm {
            Some(algorithm) if algorithm != key.pair.algorithm() => {
                Err("its key is not for the algorithm that is configured")
            }
            _ => Ok(key),
        }
    }
}

impl fmt::Debug for AssertionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AssertionKey").field("file", &self.file.path()).finish_non_exhaustive()
    }
}

struct SigningKey {
    pair: Pair,
    kid: Option<Box<str>>,
}

enum Pair {
    Rsa(Box<RsaKeyPair>),
    P256(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

impl SigningKey {
    fn read(bytes: &[u8]) -> Result<Self, Box<str>> {
        let json = bytes.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'{');
        let (pair, kid) = if json { Self::from_jwk(bytes)? } else { (Pair::from_pem(bytes), None) };
        let pair =
            pair.ok_or("it holds no private key of type RSA (of at least 2048 bits), P-256 or Ed25519")?;
        Ok(Self { pair, kid })
    }

    fn from_jwk(json: &[u8]) -> Result<(Option<Pair>, Option<Box<str>>), &'static str> {
        let mut jwk = PrivateJwk::default();
        UniqueMembers::read(json, &mut jwk)
            .map_err(|_| "it is not a JWK: one JSON object with unique members of the right types")?;
        if jwk.is_set {
            return Err("it is a key set; it should be one of its keys");
        }
        Ok((jwk.pair(), jwk.kid))
    }
}

impl Pair {
    fn from_pem(pem: &[u8]) -> Option<Self> {
        let mut der = PrivateKeyDer::from_pem_slice(pem).ok()?;
        let pair = Self::from_der(&der);
        der.zeroize();
        pair
    }

    fn from_der(der: &PrivateKeyDer<'_>) -> Option<Self> {
        match der {
            PrivateKeyDer::Pkcs1(der) => {
                RsaKeyPair::from_der(der.secret_pkcs1_der()).ok().map(Box::new).map(Self::Rsa)
            }
            PrivateKeyDer::Sec1(der) => {
                let der = der.secret_sec1_der();
                EcdsaKeyPair::from_private_key_der(&ECDSA_P256_SHA256_FIXED_SIGNING, der).ok().map(Self::P256)
            }
            PrivateKeyDer::Pkcs8(der) => {
                let der = der.secret_pkcs8_der();
                let rsa = RsaKeyPair::from_pkcs8(der).ok().map(Box::new).map(Self::Rsa);
                let p256 =
                    || EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der).ok().map(Self::P256);
                rsa.or_else(p256)
                    .or_else(|| Ed25519KeyPair::from_pkcs8_maybe_unchecked(der).ok().map(Self::Ed25519))
            }
            _ => None,
        }
    }

    fn algorithm(&self) -> Algorithm {
        match self {
            Self::Rsa(_) => Algorithm::RS256,
            Self::P256(_) => Algorithm::ES256,
            Self::Ed25519(_) => Algorithm::EdDSA,
        }
    }

    fn sign(&self, message: &[u8]) -> Option<Vec<u8>> {
        let random = SystemRandom::new();
        match self {
            Self::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature).ok()?;
                Some(signature)
            }
            Self::P256(pair) => Some(pair.sign(&random, message).ok()?.as_ref().to_vec()),
            Self::Ed25519(pair) => Some(pair.sign(message).as_ref().to_vec()),
        }
    }
}

/// A private JWK (RFC 7518 section 6, RFC 8037 section 2). Its numbers are wiped when they are dropped.
#[derive(Default)]
struct PrivateJwk {
    kty: Option<Box<str>>,
    crv: Option<Box<str>>,
    kid: Option<Box<str>>,
    numbers: Vec<(&'static str, Zeroizing<Vec<u8>>)>,
    is_set: bool,
}

/// The members that are numbers or points.
const NUMBERS: [&str; 10] = ["n", "e", "d", "p", "q", "dp", "dq", "qi", "x", "y"];

impl<'de> Members<'de> for PrivateJwk {
    fn member<A: MapAccess<'de>>(&mut self, name: &str, map: &mut A) -> Result<(), A::Error> {
        use serde::de::Error;
        if let Some(name) = NUMBERS.into_iter().find(|number| *number == name) {
            let text = Zeroizing::new(map.next_value::<String>()?);
            let number =
                URL_SAFE_NO_PAD.decode(text.as_bytes()).map_err(|_| A::Error::custom("not base64url"))?;
            self.numbers.push((name, Zeroizing::new(number)));
            return Ok(());
        }
        match name {
            "kty" => self.kty = Some(map.next_value()?),
            "crv" => self.crv = Some(map.next_value()?),
            "kid" => self.kid = Some(map.next_value()?),
            _ => {
                self.is_set |= name == "keys";
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }
}

impl PrivateJwk {
    fn number(&self, name: &str) -> Option<&[u8]> {
        self.numbers.iter().find(|(number, _)| *number == name).map(|(_, bytes)| bytes.as_slice())
    }

    fn pair(&self) -> Option<Pair> {
        match (self.kty.as_deref()?, self.crv.as_deref()) {
            ("RSA", _) => self.rsa().map(Box::new).map(Pair::Rsa),
            ("EC", Some("P-256")) => {
                let point = [&[4][..], self.number("x")?, self.number("y")?].concat();
                let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
                EcdsaKeyPair::from_private_key_and_public_key(algorithm, self.number("d")?, &point)
                    .ok()
                    .map(Pair::P256)
            }
            ("OKP", Some("Ed25519")) => {
                let pair = Ed25519KeyPair::from_seed_and_public_key(self.number("d")?, self.number("x")?);
                pair.ok().map(Pair::Ed25519)
            }
            _ => None,
        }
    }

    fn rsa(&self) -> Option<RsaKeyPair> {
        let public_key = PublicKeyComponents { n: self.number("n")?, e: self.number("e")? };
        RsaKeyPair::from_components(&KeyPairComponents {
            public_key,
            d: self.number("d")?,
            p: self.number("p")?,
            q: self.number("q")?,
            dP: self.number("dp")?,
            dQ: self.number("dq")?,
            qInv: self.number("qi")?,
        })
        .ok()
    }
}

/// Long enough for clocks that differ a little, short enough to be of no use to a thief.
const LIFETIME_SECS: u64 = 60;

#[cfg(test)]
mod tests;
