//! Which notices are known here, and which of them Redis lacks: pure book-keeping.

use crate::gate::{Notice, NoticeKind, What};
use crate::time::UnixTime;
use std::collections::{HashMap, HashSet};
use std::time::Duration;

/// A notice as it was sealed, by whichever gateway. The same bytes are the same notice.
pub(super) type Sealed = Box<[u8]>;

/// The notices that have not ended.
///
/// Redis is not trusted to keep them: each gateway remembers what it announced and what it was told, and puts back what is
/// missing.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    revoked: HashMap<Sealed, Entry>,
    forgotten: HashMap<Sealed, Entry>,
    /// What ends until then was forgotten again, with everything else, by an announcement of ours.
    superseded: Option<UnixTime>,
}

#[derive(Debug)]
struct Entry {
    since: UnixTime,
    until: UnixTime,
    listed: bool,
}

/// How many forgettings are listed. One more, and everything is forgotten instead.
const MOST_FORGOTTEN: usize = 10_000;

impl Ledger {
    /// A notice of ours, which Redis lacks.
    pub(super) fn announce(&mut self, sealed: Sealed, notice: &Notice) {
        if supersedes(notice) {
            self.superseded = Some(notice.until - Duration::from_millis(1));
        }
        self.insert(sealed, notice, false);
    }

    /// A notice that came from Redis.
    pub(super) fn hear(&mut self, sealed: Sealed, notice: &Notice) {
        self.insert(sealed, notice, true);
    }

    fn insert(&mut self, sealed: Sealed, notice: &Notice, listed: bool) {
        if supersedes(notice) {
            self.forgotten.retain(|_, entry| notice.since < entry.since);
        }
        let Notice { kind, since, until, .. } = *notice;
        self.of_mut(kind).insert(sealed, Entry { since, until, listed });
    }

    /// Whether it is known already, whoever told it.
    pub(super) fn knows(&self, sealed: &[u8]) -> bool {
        self.revoked.contains_key(sealed) || self.forgotten.contains_key(sealed)
    }

    /// Whether there is room to list one more forgetting.
    pub(super) fn has_room(&mut self, now: UnixTime) -> bool {
        if self.forgotten.len() >= MOST_FORGOTTEN {
            self.prune(now);
        }
        self.forgotten.len() < MOST_FORGOTTEN
    }

    /// How many notices of this kind Redis should have that have not ended.
    pub(super) fn listed_count(&self, kind: NoticeKind, now: UnixTime) -> usize {
        self.of(kind).values().filter(|entry| entry.listed && now < entry.until).count()
    }

    /// Until when what ends need not be listed any more; told once.
    pub(super) fn take_superseded(&mut self, kind: NoticeKind) -> Option<UnixTime> {
        self.superseded.take_if(|_| kind == NoticeKind::Forgotten)
    }

    /// At most `limit` notices that Redis lacks, and when they end.
    pub(super) fn missing(&self, kind: NoticeKind, limit: usize) -> Vec<(Sealed, UnixTime)> {
        let missing = self.of(kind).iter().filter(|(_, entry)| !entry.listed);
        missing.take(limit).map(|(sealed, entry)| (sealed.clone(), entry.until)).collect()
    }

    /// When the last notice of this kind ends.
    pub(super) fn last_end(&self, kind: NoticeKind) -> Option<UnixTime> {
        self.of(kind).values().map(|entry| entry.until).max()
    }

    /// These are in Redis now.
    pub(super) fn listed<'a>(&mut self, sealed: impl Iterator<Item = &'a Sealed>) {
        for sealed in sealed {
            let lists = [&mut self.revoked, &mut self.forgotten];
            if let Some(entry) = lists.into_iter().find_map(|list| list.get_mut(sealed)) {
                entry.listed = true;
            }
        }
    }

    /// Of this kind, just these are in Redis.
    pub(super) fn reconcile(&mut self, kind: NoticeKind, there: &HashSet<Sealed>) {
        self.of_mut(kind).iter_mut().for_each(|(sealed, entry)| entry.listed = there.contains(sealed));
    }

    /// Drops what has ended.
    pub(super) fn prune(&mut self, now: UnixTime) {
        for list in [&mut self.revoked, &mut self.forgotten] {
            list.retain(|_, entry| now < entry.until);
        }
    }

    fn of(&self, kind: NoticeKind) -> &HashMap<Sealed, Entry> {
        match kind {
            NoticeKind::Revoked => &self.revoked,
            NoticeKind::Forgotten => &self.forgotten,
        }
    }

    fn of_mut(&mut self, kind: NoticeKind) -> &mut HashMap<Sealed, Entry> {
        match kind {
            NoticeKind::Revoked => &mut self.revoked,
            NoticeKind::Forgotten => &mut self.forgotten,
        }
    }
}

