//! SHA-256 of a token: the name under which its facts are remembered, and by which logs may speak of it.

use aws_lc_rs::digest::{Context, SHA256, digest};
use std::fmt;

/// SHA-256 of a token's whole text.
///
/// The raw token is neither stored nor logged. [`Display`](fmt::Display) prints the first 8 bytes in hexadecimal: enough
/// to follow one token through the logs of several gateways, not enough to be of use to a thief.
///
/// ```
/// use tollgate::token::Fingerprint;
///
/// let print = Fingerprint::of("abc");
/// assert_eq!(print.to_string(), "ba7816bf8f01cfea");
/// assert_ne!(print, Fingerprint::of("abd"));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// The fingerprint of a token, whatever its kind.
    pub fn of(token: &str) -> Self {
        Self::from_digest(digest(&SHA256, token.as_bytes()))
    }

    /// The name of an opaque token as one issuer knows it.
    ///
    /// The issuer is part of it, so that what one issuer said of a token is never taken for another's word
    /// (CVE-2026-33496). Its length delimits it: no two pairs of issuer and token can be made to meet.
    #[must_use]
    pub fn at_issuer(&self, issuer: &str) -> Self {
        let mut context = Context::new(&SHA256);
        // No token begins with a zero byte, so this can't be the fingerprint of one either.
        context.update(&[0]);
        context.update(&(issuer.len() as u64).to_be_bytes());
        context.update(issuer.as_bytes());
        context.update(&self.0);
        Self::from_digest(context.finish())
    }

    /// All 32 bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The fingerprint that these bytes are, as read back from a shared store.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    fn from_digest(digest: aws_lc_rs::digest::Digest) -> Self {
        let mut bytes = [0; 32];
        // SHA-256 gives 32 bytes.
        bytes.copy_from_slice(digest.as_ref());
        Self(bytes)
    }
}

impl std::hash::Hash for Fingerprint {
    /// The bytes are uniformly spread already: eight of them serve.
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        let [a, b, c, d, e, f, g, h, ..] = self.0;
        state.write_u64(u64::from_ne_bytes([a, b, c, d, e, f, g, h]));
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().take(8).try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_opaque_token_is_another_one_at_another_issuer() {
        let prints = [
            Fingerprint::of("xy"),
            Fingerprint::of("xy").at_issuer("https://a"),
            Fingerprint::of("xy").at_issuer("https://b"),
            Fingerprint::of("y").at_issuer("https://ax"),
        ];
        for (i, one) in prints.iter().enumerate() {
            assert!(prints.iter().skip(i + 1).all(|other| one != other));
        }
    }

    #[test]
    fn it_is_the_digest_of_the_whole_text_and_shows_its_first_bytes() {
        let print = Fingerprint::of("abc");
        assert_eq!(
            (print.to_string(), format!("{print:?}")),
            ("ba7816bf8f01cfea".into(), "ba7816bf8f01cfea".into())
        );
        assert_eq!(print.as_bytes().last(), Some(&0xad));
        assert_eq!(Fingerprint::from_bytes(*print.as_bytes()), print);
    }

    #[test]
    fn fingerprints_are_spread_over_a_table() {
        let hash = |token| {
            std::hash::BuildHasher::hash_one(
                &std::hash::BuildHasherDefault::<std::hash::DefaultHasher>::default(),
                Fingerprint::of(token),
            )
        };
        assert_ne!(hash("a"), hash("b"));
        assert_eq!(hash("a"), hash("a"));
    }
}
