//! Fingerprints that were made before, found again by a quicker hash.

use super::{Credential, CredentialError, Fingerprint, Presented};
use highway::{HighwayHash, HighwayHasher, Key};
use std::sync::Mutex;

/// Makes fingerprints, and remembers them.
///
/// To look at each byte of a token of a kilobyte and to make SHA-256 of it takes longer than all the rest of a decision about a
/// remembered one. So what came out of it is kept in a table, under a keyed hash of 128 bits (HighwayHash) whose key this process
/// has drawn and tells nobody: no one can make a token that is taken for another. Only what is a token gets there. None is
/// kept itself, and a place in the table serves whoever came last.
pub(crate) struct Fingerprints {
    secret: Key,
    /// Empty where the system has no randomness to give: then each fingerprint is made anew.
    places: Box<[Mutex<Option<Place>>]>,
}

struct Place {
    quick: [u64; 2],
    print: Fingerprint,
}

impl Fingerprints {
    /// An empty table with room for so many.
    pub(crate) fn new(places: usize) -> Self {
        let mut drawn = [0; 32];
        let places = if aws_lc_rs::rand::fill(&mut drawn).is_ok() { places } else { 0 };
        let mut secret = [0; 4];
        for (word, bytes) in secret.iter_mut().zip(drawn.as_chunks().0) {
            *word = u64::from_ne_bytes(*bytes);
        }
        Self { secret: Key(secret), places: std::iter::repeat_with(Mutex::default).take(places).collect() }
    }

    /// The token that was presented, and its fingerprint: what [`Presented::check`] and [`Fingerprint::of`] give.
    ///
    /// # Errors
    /// What was presented is no token.
    pub(crate) fn of<'a>(
        &self,
        presented: Presented<'a>,
    ) -> Result<(Credential<'a>, Fingerprint), CredentialError> {
        let quick = HighwayHasher::new(self.secret).hash128(presented.bytes());
        let place =
            usize::try_from(quick[0]).ok().and_then(|hash| self.places.get(hash % self.places.len().max(1)));
        // Nobody waits for another: to make it anew is not dear.
        let mut place = place.and_then(|place| place.try_lock().ok());
        let known = place.as_deref().and_then(Option::as_ref).filter(|known| known.quick == quick);
        if let Some(print) = known.map(|known| known.print) {
            return Ok((presented.known(), print));
        }
        let credential = presented.check()?;
        let print = Fingerprint::of(credential.token());
        if let Some(place) = &mut place {
            **place = Some(Place { quick, print });
        }
        Ok((credential, print))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Fingerprints {
        fn print(&self, token: &str) -> Result<Fingerprint, CredentialError> {
            let field = format!("Bearer {token}");
            self.of(Presented::parse(field.as_bytes())?).map(|(credential, print)| {
                assert_eq!(credential.token(), token);
                print
            })
        }
    }

    #[test]
    fn they_are_those_that_sha_256_gives() {
        for places in [0, 1, 7, 64] {
            let prints = Fingerprints::new(places);
            for _ in 0..2 {
                for n in 1..200 {
                    let token = "x".repeat(n);
                    assert_eq!(
                        prints.print(&token),
                        Ok(Fingerprint::of(&token)),
                        "{places} places, {n} bytes"
                    );
                    assert_eq!(prints.print(&token), Ok(Fingerprint::of(&token)), "again");
                }
            }
        }
    }

    #[test]
    fn what_is_no_token_has_none_however_often_it_comes() {
        let prints = Fingerprints::new(1);
        for unsound in ["", "=", "a,b", "a b", "a=b", "a\u{e9}", "a\0"] {
            for _ in 0..3 {
                assert_eq!(prints.print(unsound), Err(CredentialError::Malformed), "{unsound:?}");
                assert!(prints.places[0].lock().unwrap().is_none(), "{unsound:?}");
            }
        }
    }

    #[test]
    fn one_that_was_made_before_is_found_again() {
        let prints = Fingerprints::new(1);
        let made = prints.print("token");
        let other = Fingerprint::of("other");
        prints.places[0].lock().unwrap().as_mut().unwrap().print = other;
        assert_eq!(prints.print("token"), Ok(other), "what is in the table is what is told");
        assert_eq!(prints.print("tokem"), Ok(Fingerprint::of("tokem")), "but not for another token");
        assert_eq!(prints.print("token"), made, "whose place is taken then");
    }

    #[test]
    fn a_place_that_is_in_use_holds_nobody_up() {
        let prints = Fingerprints::new(1);
        let _in_use = prints.places[0].lock().unwrap();
        assert_eq!(prints.print("token"), Ok(Fingerprint::of("token")));
        assert_eq!(prints.print("to,ken"), Err(CredentialError::Malformed));
    }

    #[test]
    fn each_process_has_a_secret_of_its_own() {
        let [one, other] = [1, 2].map(|_| Fingerprints::new(1));
        assert_ne!(one.secret.0, other.secret.0);
        assert!(one.secret.0.iter().all(|word| *word != 0));
    }
}
