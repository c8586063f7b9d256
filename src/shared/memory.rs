//! The memory itself: what the gate asks and tells.

use super::keeper::Keeper;
use super::ledger::Ledger;
use super::line::{Commands, LineError};
use super::settings::{RedisSettings, SettingsError};
use super::vault::{Name, Vault};
use super::wire::{self, MAX_ANSWER};
use crate::gate::{
    BoxFuture, Event, Gate, Notice, NoticeKind, Observer, Selector, SharedAnswer, SharedMemory,
    SharedQuestion, What,
};
use crate::time::Clock;
use arc_swap::ArcSwapOption;
use std::fmt;
use std::future::Future;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, Semaphore, watch};

/// A [`SharedMemory`] in Redis or Valkey.
///
/// 1. While Redis can't be reached, nothing is recalled and nobody waits; what is announced is kept until it can be told.
/// 2. An answer takes at most the configured time. Three commands in a row that fail mean that Redis can't be reached; it is
///    then connected to anew, at growing intervals up to 2 s.
/// 3. A value that does not open is none, and so is one that is too long.
/// 4. Nothing is recalled before all that is forgotten has been read, nor while messages about it may be missed.
pub struct RedisMemory {
    pub(super) settings: RedisSettings,
    pub(super) names: Names,
    pub(super) vault: Vault,
    pub(super) ledger: Mutex<Ledger>,
    /// Something was announced.
    pub(super) news: Notify,
    pub(super) clock: Arc<dyn Clock>,
    observer: Arc<dyn Observer>,
    open: ArcSwapOption<OpenLine>,
    reachable: watch::Sender<Option<bool>>,
    places: Semaphore,
    serving: AtomicBool,
}

/// What Redis knows us by.
pub(super) struct Names {
    prefix: String,
    revoked: String,
    forgotten: String,
    pub(super) channel: String,
}

/// The line that is in use, until it fails.
pub(super) struct OpenLine {
    commands: Commands,
    failures: AtomicU32,
    /// Whether it was told already that something does not open.
    strange: AtomicBool,
    broken: Notify,
}

impl RedisMemory {
    /// A memory that is not connected yet: [`serve`](Self::serve) does that.
    ///
    /// # Errors
    /// A [`SettingsError`] if the settings make no sense, or if the key can't be read.
    pub fn new(
        settings: RedisSettings,
        clock: Arc<dyn Clock>,
        observer: Arc<dyn Observer>,
    ) -> Result<Arc<Self>, SettingsError> {
        settings.check()?;
        let key = settings.key.read_key()?;
        let other = settings.other_key.as_ref().map(|key| key.read_key()).transpose()?;
        let vault = Vault::new(&key, other.as_deref(), &settings.prefix).map_err(|_| SettingsError::Key)?;
        Ok(Arc::new(Self {
            names: Names::new(&settings.prefix),
            vault,
            settings,
            ledger: Mutex::default(),
            news: Notify::new(),
            clock,
            observer,
            open: ArcSwapOption::empty(),
            reachable: watch::Sender::new(None),
            places: Semaphore::new(MOST_AT_A_TIME),
            serving: AtomicBool::new(false),
        }))
    }

    /// Connects, and from now on lets this gate know what others forget and revoke, for as long as the gate lives. A memory
    /// serves one gate, the one that was built with it.
    ///
    /// Returns when all that is revoked so far has been read, or when the time that the settings allow for that is over:
    /// then it is read as soon as it can be. Whether it has been read is what it returns. It needs a tokio runtime.
    pub async fn serve(self: &Arc<Self>, gate: &Arc<Gate>) -> bool {
        if !self.serving.swap(true, Ordering::SeqCst) {
            tokio::spawn(Keeper::new(self.clone(), Arc::downgrade(gate)).run());
        }
        let mut reachable = self.reachable.subscribe();
        let read = reachable.wait_for(|reachable| *reachable == Some(true));
        tokio::time::timeout(self.settings.start_wait, read).await.is_ok()
    }

    /// Whether Redis can be reached now.
    pub fn is_reachable(&self) -> bool {
        *self.reachable.borrow() == Some(true)
    }

    /// All that may be missed has been read: from now on answers are recalled.
    pub(super) fn opened(&self, commands: Commands) -> Arc<OpenLine> {
        let line = Arc::new(OpenLine {
            commands,
            failures: AtomicU32::new(0),
            strange: AtomicBool::new(false),
            broken: Notify::new(),
        });
        self.open.store(Some(line.clone()));
        self.turned(true, || tracing::info!("the memory that gateways share can be reached"));
        line
    }

    /// From now on nothing is recalled.
    pub(super) fn closed(&self, reason: &LineError) {
        self.open.store(None);
        self.turned(false, || {
            tracing::warn!(%reason, "the memory that gateways share can't be reached: working on with our own");
        });
    }

