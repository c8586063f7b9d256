//! The task that keeps the line up, tells others what was announced here, and the gate what others announced.

use super::line::{Commands, Line, LineError};
use super::memory::RedisMemory;
use super::wire;
use crate::gate::{Gate, Notice, NoticeKind};
use crate::time::UnixTime;
use std::collections::HashSet;
use std::sync::{Arc, Weak};
use std::time::Duration;
use tokio::time::{Instant, interval_at, sleep};

/// 1. Connect, and subscribe, so that nothing that is published from now on is missed.
/// 2. Read both lists, so that nothing that was published before is. What a list lacks and we know is put back.
/// 3. From then on answers may be recalled. Follow the messages, and tell what the gate announces; look every second whether
///    the other side is there, and whether the lists are as long as they should be.
/// 4. When anything fails: stop recalling, wait, and begin anew.
pub(super) struct Keeper {
    memory: Arc<RedisMemory>,
    gate: Weak<Gate>,
}

/// What was found when the lists were read last.
struct Reading {
    at: Instant,
    /// Entries that could not be followed.
    foreign: [usize; 2],
    /// Whether a list's length was not as expected when it was looked at last. It may be that a message was on its way.
    odd: bool,
}

impl Keeper {
    pub(super) fn new(memory: Arc<RedisMemory>, gate: Weak<Gate>) -> Self {
        Self { memory, gate }
    }

    /// Until the gate is gone.
    pub(super) async fn run(self) {
        let mut pause = FIRST_PAUSE;
        while self.gate.strong_count() > 0 {
            let began = Instant::now();
            if let Err(reason) = self.attend().await {
                self.memory.closed(&reason);
            }
            sleep(pause).await;
            // A line that comes and goes is no better than none.
            pause = if began.elapsed() > STABLE { FIRST_PAUSE } else { (pause * 2).min(LONGEST_PAUSE) };
        }
    }

