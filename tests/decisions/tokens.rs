//! The issuers and tokens of a file.

use crate::file::{File, Issuer, Key, Presented, Signature, Token};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use bytes::Bytes;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;
use tollgate::config::Plan;
use tollgate::gate::{BoxFuture, KeySource, SourceError, SourceErrorKind, StaticKeys};
use tollgate::policy::Profile;
use tollgate::proof::{Algorithm, KeyType};
use tollgate::testing::{SigningKey, TokenBuilder};
use tollgate::time::UnixTime;

pub struct Tokens {
    issuers: Vec<Party>,
    described: BTreeMap<String, Token>,
    /// Those that were signed already.
    named: Mutex<BTreeMap<String, String>>,
    now: UnixTime,
}

/// A key that is nobody's.
static STRANGER: LazyLock<Arc<SigningKey>> = LazyLock::new(|| Arc::new(SigningKey::generate(KeyType::Rsa)));

/// An issuer of the policy, with its keys.
struct Party {
    name: String,
    issuer: String,
    profile: Profile,
    audience: Option<String>,
    keys: Vec<Pair>,
    jwks: String,
    down: bool,
}

#[derive(Clone)]
struct Pair {
    kid: String,
    algorithm: Algorithm,
    key: Arc<SigningKey>,
}

impl Tokens {
    pub fn new(plan: &Plan, file: &File, now: UnixTime) -> Self {
        let mut maker = KeyMaker::default();
        for name in file.issuers.keys() {
            assert!(
                plan.issuers.iter().any(|issuer| *issuer.name == **name),
                "the policy has no issuer `{name}`"
            );
        }
        let party = |settings: &tollgate::config::IssuerSettings| {
            let written = file.issuers.get(&*settings.name).cloned().unwrap_or_default();
            let rules = plan.policy.issuer(settings.issuer.as_str()).unwrap();
            let (keys, jwks) = maker.keys(&written);
            Party {
                name: settings.name.to_string(),
                issuer: settings.issuer.as_str().to_owned(),
                profile: rules.profile,
                audience: rules.audiences.first().map(|audience| audience.to_string()),
                keys,
                jwks,
                down: written.down,
            }
        };
        let issuers = plan.issuers.iter().map(party).collect();
        Self { issuers, described: file.tokens.clone(), named: Mutex::default(), now }
    }

    pub fn all_up(&self) -> bool {
        self.issuers.iter().all(|issuer| !issuer.down)
    }

    pub fn key_source(&self, issuer: &str) -> Arc<dyn KeySource> {
        let party = self.party(issuer).unwrap();
        if party.down { Arc::new(Down) } else { Arc::new(StaticKeys::new(party.jwks.clone())) }
    }

    /// The text of a token.
    pub fn get(&self, token: &Presented) -> Result<String, String> {
        match token {
            Presented::Named(name) => self.named(name),
            Presented::Described(token) => self.sign(token),
        }
    }

