//! When an issuer that fails is left alone: a pure state, and the right to ask that it gives.

use crate::time::Clock;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Counts failures, and opens after several in a row: then nothing is asked for a pause, and after it one question at a time
/// until one succeeds. The pause doubles with each further failure, and is never shorter than the issuer's own `Retry-After`.
///
/// Before it opens of its own accord it doubts: the failures may be those of tokens that somebody has made for that. Who has met the
/// last of them is to find out whether the issuer answers at all.
#[derive(Debug, Default)]
pub(super) struct Breaker {
    failures: u32,
    open_until: Option<Duration>,
    probing: bool,
    doubted: bool,
}

/// Failures in a row that open it.
const THRESHOLD: u32 = 5;
/// The first pause, and what callers are told to wait who have met a failure.
pub(super) const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// The longest pause, and the longest `Retry-After` that is followed.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

impl Breaker {
    /// Takes the right to ask at `now`.
    ///
    /// # Errors
    /// How long it is not to be asked, if it is not.
    pub(super) fn admit(&mut self, now: Duration) -> Result<(), Duration> {
        match self.open_until {
            Some(until) if now < until => Err(until - now),
            Some(_) if self.probing => Err(FIRST_PAUSE),
            Some(_) => {
                self.probing = true;
                Ok(())
            }
            None => Ok(()),
        }
    }

    /// An answer came.
    pub(super) fn succeeded(&mut self) {
        *self = Self::default();
    }

    /// None came. Returns how long callers are told to wait; `None` if it is to be found out first whether it is the issuer that fails.
    pub(super) fn failed(&mut self, now: Duration, retry_after: Option<Duration>) -> Option<Duration> {
        if retry_after.is_some() || self.failures + 1 < THRESHOLD {
            return Some(self.count(now, retry_after));
        }
        // One finds out for all.
        std::mem::replace(&mut self.doubted, true).then_some(FIRST_PAUSE)
    }

    /// It was found out. Returns for how long nothing is asked.
    pub(super) fn settled(&mut self, now: Duration, well: bool) -> Duration {
        if well {
            self.succeeded();
            return Duration::ZERO;
        }
        self.doubted = false;
        self.count(now, None)
    }

    fn count(&mut self, now: Duration, retry_after: Option<Duration>) -> Duration {
        self.failures = self.failures.saturating_add(1);
        self.probing = false;
        let doublings = self.failures.saturating_sub(THRESHOLD).min(8);
        let pause = FIRST_PAUSE
            .saturating_mul(1 << doublings)
            .max(retry_after.unwrap_or_default())
            .min(LONGEST_PAUSE);
        if self.failures >= THRESHOLD || retry_after.is_some() {
            self.open_until = Some(now + pause);
        }
        pause
    }
}

/// Something that is being asked. However it ends, even by a panic in the endpoint, the breaker hears of it: otherwise one that was
/// let through after a pause would be waited for for ever.
pub(super) struct Asking<'a> {
    breaker: &'a Mutex<Breaker>,
    clock: &'a dyn Clock,
    told: bool,
}

impl<'a> Asking<'a> {
    /// Takes the right to ask now.
    ///
    /// # Errors
    /// How long nothing is to be asked, if it is not.
    pub(super) fn admitted(breaker: &'a Mutex<Breaker>, clock: &'a dyn Clock) -> Result<Self, Duration> {
        lock(breaker).admit(clock.elapsed())?;
        Ok(Self { breaker, clock, told: false })
    }

    /// An answer came.
    pub(super) fn succeeded(mut self) {
        self.told = true;
        lock(self.breaker).succeeded();
    }

    /// None came. Returns how long callers are told to wait, and perhaps that it is to be found out whether it is the issuer that
    /// fails.
    pub(super) fn failed(mut self, retry_after: Option<Duration>) -> (Duration, Option<Doubt<'a>>) {
        let pause = lock(self.breaker).failed(self.clock.elapsed(), retry_after);
        self.told = true;
        match pause {
            Some(pause) => (pause, None),
            None => (FIRST_PAUSE, Some(Doubt(Self { told: false, ..self }))),
        }
    }
}

impl Drop for Asking<'_> {
    fn drop(&mut self) {
        if !self.told {
            lock(self.breaker).settled(self.clock.elapsed(), false);
        }
    }
}

/// That it is to be found out whether an issuer answers at all. However that ends, the breaker hears of it, too.
pub(super) struct Doubt<'a>(Asking<'a>);

impl Doubt<'_> {
    /// It does, or it does not.
    pub(super) fn settled(mut self, well: bool) {
        self.0.told = true;
        lock(self.0.breaker).settled(self.0.clock.elapsed(), well);
    }
}

