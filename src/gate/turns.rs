//! Taking turns: a storm of new tokens must not hold up those that are known.
//!
//! To verify a signature takes as long as a dozen decisions from memory, and nobody can come in between. Where many tokens
//! are new at once, each of a runtime's rounds would verify all of them first. So in a storm they queue, and a round
//! verifies one for each place.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The queue in which tokens wait to be verified.
#[derive(Clone, Debug)]
pub(super) struct Turns(Arc<Queue>);

#[derive(Debug)]
struct Queue {
    places: Arc<Semaphore>,
    /// When the latest token came that had to be verified, in nanoseconds.
    latest: AtomicU64,
}

/// A place in the round. Whoever holds it may verify a token.
#[derive(Debug)]
pub(super) struct Turn {
    _place: Option<OwnedSemaphorePermit>,
}

impl Turns {
    pub(super) fn new(places: usize) -> Self {
        let places = Arc::new(Semaphore::new(places.clamp(1, Semaphore::MAX_PERMITS)));
        Self(Arc::new(Queue { places, latest: AtomicU64::new(0) }))
    }

    /// Whether another token came to be verified just now, so that this one, which comes at `now`, should wait for its turn.
    pub(super) fn are_due(&self, now: Duration) -> bool {
        let now = u64::try_from(now.as_nanos()).unwrap_or(u64::MAX);
        let latest = self.0.latest.swap(now, Ordering::Relaxed);
        latest != 0 && now.saturating_sub(latest) < STORM_NANOS
    }

    /// Waits in the queue, and then for the next round: what else is ready goes first.
    pub(super) async fn wait(&self) -> Turn {
        // The queue is never closed.
        let place = self.0.places.clone().acquire_owned().await.ok();
        tokio::task::yield_now().await;
        Turn { _place: place }
    }
}

/// New tokens that come further apart than this are no storm: verifying them takes less than a fourth of the time.
const STORM_NANOS: u64 = 200_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_that_comes_alone_is_verified_at_once() {
        let turns = Turns::new(1);
        let at = |micros| turns.are_due(Duration::from_micros(micros));
        assert_eq!(
            [1_000, 1_300, 1_400, 1_599, 1_800, 1_999, 2_199].map(at),
            [false, false, true, true, false, true, false]
        );
    }

    #[tokio::test]
    async fn there_is_one_turn_a_round_for_each_place() {
        let turns = Turns::new(2);
        let mut waiting = tokio::task::JoinSet::new();
        for _ in 0..20 {
            let turns = turns.clone();
            waiting.spawn(async move { drop(turns.wait().await) });
        }
        let mut rounds = 0;
        while !waiting.is_empty() {
            tokio::task::yield_now().await;
            rounds += 1;
            while waiting.try_join_next().is_some() {}
        }
        assert!((10..=30).contains(&rounds), "{rounds}");
    }
}