/// Whether it says all that what was forgotten before says. All that is forgotten is listed for the same time, so that what
/// was forgotten before ends before.
fn supersedes(notice: &Notice) -> bool {
    notice.kind == NoticeKind::Forgotten
        && notice.selector.what() == &What::All
        && notice.selector.issuer().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gate::Selector;
    use NoticeKind::{Forgotten, Revoked};

    fn notice(kind: NoticeKind, what: What, since: u64) -> Notice {
        let (since, until) = (UnixTime::from_secs(since), UnixTime::from_secs(since + 100));
        Notice { kind, selector: Selector::new(what), since, until }
    }

    fn sealed(name: &str) -> Sealed {
        name.as_bytes().into()
    }

    fn names(list: &[(Sealed, UnixTime)]) -> Vec<&str> {
        let mut names: Vec<_> = list.iter().map(|(name, _)| std::str::from_utf8(name).unwrap()).collect();
        names.sort_unstable();
        names
    }

    #[test]
    fn what_redis_lacks_is_what_it_was_not_told_or_has_lost() {
        let mut ledger = Ledger::default();
        ledger.announce(sealed("ours"), &notice(Revoked, What::All, 0));
        ledger.hear(sealed("theirs"), &notice(Revoked, What::All, 0));
        ledger.announce(sealed("forgotten"), &notice(Forgotten, What::Id("x".into()), 0));
        assert_eq!(names(&ledger.missing(Revoked, 9)), ["ours"]);
        ledger.listed([sealed("ours"), sealed("unknown")].iter());
        assert!(ledger.missing(Revoked, 9).is_empty());
        assert!(ledger.knows(b"ours") && ledger.knows(b"theirs") && !ledger.knows(b"unknown"));

        ledger.reconcile(Revoked, &HashSet::from([sealed("theirs"), sealed("foreign")]));
        assert_eq!(names(&ledger.missing(Revoked, 9)), ["ours"], "lost by Redis");
        ledger.reconcile(Revoked, &HashSet::new());
        assert_eq!(names(&ledger.missing(Revoked, 9)), ["ours", "theirs"], "whoever announced it");
        assert_eq!(ledger.missing(Revoked, 1).len(), 1);
        assert_eq!(names(&ledger.missing(Forgotten, 9)), ["forgotten"]);
    }

    #[test]
    fn notices_end() {
        let mut ledger = Ledger::default();
        ledger.announce(sealed("one"), &notice(Revoked, What::All, 0));
        ledger.announce(sealed("two"), &notice(Revoked, What::All, 1));
        assert_eq!(ledger.last_end(Revoked), Some(UnixTime::from_secs(101)));
        let then = UnixTime::from_secs(100);
        ledger.listed([sealed("one"), sealed("two")].iter());
        assert_eq!(ledger.listed_count(Revoked, then), 1);
        ledger.prune(then);
        assert!(!ledger.knows(b"one") && ledger.knows(b"two"));
        assert_eq!(ledger.last_end(Forgotten), None);
    }

    #[test]
    fn there_is_room_for_so_much_forgetting_and_for_more_when_some_has_ended() {
        let mut ledger = Ledger::default();
        let now = UnixTime::from_secs(0);
        for n in 0..MOST_FORGOTTEN {
            assert!(ledger.has_room(now));
            let since = u64::from(n > 0);
            ledger.announce(sealed(&n.to_string()), &notice(Forgotten, What::Id("x".into()), since));
        }
        assert!(!ledger.has_room(now));
        assert!(ledger.has_room(UnixTime::from_secs(100)));
    }

    #[test]
    fn forgetting_everything_stands_for_all_that_was_forgotten_before() {
        let mut ledger = Ledger::default();
        ledger.hear(sealed("before"), &notice(Forgotten, What::Id("x".into()), 1));
        ledger.hear(sealed("after"), &notice(Forgotten, What::Id("x".into()), 3));
        ledger.hear(sealed("revoked"), &notice(Revoked, What::Id("x".into()), 1));
        ledger.announce(sealed("all"), &notice(Forgotten, What::All, 2));
        let known = |name: &str| ledger.knows(name.as_bytes());
        assert_eq!(["before", "after", "revoked", "all"].map(known), [false, true, true, true]);
        assert_eq!(ledger.take_superseded(Revoked), None);
        assert_eq!(ledger.take_superseded(Forgotten), Some(UnixTime::from_millis(101_999)));
        assert_eq!(ledger.take_superseded(Forgotten), None);
    }
}
