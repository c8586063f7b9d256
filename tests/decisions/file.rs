//! What is in the second document of a file of decisions.

use serde::Deserialize;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::path::Path;

/// The whole of it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct File {
    /// The instant that `now` stands for, in seconds since the epoch; by default the first of 2026.
    pub instant: Option<u64>,
    /// How the policy's issuers publish their keys, by their names in the policy. By default each has one RS256 key, `k1`.
    #[serde(default)]
    pub issuers: BTreeMap<String, Issuer>,
    /// The tokens, by name.
    #[serde(default)]
    pub tokens: BTreeMap<String, Token>,
    /// The requests, and what becomes of them.
    pub cases: Vec<Case>,
}

/// An issuer's key set.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Issuer {
    /// Its keys; they are called `k1`, `k2`, … in this order. No two of a file are the same.
    #[serde(default)]
    pub keys: Vec<Key>,
    /// Whether its key set can't be fetched.
    #[serde(default)]
    pub down: bool,
}

/// A key: the algorithm alone, or more.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum Key {
    Algorithm(String),
    More(KeyDescription),
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyDescription {
    pub algorithm: String,
    /// Members of the JWK to set, or to take away (`null`).
    #[serde(default)]
    pub jwk: Map<String, Value>,
    /// `false`: it signs, but is not in the set.
    #[serde(default = "yes")]
    pub published: bool,
}

fn yes() -> bool {
    true
}

/// A token. Without anything it is a sound one of the policy's first issuer: like its profile, for its first audience, of the client
/// `shop`, with the scope `orders:read`, about `alice`, issued at `now` for an hour, signed with `k1`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Token {
    /// The token that this one is like, but for what follows.
    pub from: Option<String>,
    /// An issuer of the policy, by name; or any other, by URL.
    pub issuer: Option<String>,
    /// The key that signs: one of its issuer's, `issuer.k1` for another's, or `stranger` for nobody's.
    pub key: Option<String>,
    /// The algorithm to sign with, and to name; by default the key's own.
    pub algorithm: Option<String>,
    /// The profile that it looks like.
    pub like: Option<String>,
    /// Members of the header to set, or to take away (`null`).
    #[serde(default)]
    pub header: Map<String, Value>,
    /// Claims to set, or to take away (`null`). The text `now`, `now+60` or `now-0.5` stands for that instant as a number.
    #[serde(default)]
    pub claims: Map<String, Value>,
    /// This text for the header.
    pub raw_header: Option<String>,
    /// This text for the payload.
    pub raw_payload: Option<String>,
    /// A signature other than the sound one.
    pub signature: Option<Signature>,
    /// How it is written, with `{header}`, `{payload}` and `{signature}` for its parts; or all of it, if it has no parts.
    pub text: Option<String>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Signature {
    /// One bit is wrong.
    Tampered,
    /// There is none.
    Empty,
    /// The bits behind the last byte are not zero: another text for the same signature.
    TrailingBits,
    /// HMAC-SHA-256, with the public key's DER encoding for the secret.
    HmacDer,
    /// The same with the public key's JWK.
    HmacJwk,
    /// The same with its PEM.
    HmacPem,
    /// The same with the modulus.
    HmacModulus,
    /// As long as the sound one, and zero.
    Zeros,
}

/// A request, and what becomes of it: either `pass` or `refuse`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// What it shows.
    pub case: String,
    /// Method and target. Here and in `headers`, `{name}` stands for a token.
    pub request: String,
    /// `Host`; by default `api.example`.
    pub host: Option<String>,
    /// The token in `Authorization`: by name, or as it is.
    pub token: Option<Presented>,
    /// More header fields, or several of one name.
    #[serde(default)]
    pub headers: BTreeMap<String, Values>,
    /// How many seconds after `now` it comes.
    #[serde(default)]
    pub after: f64,
    /// It passes, and the API sees these header fields; `null`: not that one.
    pub pass: Option<BTreeMap<String, Option<String>>>,
    /// It is refused, with this status and for this reason.
    pub refuse: Option<String>,
    /// The doors that such a request never comes to in this form: what stands before them refuses it, or makes another of it.
    #[serde(default)]
    pub never_reaches: Vec<String>,
    /// The whole challenge.
    pub challenge: Option<String>,
    /// Other header fields of the refusal; `null`: not that one.
    #[serde(default)]
    pub answer: BTreeMap<String, Option<String>>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum Presented {
    Named(String),
    Described(Box<Token>),
}

#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum Values {
    One(String),
    Several(Vec<String>),
}

impl Values {
    pub fn iter(&self) -> impl Iterator<Item = &String> {
        match self {
            Self::One(value) => std::slice::from_ref(value).iter(),
            Self::Several(values) => values.iter(),
        }
    }
}

impl File {
    /// The policy's text, and the rest.
    pub fn read(path: &Path) -> Result<(String, Self), String> {
        let text = std::fs::read_to_string(path).map_err(|error| error.to_string())?;
        let (policy, rest) = text.split_once("\n---\n").ok_or("there is no second document")?;
        // So that an error names the line in the file.
        let rest = format!("{}\n{rest}", "\n".repeat(policy.lines().count()));
        let file: Self = serde_saphyr::from_str(&rest).map_err(|error| error.to_string())?;
        for case in &file.cases {
            if case.pass.is_some() == case.refuse.is_some() {
                return Err(format!("{}: either `pass` or `refuse`", case.case));
            }
        }
        Ok((policy.to_owned(), file))
    }
}
