//! The only reader of the wall clock: an instant, the seam that tells it, and the system's own.

use std::fmt;
use std::time::Duration;

/// An instant: milliseconds since 1970-01-01T00:00:00Z, leap seconds ignored (RFC 7519 section 2, "NumericDate").
///
/// Instants past the year 9999 are clamped to its end, so that sums of an instant and a duration never overflow and a
/// far-future `exp` can't turn into the past.
///
/// ```
/// use std::time::Duration;
/// use tollgate::time::UnixTime;
///
/// let issued = UnixTime::from_secs(1_700_000_000);
/// assert!(issued < issued + Duration::from_millis(1));
/// assert_eq!((issued + Duration::from_secs(60)).since(issued), Duration::from_secs(60));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct UnixTime(u64);

impl UnixTime {
    /// 1970-01-01T00:00:00Z.
    pub const EPOCH: Self = Self(0);
    /// 9999-12-31T23:59:59Z, the latest instant there is.
    pub const MAX: Self = Self(253_402_300_799_000);

    /// The instant `secs` seconds after the epoch, or [`UnixTime::MAX`] if that is sooner.
    pub const fn from_secs(secs: u64) -> Self {
        Self::from_millis(secs.saturating_mul(1_000))
    }

    /// The instant `millis` milliseconds after the epoch, or [`UnixTime::MAX`] if that is sooner.
    pub const fn from_millis(millis: u64) -> Self {
        if millis > Self::MAX.0 { Self::MAX } else { Self(millis) }
    }

    /// The instant that a JSON NumericDate names: seconds since the epoch, fractions allowed, cut to milliseconds.
    ///
    /// `None` for a number that names no instant after the epoch: negative, or not finite.
    pub fn from_numeric_date(secs: f64) -> Option<Self> {
        // A float beyond the range of u64 saturates, and is clamped to `MAX`.
        (secs.is_finite() && secs >= 0.0).then(|| Self::from_millis((secs * 1_000.0) as u64))
    }

    /// Whole seconds since the epoch.
    pub const fn as_secs(self) -> u64 {
        self.0 / 1_000
    }

    /// Milliseconds since the epoch.
    pub const fn as_millis(self) -> u64 {
        self.0
    }

    /// The time from `earlier` until this instant; zero if `earlier` is later.
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }
}

impl std::ops::Add<Duration> for UnixTime {
    type Output = Self;

    fn add(self, duration: Duration) -> Self {
        let millis = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        Self::from_millis(self.0.saturating_add(millis))
    }
}

impl std::ops::Sub<Duration> for UnixTime {
    type Output = Self;

    fn sub(self, duration: Duration) -> Self {
        let millis = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        Self(self.0.saturating_sub(millis))
    }
}

impl fmt::Debug for UnixTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:03}", self.0 / 1_000, self.0 % 1_000)
    }
}

/// Tells the time. The seam through which tests turn the clock by hand.
pub trait Clock: Send + Sync + 'static {
    /// The wall clock's instant. It may jump, in either direction: judgements of `exp` and `nbf` follow it.
    fn now(&self) -> UnixTime;

    /// The time since some fixed moment; it never goes back. Cool-downs and waits are measured by it, so that a clock
    /// that is set back can't stop a key set from being fetched.
    fn elapsed(&self) -> Duration;
}

/// The operating system's clock.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock {
    start: std::time::Instant,
}

impl SystemClock {
    /// The clock, with [`Clock::elapsed`] counted from now.
    #[expect(clippy::disallowed_methods, reason = "this is the one place that asks the operating system")]
    pub fn new() -> Self {
        Self { start: std::time::Instant::now() }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the one place that asks the operating system")]
    fn now(&self) -> UnixTime {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        UnixTime::EPOCH + since
    }

    fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }
}

impl<C: Clock> Clock for std::sync::Arc<C> {
    fn now(&self) -> UnixTime {
        (**self).now()
    }

    fn elapsed(&self) -> Duration {
        (**self).elapsed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numeric_dates_are_cut_to_milliseconds_and_clamped() {
        assert_eq!(UnixTime::from_numeric_date(1.5), Some(UnixTime::from_millis(1_500)));
        assert_eq!(UnixTime::from_numeric_date(0.0), Some(UnixTime::EPOCH));
        for huge in [9_007_199_254_740_993.0, 1.8e19, 1e308] {
            assert_eq!(UnixTime::from_numeric_date(huge), Some(UnixTime::MAX), "{huge}");
        }
        for none in [-1.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert_eq!(UnixTime::from_numeric_date(none), None, "{none}");
        }
    }

    #[test]
    fn sums_saturate() {
        assert_eq!(UnixTime::MAX + Duration::MAX, UnixTime::MAX);
        assert_eq!(UnixTime::from_secs(1) - Duration::MAX, UnixTime::EPOCH);
        assert_eq!(UnixTime::EPOCH.since(UnixTime::MAX), Duration::ZERO);
    }
}
