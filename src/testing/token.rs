//! Tokens as they should be, and with every defect that one could wish for.

use super::{ManualClock, SigningKey};
use crate::policy::Profile;
use crate::proof::Algorithm;
use crate::time::UnixTime;
use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};
use std::sync::Arc;
use std::time::Duration;

/// Makes one token of an [`Issuer`](super::Issuer). As it comes from [`Issuer::token`](super::Issuer::token) it is signed with the issuer's present key, was issued
/// at [`ManualClock::START`], lives for an hour, and says nothing but `iss`, `iat`, `exp` and `jti`.
///
/// Each member of its header and each claim can be set, replaced or taken away, and so can the raw text of either.
///
/// ```
/// use tollgate::testing::Issuer;
///
/// let issuer = Issuer::new("https://as.example/");
/// let sound = issuer.token().audience("https://api.example/").scope("orders:read").sign();
/// let expired = issuer.token().claim("exp", 1).sign();
/// let alg_none = issuer.token().header("alg", "none").signature(b"").sign();
/// let duplicate = issuer.token().raw_header(r#"{"alg":"RS256","alg":"none"}"#).sign();
/// # assert_eq!(sound.split('.').count(), 3);
/// # assert!(alg_none.ends_with('.'));
/// # assert_ne!(expired, duplicate);
/// ```
#[derive(Clone, Debug)]
pub struct TokenBuilder {
    header: Map<String, Value>,
    claims: Map<String, Value>,
    raw_header: Option<String>,
    raw_payload: Option<Vec<u8>>,
    key: Arc<SigningKey>,
    algorithm: Algorithm,
    signature: Signature,
}

#[derive(Clone, Debug)]
enum Signature {
    Sound,
    Tampered,
    Given(Vec<u8>),
    Hmac(Vec<u8>),
}

impl TokenBuilder {
    pub(super) fn new(
        issuer: &str,
        kid: &str,
        key: Arc<SigningKey>,
        algorithm: Algorithm,
        serial: u64,
    ) -> Self {
        let builder = Self {
            header: Map::new(),
            claims: Map::new(),
            raw_header: None,
            raw_payload: None,
            key,
            algorithm,
            signature: Signature::Sound,
        };
        builder
            .header("alg", algorithm.name())
            .header("kid", kid)
            .claim("iss", issuer)
            .claim("jti", format!("token-{serial}"))
            .issued(ManualClock::START, Duration::from_secs(3_600))
    }

    /// Makes it look like an access token of this kind of authorization server: its header's `typ`, its claims and the way
    /// in which it tells client, scopes and subject. They are `shop`, `orders:read` and `alice`.
    #[must_use]
    pub fn like(self, profile: Profile) -> Self {
        match profile {
            Profile::Okta => self
                .claim("ver", 1)
                .claim("cid", "shop")
                .claim("uid", "00u1")
                .claim("scp", json!(["orders:read"]))
                .subject("alice"),
            Profile::Rfc9068 => self.typ("at+jwt").client("shop").scope("orders:read").subject("alice"),
            Profile::Entra => self
                .typ("JWT")
                .claim("ver", "2.0")
                .claim("azp", "shop")
                .claim("scp", "orders:read")
                .claim("tid", "tenant")
                .subject("alice"),
            Profile::Auth0 => self.typ("JWT").claim("azp", "shop").scope("orders:read").subject("alice"),
            Profile::Keycloak => self
                .typ("JWT")
                .claim("typ", "Bearer")
                .claim("azp", "shop")
                .claim("sid", "session")
                .scope("orders:read")
                .subject("alice"),
            Profile::Cognito => self
                .claim("token_use", "access")
                .client("shop")
                .claim("version", 2)
                .scope("orders:read")
                .subject("alice"),
            Profile::Generic => self.typ("JWT").client("shop").scope("orders:read").subject("alice"),
        }
    }

    /// Sets `iat` to this instant, cut to seconds, and `exp` so long after it.
    #[must_use]
    pub fn issued(self, at: UnixTime, lifetime: Duration) -> Self {
        self.claim("iat", at.as_secs()).claim("exp", (at + lifetime).as_secs())
    }

