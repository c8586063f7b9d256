//! The hall that every request walks through.
//!
//! [`Gate::decide_now`] is a plain function, and usually enough. Where something must be found out first, it hands back an
//! [`Errand`], the only thing that anybody awaits.

mod breaker;
mod desk;
mod errand;
mod facts;
mod forget;
mod forgotten;
mod hall;
mod keyring;
mod observe;
mod revocations;
mod shared;
mod sources;
mod turns;

pub use desk::IntrospectionSettings;
pub use errand::{Errand, Progress};
pub use keyring::KeyRing;
pub use observe::{Event, IntrospectionOutcome, Lookup, Observer, Silent};
pub use revocations::{RevocationsFull, Selector, TokenName, What};
pub use shared::{CLOCK_SKEW, Notice, NoticeKind, SHARED_FOR, SharedAnswer, SharedMemory, SharedQuestion};
pub use sources::{
    BoxFuture, Introspect, IntrospectionAnswer, KeySource, SourceError, SourceErrorKind, StaticKeys,
};

use crate::policy::{Decision, Map, Policy, RequestHead};
use crate::proof::{IssuerName, KeyPolicy};
use crate::time::{Clock, SystemClock};
use crate::token::Fingerprints;
use arc_swap::ArcSwap;
use desk::Desk;
use facts::FactCache;
use forgotten::Forgotten;
use revocations::Revocations;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use turns::Turns;

/// The gate: judges requests by the policy in force, with the facts that are remembered.
///
/// ```
/// use std::sync::Arc;
/// use http::{HeaderMap, Method};
/// use tollgate::gate::Gate;
/// use tollgate::policy::{Policy, Requirement, RequestHead, Route, RouteTable, Template};
///
/// # tokio::runtime::Runtime::new()?.block_on(async {
/// let mut routes = RouteTable::builder();
/// routes.add(Route::new(Template::parse("/health")?, Requirement::Public))?;
/// let gate = Gate::builder(Policy::new(routes.build(), [])).build();
///
/// let headers = HeaderMap::new();
/// assert!(gate.decide(&RequestHead::new(&Method::GET, b"/health", &headers)).await.permit().is_some());
/// assert!(gate.decide(&RequestHead::new(&Method::GET, b"/other", &headers)).await.denial().is_some());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Gate {
    state: ArcSwap<State>,
    memory: Arc<Memory>,
    fingerprints: Fingerprints,
    revocations: Revocations,
    turns: Option<Turns>,
    max_lifetime: Option<Duration>,
    clock: Arc<dyn Clock>,
    observer: Arc<dyn Observer>,
}

/// What a request is judged by: a snapshot, replaced as a whole.
struct State {
    policy: Arc<Policy>,
    issuers: Map<IssuerName, Arc<LiveIssuer>>,
}

/// What is known of tokens here, and who is asked what is known of them elsewhere.
struct Memory {
    facts: FactCache,
    forgotten: Forgotten,
    shared: Option<Arc<dyn SharedMemory>>,
}

/// An issuer with its live parts.
struct LiveIssuer {
    tag: Box<str>,
    keys_tag: Box<str>,
    answers_tag: Box<str>,
    ring: Option<Arc<KeyRing>>,
    wait: Duration,
    desk: Option<Arc<Desk>>,
}

/// Where an issuer's keys and answers come from.
#[derive(Clone)]
pub struct IssuerSources {
    /// The issuer.
    pub name: IssuerName,
    /// What tells these sources from others of the same issuer. Where it is unchanged by a reload, keys and open questions
    /// are kept.
    pub tag: Box<str>,
    /// What tells the place that its keys come from. Where that is unchanged, the keys that are there stay in use although the
    /// rest has changed: a reload during an outage must not lose them.
    pub keys_tag: Box<str>,
    /// What tells who is asked about tokens, under which name, and whether the answers must be signed. Where that has changed, what
    /// was answered before is forgotten; and so it is where answers are believed for a shorter time from now on.
    pub answers_tag: Box<str>,
    /// Its keys; `None` if it has none, and all its tokens are opaque.
    pub keys: Option<Arc<dyn KeySource>>,
    /// How often they may be fetched.
    pub key_policy: KeyPolicy,
    /// How long a request waits for a fetch. Default 250 ms.
    pub wait: Duration,
    /// Its introspection endpoint, if it has one.
    pub introspection: Option<(Arc<dyn Introspect>, IntrospectionSettings)>,
}

impl IssuerSources {
    /// The cool-down between two fetches of a key set where nothing else is said: 30 s.
    pub const DEFAULT_COOL_DOWN: Duration = Duration::from_secs(30);
    /// How long a request waits for a fetch where nothing else is said: 250 ms.
    pub const DEFAULT_WAIT: Duration = Duration::from_millis(250);

