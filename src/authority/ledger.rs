//! The tokens that are good: introspection reads here, revocation strikes out.

use crate::time::UnixTime;
use crate::token::Fingerprint;
use serde_json::{Map, Value};
use std::collections::HashMap;

/// Every token that was issued, was not revoked and, as far as it was looked, has not expired.
///
/// It is bounded by the tokens that live at a time: this is a server for one developer, who is no flood.
#[derive(Default)]
pub(super) struct Ledger {
    entries: HashMap<Fingerprint, Entry>,
    /// When it grows to this size, the expired entries go.
    sweep_at: usize,
}

/// A token that is good until it expires.
pub(super) struct Entry {
    pub(super) client: Box<str>,
    pub(super) expires: UnixTime,
    /// As in a JWT.
    pub(super) claims: Map<String, Value>,
}

impl Ledger {
    pub(super) fn insert(&mut self, token: &str, entry: Entry, now: UnixTime) {
        if self.entries.len() >= self.sweep_at {
            self.entries.retain(|_, entry| now < entry.expires);
            self.sweep_at = (self.entries.len() * 2).max(1_024);
        }
        self.entries.insert(Fingerprint::of(token), entry);
    }

    pub(super) fn find(&self, token: &str, now: UnixTime) -> Option<&Entry> {
        self.entries.get(&Fingerprint::of(token)).filter(|entry| now < entry.expires)
    }

    pub(super) fn strike_out(&mut self, token: &str) {
        self.entries.remove(&Fingerprint::of(token));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_expired_goes_and_what_lives_stays() {
        let mut ledger = Ledger::default();
        let entry =
            |secs| Entry { client: "c".into(), expires: UnixTime::from_secs(secs), claims: Map::new() };
        ledger.insert("long", entry(1_000_000), UnixTime::EPOCH);
        for n in 0..5_000_u64 {
            ledger.insert(&format!("short {n}"), entry(n + 1), UnixTime::from_secs(n));
        }
        assert!(ledger.entries.len() < 1_100, "{}", ledger.entries.len());
        let now = UnixTime::from_secs(5_000);
        assert!(ledger.find("long", now).is_some() && ledger.find("short 4999", now).is_none());
    }
}