    /// Sets `aud` to one audience.
    #[must_use]
    pub fn audience(self, audience: &str) -> Self {
        self.claim("aud", audience)
    }

    /// Sets `client_id`.
    #[must_use]
    pub fn client(self, client: &str) -> Self {
        self.claim("client_id", client)
    }

    /// Sets `scope`, which is delimited by spaces.
    #[must_use]
    pub fn scope(self, scope: &str) -> Self {
        self.claim("scope", scope)
    }

    /// Sets `sub`.
    #[must_use]
    pub fn subject(self, subject: &str) -> Self {
        self.claim("sub", subject)
    }

    /// Sets the header's `typ`.
    #[must_use]
    pub fn typ(self, typ: &str) -> Self {
        self.header("typ", typ)
    }

    /// Sets a claim, to whatever value.
    #[must_use]
    pub fn claim(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.claims.insert(name.into(), value.into());
        self
    }

    /// Takes a claim away.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.claims.remove(name);
        self
    }

    /// Sets a member of the header, to whatever value. Setting `alg` so changes what the token says, not how it is signed.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.header.insert(name.into(), value.into());
        self
    }

    /// Takes a member of the header away.
    #[must_use]
    pub fn without_header(mut self, name: &str) -> Self {
        self.header.remove(name);
        self
    }

    /// Signs this text as the header, whatever it is.
    #[must_use]
    pub fn raw_header(mut self, json: &str) -> Self {
        self.raw_header = Some(json.into());
        self
    }

    /// Signs these bytes as the payload, whatever they are.
    #[must_use]
    pub fn raw_payload(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.raw_payload = Some(bytes.into());
        self
    }

    /// Signs with another key, and leaves the header as it is.
    #[must_use]
    pub fn key(mut self, key: Arc<SigningKey>) -> Self {
        self.key = key;
        self
    }

    /// Signs with this algorithm, and says so in the header.
    #[must_use]
    pub fn algorithm(mut self, algorithm: Algorithm) -> Self {
        self.algorithm = algorithm;
        self.header("alg", algorithm.name())
    }

    /// Takes these bytes for the signature.
    #[must_use]
    pub fn signature(mut self, signature: &[u8]) -> Self {
        self.signature = Signature::Given(signature.into());
        self
    }

    /// Changes one bit of the sound signature.
    #[must_use]
    pub fn tampered(mut self) -> Self {
        self.signature = Signature::Tampered;
        self
    }

    /// Signs with HMAC-SHA-256, and says so in the header: for attacks that take a public key for the secret.
    #[must_use]
    pub fn hmac(mut self, secret: &[u8]) -> Self {
        self.signature = Signature::Hmac(secret.into());
        self.header("alg", "HS256")
    }

    /// The claims as they stand: what an introspection answer about this token would say.
    pub fn claims(&self) -> &Map<String, Value> {
        &self.claims
    }

    /// The token, in the compact serialisation of RFC 7515 section 7.1.
    ///
    /// # Panics
    /// If the operating system has no randomness to give.
    pub fn sign(&self) -> String {
        let json = |members: &Map<String, Value>| Value::Object(members.clone()).to_string();
        let header = self.raw_header.clone().unwrap_or_else(|| json(&self.header));
        let payload = self.raw_payload.clone().unwrap_or_else(|| json(&self.claims).into_bytes());
        let input = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload));
        let signature = match &self.signature {
            Signature::Sound => self.key.sign(self.algorithm, input.as_bytes()),
            Signature::Tampered => {
                let mut signature = self.key.sign(self.algorithm, input.as_bytes());
                // In the middle, so that it is neither a length nor a padding that gives it away.
                let middle = signature.len() / 2;
                signature.iter_mut().skip(middle).take(1).for_each(|byte| *byte ^= 1);
                signature
            }
            Signature::Given(signature) => signature.clone(),
            Signature::Hmac(secret) => {
                hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), input.as_bytes()).as_ref().to_vec()
            }
        };
        format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}
