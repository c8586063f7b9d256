//! What the tests of the gate share: a gate with scripted sources, and requests to it.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tollgate::gate::{
    BoxFuture, Gate, GateBuilder, Introspect, IntrospectionAnswer, IntrospectionSettings, IssuerSources,
    KeySource, SharedMemory, SourceError, SourceErrorKind,
};
use tollgate::policy::{
    Decision, Implications, IssuerRules, MethodScopes, OpaqueRules, Permit, Policy, Profile, Reason,
    RequestHead, Requirement, Route, RouteTable, Rules, ScopeRule, Template,
};
use tollgate::proof::{Algorithm, KeyPolicy};
use tollgate::testing::{Issuer, ManualClock};
use tollgate::token::Scope;

pub const AS: &str = "https://as.example/";
pub const API: &str = "https://api.example/";

/// Keys as the issuer publishes them at the moment of the fetch, counted; or an error; or nothing, for as long as it is held.
pub struct Keys {
    issuer: Issuer,
    pub fetches: AtomicUsize,
    pub broken: Mutex<Option<String>>,
    pub held: tokio::sync::RwLock<()>,
}

impl Keys {
    pub fn of(issuer: &Issuer) -> Arc<Self> {
        Arc::new(Self {
            issuer: issuer.clone(),
            fetches: AtomicUsize::new(0),
            broken: Mutex::default(),
            held: tokio::sync::RwLock::default(),
        })
    }

    pub fn fetched(&self) -> usize {
        self.fetches.load(Ordering::SeqCst)
    }

    /// From now on the source answers this instead of the key set.
    pub fn answer(&self, document: Option<&str>) {
        *self.broken.lock().unwrap() = document.map(str::to_owned);
    }
}

impl KeySource for Keys {
    fn fetch(&self) -> BoxFuture<'_, Result<Bytes, SourceError>> {
        Box::pin(async {
            self.fetches.fetch_add(1, Ordering::SeqCst);
            let _held = self.held.read().await;
            match self.broken.lock().unwrap().as_deref() {
                Some("down") => Err(SourceError::new(SourceErrorKind::Connect, "nobody listens")),
                Some(document) => Ok(document.to_owned().into()),
                None => Ok(self.issuer.jwks().into()),
            }
        })
    }
}

/// An introspection endpoint that answers from a script, the last line over and over.
pub struct Answers {
    pub asked: AtomicUsize,
    pub script: Mutex<VecDeque<Result<String, SourceError>>>,
    pub delay: Duration,
}

impl Answers {
    pub fn new(lines: impl IntoIterator<Item = Result<String, SourceError>>) -> Arc<Self> {
        Self::slow(lines, Duration::ZERO)
    }

    pub fn slow(lines: impl IntoIterator<Item = Result<String, SourceError>>, delay: Duration) -> Arc<Self> {
        Arc::new(Self { asked: AtomicUsize::new(0), script: Mutex::new(lines.into_iter().collect()), delay })
    }

    pub fn then(&self, line: Result<&str, SourceError>) {
        let mut script = self.script.lock().unwrap();
        script.clear();
        script.push_back(line.map(str::to_owned));
    }

