//! Where an issuer is asked about opaque tokens: each question once, a bounded number at a time.

mod answer;

use super::Memory;
use super::breaker::{Asking, Breaker, Doubt, FIRST_PAUSE};
use super::keyring::KeyRing;
use super::observe::{Event, IntrospectionOutcome, Observer};
use super::shared::SharedAnswer;
use super::sources::{Introspect, IntrospectionAnswer, SourceError, SourceErrorKind};
use crate::proof::{
    AlgorithmSet, Introspected, IntrospectionError, IssuerName, SignedIntrospection, Verified,
    read_introspection, read_signed_introspection,
};
use crate::time::Clock;
use crate::token::Fingerprint;
use answer::Answer;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Semaphore, SemaphorePermit, watch};
use zeroize::Zeroizing;

/// How an issuer is asked, and how long its answers are believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IntrospectionSettings {
    /// How long one question may take, its repetition included. Default 2 s.
    pub timeout: Duration,
    /// How many questions may be open at a time. Default 64.
    pub max_in_flight: usize,
    /// How long an active answer is believed at most, before the issuer is asked again: the revocation window. `None`: until
    /// the token expires.
    pub max_lifetime: Option<Duration>,
    /// How long an active answer without `exp` is believed. Default 60 s.
    pub lifetime_without_exp: Duration,
    /// How long an inactive answer is believed. Default 10 s.
    pub inactive_lifetime: Duration,
    /// How long an active answer serves beyond that if the issuer can't be asked; never past `exp`. Default 0.
    pub grace: Duration,
    /// The algorithms that signed answers may use.
    pub algorithms: AlgorithmSet,
    /// Whether an answer must be signed (RFC 9701).
    pub signed: bool,
}

impl Default for IntrospectionSettings {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(2),
            max_in_flight: 64,
            max_lifetime: None,
            lifetime_without_exp: Duration::from_secs(60),
            inactive_lifetime: Duration::from_secs(10),
            grace: Duration::ZERO,
            algorithms: AlgorithmSet::default(),
            signed: false,
        }
    }
}

/// What came of a question.
#[derive(Clone, Debug)]
pub(super) enum Outcome {
    /// The issuer vouches for these facts.
    Active(Arc<Verified>),
    /// It does not.
    Inactive,
    /// It gave no usable answer, and should be asked again after this long.
    Failed(Duration),
    /// It was not asked, for as many questions as may be were open. That is no outage: whoever has many tokens, sound or not,
    /// can bring it about.
    Busy,
}

/// What came of a question, and what is to be done when whoever waits for it has been told.
struct Concluded<'d> {
    outcome: Outcome,
    /// It is for other gateways.
    share: Option<(SharedAnswer, Duration)>,
    /// Perhaps the issuer answers nothing at all.
    doubt: Option<Doubt<'d>>,
}

impl From<Outcome> for Concluded<'_> {
    fn from(outcome: Outcome) -> Self {
        Self { outcome, share: None, doubt: None }
    }
}

/// A question about one token.
pub(super) struct Question {
    pub(super) key: Fingerprint,
    pub(super) token: Zeroizing<String>,
    /// The facts of a signed token whose issuer is asked as well: they are what is remembered if it is active.
    pub(super) signed: Option<Arc<Verified>>,
}

/// A question that is open.
struct Open {
    /// What [`Forgotten::serial`](super::forgotten::Forgotten::serial) was when it was opened.
    opened: u64,
    answer: watch::Receiver<Option<Outcome>>,
}

/// One issuer's desk.
///
/// 1. Requests that present the same token at a time share one question, which runs in a task of its own. Who comes after something was
///    forgotten opens another: what was asked before may be what is to be forgotten.
/// 2. What another gateway was told is taken over, where gateways share what they know.
/// 3. At most `max_in_flight` questions are open; one more is refused at once, with 503 for its caller, or waits if its token
///    is one that grace could bridge an outage for.
/// 4. A connection that fails is tried once more, within the same time. An issuer that fails several times in a row, or that
///    asks for a pause, is left alone; not one that fails about some tokens only, whoever has made them. So it is asked about a
///    word of our own before that.
/// 5. An answer is remembered before it is handed out, and shared afterwards. One that was forgotten while the question was
///    open is neither.
pub(super) struct Desk {
    issuer: IssuerName,
    /// What tells who is asked, and how.
    tag: Box<str>,
    endpoint: Arc<dyn Introspect>,
    settings: IntrospectionSettings,
    /// For signed answers.
    ring: Option<Arc<KeyRing>>,
    memory: Arc<Memory>,
    clock: Arc<dyn Clock>,
    observer: Arc<dyn Observer>,
    open: Mutex<HashMap<Fingerprint, Open>>,
    places: Semaphore,
    breaker: Mutex<Breaker>,
}

