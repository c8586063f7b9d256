//! One issuer's keys: read by everyone, fetched by one.

use super::observe::{Event, Observer};
use super::sources::{KeySource, SourceError};
use crate::proof::{Freshness, IssuerName, KeyPolicy, KeySet, LastFetch, freshness};
use crate::time::Clock;
use arc_swap::ArcSwapOption;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::watch;

/// The present key set of one issuer, and the way to a newer one.
///
/// 1. Readers load a snapshot, and never wait.
/// 2. A fetch runs in a task of its own, so that a request that goes away cancels nothing; at most one at a time, and at
///    most one a cool-down, whatever becomes of it. The slot is taken before the fetch begins.
/// 3. A fetch that fails, or brings no usable key, changes nothing.
pub struct KeyRing {
    issuer: IssuerName,
    source: Arc<dyn KeySource>,
    policy: KeyPolicy,
    clock: Arc<dyn Clock>,
    observer: Arc<dyn Observer>,
    set: ArcSwapOption<KeySet>,
    last: Mutex<LastFetch>,
    /// Changes when a fetch ends; waiting requests watch it.
    ended: watch::Sender<()>,
    state: Mutex<State>,
}

/// Whether a fetch is under way, and what the last one said.
#[derive(Default)]
struct State {
    fetching: bool,
    error: Option<SourceError>,
}

/// What becomes of the wish for a newer key set.
#[derive(Debug)]
pub(super) enum Refresh {
    /// A fetch is under way: it has ended when this changes.
    UnderWay(watch::Receiver<()>),
    /// The last one is too recent.
    CoolingDown,
}

impl KeyRing {
    /// A ring that has no keys yet: [`KeyRing::start`] fetches them.
    pub fn new(
        issuer: IssuerName,
        source: Arc<dyn KeySource>,
        policy: KeyPolicy,
        clock: Arc<dyn Clock>,
        observer: Arc<dyn Observer>,
    ) -> Arc<Self> {
        Arc::new(Self {
            issuer,
            source,
            policy,
            clock,
            observer,
            set: ArcSwapOption::empty(),
            last: Mutex::default(),
            ended: watch::Sender::new(()),
            state: Mutex::default(),
        })
    }

    /// The keys that are in use; `None` if none was ever loaded.
    pub fn keys(&self) -> Option<Arc<KeySet>> {
        self.set.load_full()
    }

    /// Whether there are keys.
    pub fn is_ready(&self) -> bool {
        self.set.load().is_some()
    }

    /// Goes on with the keys of another ring, and with its cool-down.
    pub(super) fn adopt(&self, other: &Self) {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = other.last_fetch();
        self.set.store(other.set.load_full());
    }

    /// Looks at the keys that are in use, without taking hold of them.
    pub(super) fn with_keys<T>(&self, look: impl FnOnce(Option<&KeySet>) -> T) -> T {
        look(self.set.load().as_deref())
    }

