//! Remembered facts: the one file that names `moka`.

use crate::proof::Verified;
use crate::time::UnixTime;
use crate::token::Fingerprint;
use moka::Expiry;
use moka::sync::Cache;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What is known of tokens, by their fingerprint.
///
/// An entry lives until the instant that it was remembered with, and not a moment longer: that is checked on each read by the
/// gate's own clock, while the cache's timer only tidies up. It is bounded by weight; what is used least goes first.
pub(super) struct FactCache {
    facts: Cache<Fingerprint, Remembered>,
    /// In a space of their own, so that a flood of worthless tokens can't push out good ones.
    inactive: Cache<Fingerprint, Inactive>,
}

/// Facts, and until when they may be used without asking again.
#[derive(Clone)]
pub(super) struct Remembered {
    pub(super) facts: Arc<Verified>,
    pub(super) until: UnixTime,
    /// Beyond `until`, during an outage of the issuer, they may be used until this.
    pub(super) grace_until: UnixTime,
    /// When they were remembered.
    pub(super) since: UnixTime,
}

/// A token that its issuer does not vouch for, and until when that need not be asked again.
#[derive(Clone, Copy)]
struct Inactive {
    since: UnixTime,
    until: UnixTime,
}

impl FactCache {
    pub(super) fn new(max_bytes: u64) -> Self {
        let weigh = |_: &Fingerprint, entry: &Remembered| {
            u32::try_from(entry.facts.weight() + ENTRY_BYTES).unwrap_or(u32::MAX)
        };
        Self {
            facts: Cache::builder().max_capacity(max_bytes).weigher(weigh).expire_after(AtItsEnd).build(),
            inactive: Cache::builder()
                .max_capacity(max_bytes / 16 / INACTIVE_BYTES)
                .expire_after(AtItsEnd)
                .build(),
        }
    }

    /// The facts that may be used at `now`.
    pub(super) fn get(&self, key: &Fingerprint, now: UnixTime) -> Option<Arc<Verified>> {
        self.facts.get(key).filter(|entry| now < entry.until).map(|entry| entry.facts)
    }

    /// The facts that may be used at `now` if their issuer can't be asked.
    pub(super) fn get_in_outage(&self, key: &Fingerprint, now: UnixTime) -> Option<Arc<Verified>> {
        self.facts.get(key).filter(|entry| now < entry.grace_until).map(|entry| entry.facts)
    }

    pub(super) fn remember(&self, key: Fingerprint, entry: Remembered) {
        if entry.since < entry.until {
            self.inactive.invalidate(&key);
            self.facts.insert(key, entry);
        }
    }

    pub(super) fn is_inactive(&self, key: &Fingerprint, now: UnixTime) -> bool {
        self.inactive.get(key).is_some_and(|entry| now < entry.until)
    }

    pub(super) fn remember_inactive(&self, key: Fingerprint, since: UnixTime, until: UnixTime) {
        self.facts.invalidate(&key);
        self.inactive.insert(key, Inactive { since, until });
    }

    /// Forgets what is known of a token, and returns whether facts were.
    pub(super) fn forget(&self, key: &Fingerprint) -> bool {
        self.inactive.invalidate(key);
        self.facts.remove(key).is_some()
    }

    /// Forgets all that `forgotten` names, and returns how many entries that were.
    pub(super) fn forget_where(&self, forgotten: impl Fn(&Verified) -> bool) -> usize {
        let named = self.facts.iter().filter(|(_, entry)| forgotten(&entry.facts));
        let found: Vec<_> = named.map(|(key, _)| *key).collect();
        found.iter().for_each(|key| self.facts.invalidate(key));
        found.len()
    }

    /// How many tokens are remembered, and their weight in bytes; both approximate.
    pub(super) fn size(&self) -> (u64, u64) {
        self.facts.run_pending_tasks();
        (self.facts.entry_count(), self.facts.weighted_size())
    }
}

/// What an entry weighs beside its facts: key, instants, and the cache's own book-keeping.
const ENTRY_BYTES: usize = 256;

/// What an entry about an inactive token weighs.
const INACTIVE_BYTES: u64 = 256;

/// Tidies an entry up when it has ended. An error of this timer costs memory or a repeated check, never a wrong answer:
/// `get` compares with the gate's clock.
struct AtItsEnd;

/// Instants as far off as the year 9999 are fine for a clock, but not for a timer.
const LONGEST: Duration = Duration::from_secs(366 * 24 * 3_600);

impl Expiry<Fingerprint, Remembered> for AtItsEnd {
    fn expire_after_create(&self, _: &Fingerprint, entry: &Remembered, _: Instant) -> Option<Duration> {
        Some(entry.until.max(entry.grace_until).since(entry.since).min(LONGEST))
    }

    fn expire_after_update(
        &self,
        key: &Fingerprint,
        entry: &Remembered,
        at: Instant,
        _: Option<Duration>,
    ) -> Option<Duration> {
        self.expire_after_create(key, entry, at)
    }
}

impl Expiry<Fingerprint, Inactive> for AtItsEnd {
    fn expire_after_create(&self, _: &Fingerprint, entry: &Inactive, _: Instant) -> Option<Duration> {
        Some(entry.until.since(entry.since).min(LONGEST))
    }

    fn expire_after_update(
        &self,
        key: &Fingerprint,
        entry: &Inactive,
        at: Instant,
        _: Option<Duration>,
    ) -> Option<Duration> {
        self.expire_after_create(key, entry, at)
    }
}

#[cfg(test)]
mod tests;
