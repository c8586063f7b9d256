//! One hostile request, as the table tells it.

use crate::house::House;
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    pub attack: String,
    /// What it is for; the manual's page on attacks speaks of it.
    pub covers: Vec<String>,
    pub send: Vec<String>,
    #[serde(default)]
    pub body: String,
    #[serde(default = "yes")]
    pub host: bool,
    pub expect: Vec<Expected>,
    pub error: Option<String>,
    pub upstream: Option<Upstream>,
}

#[derive(Deserialize)]
#[serde(untagged)]
pub enum Expected {
    Status(u16),
    Word(String),
}

/// What may, and what must, reach the API.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub struct Upstream {
    pub optional: bool,
    pub has: Vec<String>,
    pub lacks: Vec<String>,
    pub once: Option<String>,
}

fn yes() -> bool {
    true
}

impl Case {
    /// The bytes that go over the wire.
    pub fn bytes(&self, house: &House) -> Vec<u8> {
        assert!(!self.covers.is_empty(), "{}: it covers something", self.attack);
        let mut bytes = Vec::new();
        for (index, line) in self.send.iter().enumerate() {
            bytes.extend(unescape(&house.fill_in(line)));
            bytes.extend(b"\r\n");
            if index == 0 && self.host {
                bytes.extend(b"Host: api.test\r\n");
            }
        }
        bytes.extend(b"\r\n");
        bytes.extend(unescape(&house.fill_in(&self.body)));
        bytes
    }
}

/// `\xNN`, `\t`, `\r`, `\n` and `\\` as the bytes that they stand for.
fn unescape(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'\\' {
            bytes.push(byte);
            continue;
        }
        let kind = rest.next();
        let hex = |digits: [Option<u8>; 2]| {
            let digits: String = digits.into_iter().flatten().map(char::from).collect();
            u8::from_str_radix(&digits, 16).unwrap()
        };
        match kind {
            Some(b'x') => bytes.push(hex([rest.next(), rest.next()])),
            Some(b't') => bytes.push(b'\t'),
            Some(b'r') => bytes.push(b'\r'),
            Some(b'n') => bytes.push(b'\n'),
            other => {
                bytes.push(b'\\');
                bytes.extend(other);
            }
        }
    }
    bytes
}