    /// Until the line fails, or the gate is gone.
    async fn attend(&self) -> Result<(), LineError> {
        let memory = &self.memory;
        let Line { commands, mut messages } = Line::connect(&memory.settings, &memory.names.channel).await?;
        let mut reading = self.read(&commands).await?;
        self.tell(&commands).await?;
        let line = memory.opened(commands.clone());
        let mut looks = interval_at(Instant::now() + LOOK_EVERY, LOOK_EVERY);
        while self.gate.strong_count() > 0 {
            tokio::select! {
                message = messages.next() => drop(self.follow(wire::split(&message?)).await),
                () = memory.news.notified() => self.tell(&commands).await?,
                () = line.broken() => return Err(LineError::Failing),
                _ = looks.tick() => {
                    messages.ping().await?;
                    if self.is_due(&mut reading, &commands).await? {
                        reading = self.read(&commands).await?;
                        self.tell(&commands).await?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Follows both lists from the beginning, and notes what they lack.
    async fn read(&self, commands: &Commands) -> Result<Reading, LineError> {
        let mut reading = Reading { at: Instant::now(), foreign: [0; 2], odd: false };
        for (kind, foreign) in KINDS.into_iter().zip(&mut reading.foreign) {
            let list = self.memory.names.list(kind);
            let now = self.memory.clock.now();
            let (mut there, mut offset) = (HashSet::new(), 0);
            loop {
                let page = commands.page(list, after(now), offset, PAGE).await?;
                *foreign += self.follow(page.iter().map(Vec::as_slice)).await;
                let last = page.len() < PAGE;
                offset += page.len();
                there.extend(page.into_iter().map(Vec::into_boxed_slice));
                if last {
                    break;
                }
                if offset >= MOST_LISTED {
                    tracing::error!(
                        list,
                        "this list in Redis is longer than it can be: the rest is not read"
                    );
                    break;
                }
            }
            if *foreign > 0 {
                tracing::warn!(
                    list,
                    entries = *foreign,
                    "some entries can't be followed: another key, or a forgery"
                );
            }
            self.memory.ledger().reconcile(kind, &there);
            commands.remove(list, (now - MARGIN).as_millis()).await?;
            self.keep(kind, commands).await?;
        }
        Ok(reading)
    }

    /// Lets the gate follow what is new to us, and returns how many notices could not be followed.
    async fn follow<'a>(&self, notices: impl Iterator<Item = &'a [u8]>) -> usize {
        let mut foreign = 0;
        for sealed in notices {
            if self.memory.ledger().knows(sealed) {
                continue;
            }
            let opened = Some(sealed).filter(|sealed| sealed.len() <= MOST_SEALED);
            let opened = opened.and_then(|sealed| self.memory.vault.open_notice(sealed));
            match opened.and_then(|plain| wire::read_notice(&plain)) {
                Some(notice) if notice.until <= self.memory.clock.now() => {}
                Some(notice) if self.learn(&notice) => self.memory.ledger().hear(sealed.into(), &notice),
                _ => foreign += 1,
            }
            // To forget may take a look at all that is remembered. Others want to work, too.
            tokio::task::yield_now().await;
        }
        foreign
    }

    fn learn(&self, notice: &Notice) -> bool {
        let Some(gate) = self.gate.upgrade() else { return false };
        match gate.learn(notice) {
            Ok(dropped) => {
                tracing::debug!(kind = ?notice.kind, selector = ?notice.selector, dropped, "following another gateway");
                true
            }
            Err(error) => {
                tracing::error!(%error, "a revocation of another gateway can't be followed: allow for more of them");
                false
            }
        }
    }

    /// Tells Redis, and everyone who listens, what Redis lacks.
    async fn tell(&self, commands: &Commands) -> Result<(), LineError> {
        for kind in KINDS {
            let list = self.memory.names.list(kind);
            loop {
                let batch = self.memory.ledger().missing(kind, BATCH);
                if batch.is_empty() {
                    break;
                }
                commands.add(list, batch.iter().map(|(sealed, end)| (end.as_millis(), &**sealed))).await?;
                self.keep(kind, commands).await?;
                let message = wire::join(batch.iter().map(|(sealed, _)| &**sealed));
                commands.publish(&self.memory.names.channel, &message).await?;
                self.memory.ledger().listed(batch.iter().map(|(sealed, _)| sealed));
            }
            let superseded = self.memory.ledger().take_superseded(kind);
            if let Some(until) = superseded {
                commands.remove(list, until.as_millis()).await?;
            }
        }
        Ok(())
    }

    /// Lets a list end, if nobody adds to it, some time after its last entry.
    async fn keep(&self, kind: NoticeKind, commands: &Commands) -> Result<(), LineError> {
        let Some(last) = self.memory.ledger().last_end(kind) else { return Ok(()) };
        let left = last.since(self.memory.clock.now());
        commands.expire(self.memory.names.list(kind), left + MARGIN).await
    }

    /// Whether the lists are to be read again: if they were not as long as they should be twice in a row, or have not been read
    /// for long.
    async fn is_due(&self, reading: &mut Reading, commands: &Commands) -> Result<bool, LineError> {
        let now = self.memory.clock.now();
        self.memory.ledger().prune(now);
        let was_odd = std::mem::take(&mut reading.odd);
        for (kind, foreign) in KINDS.into_iter().zip(reading.foreign) {
            let there = commands.count(self.memory.names.list(kind), after(now)).await?;
            reading.odd |= there != self.memory.ledger().listed_count(kind, now) + foreign;
        }
        Ok(was_odd && reading.odd || reading.at.elapsed() > READ_EVERY)
    }
}

/// The score of what has not ended.
fn after(now: UnixTime) -> u64 {
    now.as_millis().saturating_add(1)
}

const KINDS: [NoticeKind; 2] = [NoticeKind::Revoked, NoticeKind::Forgotten];

/// The first and the longest pause between two attempts to connect.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// A line that held for as long was a good one.
const STABLE: Duration = Duration::from_secs(10);
/// How often we look whether the other side is there, and how long the lists are.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How often the lists are read for certain.
const READ_EVERY: Duration = Duration::from_secs(300);
/// How long what has ended stays in Redis, for the clocks of others.
const MARGIN: Duration = Duration::from_secs(3_600);
/// How many notices are read, and told, at a time.
const PAGE: usize = 500;
const BATCH: usize = 200;
/// How many entries of a list are read at most.
const MOST_LISTED: usize = 1_000_000;
/// The longest notice that is read, in bytes.
const MOST_SEALED: usize = 64 * 1024;
