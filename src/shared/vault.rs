//! What leaves this process is sealed here, and what comes back is opened: the one file of this room that names `aws-lc-rs`.

use crate::gate::SharedQuestion;
use aws_lc_rs::aead::{AES_256_GCM_SIV, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::{hkdf, hmac};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use std::fmt;
use zeroize::Zeroizing;

/// The keys that the gateways of one prefix have in common.
///
/// 1. From the configured key, HKDF-SHA256 (RFC 5869) derives one key for names, one for answers and one for notices; the prefix
///    is part of it, so that nothing can be carried from one prefix to another.
/// 2. A name is an HMAC-SHA256 of who asks about which token. Who reads it learns nothing, not even by guessing tokens.
/// 3. A value is sealed with AES-256-GCM-SIV (RFC 8452) under a random nonce. Many gateways may seal under one key for years: a
///    nonce that comes twice would show that two values are equal, and nothing else.
/// 4. The seal covers what the value is, its version and its name: moved to another place, it does not open.
pub(super) struct Vault {
    names: hmac::Key,
    answers: RandomizedNonceKey,
    /// The first seals, and all open.
    notices: Vec<RandomizedNonceKey>,
}

/// The name of an answer in Redis.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Name([u8; 32]);

impl Vault {
    pub(super) fn new(key: &[u8; 32], other: Option<&[u8; 32]>, prefix: &str) -> Result<Self, Unspecified> {
        let notices = [Some(key), other].into_iter().flatten();
        Ok(Self {
            names: hmac::Key::new(hmac::HMAC_SHA256, &*derive(key, "names", prefix)?),
            answers: sealing_key(key, "answers", prefix)?,
            notices: notices.map(|key| sealing_key(key, "notices", prefix)).collect::<Result<_, _>>()?,
        })
    }

    /// Under which name the answer to a question is kept.
    pub(super) fn name(&self, question: &SharedQuestion<'_>) -> Name {
        let mut context = hmac::Context::with_key(&self.names);
        // Each part is preceded by its length: no two questions can be made to meet.
        for part in [question.issuer.as_str(), question.client_id, question.tag] {
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part.as_bytes());
        }
        context.update(&[u8::from(question.signed)]);
        context.update(question.token.as_bytes());
        let mut name = [0; 32];
        // HMAC-SHA256 gives 32 bytes.
        name.copy_from_slice(context.sign().as_ref());
        Name(name)
    }

    pub(super) fn seal_answer(&self, name: &Name, plain: Vec<u8>) -> Result<Vec<u8>, Unspecified> {
        seal(&self.answers, &[ANSWER, &name.0].concat(), plain)
    }

    /// The answer of this name; `None` if it is not one that was sealed for it.
    pub(super) fn open_answer(&self, name: &Name, sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        open(&self.answers, &[ANSWER, &name.0].concat(), sealed)
    }

    pub(super) fn seal_notice(&self, plain: Vec<u8>) -> Result<Vec<u8>, Unspecified> {
        seal(self.notices.first().ok_or(Unspecified)?, NOTICE, plain)
    }

    /// The notice that was sealed; `None` if it was not sealed by one of us.
    pub(super) fn open_notice(&self, sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        self.notices.iter().find_map(|key| open(key, NOTICE, sealed))
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&URL_SAFE_NO_PAD.encode(self.0))
    }
}

/// What a sealed value begins with. Others are not opened.
const VERSION: u8 = 1;

const ANSWER: &[u8] = &[VERSION, b'a'];
const NOTICE: &[u8] = &[VERSION, b'n'];

fn seal(key: &RandomizedNonceKey, bound_to: &[u8], mut plain: Vec<u8>) -> Result<Vec<u8>, Unspecified> {
    let nonce = key.seal_in_place_append_tag(Aad::from(bound_to), &mut plain)?;
    Ok([&[VERSION], nonce.as_ref().as_slice(), &plain].concat())
}

fn open(key: &RandomizedNonceKey, bound_to: &[u8], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let rest = sealed.strip_prefix(&[VERSION])?;
    let (nonce, sealed) = rest.split_at_checked(NONCE_LEN)?;
    let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
    let mut plain = Zeroizing::new(sealed.to_vec());
    let length = key.open_in_place(nonce, Aad::from(bound_to), &mut plain).ok()?.len();
    plain.truncate(length);
    Some(plain)
}

fn sealing_key(key: &[u8; 32], purpose: &str, prefix: &str) -> Result<RandomizedNonceKey, Unspecified> {
    RandomizedNonceKey::new(&AES_256_GCM_SIV, &*derive(key, purpose, prefix)?)
}

