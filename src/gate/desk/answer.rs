//! What becomes of an answer: how long it is believed, and who is told. What other gateways were told is taken over here.

use super::{Concluded, Desk, Outcome, Question};
use crate::gate::facts::Remembered;
use crate::gate::forgotten::Suspect;
use crate::gate::observe::Event;
use crate::gate::shared::{SHARED_FOR, SharedAnswer, SharedQuestion};
use crate::proof::{Introspected, Verified, read_introspection};
use crate::time::UnixTime;
use std::sync::Arc;
use std::time::Duration;

/// An answer, whoever asked for it.
pub(super) struct Answer {
    pub(super) said: Introspected,
    /// When the issuer was asked.
    pub(super) asked: UnixTime,
    /// What had been forgotten when our own question was opened.
    pub(super) opened: u64,
    /// Whether it was another gateway that asked.
    pub(super) shared: bool,
}

/// What follows from an answer: facts, or that there are none, and until when.
struct Belief {
    facts: Option<Arc<Verified>>,
    until: UnixTime,
    /// Beyond `until`, during an outage of the issuer.
    grace_until: UnixTime,
}

impl Desk {
    /// Takes over what another gateway was told, if it may be believed.
    pub(super) async fn recall(&self, question: &Question, opened: u64) -> Option<Outcome> {
        let shared = self.memory.shared.as_ref()?;
        let began = self.clock.elapsed();
        // It bounds its own time, well below this; but what it does must not keep the issuer from being asked.
        let limit = self.settings.timeout / 2;
        let recalled = tokio::time::timeout(limit, shared.recall(&self.as_shared(question))).await;
        let outcome = recalled.ok().flatten().and_then(|answer| self.take_over(question, &answer, opened));
        let took = self.clock.elapsed().saturating_sub(began);
        self.observer.event(&Event::Recalled { issuer: &self.issuer, hit: outcome.is_some(), took });
        outcome
    }

    /// 1. It is neither from the future nor old.
    /// 2. It reads as an answer of the issuer does.
    /// 3. It was not forgotten since.
    /// 4. By this gateway's own settings it is still believed. If it would only serve in an outage, it is kept for that.
    fn take_over(&self, question: &Question, shared: &SharedAnswer, opened: u64) -> Option<Outcome> {
        let now = self.clock.now();
        let asked = shared.asked;
        if now < asked || asked + SHARED_FOR <= now {
            return None;
        }
        let said = match &shared.active {
            Some(json) => read_introspection(json.as_bytes(), &self.issuer, asked).ok()?,
            None => Introspected::Inactive,
        };
        let answer = Answer { said, asked, opened, shared: true };
        let belief = self.believe(question, &answer);
        if belief.grace_until <= now || self.is_forgotten(question, &answer, &belief) {
            return None;
        }
        if now < belief.until {
            return self.remember(question, &answer, &belief).then(|| belief.outcome());
        }
        if self.memory.facts.get_in_outage(&question.key, now).is_none() {
            self.remember(question, &answer, &belief);
        }
        None
    }

    /// Remembers the issuer's answer, and hands it out.
    pub(super) fn conclude(&self, question: &Question, answer: &Answer) -> Concluded<'_> {
        let belief = self.believe(question, answer);
        let remembered = self.remember(question, answer, &belief);
        let keep = belief.grace_until.since(self.clock.now()).min(SHARED_FOR);
        let share = (remembered && self.memory.shared.is_some() && !keep.is_zero()).then(|| {
            let active = match &answer.said {
                Introspected::Active(facts) => Some(facts.claims().as_json().into()),
                Introspected::Inactive => None,
            };
            (SharedAnswer { asked: answer.asked, active }, keep)
        });
        Concluded { outcome: belief.outcome(), share, doubt: None }
    }

    /// Tells other gateways. Whoever asked here has their answer already.
    pub(super) async fn share(&self, question: &Question, (answer, keep): (SharedAnswer, Duration)) {
        if let Some(shared) = &self.memory.shared {
            let question = self.as_shared(question);
            // What is not told in time is asked for again elsewhere.
            let _ = tokio::time::timeout(self.settings.timeout, shared.tell(&question, &answer, keep)).await;
        }
    }

    /// How long an answer is believed counts from when the issuer was asked.
    fn believe(&self, question: &Question, answer: &Answer) -> Belief {
        let asked = answer.asked;
        match &answer.said {
            Introspected::Inactive => {
                let until = asked + self.settings.inactive_lifetime;
                Belief { facts: None, until, grace_until: until }
            }
            Introspected::Active(said) => {
                let signed = question.signed.as_deref();
                let ends = [expiry(said), signed.and_then(expiry)];
                let exp = ends.into_iter().flatten().fold(UnixTime::MAX, UnixTime::min);
                let ceiling = match expiry(said) {
                    Some(_) => self.settings.max_lifetime,
                    None => {
                        let without_exp = self.settings.lifetime_without_exp;
                        Some(self.settings.max_lifetime.map_or(without_exp, |most| most.min(without_exp)))
                    }
                };
                let until = ceiling.map_or(exp, |ceiling| exp.min(asked + ceiling));
                let facts = match signed {
                    Some(signed) => Arc::new(Verified::clone(signed).confirmed_by(said)),
                    None => Arc::new(Verified::clone(said)),
                };
                Belief { facts: Some(facts), until, grace_until: (until + self.settings.grace).min(exp) }
            }
        }
    }

    /// Returns whether it is remembered still: it is not if it was forgotten in the meantime.
    fn remember(&self, question: &Question, answer: &Answer, belief: &Belief) -> bool {
        let (key, since) = (question.key, answer.asked);
        let Belief { until, grace_until, .. } = *belief;
        match &belief.facts {
            None => self.memory.facts.remember_inactive(key, until),
            Some(facts) => {
                let entry = Remembered { facts: facts.clone(), until, grace_until };
                self.memory.facts.remember(key, entry, since);
            }
        }
        let forgotten = self.is_forgotten(question, answer, belief);
        if forgotten {
            self.memory.facts.forget(&key);
        }
        !forgotten
    }

    fn is_forgotten(&self, question: &Question, answer: &Answer, belief: &Belief) -> bool {
        let said = match &answer.said {
            Introspected::Active(said) => Some(&**said),
            Introspected::Inactive => None,
        };
        self.memory.forgotten.cover(&Suspect {
            key: &question.key,
            issuer: &self.issuer,
            facts: [belief.facts.as_deref(), said],
            opened: answer.opened,
            shared: answer.shared.then_some(answer.asked),
        })
    }

    fn as_shared<'a>(&'a self, question: &'a Question) -> SharedQuestion<'a> {
        SharedQuestion {
            issuer: &self.issuer,
            client_id: self.endpoint.client_id(),
            signed: self.settings.signed,
            tag: &self.tag,
            token: &question.key,
        }
    }
}

impl Belief {
    fn outcome(&self) -> Outcome {
        self.facts.clone().map_or(Outcome::Inactive, Outcome::Active)
    }
}

fn expiry(facts: &Verified) -> Option<UnixTime> {
    facts.claims().expires()
}