    /// What has happened to the key set so far.
    pub fn last_fetch(&self) -> LastFetch {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the last fetch said, if it failed.
    pub fn last_error(&self) -> Option<SourceError> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).error.clone()
    }

    /// Fetches the keys in the background: now, with backoff until there are some; and from then on whenever they reach
    /// their `max_age`, if they have one. It ends when nothing else holds the ring.
    pub fn start(self: &Arc<Self>) {
        let ring = Arc::downgrade(self);
        tokio::spawn(async move {
            loop {
                let Some(ring) = ring.upgrade() else { return };
                match freshness(&ring.last_fetch(), &ring.policy, false, ring.clock.elapsed()) {
                    Freshness::Fresh if ring.policy.max_age.is_none() => return,
                    Freshness::Refresh => {
                        let refresh = ring.refresh();
                        drop(ring);
                        if let Refresh::UnderWay(mut ended) = refresh {
                            // An error means that the ring is gone; the next turn notices.
                            let _ = ended.changed().await;
                        }
                    }
                    _ => {
                        let pause = ring.until_due();
                        drop(ring);
                        tokio::time::sleep(pause).await;
                    }
                }
            }
        });
    }

    /// Asks for a newer key set, because a token names a key that this one lacks.
    pub(super) fn refresh(self: &Arc<Self>) -> Refresh {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        // Subscribed under the lock, so that the end of a fetch can't be missed.
        let ended = self.ended.subscribe();
        if state.fetching {
            return Refresh::UnderWay(ended);
        }
        let now = self.clock.elapsed();
        {
            let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
            if last.attempt.is_some_and(|at| now < at + last.pause(&self.policy)) {
                return Refresh::CoolingDown;
            }
            last.attempt = Some(now);
        }
        state.fetching = true;
        tokio::spawn(Fetch(self.clone()).run());
        Refresh::UnderWay(ended)
    }

    /// How long it takes until the next fetch may begin.
    pub(super) fn until_next_attempt(&self) -> Duration {
        let (last, now) = (self.last_fetch(), self.clock.elapsed());
        last.attempt.map_or(Duration::ZERO, |at| (at + last.pause(&self.policy)).saturating_sub(now))
    }

    fn until_due(&self) -> Duration {
        let (last, now) = (self.last_fetch(), self.clock.elapsed());
        let next_attempt = last.attempt.map(|at| at + last.pause(&self.policy));
        let aged = last.success.zip(self.policy.max_age).map(|(at, max_age)| at + max_age);
        let due = if last.success.is_some() { aged.max(next_attempt) } else { next_attempt };
        // At least a moment, so that a clock that is turned by hand can't make this spin.
        due.map_or(Duration::ZERO, |due| due.saturating_sub(now)).max(Duration::from_millis(5))
    }

    /// Takes in what a fetch brought, and ends it.
    fn end(&self, fetched: Result<KeySet, SourceError>, began: Duration) {
        let took = self.clock.elapsed().saturating_sub(began);
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        match fetched {
            Ok(keys) => {
                last.success = Some(self.clock.elapsed());
                last.failures = 0;
                state.error = None;
                self.replace(keys, took);
            }
            Err(error) => {
                last.failures = last.failures.saturating_add(1);
                tracing::warn!(issuer = %self.issuer, %error, "the key set could not be fetched; what was there stays in use");
                let text = error.to_string();
                self.observer.event(&Event::KeysFetched { issuer: &self.issuer, outcome: Err(&text), took });
                state.error = Some(error);
            }
        }
        state.fetching = false;
        self.ended.send_replace(());
    }

    fn replace(&self, keys: KeySet, took: Duration) {
        for skipped in keys.skipped() {
            tracing::warn!(issuer = %self.issuer, "{skipped}");
        }
        let count = keys.keys().len();
        let keys = Arc::new(keys);
        let before = self.set.swap(Some(keys.clone()));
        tracing::info!(issuer = %self.issuer, keys = count, "the key set was fetched");
        self.observer.event(&Event::KeysFetched { issuer: &self.issuer, outcome: Ok(count), took });
        for gone in before.iter().flat_map(|set| set.keys()).filter(|key| !keys.contains(key.id())) {
            tracing::info!(issuer = %self.issuer, kid = gone.kid(), key = %gone.id(), "a key has left the key set; tokens that it signed are no longer taken");
            self.observer.event(&Event::KeyWithdrawn { issuer: &self.issuer, kid: gone.kid() });
        }
    }
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyRing")
            .field("issuer", &self.issuer)
            .field("ready", &self.is_ready())
            .finish_non_exhaustive()
    }
}

/// A fetch under way. However it ends, even by a panic in the source, it gives the slot back.
struct Fetch(Arc<KeyRing>);

impl Fetch {
    async fn run(self) {
        let began = self.0.clock.elapsed();
        let mut ending = Ending { ring: &self.0, began, fetched: None };
        let document = self.0.source.fetch().await;
        ending.fetched = Some(document.and_then(|document| {
            let malformed = |error: crate::proof::KeySetError| {
                SourceError::new(super::sources::SourceErrorKind::Malformed, error.to_string())
            };
            KeySet::from_json(&document).map_err(malformed)
        }));
    }
}

struct Ending<'a> {
    ring: &'a KeyRing,
    began: Duration,
    fetched: Option<Result<KeySet, SourceError>>,
}

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        let broken =
            || Err(SourceError::new(super::sources::SourceErrorKind::Local, "the fetch was broken off"));
        self.ring.end(self.fetched.take().unwrap_or_else(broken), self.began);
    }
}

#[cfg(test)]
mod tests;