    /// `text`, with the text of a token for each `{name}`.
    pub fn fill(&self, text: &str) -> Result<String, String> {
        let mut filled = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            let (name, behind) =
                after.split_once('}').ok_or_else(|| format!("`{text}` has an open brace"))?;
            filled += before;
            filled += &self.named(name)?;
            rest = behind;
        }
        Ok(filled + rest)
    }

    fn named(&self, name: &str) -> Result<String, String> {
        let known = self.named.lock().unwrap().get(name).cloned();
        if let Some(token) = known {
            return Ok(token);
        }
        let token = self.sign(&self.described(name)?)?;
        self.named.lock().unwrap().insert(name.to_owned(), token.clone());
        Ok(token)
    }

    fn described(&self, name: &str) -> Result<Token, String> {
        self.described.get(name).cloned().ok_or_else(|| format!("there is no token `{name}`"))
    }

    fn party(&self, name: &str) -> Option<&Party> {
        self.issuers.iter().find(|party| party.name == name)
    }

    fn sign(&self, token: &Token) -> Result<String, String> {
        let token = self.whole(token.clone())?;
        let first = self.issuers.first().ok_or("the policy has no issuer")?;
        let party = token.issuer.as_ref().map_or(Some(first), |name| self.party(name));
        let pair = self.pair(&token, party.unwrap_or(first))?;
        let issuer =
            party.map_or_else(|| token.issuer.clone().unwrap_or_default(), |party| party.issuer.clone());
        let mut builder =
            tollgate::testing::Issuer::new(&issuer).token().issued(self.now, Duration::from_secs(3_600));
        let profile = match &token.like {
            None => party.unwrap_or(first).profile,
            Some(name) => Profile::from_name(name).ok_or_else(|| format!("there is no profile `{name}`"))?,
        };
        builder = builder
            .like(profile)
            .key(pair.key.clone())
            .algorithm(pair.algorithm)
            .header("kid", pair.kid.as_str());
        if let Some(audience) = party.unwrap_or(first).audience.as_ref() {
            builder = builder.audience(audience);
        }
        for (name, value) in &token.header {
            builder = if value.is_null() {
                builder.without_header(name)
            } else {
                builder.header(name, value.clone())
            };
        }
        for (name, value) in &token.claims {
            builder = if value.is_null() {
                builder.without(name)
            } else {
                builder.claim(name, self.instant(value))
            };
        }
        if let Some(text) = &token.raw_header {
            builder = builder.raw_header(text);
        }
        if let Some(text) = &token.raw_payload {
            builder = builder.raw_payload(text.as_str());
        }
        let signed = signed(builder, &pair, token.signature);
        Ok(token.text.map_or(signed.clone(), |text| arrange(&text, &signed)))
    }

    /// The token with all that it takes over from others.
    fn whole(&self, mut token: Token) -> Result<Token, String> {
        let Some(from) = token.from.take() else { return Ok(token) };
        let base = self.whole(self.described(&from)?)?;
        let merged = |mut base: Map<String, Value>, over: Map<String, Value>| {
            base.extend(over);
            base
        };
        Ok(Token {
            from: None,
            issuer: token.issuer.or(base.issuer),
            key: token.key.or(base.key),
            algorithm: token.algorithm.or(base.algorithm),
            like: token.like.or(base.like),
            header: merged(base.header, token.header),
            claims: merged(base.claims, token.claims),
            raw_header: token.raw_header.or(base.raw_header),
            raw_payload: token.raw_payload.or(base.raw_payload),
            signature: token.signature.or(base.signature),
            text: token.text.or(base.text),
        })
    }

    fn pair(&self, token: &Token, party: &Party) -> Result<Pair, String> {
        let wanted = token.key.as_deref().unwrap_or("k1");
        let mut pair = if wanted == "stranger" {
            Pair { kid: "k1".into(), algorithm: Algorithm::RS256, key: STRANGER.clone() }
        } else {
            let (party, kid) = match wanted.split_once('.') {
                Some((name, kid)) => {
                    (self.party(name).ok_or_else(|| format!("there is no issuer `{name}`"))?, kid)
                }
                None => (party, wanted),
            };
            party
                .keys
                .iter()
                .find(|pair| pair.kid == kid)
                .cloned()
                .ok_or_else(|| format!("there is no key `{wanted}`"))?
        };
        if let Some(name) = &token.algorithm {
            pair.algorithm =
                Algorithm::from_name(name).ok_or_else(|| format!("there is no algorithm `{name}`"))?;
        }
        Ok(pair)
    }

    /// `now+60` as a number, and everything else as it is.
    fn instant(&self, value: &Value) -> Value {
        let offset = value.as_str().and_then(|text| text.strip_prefix("now")).map(|offset| match offset {
            "" => Some(0.0),
            _ => offset.strip_prefix(['+', '-']).and(offset.parse::<f64>().ok()),
        });
        match offset.flatten() {
            None => value.clone(),
            Some(offset) if offset.fract() == 0.0 => json!(self.now.as_secs() as i64 + offset as i64),
            Some(offset) => json!(self.now.as_secs() as f64 + offset),
        }
    }
}

