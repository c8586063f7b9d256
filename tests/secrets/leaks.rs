//! The search.

use std::collections::HashSet;
use tollgate::token::Fingerprint;

/// What must not be written anywhere.
#[derive(Default)]
pub(crate) struct Secrets {
    tokens: Vec<String>,
    others: Vec<(&'static str, String)>,
}

/// Whoever has so many bytes in a row of a signature or a key has a part of it. (In base64, 12 bytes of the thing itself.)
const WINDOW: usize = 16;

impl Secrets {
    pub(crate) fn new(others: Vec<(&'static str, String)>) -> Self {
        Self { tokens: Vec::new(), others }
    }

    pub(crate) fn token(&mut self, token: &str) {
        self.tokens.push(token.to_owned());
    }

    pub(crate) fn other(&mut self, what: &'static str, secret: &str) {
        self.others.push((what, secret.to_owned()));
    }

    /// How a log calls the first token.
    pub(crate) fn name_of_the_first(&self) -> String {
        Fingerprint::of(&self.tokens[0]).to_string()
    }

    /// No whole token; no window of a signed one's payload and signature, or of an opaque one; no window of any other secret, and
    /// none that is shorter than a window as a whole.
    pub(crate) fn are_not_in(&self, written: &[u8], place: &str) {
        let windows: HashSet<&[u8]> = written.windows(WINDOW).collect();
        let check = |what: &str, secret: &str| {
            let shown = || {
                let at = |window: &[u8]| written.windows(window.len()).position(|found| found == window);
                let window = secret.as_bytes().windows(WINDOW).find(|window| windows.contains(window));
                let at = at(window.unwrap_or(secret.as_bytes())).unwrap();
                String::from_utf8_lossy(&written[at.saturating_sub(300)..written.len().min(at + 60)])
                    .into_owned()
            };
            let found = if secret.len() < WINDOW {
                written.windows(secret.len()).any(|window| window == secret.as_bytes())
            } else {
                secret.as_bytes().windows(WINDOW).any(|window| windows.contains(window))
            };
            assert!(!found, "{place}: {what} was written: …{}…", shown());
        };
        for token in &self.tokens {
            match token.split_once('.') {
                // A header is the same for all tokens of a key, and says nothing.
                Some((_, rest)) => {
                    rest.split('.').filter(|part| part.len() > 8).for_each(|part| check("a token", part))
                }
                None => check("an opaque token", token),
            }
        }
        for (what, secret) in &self.others {
            check(what, secret);
        }
    }
}

#[test]
#[should_panic(expected = "a token was written")]
fn sixteen_characters_of_a_signature_are_found() {
    let mut secrets = Secrets::default();
    secrets.token("eyJhbGciOiJSUzI1NiJ9.e30.abcdefghijklmnopqrstuvwxyz0123456789");
    secrets.are_not_in(b"a line that ends in klmnopqrstuvwxyz", "here");
}

#[test]
fn what_is_not_there_is_not_found() {
    let mut secrets = Secrets::new(vec![("a short secret", "hunter2".into())]);
    secrets.token("eyJhbGciOiJSUzI1NiJ9.e30.abcdefghijklmnopqrstuvwxyz0123456789");
    secrets.are_not_in(b"eyJhbGciOiJSUzI1NiJ9 and klmnopqrstuvwxy, and hunter", "here");
}
