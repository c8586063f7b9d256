//! Fingerprints that were made before, found again by a quicker hash.

use super::Fingerprint;
use highway::{HighwayHash, HighwayHasher, Key};
use std::sync::Mutex;

/// Makes fingerprints, and remembers them.
///
/// SHA-256 of a token of a kilobyte takes as long as all the rest of a decision about a remembered one. So what it gave is
/// kept in a table, under a keyed hash of 128 bits (HighwayHash) whose key this process has drawn and tells nobody: no one can
/// make a token that is taken for another. No token is kept, and a place in the table serves whoever came last.
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

    /// The fingerprint of a token: what [`Fingerprint::of`] gives.
    pub(crate) fn of(&self, token: &str) -> Fingerprint {
        let quick = HighwayHasher::new(self.secret).hash128(token.as_bytes());
        let place =
            usize::try_from(quick[0]).ok().and_then(|hash| self.places.get(hash % self.places.len().max(1)));
        // Nobody waits for another: to make it anew is not dear.
        let Some(Ok(mut place)) = place.map(Mutex::try_lock) else { return Fingerprint::of(token) };
        if let Some(known) = place.as_ref().filter(|known| known.quick == quick) {
            return known.print;
        }
        let print = Fingerprint::of(token);
        *place = Some(Place { quick, print });
        print
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_are_those_that_sha_256_gives() {
        for places in [0, 1, 7, 64] {
            let prints = Fingerprints::new(places);
            for _ in 0..2 {
                for n in 0..200 {
                    let token = "x".repeat(n);
                    assert_eq!(prints.of(&token), Fingerprint::of(&token), "{places} places, {n} bytes");
                    assert_eq!(prints.of(&token), Fingerprint::of(&token), "again");
                }
            }
        }
    }

    #[test]
    fn one_that_was_made_before_is_found_again() {
        let prints = Fingerprints::new(1);
        let made = prints.of("token");
        let other = Fingerprint::of("other");
        prints.places[0].lock().unwrap().as_mut().unwrap().print = other;
        assert_eq!(prints.of("token"), other, "what is in the table is what is told");
        assert_eq!(prints.of("tokem"), Fingerprint::of("tokem"), "but not for another token");
        assert_eq!(prints.of("token"), made, "whose place is taken then");
    }

    #[test]
    fn a_place_that_is_in_use_holds_nobody_up() {
        let prints = Fingerprints::new(1);
        let _in_use = prints.places[0].lock().unwrap();
        assert_eq!(prints.of("token"), Fingerprint::of("token"));
    }

    #[test]
    fn each_process_has_a_secret_of_its_own() {
        let [one, other] = [1, 2].map(|_| Fingerprints::new(1));
        assert_ne!(one.secret.0, other.secret.0);
        assert!(one.secret.0.iter().all(|word| *word != 0));
    }
}
