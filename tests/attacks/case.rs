//! One hostile request, as a table tells it, and what each door is expected to make of it.

use crate::house::House;
use serde::Deserialize;
use std::path::Path;

/// A table: `tests/attacks/*.yaml`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// The doors that its cases come by.
    pub doors: Vec<String>,
    pub cases: Vec<Case>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    pub attack: String,
    /// What it is for; the manual's page on attacks speaks of it.
    pub covers: Vec<String>,
    /// The request line and the header lines; or, if the first line begins with a colon, the fields of an HTTP/2 request.
    pub send: Vec<String>,
    #[serde(default)]
    pub body: String,
    /// The field lines that follow the body of an HTTP/2 request.
    #[serde(default)]
    pub trailers: Vec<String>,
    #[serde(default = "yes")]
    pub host: bool,
    pub expect: Vec<Expected>,
    pub error: Option<String>,
    pub upstream: Option<Upstream>,
    /// What is otherwise over HTTP/2, or why it can't be said there.
    pub http2: Option<Here>,
    /// What is otherwise where the gate is asked itself, or why it can't be.
    pub core: Option<Here>,
}

/// A case at one door.
#[derive(Clone, Deserialize)]
#[serde(untagged)]
pub enum Here {
    /// It can't be said here, for this reason.
    Never(String),
    Otherwise(Box<Otherwise>),
}

/// What takes the place of the case's own.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Otherwise {
    pub send: Option<Vec<String>>,
    pub body: Option<String>,
    #[serde(default)]
    pub trailers: Vec<String>,
    pub expect: Option<Vec<Expected>>,
    pub upstream: Option<Upstream>,
}

#[derive(Clone, Deserialize)]
#[serde(untagged)]
pub enum Expected {
    Status(u16),
    Word(String),
}

/// What may, and what must, reach the API.
#[derive(Clone, Deserialize, Default)]
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

impl Table {
    /// All tables, in the order of their names.
    pub fn all() -> Vec<Self> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/attacks");
        let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let mut files: Vec<_> = files.filter(|path| path.extension().is_some_and(|e| e == "yaml")).collect();
        files.sort();
        let read = |path: &std::path::PathBuf| {
            let text = std::fs::read_to_string(path).unwrap();
            serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
        };
        files.iter().map(read).collect()
    }
}

impl Case {
    /// The case as it is at this door; `None` if it can't be said there.
    pub fn at(mut self, door: &str) -> Option<Self> {
        assert!(!self.covers.is_empty(), "{}: it covers something", self.attack);
        let here = match door {
            "http2" => self.http2.take(),
            "core" => self.core.take(),
            _ => None,
        };
        match here {
            None => {}
            Some(Here::Never(reason)) => {
                assert!(reason.len() > 10, "{}: a reason is given", self.attack);
                return None;
            }
            Some(Here::Otherwise(here)) => {
                self.send = here.send.unwrap_or(self.send);
                self.body = here.body.unwrap_or(self.body);
                self.trailers = here.trailers;
                self.expect = here.expect.unwrap_or(self.expect);
                self.upstream = here.upstream.or(self.upstream);
            }
        }
        Some(self)
    }

    /// Method, target and header fields of a request that is written as HTTP/1 has it.
    pub fn parts(&self, house: &House) -> Parts {
        let lines: Vec<Vec<u8>> = self.send.iter().map(|line| unescape(&house.fill_in(line))).collect();
        let (first, rest) = lines.split_first().unwrap();
        let text = first.split(|byte| *byte == b'\r').next().unwrap();
        let method_ends = text.iter().position(|byte| *byte == b' ').unwrap();
        let target_ends = text.iter().rposition(|byte| *byte == b' ').unwrap();
        let rest = rest.concat_lines();
        let fields = rest.iter().map(|line| split_field(line)).collect();
        Parts {
            method: text[..method_ends].to_vec(),
            target: text[method_ends + 1..target_ends].to_vec(),
            fields,
        }
    }
}

/// A request, apart from the protocol that carries it.
pub struct Parts {
    pub method: Vec<u8>,
    pub target: Vec<u8>,
    pub fields: Vec<(Vec<u8>, Vec<u8>)>,
}

trait Lines {
    /// `{headers*3}` has filled in several lines at once.
    fn concat_lines(&self) -> Vec<Vec<u8>>;
}

impl Lines for [Vec<u8>] {
    fn concat_lines(&self) -> Vec<Vec<u8>> {
        let lines = self.iter().flat_map(|line| {
            let text = String::from_utf8_lossy(line).into_owned();
            match text.contains("\r\n") {
                true => text.split("\r\n").map(|line| line.as_bytes().to_vec()).collect(),
                false => vec![line.clone()],
            }
        });
        lines.collect()
    }
}

/// `name: value`; a colon at the very beginning belongs to the name.
pub fn split_field(line: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let colon = line.iter().skip(1).position(|byte| *byte == b':').map_or(line.len(), |at| at + 1);
    let value = line.get(colon + 1..).unwrap_or_default();
    (line[..colon].to_vec(), value.strip_prefix(b" ").unwrap_or(value).to_vec())
}

/// `\xNN`, `\t`, `\r`, `\n` and `\\` as the bytes that they stand for.
pub fn unescape(text: &str) -> Vec<u8> {
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