fn signed(builder: TokenBuilder, pair: &Pair, signature: Option<Signature>) -> String {
    match signature {
        None => builder.sign(),
        Some(Signature::Tampered) => builder.tampered().sign(),
        Some(Signature::Empty) => builder.signature(b"").sign(),
        Some(Signature::HmacDer) => builder.hmac(&pair.key.public_der()).sign(),
        Some(Signature::HmacJwk) => {
            builder.hmac(Value::Object(pair.key.public_jwk()).to_string().as_bytes()).sign()
        }
        Some(Signature::HmacPem) => {
            let lines = STANDARD.encode(pair.key.public_der());
            let lines: Vec<&str> =
                lines.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
            let pem = format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", lines.join("\n"));
            builder.hmac(pem.as_bytes()).sign()
        }
        Some(Signature::HmacModulus) => {
            builder.hmac(pair.key.public_jwk()["n"].as_str().unwrap().as_bytes()).sign()
        }
        Some(Signature::Zeros) => {
            let sound = builder.sign();
            let length = URL_SAFE_NO_PAD.decode(sound.rsplit('.').next().unwrap()).unwrap().len();
            builder.signature(&vec![0; length]).sign()
        }
        Some(Signature::TrailingBits) => {
            let mut text = builder.sign();
            let last = text.pop().unwrap();
            // The last character of 256 bytes has four bits to spare, which are zero: A, Q, g or w. The next one has a bit set there.
            assert!("AQgw".contains(last), "{last}");
            text.push(char::from(last as u8 + 1));
            text
        }
    }
}

/// The parts of a token in another order, or with something between them.
fn arrange(text: &str, token: &str) -> String {
    let mut parts = token.split('.');
    let mut text = text.to_owned();
    for name in ["{header}", "{payload}", "{signature}"] {
        text = text.replace(name, parts.next().unwrap_or_default());
    }
    text.replace("{long}", &URL_SAFE_NO_PAD.encode([0; 13_000]))
}

/// Makes keys, no two of them alike. RSA keys take a while to make, so that the published ones come first.
#[derive(Default)]
struct KeyMaker {
    rsa: usize,
}

impl KeyMaker {
    fn keys(&mut self, issuer: &Issuer) -> (Vec<Pair>, String) {
        let default = [Key::Algorithm("RS256".into())];
        let written = if issuer.keys.is_empty() { &default[..] } else { &issuer.keys };
        let (mut pairs, mut published) = (Vec::new(), Vec::new());
        for (index, key) in written.iter().enumerate() {
            let (algorithm, changes, is_published) = match key {
                Key::Algorithm(name) => (name, Map::new(), true),
                Key::More(more) => (&more.algorithm, more.jwk.clone(), more.published),
            };
            let algorithm =
                Algorithm::from_name(algorithm).unwrap_or_else(|| panic!("no algorithm `{algorithm}`"));
            let pair =
                Pair { kid: format!("k{}", index + 1), algorithm, key: self.key(algorithm.key_type()) };
            let mut jwk = pair.key.public_jwk();
            jwk.extend([
                ("kid".to_owned(), json!(pair.kid)),
                ("alg".to_owned(), json!(algorithm.name())),
                ("use".to_owned(), json!("sig")),
            ]);
            jwk.extend(changes);
            jwk.retain(|_, value| !value.is_null());
            published.extend(is_published.then_some(jwk));
            pairs.push(pair);
        }
        (pairs, json!({ "keys": published }).to_string())
    }

    fn key(&mut self, key_type: KeyType) -> Arc<SigningKey> {
        if key_type == KeyType::Rsa {
            self.rsa += 1;
        }
        Arc::new(match (key_type, self.rsa) {
            (KeyType::Rsa, 1) => SigningKey::published(KeyType::Rsa),
            (KeyType::Rsa, 2) => SigningKey::published_rsa_2(),
            _ => SigningKey::generate(key_type),
        })
    }
}

/// An issuer that nobody can reach.
struct Down;

impl KeySource for Down {
    fn fetch(&self) -> BoxFuture<'_, Result<Bytes, SourceError>> {
        Box::pin(async { Err(SourceError::new(SourceErrorKind::Connect, "nobody listens")) })
    }
}
