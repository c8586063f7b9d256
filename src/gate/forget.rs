//! How the gate forgets what it knows of tokens, and revokes them.

use super::{Gate, RevocationsFull, Selector, What};
use crate::time::UnixTime;

impl Gate {
    /// Forgets the facts of these tokens, and returns how many that were. An opaque one is asked about anew when it comes
    /// again; a signed one is verified anew.
    pub fn forget(&self, selector: &Selector) -> usize {
        match selector.what() {
            What::Token(token) => {
                let state = self.state.load();
                let asked = state.issuers.keys().map(|issuer| token.at_issuer(issuer.as_str()));
                std::iter::once(*token).chain(asked).filter(|key| self.facts.forget(key)).count()
            }
            _ => self.facts.forget_where(|facts| selector.matches(facts)),
        }
    }

    /// Forgets the facts of these tokens, and refuses those of them that are signed until they expire: at `expires` where
    /// that is known.
    ///
    /// # Errors
    /// [`RevocationsFull`] if the list is full. Nothing is dropped from it to make room: that would take a revoked token back.
    pub fn revoke(&self, selector: &Selector, expires: Option<UnixTime>) -> Result<usize, RevocationsFull> {
        self.revocations.add(selector, expires, self.clock.now())?;
        Ok(self.forget(selector))
    }

    /// How many revocations are listed.
    pub fn revoked(&self) -> usize {
        self.revocations.len()
    }
}