impl Desk {
    /// The desk of the issuer of this name; the tag is that of [`IssuerSources::answers_tag`](super::IssuerSources::answers_tag).
    pub(super) fn new(
        (issuer, tag): (IssuerName, Box<str>),
        (endpoint, settings): (Arc<dyn Introspect>, IntrospectionSettings),
        ring: Option<Arc<KeyRing>>,
        memory: Arc<Memory>,
        clock: Arc<dyn Clock>,
        observer: Arc<dyn Observer>,
    ) -> Arc<Self> {
        let places = Semaphore::new(settings.max_in_flight);
        Arc::new(Self {
            issuer,
            tag,
            endpoint,
            settings,
            ring,
            memory,
            clock,
            observer,
            open: Mutex::default(),
            places,
            breaker: Mutex::default(),
        })
    }

    /// Whether an answer is believed longer here than by these settings.
    pub(super) fn believes_longer_than(&self, settings: &IntrospectionSettings) -> bool {
        let times = |settings: &IntrospectionSettings| {
            [settings.max_lifetime.unwrap_or(Duration::MAX), settings.lifetime_without_exp, settings.grace]
        };
        times(&self.settings).into_iter().zip(times(settings)).any(|(ours, theirs)| ours > theirs)
    }

    /// Asks, or joins those who wait for the answer to the same question.
    pub(super) async fn ask(self: &Arc<Self>, question: Question) -> Outcome {
        let mut answer = {
            let mut open = lock(&self.open);
            let opened = self.memory.forgotten.serial();
            match open.get(&question.key).filter(|question| question.opened == opened) {
                Some(question) => question.answer.clone(),
                None => {
                    let (tell, answer) = watch::channel(None);
                    open.insert(question.key, Open { opened, answer: answer.clone() });
                    let desk = self.clone();
                    tokio::spawn(async move {
                        // Dropping it, however that comes about, closes the question.
                        let closing = Closing { desk: &desk, key: question.key, opened };
                        let concluded = desk.question(&question, opened).await;
                        drop(closing);
                        // Nobody may be waiting any more.
                        let _ = tell.send(Some(concluded.outcome));
                        if let Some(answer) = concluded.share {
                            desk.share(&question, answer).await;
                        }
                        if let Some(doubt) = concluded.doubt {
                            doubt.settled(desk.answers_at_all().await);
                        }
                    });
                    answer
                }
            }
        };
        match answer.wait_for(Option::is_some).await.as_deref() {
            Ok(Some(outcome)) => outcome.clone(),
            _ => Outcome::Failed(Duration::from_secs(1)),
        }
    }

