//! A trial of the cryptography before it is relied upon: one known answer for each algorithm.
//!
//! `self_test.json` is a key set, and in `tokens` one token for each of its keys. Keys and tokens were made by
//! `testing` with its published keys; the test below makes them anew, compares all but the signatures (those of
//! RSASSA-PSS and ECDSA are random), and prints the new document where it differs, to be copied into the file.

use super::{Algorithm, Candidates, IssuerName, KeySet, ProofError, verify};
use crate::token::UnverifiedJws;
use serde::Deserialize;

/// Verifies a known token of each [`Algorithm`], and that each is refused when its signature is changed.
///
/// To be called at start, before anything listens: a cryptographic library that was built wrongly, or that lacks an algorithm,
/// shows here and not at the first request.
///
/// ```
/// assert_eq!(tollgate::proof::self_test(), Ok(()));
/// ```
///
/// # Errors
/// A [`SelfTestError`]: nothing that this process says about a signature may be believed.
pub fn self_test() -> Result<(), SelfTestError> {
    run(KNOWN_ANSWERS)
}

/// Why the cryptography of this process can't be relied upon.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SelfTestError {
    /// There is no known answer, or it can't be read.
    #[error("the self-test has no known answer that can be read{}", .0.map(|algorithm| format!(" for {algorithm}")).unwrap_or_default())]
    Unreadable(Option<Algorithm>),
    /// A sound token is refused.
    #[error("a sound {0} signature is refused: the cryptographic library does not work on this machine")]
    Refused(Algorithm),
    /// A forged token passes.
    #[error("a forged {0} signature verifies: the cryptographic library does not work on this machine")]
    Accepted(Algorithm),
}

const KNOWN_ANSWERS: &str = include_str!("self_test.json");

#[derive(Deserialize)]
struct KnownAnswers {
    tokens: Vec<String>,
}

fn run(known_answers: &str) -> Result<(), SelfTestError> {
    let keys = KeySet::from_json(known_answers.as_bytes()).map_err(|_| SelfTestError::Unreadable(None))?;
    let known: KnownAnswers =
        serde_json::from_str(known_answers).map_err(|_| SelfTestError::Unreadable(None))?;
    for algorithm in Algorithm::ALL {
        let unreadable = SelfTestError::Unreadable(Some(algorithm));
        let of = |token: &&String| {
            UnverifiedJws::parse(token).is_ok_and(|jws| Algorithm::from_name(jws.alg()) == Some(algorithm))
        };
        let token = known.tokens.iter().find(of).ok_or(unreadable)?;
        let forged = with_changed_signature(token).ok_or(unreadable)?;
        let sound = prove(&keys, algorithm, token).ok_or(unreadable)?;
        judge(algorithm, sound, prove(&keys, algorithm, &forged).ok_or(unreadable)?)?;
    }
    Ok(())
}

fn judge(
    algorithm: Algorithm,
    sound: Result<(), ProofError>,
    forged: Result<(), ProofError>,
) -> Result<(), SelfTestError> {
    match (sound, forged) {
        (Err(_), _) => Err(SelfTestError::Refused(algorithm)),
        (Ok(()), Err(ProofError::Signature)) => Ok(()),
        // Claims that can't be read are read behind a signature that verifies.
        (Ok(()), Ok(()) | Err(ProofError::Claims(_))) => Err(SelfTestError::Accepted(algorithm)),
    }
}

/// `None` if the token can't be read, or names no key.
fn prove(keys: &KeySet, algorithm: Algorithm, token: &str) -> Option<Result<(), ProofError>> {
    let jws = UnverifiedJws::parse(token).ok()?;
    let Candidates::Keys(keys) = keys.select(algorithm, jws.kid()) else { return None };
    Some(verify(&jws, algorithm, &keys, &IssuerName::new("https://self-test.example/")).map(drop))
}

/// The token with another character in the middle of its signature, where every bit of it counts.
fn with_changed_signature(token: &str) -> Option<String> {
    let (input, signature) = token.rsplit_once('.')?;
    let (before, after) = signature.split_at_checked(signature.len() / 2)?;
    let changed = if after.starts_with('A') { 'B' } else { 'A' };
    Some(format!("{input}.{before}{changed}{}", after.get(1..)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Issuer;
    use serde_json::{Value, json};

    fn known_answers() -> Value {
        serde_json::from_str(KNOWN_ANSWERS).unwrap()
    }

    fn fresh_answers() -> Value {
        let (mut keys, mut tokens) = (Vec::new(), Vec::new());
        for algorithm in Algorithm::ALL {
            let issuer = Issuer::with_algorithm("https://self-test.example/", algorithm);
            issuer.describe("k1", |jwk| {
                jwk.insert("kid".into(), algorithm.name().into());
            });
            let document: Value = serde_json::from_str(&issuer.jwks()).unwrap();
            keys.push(document["keys"][0].clone());
            tokens.push(issuer.token().header("kid", algorithm.name()).sign());
        }
        json!({ "keys": keys, "tokens": tokens })
    }

    fn without_signatures(answers: &Value) -> Value {
        let mut answers = answers.clone();
        for token in answers["tokens"].as_array_mut().unwrap() {
            *token = token.as_str().unwrap().rsplit_once('.').unwrap().0.into();
        }
        answers
    }

    #[test]
    fn the_known_answers_are_those_of_the_published_keys() {
        let fresh = fresh_answers();
        assert!(
            without_signatures(&fresh) == without_signatures(&known_answers()),
            "self_test.json should be like this:\n{fresh:#}"
        );
        assert_eq!(run(&fresh.to_string()), Ok(()));
    }

    #[test]
    fn a_library_that_errs_is_found_out() {
        use SelfTestError::{Accepted, Refused, Unreadable};
        assert_eq!(self_test(), Ok(()));
        for (index, algorithm) in Algorithm::ALL.into_iter().enumerate() {
            // A token that the key did not sign stands for a library that refuses what is sound.
            let mut refused = known_answers();
            let token = refused["tokens"][index].as_str().unwrap();
            refused["tokens"][index] = with_changed_signature(token).unwrap().into();
            assert_eq!(run(&refused.to_string()), Err(Refused(algorithm)));
            let mut missing = known_answers();
            missing["tokens"].as_array_mut().unwrap().remove(index);
            assert_eq!(run(&missing.to_string()), Err(Unreadable(Some(algorithm))));
            let mut keyless = known_answers();
            keyless["keys"].as_array_mut().unwrap().remove(index);
            assert_eq!(run(&keyless.to_string()), Err(Unreadable(Some(algorithm))));
        }
        for unreadable in ["", "{}", r#"{"keys":[]}"#] {
            assert_eq!(run(unreadable), Err(Unreadable(None)));
        }
        let forgery_passes = judge(Algorithm::ES256, Ok(()), Ok(())).unwrap_err();
        assert_eq!(forgery_passes, Accepted(Algorithm::ES256));
        assert!(forgery_passes.to_string().starts_with("a forged ES256 signature verifies"));
    }

    #[test]
    fn a_changed_signature_is_another_one_of_the_same_length() {
        for token in ["a.b.AAAA", "a.b.zzzz"] {
            let changed = with_changed_signature(token).unwrap();
            assert_eq!(changed.len(), token.len());
            let differing: Vec<_> = changed
                .char_indices()
                .zip(token.chars())
                .filter(|((_, a), b)| a != b)
                .map(|((at, _), _)| at)
                .collect();
            assert_eq!(differing, [6], "the character in the middle");
        }
        assert_eq!(with_changed_signature("abc"), None);
        assert_eq!(with_changed_signature("a.b."), None);
    }
}
