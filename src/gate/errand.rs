//! What a decision may have to wait for: the hall's only await.

use super::desk::{Desk, Outcome, Question};
use super::keyring::{KeyRing, Refresh};
use super::turns::{Turn, Turns};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// Something that must be found out before a request can be judged.
///
/// It owns all that it needs, so a door may keep it apart from the request. Nothing has happened yet when it is handed out:
/// [`Errand::run`] does it, and what it brings back goes to [`Gate::decide_after`](super::Gate::decide_after).
#[must_use = "an errand does nothing until it is run"]
pub struct Errand {
    pub(super) task: Task,
    pub(super) progress: Progress,
}

/// What is to be found out.
pub(super) enum Task {
    /// A newer key set.
    Keys { ring: Arc<KeyRing>, wait: Duration },
    /// An issuer's word on a token.
    Introspection { desk: Arc<Desk>, question: Question },
    /// A turn at verifying a signature.
    Turn(Turns),
}

/// What has been found out about a request so far. Each kind of errand is run at most once for a request, unless another policy has come
/// in force in between.
#[derive(Debug, Default)]
pub struct Progress {
    pub(super) keys: bool,
    /// Who was asked, and what came of it.
    pub(super) introspection: Option<(Arc<Desk>, Outcome)>,
    /// The token's turn to be verified, until it has been.
    pub(super) turn: Option<Turn>,
    pub(super) waited: bool,
}

impl Errand {
    /// Finds it out, within the bounds that the configuration sets.
    ///
    /// What is asked for runs in a task of its own: dropping this future cancels nothing that others wait for.
    pub async fn run(self) -> Progress {
        let mut progress = self.progress;
        match self.task {
            Task::Keys { ring, wait } => {
                if let Refresh::UnderWay(mut ended) = ring.refresh() {
                    // In time or not, the request is judged by the keys that are there then.
                    let _ = tokio::time::timeout(wait, ended.changed()).await;
                }
                progress.keys = true;
            }
            Task::Introspection { desk, question } => {
                let outcome = desk.ask(question).await;
                progress.introspection = Some((desk, outcome));
            }
            Task::Turn(turns) => (progress.turn, progress.waited) = (Some(turns.wait().await), true),
        }
        progress
    }
}

impl fmt::Debug for Errand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.task {
            Task::Keys { .. } => "Errand::Keys",
            Task::Introspection { .. } => "Errand::Introspection",
            Task::Turn(_) => "Errand::Turn",
        })
    }
}