    pub fn times(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

impl Introspect for Answers {
    fn introspect<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<IntrospectionAnswer, SourceError>> {
        Box::pin(async {
            self.asked.fetch_add(1, Ordering::SeqCst);
            tokio::time::sleep(self.delay).await;
            let mut script = self.script.lock().unwrap();
            let line = if script.len() > 1 { script.pop_front() } else { script.front().cloned() };
            line.unwrap().map(|json| IntrospectionAnswer::Json(json.into()))
        })
    }

    fn client_id(&self) -> &str {
        "gateway"
    }
}

pub fn down() -> SourceError {
    SourceError::new(SourceErrorKind::Status, "it answered 500")
}

/// A gate on a manual clock, its parts within reach.
pub struct House {
    pub gate: Arc<Gate>,
    pub clock: ManualClock,
    pub issuer: Issuer,
    pub keys: Arc<Keys>,
    pub sources: IssuerSources,
}

impl House {
    pub async fn new() -> Self {
        Self::with(|_| ()).await
    }

    /// A house whose issuer signs with this algorithm.
    pub async fn signing(algorithm: Algorithm) -> Self {
        let issuer = Issuer::with_algorithm(AS, algorithm);
        let house = Self::build(issuer, |_| (), rules(), ManualClock::new(), |gate| gate);
        assert!(house.gate.ready(Duration::from_secs(5)).await);
        house
    }

    pub async fn with(change: impl FnOnce(&mut IssuerSources)) -> Self {
        let house = Self::unready(change, rules());
        assert!(house.gate.ready(Duration::from_secs(5)).await);
        house
    }

    /// A house whose issuer answers this about opaque tokens.
    pub async fn asking(answers: &Arc<Answers>, settings: IntrospectionSettings) -> Self {
        let mut rules = rules();
        rules.opaque = Some(OpaqueRules { min_length: 8, prefixes: Box::default() });
        let endpoint = answers.clone();
        let house = Self::unready(|sources| sources.introspection = Some((endpoint, settings)), rules);
        assert!(house.gate.ready(Duration::from_secs(5)).await);
        house
    }

    /// The same, on this clock, and with a memory that it shares with other houses.
    pub async fn sharing(
        answers: &Arc<Answers>,
        settings: IntrospectionSettings,
        clock: &ManualClock,
        memory: Arc<dyn SharedMemory>,
    ) -> Self {
        let mut rules = rules();
        rules.opaque = Some(OpaqueRules { min_length: 8, prefixes: Box::default() });
        let endpoint = answers.clone();
        let change = |sources: &mut IssuerSources| sources.introspection = Some((endpoint, settings));
        let house = Self::build(Issuer::new(AS), change, rules, clock.clone(), |gate| gate.shared(memory));
        assert!(house.gate.ready(Duration::from_secs(5)).await);
        house
    }

    /// A house whose gate is finished off like this.
    pub async fn finished(finish: impl FnOnce(GateBuilder) -> GateBuilder) -> Self {
        let house = Self::build(Issuer::new(AS), |_| (), rules(), ManualClock::new(), finish);
        assert!(house.gate.ready(Duration::from_secs(5)).await);
        house
    }

    pub fn unready(change: impl FnOnce(&mut IssuerSources), rules: IssuerRules) -> Self {
        Self::build(Issuer::new(AS), change, rules, ManualClock::new(), |gate| gate)
    }

    fn build(
        issuer: Issuer,
        change: impl FnOnce(&mut IssuerSources),
        rules: IssuerRules,
        clock: ManualClock,
        finish: impl FnOnce(GateBuilder) -> GateBuilder,
    ) -> Self {
        let keys = Keys::of(&issuer);
        let mut sources = IssuerSources::new(AS, keys.clone());
        sources.key_policy = KeyPolicy { cool_down: Duration::from_secs(30), max_age: None };
        change(&mut sources);
        let gate =
            Gate::builder(policy(orders(), rules)).issuer(sources.clone()).clock(Arc::new(clock.clone()));
        let gate = finish(gate).build();
        Self { gate: Arc::new(gate), clock, issuer, keys, sources }
    }

    pub fn token(&self) -> String {
        self.issuer.token().audience(API).client("shop").scope("orders:read").subject("alice").sign()
    }

    /// Puts other rules in force, as a reload does.
    pub fn reload(&self, route: Rules, issuer: IssuerRules) {
        self.gate.replace(policy(route, issuer), vec![self.sources.clone()]);
    }

    pub async fn get(&self, token: &str) -> Outcome {
        self.get_at("/orders/1", token).await
    }

    pub async fn get_at(&self, target: &str, token: &str) -> Outcome {
        let mut headers = HeaderMap::new();
        headers.insert("authorization", HeaderValue::from_str(&format!("Bearer {token}")).unwrap());
        self.gate.decide(&RequestHead::new(&Method::GET, target.as_bytes(), &headers)).await.into()
    }
}

/// A decision, short enough to compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    Allowed,
    Degraded,
    Refused(Reason),
}

impl From<Decision> for Outcome {
    fn from(decision: Decision) -> Self {
        match decision {
            Decision::Allow(permit) if Permit::degraded(&permit) => Self::Degraded,
            Decision::Allow(_) => Self::Allowed,
            Decision::Deny(denial) => Self::Refused(denial.reason()),
        }
    }
}

pub fn rules() -> IssuerRules {
    let mut rules = IssuerRules::new(AS, Profile::Generic, &[API]);
    rules.clients = Some(Box::new(["shop".into()]));
    rules
}

pub fn orders() -> Rules {
    Rules::new(scopes("orders:read"))
}

pub fn scopes(scope: &str) -> MethodScopes {
    MethodScopes::Every(ScopeRule::all(&[Scope::new(scope).unwrap()], &Implications::default()))
}

/// `/orders/{id}` asks for these rules, `/admin` for a scope that nobody has, `/health` for nothing.
pub fn policy(orders: Rules, issuer: IssuerRules) -> Policy {
    let mut routes = RouteTable::builder();
    let mut add = |path: &str, requirement| {
        routes.add(Route::new(Template::parse(path).unwrap(), requirement)).unwrap();
    };
    add("/orders/{id}", Requirement::Token(orders));
    add("/admin", Requirement::Token(Rules::new(scopes("admin"))));
    add("/health", Requirement::Public);
    Policy::new(routes.build(), [issuer])
}