    async fn question(&self, question: &Question, opened: u64) -> Concluded<'_> {
        let began = self.clock.elapsed();
        if let Some(outcome) = self.recall(question, opened).await {
            return outcome.into();
        }
        // To wait for a place is not the issuer's time.
        let left = self.settings.timeout.saturating_sub(self.clock.elapsed().saturating_sub(began));
        let Some(_place) = self.place(question).await else {
            return self.told(Outcome::Busy, IntrospectionOutcome::Refused, began).into();
        };
        let asking = match Asking::admitted(&self.breaker, &*self.clock) {
            Ok(asking) => asking,
            Err(pause) => {
                return self.told(Outcome::Failed(pause), IntrospectionOutcome::Refused, began).into();
            }
        };
        let asked = self.clock.now();
        let answered = match tokio::time::timeout(left, self.attempt(&question.token)).await {
            Ok(answered) => answered,
            Err(_) => {
                Err(SourceError::new(SourceErrorKind::Timeout, "the introspection endpoint took too long"))
            }
        };
        match answered {
            Ok(said) => {
                asking.succeeded();
                let event = match said {
                    Introspected::Active(_) => IntrospectionOutcome::Active,
                    Introspected::Inactive => IntrospectionOutcome::Inactive,
                };
                let concluded = self.conclude(question, &Answer { said, asked, opened, shared: false });
                self.told(concluded, event, began)
            }
            Err(error) => {
                tracing::warn!(issuer = %self.issuer, token = %question.key, %error, "introspection failed");
                let (pause, doubt) = if is_about_the_token(&error) {
                    asking.succeeded();
                    (FIRST_PAUSE, None)
                } else {
                    asking.failed(error.retry_after())
                };
                let outcome = self.told(Outcome::Failed(pause), IntrospectionOutcome::Failed, began);
                Concluded { outcome, share: None, doubt }
            }
        }
    }

    /// A place among the open questions. Where there is none, only a token that was active, and that would be taken in an outage,
    /// waits for one, before all who come later: whether there is an outage is to be found out, whatever else is asked.
    async fn place(&self, question: &Question) -> Option<SemaphorePermit<'_>> {
        if let Ok(place) = self.places.try_acquire() {
            return Some(place);
        }
        self.memory.facts.get_in_outage(&question.key, self.clock.now())?;
        tokio::time::timeout(self.settings.timeout, self.places.acquire()).await.ok()?.ok()
    }

    /// Whether the issuer says anything of a word that is no token of anybody's: one that nobody can have chosen so that it fails.
    async fn answers_at_all(&self) -> bool {
        let mut word = [0; 32];
        if aws_lc_rs::rand::fill(&mut word).is_err() {
            return false;
        }
        let word = URL_SAFE_NO_PAD.encode(word);
        match tokio::time::timeout(self.settings.timeout, self.attempt(&word)).await {
            Ok(Ok(_)) => true,
            Ok(Err(error)) => is_about_the_token(&error),
            Err(_) => false,
        }
    }

    async fn attempt(&self, token: &str) -> Result<Introspected, SourceError> {
        let answer = match self.endpoint.introspect(token).await {
            Err(error) if error.kind() == SourceErrorKind::Connect => self.endpoint.introspect(token).await,
            answer => answer,
        };
        let malformed = |error: IntrospectionError| {
            let of_the_token = matches!(error, IntrospectionError::Claims(_) | IntrospectionError::Active);
            let kind = if of_the_token { SourceErrorKind::Claims } else { SourceErrorKind::Malformed };
            SourceError::new(kind, error.to_string())
        };
        match answer? {
            IntrospectionAnswer::NotJudged => Ok(Introspected::Inactive),
            IntrospectionAnswer::Json(_) if self.settings.signed => {
                Err(SourceError::new(SourceErrorKind::Malformed, "the answer is not signed"))
            }
            IntrospectionAnswer::Json(json) => {
                read_introspection(&json, &self.issuer, self.clock.now()).map_err(malformed)
            }
            IntrospectionAnswer::Signed(jwt) => match self.read_signed(&jwt) {
                Err(IntrospectionError::UnknownKey) => {
                    if let Some(super::keyring::Refresh::UnderWay(mut ended)) =
                        self.ring.as_ref().map(|ring| ring.refresh())
                    {
                        // The key set is gone only with the desk.
                        let _ = ended.changed().await;
                    }
                    self.read_signed(&jwt).map_err(malformed)
                }
                read => read.map_err(malformed),
            },
        }
    }

    fn read_signed(&self, jwt: &str) -> Result<Introspected, IntrospectionError> {
        let keys = self.ring.as_ref().and_then(|ring| ring.keys()).ok_or(IntrospectionError::UnknownKey)?;
        let expected = SignedIntrospection {
            issuer: &self.issuer,
            keys: &keys,
            algorithms: self.settings.algorithms,
            client_id: self.endpoint.client_id(),
            at: self.clock.now(),
        };
        read_signed_introspection(jwt, &expected)
    }

    fn told<T>(&self, outcome: T, event: IntrospectionOutcome, began: Duration) -> T {
        let took = self.clock.elapsed().saturating_sub(began);
        self.observer.event(&Event::Introspected { issuer: &self.issuer, outcome: event, took });
        outcome
    }
}

impl fmt::Debug for Desk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Desk")
            .field("issuer", &self.issuer)
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

/// Takes a question off the list of the open ones, unless a later one has taken its place.
struct Closing<'a> {
    desk: &'a Desk,
    key: Fingerprint,
    opened: u64,
}

impl Drop for Closing<'_> {
    fn drop(&mut self) {
        let mut open = lock(&self.desk.open);
        if open.get(&self.key).is_some_and(|question| question.opened == self.opened) {
            open.remove(&self.key);
        }
    }
}

/// Whether the issuer may be well all the same.
fn is_about_the_token(error: &SourceError) -> bool {
    matches!(error.kind(), SourceErrorKind::Claims | SourceErrorKind::Unjudged)
}

/// A panic while the lock was held leaves nothing half-done behind it.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
