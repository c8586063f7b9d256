//! A clock that is turned by hand.

use crate::time::{Clock, UnixTime};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// A [`Clock`] that stands still until it is told to move. Clones show the same time.
///
/// ```
/// use std::time::Duration;
/// use tollgate::testing::ManualClock;
/// use tollgate::time::Clock;
///
/// let clock = ManualClock::new();
/// let before = clock.now();
/// clock.advance(Duration::from_secs(60));
/// assert_eq!(clock.now(), before + Duration::from_secs(60));
/// assert_eq!(clock.elapsed(), Duration::from_secs(60));
/// clock.jump(before);
/// assert_eq!((clock.now(), clock.elapsed()), (before, Duration::from_secs(60)));
/// ```
#[derive(Clone, Debug)]
pub struct ManualClock(Arc<Hands>);

#[derive(Debug)]
struct Hands {
    /// Milliseconds since the epoch.
    wall: AtomicU64,
    /// Milliseconds since the clock was made.
    elapsed: AtomicU64,
}

impl ManualClock {
    /// Where a new clock stands: 2026-01-01T00:00:00Z. A [`TokenBuilder`](super::TokenBuilder)'s token is issued at it.
    pub const START: UnixTime = UnixTime::from_secs(1_767_225_600);

    /// A clock that stands at [`ManualClock::START`].
    pub fn new() -> Self {
        Self::at(Self::START)
    }

    /// A clock that stands at this instant, with no time elapsed.
    pub fn at(instant: UnixTime) -> Self {
        Self(Arc::new(Hands { wall: AtomicU64::new(instant.as_millis()), elapsed: AtomicU64::new(0) }))
    }

    /// Lets time pass, in whole milliseconds: the wall clock moves, and so does the time elapsed.
    pub fn advance(&self, by: Duration) {
        self.jump(self.now() + by);
        self.advance_elapsed(by);
    }

    /// Sets the wall clock alone, forth or back, as an administrator does.
    pub fn jump(&self, to: UnixTime) {
        self.0.wall.store(to.as_millis(), Ordering::SeqCst);
    }

    /// Lets time elapse, in whole milliseconds, while the wall clock stands still, as if it were being slewed back.
    pub fn advance_elapsed(&self, by: Duration) {
        let millis = u64::try_from(by.as_millis()).unwrap_or(u64::MAX);
        self.0.elapsed.fetch_add(millis, Ordering::SeqCst);
    }
}

impl Default for ManualClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for ManualClock {
    fn now(&self) -> UnixTime {
        UnixTime::from_millis(self.0.wall.load(Ordering::SeqCst))
    }

    fn elapsed(&self) -> Duration {
        Duration::from_millis(self.0.elapsed.load(Ordering::SeqCst))
    }
}
