//! Tokens that are no longer taken although they have not expired: a list, bounded in size, whose entries end with the tokens.

use crate::proof::{IssuerName, Provenance, Verified};
use crate::time::UnixTime;
use crate::token::{ClientClaim, Fingerprint, UnverifiedJws};
use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

/// Which tokens are meant: to be forgotten, or to be revoked.
///
/// All but a single token are meant as far as they were issued by now: who signs in again gets a new token that is taken.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Selector {
    what: What,
    issuer: Option<IssuerName>,
}

/// What tells the tokens that are meant.
#[derive(Clone, PartialEq, Eq, Hash)]
pub enum What {
    /// This one token.
    Token(TokenName),
    /// The token of this `jti`.
    Id(Box<str>),
    /// The tokens about this `sub`.
    Subject(Box<str>),
    /// The tokens issued to this client.
    Client(Box<str>),
    /// The tokens issued in this session (`sid`).
    Session(Box<str>),
    /// All tokens, of the issuer if one is named.
    All,
}

/// The name of one token, which is not kept itself.
///
/// A signed one is known by its claims as well: whoever holds it can write an ECDSA signature in a second way (`s` as `n - s`),
/// and so make another text of it that is as good. What it says can't be changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TokenName {
    whole: Fingerprint,
    claims: Option<Fingerprint>,
}

impl TokenName {
    /// The name of a token, whatever its kind.
    pub fn of(token: &str) -> Self {
        let jws = UnverifiedJws::parse(token).ok();
        let claims = jws.as_ref().and_then(|jws| std::str::from_utf8(jws.payload()).ok());
        Self::new(Fingerprint::of(token), claims.map(Fingerprint::of))
    }

    /// The name that is made of these.
    pub fn new(whole: Fingerprint, claims: Option<Fingerprint>) -> Self {
        Self { whole, claims }
    }

    /// The fingerprint of the whole text.
    pub fn whole(&self) -> &Fingerprint {
        &self.whole
    }

    /// The fingerprint of its claims as they came, if it is a signed one.
    pub fn claims(&self) -> Option<&Fingerprint> {
        self.claims.as_ref()
    }

    fn listed(&self) -> Fingerprint {
        self.claims.unwrap_or(self.whole)
    }
}

/// The fingerprint of what a signed token says; of another, there is none.
fn said(facts: &Verified) -> Option<Fingerprint> {
    matches!(facts.provenance(), Provenance::Signed { .. }).then(|| Fingerprint::of(facts.claims().as_json()))
}

impl Selector {
    /// The tokens that `what` tells, of every issuer.
    pub fn new(what: What) -> Self {
        Self { what, issuer: None }
    }

    /// This very token, whether signed or opaque. The token itself is not kept.
    pub fn token(token: &str) -> Self {
        Self::new(What::Token(TokenName::of(token)))
    }

    /// The same, but only of this issuer. `jti`, `sub` and `sid` are unique within one issuer only.
    #[must_use]
    pub fn of_issuer(mut self, issuer: IssuerName) -> Self {
        self.issuer = Some(issuer);
        self
    }

    /// What tells the tokens that are meant.
    pub fn what(&self) -> &What {
        &self.what
    }

    /// The issuer whose tokens are meant; `None` for all.
    pub fn issuer(&self) -> Option<&IssuerName> {
        self.issuer.as_ref()
    }

    /// Whether these facts are meant. Of a single token they tell it only if it is signed.
    pub(super) fn matches(&self, facts: &Verified) -> bool {
        if self.issuer.as_ref().is_some_and(|issuer| issuer != facts.issuer()) {
            return false;
        }
        let claims = facts.claims();
        let is = |value: Option<&str>, wanted: &str| value == Some(wanted);
        match &self.what {
            What::Token(name) => name.claims.is_some_and(|claims| said(facts) == Some(claims)),
            What::Id(id) => is(claims.id(), id),
            What::Subject(subject) => is(claims.subject(), subject),
            What::Client(client) => ClientClaim::ALL.iter().any(|claim| is(claims.client(*claim), client)),
            What::Session(session) => is(claims.session(), session),
            What::All => true,
        }
    }
}

impl fmt::Debug for What {
    /// Names the kind and not the value, which may be about a person.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Token(name) => write!(f, "token {}", name.whole),
            Self::Id(_) => f.write_str("jti"),
            Self::Subject(_) => f.write_str("sub"),
            Self::Client(client) => write!(f, "client {client}"),
            Self::Session(_) => f.write_str("sid"),
            Self::All => f.write_str("all"),
        }
    }
}

/// The list of revoked tokens. It speaks of signed tokens alone: about an opaque one, its issuer has the last word.
#[derive(Debug)]
pub(super) struct Revocations {
    lists: RwLock<Lists>,
    /// So that nobody takes the lock while the list is empty, as it nearly always is.
    entries: AtomicUsize,
    capacity: usize,
    keep: Duration,
}

#[derive(Debug, Default)]
struct Lists {
    /// Signed ones by their claims.
    tokens: HashMap<Fingerprint, Vec<Entry>>,
    ids: Named,
    subjects: Named,
    clients: Named,
    sessions: Named,
    all: Vec<Entry>,
    count: usize,
}

type Named = HashMap<Box<str>, Vec<Entry>>;

#[derive(Debug)]
struct Entry {
    issuer: Option<IssuerName>,
    since: UnixTime,
    until: UnixTime,
}

