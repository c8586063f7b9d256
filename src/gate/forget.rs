//! How the gate forgets what it knows of tokens, and revokes them: by itself, and together with others.

use super::{CLOCK_SKEW, Gate, Notice, NoticeKind, RevocationsFull, SHARED_FOR, Selector, What};
use crate::proof::IssuerName;
use crate::time::UnixTime;

impl Gate {
    /// Forgets the facts of these tokens, and returns how many that were. An opaque one is asked about anew when it comes
    /// again; a signed one is verified anew. The gates that this one shares its memory with follow.
    pub fn forget(&self, selector: &Selector) -> usize {
        let now = self.clock.now();
        self.announce(NoticeKind::Forgotten, selector, now, now + CLOCK_SKEW + SHARED_FOR);
        self.drop_facts(selector, now)
    }

    /// Forgets the facts of these tokens, and refuses those of them that are signed until they expire: at `expires` where
    /// that is known. The gates that this one shares its memory with follow.
    ///
    /// # Errors
    /// [`RevocationsFull`] if the list is full. Nothing is dropped from it to make room: that would take a revoked token back.
    pub fn revoke(&self, selector: &Selector, expires: Option<UnixTime>) -> Result<usize, RevocationsFull> {
        let now = self.clock.now();
        let until = self.revocations.end(expires, now);
        self.list(selector, now, until)?;
        // What an issuer whose clock is ahead has issued by now may say that it was issued later. That is a matter of its own tokens.
        let newest = self.memory.facts.newest(|facts| selector.matches(facts));
        for (issuer, since) in newest.into_iter().filter(|(_, issued)| *issued > now) {
            self.list(&selector.clone().of_issuer(issuer), since, until)?;
        }
        Ok(self.forget(selector))
    }

    fn list(&self, selector: &Selector, since: UnixTime, until: UnixTime) -> Result<(), RevocationsFull> {
        self.revocations.add(selector, since, until, self.clock.now())?;
        self.announce(NoticeKind::Revoked, selector, since, until);
        Ok(())
    }

    /// Whether a token that expires then is no longer taken, whatever the leeway.
    #[cfg(feature = "gateway")]
    pub(crate) fn has_ended(&self, expires: UnixTime) -> bool {
        let now = self.clock.now();
        self.revocations.end(Some(expires), now) <= now
    }

    /// Follows what another gate has forgotten or revoked, and returns how many facts were dropped. Following twice does no
    /// harm.
    ///
    /// # Errors
    /// [`RevocationsFull`] if it is a revocation and this gate's list is full: then it is not followed.
    pub fn learn(&self, notice: &Notice) -> Result<usize, RevocationsFull> {
        let now = self.clock.now();
        match notice.kind {
            _ if notice.until <= now => Ok(0),
            NoticeKind::Forgotten => Ok(self.drop_facts(&notice.selector, notice.since)),
            NoticeKind::Revoked => {
                self.revocations.add(&notice.selector, notice.since, notice.until, now).map(|()| 0)
            }
        }
    }

    /// How many revocations are listed.
    pub fn revoked(&self) -> usize {
        self.revocations.len()
    }

    /// Forgets what this issuer has answered so far. Facts that rest on a signature alone stay.
    pub(super) fn forget_answers(&self, issuer: &IssuerName) {
        let now = self.clock.now();
        let all = Selector::new(What::All).of_issuer(issuer.clone());
        self.memory.forgotten.mark(&all, now, now);
        self.memory.facts.forget_where(|facts| facts.issuer() == issuer && facts.was_asked_about());
    }

    /// The mark comes first: an answer that arrives in between is dropped on one side or the other.
    fn drop_facts(&self, selector: &Selector, since: UnixTime) -> usize {
        self.memory.forgotten.mark(selector, since, self.clock.now());
        let facts = &self.memory.facts;
        match selector.what() {
            What::Token(name) => {
                let (state, token) = (self.state.load(), name.whole());
                let asked = state.issuers.keys().map(|issuer| token.at_issuer(issuer.as_str()));
                let known = std::iter::once(*token).chain(asked).filter(|key| facts.forget(key)).count();
                let as_good =
                    name.claims().map_or(0, |_| facts.forget_where(|facts| selector.matches(facts)));
                known + as_good
            }
            _ => facts.forget_where(|facts| selector.matches(facts)),
        }
    }

    fn announce(&self, kind: NoticeKind, selector: &Selector, since: UnixTime, until: UnixTime) {
        if let Some(shared) = &self.memory.shared {
            shared.announce(Notice { kind, selector: selector.clone(), since, until });
        }
    }
}
