//! What was forgotten lately: so that an answer from before is not remembered afterwards.

use super::Selector;
use super::revocations::What;
use super::shared::{CLOCK_SKEW, SHARED_FOR};
use crate::proof::{IssuerName, Verified};
use crate::time::UnixTime;
use crate::token::Fingerprint;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock};

/// The marks that forgetting leaves behind.
///
/// An answer may arrive after it was forgotten: because its issuer was asked before, or because another gateway was told it
/// before. Neither is remembered. A mark is kept for as long as an answer from before could be taken over.
#[derive(Debug, Default)]
pub(super) struct Forgotten {
    marks: RwLock<Marks>,
    /// Counts the marks that were ever made.
    serial: AtomicU64,
}

#[derive(Debug, Default)]
struct Marks {
    list: HashMap<Selector, Mark>,
    /// Beyond the bound the list is given up, and everything from before counts as forgotten.
    everything: Option<Mark>,
}

#[derive(Debug, Clone, Copy)]
struct Mark {
    since: UnixTime,
    serial: u64,
}

/// How many marks are kept. They are looked through one by one, though never in a request's path.
const CAPACITY: usize = 10_000;

/// An answer that may have been forgotten.
pub(super) struct Suspect<'a> {
    /// Its token, as it is known at this issuer.
    pub(super) key: &'a Fingerprint,
    pub(super) issuer: &'a IssuerName,
    /// What is known of the token.
    pub(super) facts: [Option<&'a Verified>; 2],
    /// What [`Forgotten::serial`] was when the question was opened.
    pub(super) opened: u64,
    /// When the issuer was asked, by the clock of another gateway, if the answer is taken over.
    pub(super) shared: Option<UnixTime>,
}

impl Forgotten {
    /// What to compare with later, to know what was forgotten meanwhile.
    pub(super) fn serial(&self) -> u64 {
        self.serial.load(Ordering::Acquire)
    }

    /// Leaves a mark, before the facts themselves are dropped.
    pub(super) fn mark(&self, selector: &Selector, since: UnixTime, now: UnixTime) {
        let mut marks = self.marks.write().unwrap_or_else(PoisonError::into_inner);
        let serial = self.serial.load(Ordering::Acquire) + 1;
        marks.add(selector, Mark { since, serial }, now);
        self.serial.store(serial, Ordering::Release);
    }

    /// Whether this answer is from before it was forgotten.
    pub(super) fn cover(&self, answer: &Suspect<'_>) -> bool {
        if self.serial() == 0 {
            return false;
        }
        let marks = self.marks.read().unwrap_or_else(PoisonError::into_inner);
        let before = |mark: &Mark| {
            answer.opened < mark.serial || answer.shared.is_some_and(|asked| asked <= mark.since + CLOCK_SKEW)
        };
        marks.everything.as_ref().is_some_and(before)
            || marks.list.iter().any(|(selector, mark)| before(mark) && answer.is_of(selector))
    }
}

impl Marks {
    fn add(&mut self, selector: &Selector, mark: Mark, now: UnixTime) {
        if *selector == Selector::new(What::All) {
            // That covers all that earlier ones do.
            self.list.retain(|_, earlier| mark.since < earlier.since);
        }
        if self.list.len() >= CAPACITY && !self.list.contains_key(selector) {
            self.list.retain(|_, mark| now < mark.since + CLOCK_SKEW + SHARED_FOR);
        }
        if self.list.len() >= CAPACITY && !self.list.contains_key(selector) {
            let listed = self.list.drain().map(|(_, mark)| mark).chain(self.everything);
            self.everything = Some(listed.fold(mark, Mark::and));
            return;
        }
        let same = self.list.get(selector);
        self.list.insert(selector.clone(), same.map_or(mark, |same| mark.and(*same)));
    }
}

impl Mark {
    /// One mark for both.
    fn and(self, other: Self) -> Self {
        Self { since: self.since.max(other.since), serial: self.serial.max(other.serial) }
    }
}

