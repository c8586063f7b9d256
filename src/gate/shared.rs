//! The seam to what several gateways know together: answers about tokens, and which tokens they no longer take.

use super::Selector;
use super::sources::BoxFuture;
use crate::policy::IssuerRules;
use crate::proof::IssuerName;
use crate::time::UnixTime;
use crate::token::Fingerprint;
use std::fmt;
use std::time::Duration;

/// How long an answer may be taken over from another gateway, however long the token lives: 1 h from when its issuer was asked.
///
/// What is forgotten must be kept in mind for as long, or a gateway that was not there could take a forgotten answer over.
pub const SHARED_FOR: Duration = Duration::from_secs(3_600);

/// How far the clocks of gateways may differ before sharing suffers. An answer from up to this long after it was forgotten
/// counts as from before.
pub const CLOCK_SKEW: Duration = IssuerRules::DEFAULT_LEEWAY;

/// What several gateways know together.
///
/// The gate asks it about a token that it does not remember itself, in the task that would ask the issuer, and before that;
/// never in [`Gate::decide_now`](super::Gate::decide_now). It tells it each new answer, and what it forgets and revokes.
/// What other gateways forget and revoke goes to [`Gate::learn`](super::Gate::learn).
///
/// An implementation bounds its own time, well below the introspection timeout, and keeps what it is told from being read or
/// forged. Whenever it is in doubt it recalls nothing: then the issuer is asked.
pub trait SharedMemory: Send + Sync + 'static {
    /// The answer that another gateway got to this question; `None` if it is not there, or not to be trusted.
    ///
    /// The gate itself checks the instants in it, and reads the claims as it reads those of an issuer.
    fn recall<'a>(&'a self, question: &'a SharedQuestion<'a>) -> BoxFuture<'a, Option<SharedAnswer>>;

    /// Keeps an answer for the others, for `keep` at most. Nobody waits for it.
    fn tell<'a>(
        &'a self,
        question: &'a SharedQuestion<'a>,
        answer: &'a SharedAnswer,
        keep: Duration,
    ) -> BoxFuture<'a, ()>;

    /// Tells the other gateways, and those to come, what is forgotten or revoked. It must neither block nor lose it: what
    /// can't be told now is told later.
    fn announce(&self, notice: Notice);
}

/// Who asks about which token.
///
/// All of it is the name under which an answer is shared: what an issuer tells one client is not what it tells another
/// (RFC 7662 section 4), and where answers must be signed, those that need not be are others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SharedQuestion<'a> {
    /// The issuer that is asked.
    pub issuer: &'a IssuerName,
    /// The name under which it is asked.
    pub client_id: &'a str,
    /// Whether its answers must be signed (RFC 9701).
    pub signed: bool,
    /// Where, as [`IssuerSources::answers_tag`](super::IssuerSources::answers_tag) tells it: one endpoint's word is not another's.
    pub tag: &'a str,
    /// The token, as it is known at this issuer. The token itself is not known here.
    pub token: &'a Fingerprint,
}

/// An answer that one gateway got, for all of them.
#[derive(Clone, PartialEq, Eq)]
pub struct SharedAnswer {
    /// When the issuer was asked. How long the answer is believed counts from then, whoever takes it over, so that sharing it
    /// does not lengthen the revocation window.
    pub asked: UnixTime,
    /// The answer's JSON object, as it came; `None` if the token is not active.
    pub active: Option<Box<str>>,
}

impl fmt::Debug for SharedAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedAnswer")
            .field("asked", &self.asked)
            .field("active", &self.active.is_some())
            .finish()
    }
}

/// That tokens are forgotten or revoked, for other gateways to follow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// Which of the two.
    pub kind: NoticeKind,
    /// Which tokens.
    pub selector: Selector,
    /// When.
    pub since: UnixTime,
    /// Until when that is to be kept in mind.
    pub until: UnixTime,
}

/// What is to be done about tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoticeKind {
    /// Their facts are dropped, and no answer from before is taken over.
    Forgotten,
    /// They are refused until they expire.
    Revoked,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_of_an_answer_holds_no_claims() {
        let answer =
            SharedAnswer { asked: UnixTime::from_secs(1), active: Some(r#"{"sub":"alice"}"#.into()) };
        assert_eq!(format!("{answer:?}"), "SharedAnswer { asked: 1.000, active: true }");
    }
}