    /// Tells a change once, however often it is tried in between.
    fn turned(&self, reachable: bool, log: impl FnOnce()) {
        let changed = |now: &mut Option<bool>| now.replace(reachable) != Some(reachable);
        if self.reachable.send_if_modified(changed) {
            log();
            self.observer.event(&Event::SharedMemory { reachable });
        }
    }

    async fn find(&self, question: &SharedQuestion<'_>) -> Option<SharedAnswer> {
        let line = self.open.load_full()?;
        let _place = self.places.try_acquire().ok()?;
        let name = self.vault.name(question);
        let key = self.names.answer(&name);
        let sealed = line.watch(self.settings.timeout, line.commands.get(&key, MOST_SEALED + 1)).await?;
        if sealed.is_empty() {
            return None;
        }
        let opened = self.vault.open_answer(&name, &sealed).filter(|_| sealed.len() <= MOST_SEALED);
        let answer = opened.and_then(|plain| wire::read_answer(&plain));
        if answer.is_none() && !line.strange.swap(true, Ordering::Relaxed) {
            tracing::warn!("an answer in the shared memory does not open: somebody else writes to it");
        }
        answer
    }

    async fn keep(&self, question: &SharedQuestion<'_>, answer: &SharedAnswer, keep: Duration) -> Option<()> {
        let line = self.open.load_full()?;
        let _place = self.places.try_acquire().ok()?;
        let name = self.vault.name(question);
        let sealed = self.vault.seal_answer(&name, wire::write_answer(answer)?).ok()?;
        let key = self.names.answer(&name);
        line.watch(self.settings.timeout, line.commands.set(&key, &sealed, keep)).await
    }

    /// Beyond the bound, to forget one thing more means to forget everything: nothing is lost, but some questions are asked again.
    fn within_bounds(&self, notice: Notice) -> Notice {
        if notice.kind == NoticeKind::Forgotten && !self.ledger().has_room(self.clock.now()) {
            tracing::warn!("more is forgotten than can be listed: all gateways forget everything");
            return Notice { selector: Selector::new(What::All), ..notice };
        }
        notice
    }

    pub(super) fn ledger(&self) -> MutexGuard<'_, Ledger> {
        // A panic while the lock was held leaves nothing half-done behind it.
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SharedMemory for RedisMemory {
    fn recall<'a>(&'a self, question: &'a SharedQuestion<'a>) -> BoxFuture<'a, Option<SharedAnswer>> {
        Box::pin(self.find(question))
    }

    fn tell<'a>(
        &'a self,
        question: &'a SharedQuestion<'a>,
        answer: &'a SharedAnswer,
        keep: Duration,
    ) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            self.keep(question, answer, keep).await;
        })
    }

    fn announce(&self, notice: Notice) {
        let notice = self.within_bounds(notice);
        let sealed = wire::write_notice(&notice).and_then(|plain| self.vault.seal_notice(plain).ok());
        match sealed {
            Some(sealed) => self.ledger().announce(sealed.into(), &notice),
            None => tracing::error!(selector = ?notice.selector, "this can't be told to other gateways"),
        }
        self.news.notify_one();
    }
}

impl fmt::Debug for RedisMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisMemory")
            .field("settings", &self.settings)
            .field("reachable", &self.is_reachable())
            .finish_non_exhaustive()
    }
}

impl Names {
    fn new(prefix: &str) -> Self {
        Self {
            prefix: prefix.to_owned(),
            revoked: format!("{prefix}:revoked"),
            forgotten: format!("{prefix}:forgotten"),
            channel: format!("{prefix}:notices"),
        }
    }

    fn answer(&self, name: &Name) -> String {
        format!("{}:answer:{name}", self.prefix)
    }

    pub(super) fn list(&self, kind: NoticeKind) -> &str {
        match kind {
            NoticeKind::Revoked => &self.revoked,
            NoticeKind::Forgotten => &self.forgotten,
        }
    }
}

impl OpenLine {
    /// Waits until it has failed too often.
    pub(super) async fn broken(&self) {
        self.broken.notified().await;
    }

    /// The outcome in time, or `None`; and counts the failures.
    async fn watch<T>(&self, limit: Duration, work: impl Future<Output = Result<T, LineError>>) -> Option<T> {
        let outcome = tokio::time::timeout(limit, work).await.unwrap_or(Err(LineError::Timeout(limit)));
        match outcome {
            Ok(value) => {
                self.failures.store(0, Ordering::Relaxed);
                Some(value)
            }
            Err(error) => {
                tracing::debug!(%error, "the shared memory did not answer");
                let failures = self.failures.fetch_add(1, Ordering::Relaxed) + 1;
                if failures >= MOST_FAILURES || error.is_fatal() {
                    self.broken.notify_one();
                }
                None
            }
        }
    }
}

/// How many answers are recalled or told at a time. Whoever comes then asks the issuer.
const MOST_AT_A_TIME: usize = 1_024;

/// Failures in a row that mean that Redis can't be reached.
const MOST_FAILURES: u32 = 3;

/// The longest value that is read: an answer with its instant and its seal.
const MOST_SEALED: usize = MAX_ANSWER + 64;