fn derive(key: &[u8; 32], purpose: &str, prefix: &str) -> Result<Zeroizing<[u8; 32]>, Unspecified> {
    let mut derived = Zeroizing::new([0; 32]);
    let secret = hkdf::Salt::new(hkdf::HKDF_SHA256, b"tollgate shared memory").extract(key);
    secret.expand(&[purpose.as_bytes(), &[0], prefix.as_bytes()], Bytes32)?.fill(&mut *derived)?;
    Ok(derived)
}

struct Bytes32;

impl hkdf::KeyType for Bytes32 {
    fn len(&self) -> usize {
        32
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proof::IssuerName;
    use crate::token::Fingerprint;

    const KEY: [u8; 32] = [7; 32];

    fn vault(key: [u8; 32], prefix: &str) -> Vault {
        Vault::new(&key, None, prefix).unwrap()
    }

    fn name(vault: &Vault, issuer: &str, client_id: &str, signed: bool, token: &str) -> Name {
        let (issuer, token) = (&IssuerName::new(issuer), &Fingerprint::of(token));
        vault.name(&SharedQuestion { issuer, client_id, signed, tag: "", token })
    }

    #[test]
    fn what_is_sealed_opens_for_whoever_has_the_key_and_the_name() {
        let (ours, theirs) = (vault(KEY, "p"), vault(KEY, "p"));
        let one = name(&ours, "i", "c", false, "t");
        assert_eq!(one, name(&theirs, "i", "c", false, "t"));
        let sealed = ours.seal_answer(&one, b"facts".to_vec()).unwrap();
        assert_eq!(&**theirs.open_answer(&one, &sealed).unwrap(), b"facts");
        assert_ne!(sealed, ours.seal_answer(&one, b"facts".to_vec()).unwrap(), "each under its own nonce");

        for (key, prefix) in [([8; 32], "p"), (KEY, "q"), (KEY, "")] {
            let other = vault(key, prefix);
            assert_ne!(one, name(&other, "i", "c", false, "t"));
            assert!(other.open_answer(&one, &sealed).is_none());
        }
        let two = name(&ours, "i", "c", false, "u");
        assert!(theirs.open_answer(&two, &sealed).is_none(), "moved to another name");
        assert!(theirs.open_notice(&sealed).is_none(), "passed for a notice");
    }

    #[test]
    fn every_part_of_a_question_is_in_its_name() {
        let vault = vault(KEY, "p");
        let names = [
            name(&vault, "i", "c", false, "t"),
            name(&vault, "ic", "", false, "t"),
            name(&vault, "", "ic", false, "t"),
            name(&vault, "i", "d", false, "t"),
            name(&vault, "i", "c", true, "t"),
            name(&vault, "i", "c", false, "u"),
        ];
        let (issuer, token) = (&IssuerName::new("i"), &Fingerprint::of("t"));
        let elsewhere = SharedQuestion { issuer, client_id: "c", signed: false, tag: "e", token };
        assert!(!names.contains(&vault.name(&elsewhere)));
        for (n, one) in names.iter().enumerate() {
            assert!(names.iter().skip(n + 1).all(|other| one != other));
        }
        assert_eq!(names[0].to_string().len(), 43);
    }

    #[test]
    fn a_value_with_any_bit_changed_does_not_open() {
        let vault = vault(KEY, "p");
        let name = name(&vault, "i", "c", false, "t");
        let sealed = vault.seal_answer(&name, b"facts".to_vec()).unwrap();
        for bit in 0..sealed.len() * 8 {
            let mut other = sealed.clone();
            other[bit / 8] ^= 1 << (bit % 8);
            assert!(vault.open_answer(&name, &other).is_none(), "bit {bit}");
        }
        for length in 0..sealed.len() {
            assert!(vault.open_answer(&name, &sealed[..length]).is_none(), "{length} bytes");
        }
    }

    #[test]
    fn notices_open_with_either_key_while_one_replaces_the_other() {
        let (old, new) = (vault([1; 32], "p"), vault([2; 32], "p"));
        let both = Vault::new(&[2; 32], Some(&[1; 32]), "p").unwrap();
        let sealed = old.seal_notice(b"all".to_vec()).unwrap();
        assert!(both.open_notice(&sealed).is_some() && new.open_notice(&sealed).is_none());
        let sealed = both.seal_notice(b"all".to_vec()).unwrap();
        assert!(new.open_notice(&sealed).is_some() && old.open_notice(&sealed).is_none());
    }
}