/// The list of revoked tokens is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the list of revoked tokens is full: {0} entries, none of which has ended")]
pub struct RevocationsFull(usize);

impl Revocations {
    pub(super) fn new(capacity: usize, keep: Duration) -> Self {
        Self { lists: RwLock::default(), entries: AtomicUsize::new(0), capacity, keep }
    }

    /// When an entry ends: with the token, if that is known, else after the longest lifetime of a token.
    pub(super) fn end(&self, expires: Option<UnixTime>, now: UnixTime) -> UnixTime {
        // A little beyond `exp`, within the leeway, a token would still be taken.
        expires.unwrap_or(now + self.keep) + crate::policy::IssuerRules::MAX_LEEWAY
    }

    /// Adds what is meant, as revoked at `since`.
    pub(super) fn add(
        &self,
        selector: &Selector,
        since: UnixTime,
        until: UnixTime,
        now: UnixTime,
    ) -> Result<(), RevocationsFull> {
        let mut lists = self.lists.write().unwrap_or_else(PoisonError::into_inner);
        let entry = Entry { issuer: selector.issuer.clone(), since, until };
        if lists.find(&selector.what).is_some_and(|listed| merge(listed, &entry)) {
            return Ok(());
        }
        if lists.count >= self.capacity {
            lists.retain(|entry| now < entry.until);
        }
        if lists.count >= self.capacity {
            return Err(RevocationsFull(self.capacity));
        }
        lists.push(&selector.what, entry);
        self.entries.store(lists.count, Ordering::Release);
        Ok(())
    }

    /// Whether the token of these facts is revoked.
    pub(super) fn cover(&self, key: &Fingerprint, facts: &Verified, now: UnixTime) -> bool {
        if self.entries.load(Ordering::Acquire) == 0
            || matches!(facts.provenance(), Provenance::Introspected { .. })
        {
            return false;
        }
        let lists = self.lists.read().unwrap_or_else(PoisonError::into_inner);
        let claims = facts.claims();
        let counts = |entry: &Entry| {
            now < entry.until && entry.issuer.as_ref().is_none_or(|issuer| issuer == facts.issuer())
        };
        // A token that was issued after the revocation is another one. `iat` has whole seconds with most issuers.
        let older = |entry: &Entry| claims.issued_at().is_none_or(|at| at.as_secs() <= entry.since.as_secs());
        let named = |list: &Named, value: Option<&str>, fits: &dyn Fn(&Entry) -> bool| {
            value.and_then(|value| list.get(value)).is_some_and(|found| found.iter().any(fits))
        };
        let token = |name: &Fingerprint| lists.tokens.get(name).is_some_and(|found| found.iter().any(counts));
        !lists.tokens.is_empty() && (token(key) || said(facts).is_some_and(|claims| token(&claims)))
            || named(&lists.ids, claims.id(), &counts)
            || named(&lists.subjects, claims.subject(), &|entry| counts(entry) && older(entry))
            || named(&lists.sessions, claims.session(), &|entry| counts(entry) && older(entry))
            || ClientClaim::ALL.iter().any(|claim| {
                named(&lists.clients, claims.client(*claim), &|entry| counts(entry) && older(entry))
            })
            || lists.all.iter().any(|entry| counts(entry) && older(entry))
    }

    /// How many entries there are.
    pub(super) fn len(&self) -> usize {
        self.entries.load(Ordering::Acquire)
    }
}

/// Who is revoked twice is listed once, for the longer time. Gateways that share their lists may also be told of one entry twice.
fn merge(listed: &mut [Entry], entry: &Entry) -> bool {
    let same = listed.iter_mut().find(|same| same.issuer == entry.issuer);
    same.map(|same| {
        same.since = same.since.max(entry.since);
        same.until = same.until.max(entry.until);
    })
    .is_some()
}

impl Lists {
    fn find(&mut self, what: &What) -> Option<&mut Vec<Entry>> {
        match what {
            What::Token(name) => self.tokens.get_mut(&name.listed()),
            What::Id(id) => self.ids.get_mut(id),
            What::Subject(subject) => self.subjects.get_mut(subject),
            What::Client(client) => self.clients.get_mut(client),
            What::Session(session) => self.sessions.get_mut(session),
            What::All => Some(&mut self.all),
        }
    }

    fn push(&mut self, what: &What, entry: Entry) {
        let list = match what {
            What::Token(name) => self.tokens.entry(name.listed()).or_default(),
            What::Id(id) => self.ids.entry(id.clone()).or_default(),
            What::Subject(subject) => self.subjects.entry(subject.clone()).or_default(),
            What::Client(client) => self.clients.entry(client.clone()).or_default(),
            What::Session(session) => self.sessions.entry(session.clone()).or_default(),
            What::All => &mut self.all,
        };
        list.push(entry);
        self.count += 1;
    }

    fn retain(&mut self, keep: impl Fn(&Entry) -> bool) {
        let mut count = 0;
        let mut keep_some = |entries: &mut Vec<Entry>| {
            entries.retain(&keep);
            count += entries.len();
            !entries.is_empty()
        };
        keep_some(&mut self.all);
        self.tokens.retain(|_, entries| keep_some(entries));
        for list in [&mut self.ids, &mut self.subjects, &mut self.clients, &mut self.sessions] {
            list.retain(|_, entries| keep_some(entries));
        }
        self.count = count;
    }
}

#[cfg(test)]
mod tests;
