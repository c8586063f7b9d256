//! Remembered facts: the one file that names `quick_cache`.
//!
//! `moka` was here first. It tidies up by a timer, which nothing depends on, and pays for it: three times the memory beside
//! an entry's own, and a record of each read that somebody has to work off later.

use crate::policy::Map;
use crate::proof::{IssuerName, Verified};
use crate::time::UnixTime;
use crate::token::Fingerprint;
use foldhash::fast::RandomState;
use quick_cache::sync::{Cache, DefaultLifecycle};
use quick_cache::{Options, OptionsBuilder, UnitWeighter, Weighter};
use std::cell::Cell;
use std::sync::Arc;

/// What is known of tokens, by their fingerprint.
///
/// An entry serves until the instant that it was remembered with, and not a moment longer: that is checked on each read, by
/// the gate's own clock. All entries together are bounded by weight; what is used least goes first, whether it has ended or
/// not, and an entry that is found to have ended goes at once.
pub(super) struct FactCache {
    facts: Cache<Fingerprint, Remembered, ByWeight, RandomState>,
    /// Tokens that their issuer does not vouch for, and until when that need not be asked again. In a space of their own, so
    /// that a flood of worthless tokens can't push out good ones.
    inactive: Cache<Fingerprint, UnixTime, UnitWeighter, RandomState>,
}

/// Facts, and until when they may be used without asking again.
#[derive(Clone)]
pub(super) struct Remembered {
    pub(super) facts: Arc<Verified>,
    pub(super) until: UnixTime,
    /// Beyond `until`, during an outage of the issuer, they may be used until this.
    pub(super) grace_until: UnixTime,
}

impl FactCache {
    pub(super) fn new(max_bytes: u64) -> Self {
        let places = max_bytes / 16 / INACTIVE_BYTES;
        let (weight, count) = (options(max_bytes / USUAL_BYTES, max_bytes), options(places, places));
        let hash = RandomState::default;
        Self {
            facts: Cache::with_options(weight, ByWeight, hash(), DefaultLifecycle::default()),
            inactive: Cache::with_options(count, UnitWeighter, hash(), DefaultLifecycle::default()),
        }
    }

    /// The facts that may be used at `now`.
    pub(super) fn get(&self, key: &Fingerprint, now: UnixTime) -> Option<Arc<Verified>> {
        let entry = self.facts.get(key)?;
        if now < entry.until {
            return Some(entry.facts);
        }
        if entry.has_ended(now) {
            self.facts.remove_if(key, |entry| entry.has_ended(now));
        }
        None
    }

    /// The facts that may be used at `now` if their issuer can't be asked.
    pub(super) fn get_in_outage(&self, key: &Fingerprint, now: UnixTime) -> Option<Arc<Verified>> {
        self.facts.get(key).filter(|entry| now < entry.grace_until).map(|entry| entry.facts)
    }

    /// Remembers facts, unless they have ended at `now`.
    pub(super) fn remember(&self, key: Fingerprint, entry: Remembered, now: UnixTime) {
        if now < entry.until {
            self.inactive.remove(&key);
            self.facts.insert(key, entry);
        }
    }

    pub(super) fn is_inactive(&self, key: &Fingerprint, now: UnixTime) -> bool {
        self.inactive.get(key).is_some_and(|until| now < until)
    }

    pub(super) fn remember_inactive(&self, key: Fingerprint, until: UnixTime) {
        self.facts.remove(&key);
        self.inactive.insert(key, until);
    }

    /// Forgets what is known of a token, and returns whether facts were.
    pub(super) fn forget(&self, key: &Fingerprint) -> bool {
        self.inactive.remove(key);
        self.facts.remove(key).is_some()
    }

    /// Forgets all that `forgotten` names, and returns how many entries that were.
    pub(super) fn forget_where(&self, forgotten: impl Fn(&Verified) -> bool) -> usize {
        let count = Cell::new(0);
        self.facts.retain(|_, entry| {
            let goes = forgotten(&entry.facts);
            count.set(count.get() + usize::from(goes));
            !goes
        });
        count.get()
    }

    /// When the last of those that `meant` names was issued by each issuer, by its own word.
    pub(super) fn newest(&self, meant: impl Fn(&Verified) -> bool) -> Map<IssuerName, UnixTime> {
        let mut newest: Map<IssuerName, UnixTime> = Map::default();
        for (_, entry) in self.facts.iter().filter(|(_, entry)| meant(&entry.facts)) {
            let facts = &entry.facts;
            let Some(issued) = facts.claims().issued_at() else { continue };
            match newest.get_mut(facts.issuer()) {
                Some(known) => *known = issued.max(*known),
                None => drop(newest.insert(facts.issuer().clone(), issued)),
            }
        }
        newest
    }

    /// How many tokens are remembered, and their weight in bytes. Those that have ended, but were not asked for since, count.
    pub(super) fn size(&self) -> (u64, u64) {
        (self.facts.len() as u64, self.facts.weight())
    }
}

impl Remembered {
    fn has_ended(&self, now: UnixTime) -> bool {
        self.until.max(self.grace_until) <= now
    }
}

#[derive(Clone)]
struct ByWeight;

impl Weighter<Fingerprint, Remembered> for ByWeight {
    fn weight(&self, _: &Fingerprint, entry: &Remembered) -> u64 {
        (entry.facts.weight() + ENTRY_BYTES) as u64
    }
}

#[expect(clippy::expect_used, reason = "it fails where one of the settings that are made here is missing")]
fn options(items: u64, weight: u64) -> Options {
    let items = usize::try_from(items).unwrap_or(usize::MAX);
    let mut options = OptionsBuilder::new();
    options.estimated_items_capacity(items).weight_capacity(weight).shards(SHARDS);
    options.build().expect("items and weight are given")
}

/// Many, so that none grows large: one that grows moves its entries, and holds up whoever comes for one of them.
const SHARDS: usize = 64;

/// What an entry weighs beside its facts: key, instants, and the cache's own book-keeping.
const ENTRY_BYTES: usize = 128;

/// About what an entry weighs in all.
const USUAL_BYTES: u64 = 1024;

/// What an entry about an inactive token weighs.
const INACTIVE_BYTES: u64 = 128;

#[cfg(test)]
mod tests;