    /// An issuer with these keys, a cool-down of 30 s, and no introspection.
    pub fn new(issuer: &str, keys: Arc<dyn KeySource>) -> Self {
        Self {
            name: IssuerName::new(issuer),
            tag: "".into(),
            keys_tag: "".into(),
            answers_tag: "".into(),
            keys: Some(keys),
            key_policy: KeyPolicy { cool_down: Self::DEFAULT_COOL_DOWN, max_age: None },
            wait: Self::DEFAULT_WAIT,
            introspection: None,
        }
    }
}

/// Puts a [`Gate`] together.
pub struct GateBuilder {
    policy: Arc<Policy>,
    issuers: Vec<IssuerSources>,
    cache_bytes: u64,
    max_lifetime: Option<Duration>,
    revocations: (usize, Duration),
    turns: Option<usize>,
    shared: Option<Arc<dyn SharedMemory>>,
    clock: Arc<dyn Clock>,
    observer: Arc<dyn Observer>,
}

impl GateBuilder {
    /// Adds the sources of an issuer. Without any, none of its tokens can be proven.
    #[must_use]
    pub fn issuer(mut self, sources: IssuerSources) -> Self {
        self.issuers.push(sources);
        self
    }

    /// How many bytes of facts are remembered. Default 64 MiB.
    #[must_use]
    pub fn cache_bytes(mut self, bytes: u64) -> Self {
        self.cache_bytes = bytes;
        self
    }

    /// How long facts are remembered at most. Default: until the token expires.
    #[must_use]
    pub fn max_lifetime(mut self, ceiling: Option<Duration>) -> Self {
        self.max_lifetime = ceiling;
        self
    }

    /// How many revocations are listed at most, and for how long where the token's `exp` is not known: that must be no shorter
    /// than the longest lifetime of a token. Default 100,000 and 24 h.
    #[must_use]
    pub fn revocations(mut self, capacity: usize, keep: Duration) -> Self {
        self.revocations = (capacity, keep);
        self
    }

    /// Lets tokens that must be verified take turns when many come at once: so many in a round of the runtime, one for each
    /// of its threads. Those that are remembered then wait no longer than they would without the others. By default each is
    /// verified when it comes.
    #[must_use]
    pub fn verify_in_turns(mut self, places: usize) -> Self {
        self.turns = Some(places);
        self
    }

    /// What this gate knows together with others. Default: nothing.
    ///
    /// That brings [`Gate::learn`] what the others forget and revoke is left to whoever makes both.
    #[must_use]
    pub fn shared(mut self, memory: Arc<dyn SharedMemory>) -> Self {
        self.shared = Some(memory);
        self
    }

    /// Another clock than the system's.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Someone who hears what happens.
    #[must_use]
    pub fn observer(mut self, observer: Arc<dyn Observer>) -> Self {
        self.observer = observer;
        self
    }

    /// The gate. Keys are fetched in the background from now on, if it has issuers; that needs a tokio runtime.
    pub fn build(self) -> Gate {
        let memory = Memory {
            facts: FactCache::new(self.cache_bytes),
            forgotten: Forgotten::default(),
            shared: self.shared,
        };
        let policy = self.policy;
        let gate = Gate {
            state: ArcSwap::from_pointee(State { policy: policy.clone(), issuers: Map::default() }),
            memory: Arc::new(memory),
            fingerprints: Fingerprints::new(FINGERPRINTS),
            revocations: Revocations::new(self.revocations.0, self.revocations.1),
            turns: self.turns.map(Turns::new),
            max_lifetime: self.max_lifetime,
            clock: self.clock,
            observer: self.observer,
        };
        gate.install(policy, self.issuers);
        gate
    }
}

impl Gate {
    /// How much is remembered where nothing else is said: 64 MiB.
    pub const DEFAULT_CACHE_BYTES: u64 = 64 * 1024 * 1024;

    /// Begins a gate with this policy.
    pub fn builder(policy: impl Into<Arc<Policy>>) -> GateBuilder {
        GateBuilder {
            policy: policy.into(),
            issuers: Vec::new(),
            cache_bytes: Self::DEFAULT_CACHE_BYTES,
            max_lifetime: None,
            revocations: (100_000, Duration::from_secs(24 * 3_600)),
            turns: None,
            shared: None,
            clock: Arc::new(SystemClock::new()),
            observer: Arc::new(Silent),
        }
    }

    /// Judges a request, running whatever errands that takes.
    pub async fn decide(&self, head: &RequestHead<'_>) -> Decision {
        let mut verdict = self.decide_now(head);
        loop {
            match verdict {
                Verdict::Decided(decision) => return decision,
                Verdict::Errand(errand) => verdict = self.decide_after(head, errand.run().await),
            }
        }
    }

    /// Judges a request by what is in memory.
    ///
    /// For a remembered token this allocates nothing.
    pub fn decide_now(&self, head: &RequestHead<'_>) -> Verdict {
        self.decide_after(head, Progress::default())
    }

