//! When a key set is fetched again: a pure table.

use std::time::Duration;

/// What is to be done about a key set.
///
/// | the set | asked for | not cooling down | cooling down |
/// |---|---|---|---|
/// | was never loaded | any key | `Refresh` | `Wait` |
/// | is loaded | a known key | `Fresh` | `Fresh` |
/// | is loaded, older than `max_age` | a known key | `Refresh` | `Stale` |
/// | is loaded | an unknown key | `Refresh` | `Wait` |
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Freshness {
    /// Use what is there.
    Fresh,
    /// Fetch the set now.
    Refresh,
    /// A fetch would be wanted, but the last attempt is too recent: answer from what is there, which lacks the key.
    Wait,
    /// Older than it should be, and the last attempt is too recent: use what is there.
    Stale,
}

/// How often a key set may be fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyPolicy {
    /// The shortest time between two fetches, whatever their outcome.
    pub cool_down: Duration,
    /// The age at which a set is fetched again although no token named an unknown key.
    pub max_age: Option<Duration>,
}

/// What has happened so far, on the clock that never goes back ([`Clock::elapsed`](crate::time::Clock::elapsed)).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LastFetch {
    /// When the present set was fetched.
    pub success: Option<Duration>,
    /// When a fetch was begun last, whatever became of it.
    pub attempt: Option<Duration>,
    /// How many attempts have failed since the last success.
    pub failures: u32,
}

impl LastFetch {
    /// How long after the last attempt the next one may begin: the cool-down; or, as long as nothing was ever loaded, a
    /// backoff of 250 ms doubled for each failure, up to the cool-down.
    pub fn pause(&self, policy: &KeyPolicy) -> Duration {
        if self.success.is_some() {
            return policy.cool_down;
        }
        let doublings = self.failures.saturating_sub(1).min(16);
        policy.cool_down.min(FIRST_BACKOFF.saturating_mul(1 << doublings))
    }
}

/// The pause after the first failed fetch, while there is no key set at all.
const FIRST_BACKOFF: Duration = Duration::from_millis(250);

/// Looks up the table at [`Freshness`]. `unknown_key` tells whether a token named a key that the set lacks.
///
/// ```
/// use std::time::Duration;
/// use tollgate::proof::{Freshness, KeyPolicy, LastFetch, freshness};
///
/// let policy = KeyPolicy { cool_down: Duration::from_secs(30), max_age: None };
/// let at = |secs| Duration::from_secs(secs);
/// let last = LastFetch { success: Some(at(100)), attempt: Some(at(100)), failures: 0 };
/// assert_eq!(freshness(&last, &policy, false, at(9_999)), Freshness::Fresh);
/// assert_eq!(freshness(&last, &policy, true, at(129)), Freshness::Wait);
/// assert_eq!(freshness(&last, &policy, true, at(130)), Freshness::Refresh);
/// ```
pub fn freshness(last: &LastFetch, policy: &KeyPolicy, unknown_key: bool, now: Duration) -> Freshness {
    let cooling = last.attempt.is_some_and(|at| now.saturating_sub(at) < last.pause(policy));
    let aged = match (last.success, policy.max_age) {
        (Some(at), Some(max_age)) => now.saturating_sub(at) >= max_age,
        _ => false,
    };
    match (last.success.is_some(), unknown_key, aged, cooling) {
        (false, _, _, true) | (true, true, _, true) => Freshness::Wait,
        (false, _, _, false) | (true, true, _, false) | (true, false, true, false) => Freshness::Refresh,
        (true, false, true, true) => Freshness::Stale,
        (true, false, false, _) => Freshness::Fresh,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(secs: u64) -> Duration {
        Duration::from_secs(secs)
    }

    #[test]
    fn the_table() {
        let never = LastFetch::default();
        let failed = LastFetch { success: None, attempt: Some(at(100)), failures: 20 };
        let loaded = LastFetch { success: Some(at(100)), attempt: Some(at(100)), failures: 0 };
        let failing = LastFetch { success: Some(at(100)), attempt: Some(at(800)), failures: 3 };
        let cases = [
            (never, false, 0, Freshness::Refresh),
            (never, true, 0, Freshness::Refresh),
            (failed, true, 129, Freshness::Wait),
            (failed, false, 129, Freshness::Wait),
            (failed, true, 130, Freshness::Refresh),
            (loaded, false, 100, Freshness::Fresh),
            (loaded, false, 699, Freshness::Fresh),
            (loaded, false, 700, Freshness::Refresh),
            (loaded, true, 129, Freshness::Wait),
            (loaded, true, 130, Freshness::Refresh),
            (failing, false, 801, Freshness::Stale),
            (failing, false, 830, Freshness::Refresh),
            (failing, true, 801, Freshness::Wait),
            (failing, true, 830, Freshness::Refresh),
        ];
        let policy = KeyPolicy { cool_down: at(30), max_age: Some(at(600)) };
        for (last, unknown, now, expected) in cases {
            assert_eq!(freshness(&last, &policy, unknown, at(now)), expected, "{last:?} {unknown} {now}");
        }
    }

    #[test]
    fn the_first_set_is_fetched_with_backoff() {
        let policy = KeyPolicy { cool_down: at(30), max_age: None };
        let pause = |failures| LastFetch { failures, ..LastFetch::default() }.pause(&policy).as_millis();
        assert_eq!([0, 1, 2, 3, 7, 8, 100].map(pause), [250, 250, 500, 1_000, 16_000, 30_000, 30_000]);
    }
}