impl Suspect<'_> {
    fn is_of(&self, selector: &Selector) -> bool {
        let named = matches!(selector.what(), What::Token(name)
            if name.whole() == self.key || name.whole().at_issuer(self.issuer.as_str()) == *self.key);
        named || self.facts.iter().flatten().any(|facts| selector.matches(facts))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proof::{Introspected, read_introspection};
    use std::time::Duration;

    const AS: &str = "https://as.example/";
    const NOW: UnixTime = UnixTime::from_secs(1_000_000);

    fn facts(json: &str) -> Box<Verified> {
        let Ok(Introspected::Active(facts)) = read_introspection(json.as_bytes(), &IssuerName::new(AS), NOW)
        else {
            panic!()
        };
        facts
    }

    fn covered(forgotten: &Forgotten, token: &str, opened: u64, shared: Option<UnixTime>) -> bool {
        let facts = facts(r#"{"active":true,"sub":"alice"}"#);
        let key = &Fingerprint::of(token).at_issuer(AS);
        let issuer = &IssuerName::new(AS);
        forgotten.cover(&Suspect { key, issuer, facts: [Some(&facts), None], opened, shared })
    }

    #[test]
    fn an_answer_is_covered_if_it_is_from_before() {
        for selector in [Selector::token("one"), Selector::new(What::Subject("alice".into()))] {
            let forgotten = Forgotten::default();
            let before = forgotten.serial();
            assert!(!covered(&forgotten, "one", before, Some(NOW)));
            forgotten.mark(&selector, NOW, NOW);
            let after = forgotten.serial();
            assert!(covered(&forgotten, "one", before, None), "asked before, by this gateway");
            assert!(!covered(&forgotten, "one", after, None), "asked afterwards");
            assert!(covered(&forgotten, "one", after, Some(NOW)), "asked before, by another gateway");
            assert!(covered(&forgotten, "one", after, Some(NOW + CLOCK_SKEW)), "perhaps before");
            assert!(!covered(&forgotten, "one", after, Some(NOW + CLOCK_SKEW + Duration::from_millis(1))));
        }
    }

    #[test]
    fn others_are_not_covered() {
        let forgotten = Forgotten::default();
        forgotten.mark(&Selector::token("two"), NOW, NOW);
        forgotten.mark(&Selector::new(What::Subject("bob".into())), NOW, NOW);
        let elsewhere = Selector::new(What::All).of_issuer(IssuerName::new("https://other/"));
        forgotten.mark(&elsewhere, NOW, NOW);
        assert!(!covered(&forgotten, "one", 0, Some(NOW)));
        forgotten.mark(&Selector::new(What::All), NOW, NOW);
        assert!(covered(&forgotten, "one", 0, Some(NOW)));
        assert!(covered(&forgotten, "two", 3, None), "opened before the last mark");
        assert_eq!(forgotten.marks.read().unwrap().list.len(), 1);
    }

    #[test]
    fn the_list_is_bounded_and_beyond_the_bound_everything_counts_as_forgotten() {
        let forgotten = Forgotten::default();
        let mark = |n: usize, at| forgotten.mark(&Selector::token(&format!("token-{n}")), at, at);
        (0..CAPACITY).for_each(|n| mark(n, NOW));
        (0..CAPACITY).for_each(|n| mark(n, NOW));
        assert!(!covered(&forgotten, "one", 0, Some(NOW)), "the same mark twice is one");
        mark(CAPACITY, NOW);
        assert!(covered(&forgotten, "one", 0, Some(NOW)));
        assert!(!covered(&forgotten, "one", forgotten.serial(), Some(NOW + CLOCK_SKEW * 2)));

        let end = NOW + SHARED_FOR + CLOCK_SKEW;
        for (now, full) in [(end, false), (end - Duration::from_millis(1), true)] {
            let forgotten = Forgotten::default();
            let mark = |n: usize, at| forgotten.mark(&Selector::token(&format!("token-{n}")), at, at);
            (0..CAPACITY).for_each(|n| mark(n, NOW));
            mark(CAPACITY, now);
            assert_eq!(covered(&forgotten, "one", 0, Some(NOW)), full, "marks that have ended make room");
        }
    }

    #[test]
    fn to_forget_everything_takes_back_nothing_that_was_forgotten_later() {
        let forgotten = Forgotten::default();
        let later = NOW + Duration::from_secs(10);
        forgotten.mark(&Selector::token("one"), later, later);
        forgotten.mark(&Selector::token("two"), NOW, later);
        // Told late, by another gateway.
        forgotten.mark(&Selector::new(What::All), NOW, later);
        let serial = forgotten.serial();
        assert!(covered(&forgotten, "one", serial, Some(later + CLOCK_SKEW)));
        assert!(covered(&forgotten, "two", serial, Some(NOW + CLOCK_SKEW)));
        assert!(!covered(&forgotten, "two", serial, Some(later + CLOCK_SKEW)));
        assert_eq!(forgotten.marks.read().unwrap().list.len(), 2, "one mark stands for all from before");
    }

    #[test]
    fn marks_of_several_are_told_apart_by_issuer_and_by_what_the_issuer_said() {
        let forgotten = Forgotten::default();
        forgotten.mark(
            &Selector::new(What::Subject("alice".into())).of_issuer(IssuerName::new(AS)),
            NOW,
            NOW,
        );
        let (alice, bob) =
            (facts(r#"{"active":true,"sub":"alice"}"#), facts(r#"{"active":true,"sub":"bob"}"#));
        let key = &Fingerprint::of("one").at_issuer(AS);
        let issuer = &IssuerName::new(AS);
        let cover = |facts| forgotten.cover(&Suspect { key, issuer, facts, opened: 0, shared: None });
        assert!(
            cover([Some(&alice), None]) && cover([None, Some(&alice)]) && cover([Some(&bob), Some(&alice)])
        );
        assert!(!cover([Some(&bob), None]) && !cover([None, None]));
        // A signed token is known by its own fingerprint.
        forgotten.mark(&Selector::token("two"), NOW, NOW);
        let key = &Fingerprint::of("two");
        assert!(forgotten.cover(&Suspect { key, issuer, facts: [None, None], opened: 1, shared: None }));
    }
}