    /// Judges a request again, after an errand. A request takes at most two of them.
    pub fn decide_after(&self, head: &RequestHead<'_>, progress: Progress) -> Verdict {
        let state = self.state.load();
        let verdict = hall::Hall { gate: self, state: &state }.walk(head, progress);
        if let Verdict::Decided(decision) = &verdict {
            self.observer.event(&match decision {
                Decision::Allow(permit) => Event::Allowed(permit),
                Decision::Deny(denial) => Event::Denied(denial),
            });
        }
        verdict
    }

    /// Puts another policy in force, from the next request on. Facts stay remembered: they are judged by the new policy. Not so
    /// what an issuer has answered that is asked otherwise, or believed for a shorter time, from now on. Keys stay where an issuer's
    /// sources are the same; otherwise they are fetched anew.
    pub fn replace(&self, policy: impl Into<Arc<Policy>>, issuers: Vec<IssuerSources>) {
        self.install(policy.into(), issuers);
        self.observer.event(&Event::Reloaded);
    }

    fn install(&self, policy: Arc<Policy>, issuers: Vec<IssuerSources>) {
        let before = self.state.load_full();
        let asked_otherwise = |sources: &&IssuerSources| {
            let settings = sources.introspection.as_ref().map(|(_, settings)| settings);
            let stricter =
                |desk: &Arc<Desk>| settings.is_some_and(|settings| desk.believes_longer_than(settings));
            before.issuers.get(&sources.name).is_none_or(|live| {
                live.answers_tag != sources.answers_tag || live.desk.as_ref().is_some_and(stricter)
            })
        };
        let asked_otherwise: Vec<IssuerName> =
            issuers.iter().filter(asked_otherwise).map(|sources| sources.name.clone()).collect();
        let live = |sources: IssuerSources| {
            let name = sources.name.clone();
            let live = match before.issuers.get(&name) {
                Some(live) if live.tag == sources.tag => live.clone(),
                before => self.open(sources, before),
            };
            (name, live)
        };
        let issuers = issuers.into_iter().map(live).collect();
        self.state.store(Arc::new(State { policy, issuers }));
        // The first time, there is nothing to forget.
        if !before.issuers.is_empty() {
            asked_otherwise.iter().for_each(|issuer| self.forget_answers(issuer));
        }
    }

    fn open(&self, sources: IssuerSources, before: Option<&Arc<LiveIssuer>>) -> Arc<LiveIssuer> {
        let same_place = before.filter(|live| live.keys_tag == sources.keys_tag);
        let ring = sources.keys.map(|keys| {
            let ring = KeyRing::new(
                sources.name.clone(),
                keys,
                sources.key_policy,
                self.clock.clone(),
                self.observer.clone(),
            );
            if let Some(known) = same_place.and_then(|live| live.ring.as_ref()) {
                ring.adopt(known);
            }
            ring.start();
            ring
        });
        let desk = sources.introspection.map(|introspection| {
            Desk::new(
                (sources.name, sources.answers_tag.clone()),
                introspection,
                ring.clone(),
                self.memory.clone(),
                self.clock.clone(),
                self.observer.clone(),
            )
        });
        let IssuerSources { tag, keys_tag, answers_tag, wait, .. } = sources;
        Arc::new(LiveIssuer { tag, keys_tag, answers_tag, ring, wait, desk })
    }

    /// The policy in force.
    pub fn policy(&self) -> Arc<Policy> {
        self.state.load().policy.clone()
    }

    /// The issuers whose keys are not there yet. The gate is ready when there are none.
    pub fn waiting_for(&self) -> Vec<IssuerName> {
        let state = self.state.load();
        let missing = |live: &Arc<LiveIssuer>| live.ring.as_ref().is_some_and(|ring| !ring.is_ready());
        state.issuers.iter().filter(|(_, live)| missing(live)).map(|(name, _)| name.clone()).collect()
    }

    /// An issuer's keys.
    pub fn key_ring(&self, issuer: &str) -> Option<Arc<KeyRing>> {
        self.state.load().issuers.get(issuer)?.ring.clone()
    }

    /// About how many tokens are remembered, and what they weigh in bytes.
    pub fn remembered(&self) -> (u64, u64) {
        self.memory.facts.size()
    }

    /// Waits until every issuer's keys are there, or until `limit` has passed. Returns whether they are.
    pub async fn ready(&self, limit: Duration) -> bool {
        let all = async {
            while !self.waiting_for().is_empty() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(limit, all).await.is_ok()
    }
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gate").field("waiting_for", &self.waiting_for()).finish_non_exhaustive()
    }
}

/// A decision, or what must be found out before one can be made.
#[derive(Debug)]
pub enum Verdict {
    /// The decision.
    Decided(Decision),
    /// What must be found out first.
    Errand(Errand),
}

/// How many fingerprints are kept, in 64 bytes each.
const FINGERPRINTS: usize = 16 * 1024;