/// A panic while the lock was held leaves nothing half-done behind it.
fn lock(breaker: &Mutex<Breaker>) -> MutexGuard<'_, Breaker> {
    breaker.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(secs: u64) -> Duration {
        Duration::from_secs(secs)
    }

    impl Breaker {
        /// None came, nor does one if it is asked about a word of our own.
        fn down(&mut self, now: Duration) -> Duration {
            self.failed(now, None).unwrap_or_else(|| self.settled(now, false))
        }
    }

    #[test]
    fn it_opens_after_five_failures_and_probes_one_at_a_time() {
        let mut breaker = Breaker::default();
        for _ in 0..4 {
            assert_eq!(breaker.admit(at(0)), Ok(()));
            assert_eq!(breaker.failed(at(0), None), Some(at(1)));
        }
        assert_eq!(breaker.admit(at(0)), Ok(()));
        assert_eq!(breaker.down(at(0)), at(1));
        assert_eq!(breaker.admit(at(0)), Err(at(1)));
        assert_eq!(breaker.admit(at(1)), Ok(()), "one probe");
        assert!(breaker.admit(at(1)).is_err(), "and no second one");
        assert_eq!(breaker.down(at(1)), at(2), "the pause doubles");
        assert!(breaker.admit(at(2)).is_err());
        assert_eq!(breaker.admit(at(3)), Ok(()));
        breaker.succeeded();
        assert_eq!((breaker.admit(at(3)), breaker.admit(at(3))), (Ok(()), Ok(())));
    }

    #[test]
    fn it_does_not_open_for_tokens_that_fail_alone() {
        let mut breaker = Breaker::default();
        for _ in 0..3 {
            for _ in 0..4 {
                assert_eq!(breaker.failed(at(0), None), Some(at(1)));
            }
            assert_eq!(breaker.failed(at(0), None), None, "one finds out");
            assert_eq!(breaker.failed(at(0), None), Some(at(1)), "and nobody else");
            assert_eq!(breaker.admit(at(0)), Ok(()), "meanwhile it goes on");
            breaker.settled(at(0), true);
            assert_eq!(breaker.admit(at(0)), Ok(()));
        }
        (0..5).for_each(|_| assert_eq!(breaker.down(at(0)), at(1)));
        assert_eq!(breaker.admit(at(1)), Ok(()), "on trial");
        assert_eq!(breaker.failed(at(1), None), None);
        assert!(breaker.admit(at(1)).is_err(), "until that is found out");
        breaker.settled(at(1), true);
        assert_eq!(breaker.admit(at(1)), Ok(()));
    }

    #[test]
    fn the_issuer_s_own_pause_is_kept_within_reason() {
        let mut breaker = Breaker::default();
        assert_eq!(breaker.failed(at(0), Some(at(7))), Some(at(7)));
        assert_eq!(breaker.admit(at(6)), Err(at(1)));
        assert_eq!(breaker.admit(at(7)), Ok(()));
        assert_eq!(breaker.failed(at(7), Some(at(86_400))), Some(LONGEST_PAUSE));
    }

    #[test]
    fn it_hears_of_every_end_of_a_question() {
        use crate::testing::ManualClock;
        let (breaker, clock) = (Mutex::default(), ManualClock::new());
        let ask = || Asking::admitted(&breaker, &clock);
        let fail = || match ask().unwrap().failed(None) {
            (pause, None) => pause,
            (pause, Some(doubt)) => {
                doubt.settled(false);
                pause
            }
        };
        for _ in 0..10 {
            ask().unwrap().succeeded();
        }
        for _ in 0..4 {
            assert_eq!(fail(), at(1));
        }
        ask().unwrap().succeeded();
        for _ in 0..4 {
            drop(ask().unwrap());
        }
        assert_eq!(fail(), at(1), "the fifth in a row");
        assert_eq!(ask().err(), Some(at(1)));
        clock.advance(at(1));
        drop(ask().unwrap());
        clock.advance(at(1));
        assert_eq!(ask().err(), Some(at(1)), "a trial that is broken off has failed");
        clock.advance(at(1));
        drop(ask().unwrap().failed(None));
        assert_eq!(ask().err(), Some(at(4)), "and so has a doubt");
        clock.advance(at(4));
        ask().unwrap().failed(None).1.unwrap().settled(true);
        assert_eq!(ask().unwrap().failed(Some(at(3))).0, at(3));
        assert_eq!(ask().err(), Some(at(3)));
    }

    #[test]
    fn pauses_double_up_to_the_longest() {
        let mut breaker = Breaker::default();
        let pauses: Vec<_> = (0..12).map(|_| breaker.down(at(0)).as_secs()).collect();
        assert_eq!(pauses, [1, 1, 1, 1, 1, 2, 4, 8, 16, 30, 30, 30]);
        let mut asked_for = Breaker::default();
        let pauses =
            [0, 2, 40].map(|pause| asked_for.failed(at(0), Some(at(pause))).map(|pause| pause.as_secs()));
        assert_eq!(pauses, [Some(1), Some(2), Some(30)]);
    }
}
