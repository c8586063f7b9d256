//! One issuer behind real HTTP, and gates that trust it.

use http::{HeaderMap, HeaderValue, Method};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;
use tollgate::gate::{Gate, IntrospectionSettings, IssuerSources};
use tollgate::policy::{
    AnswerForm, Decision, Implications, IssuerRules, MethodScopes, OpaqueRules, Policy, Profile, RequestHead,
    Requirement, Route, RouteTable, Rules, ScopeRule, Template,
};
use tollgate::proof::Algorithm;
use tollgate::remote::{
    Client, ClientAuth, ClientSettings, Discovery, IntrospectionEndpoint, Location, Secret,
};
use tollgate::testing::{ManualClock, ScriptedIssuer, TokenBuilder};
use tollgate::token::Scope;

/// How long is waited: `keys: {wait}` for a key set, `timeout` for any answer.
#[derive(Clone, Copy)]
pub(crate) struct Patience {
    pub(crate) wait: Duration,
    pub(crate) timeout: Duration,
}

/// For an issuer that does not answer in time, whatever the time.
pub(crate) const SHORT: Patience =
    Patience { wait: Duration::from_millis(300), timeout: Duration::from_secs(1) };
/// For one that answers, or refuses to, at once: longer than a busy machine takes for that.
pub(crate) const LONG: Patience = Patience { wait: Duration::from_secs(5), timeout: Duration::from_secs(20) };

/// `keys: {cool_down}`.
pub(crate) const COOL_DOWN: Duration = Duration::from_secs(30);
/// How long introspection answers are believed; twice the cool-down in all with grace.
pub(crate) const BELIEVED: Duration = Duration::from_secs(60);
pub(crate) const GRACE: Duration = Duration::from_secs(600);

const API: &str = "https://api.example/";

/// An issuer and a clock; gates are opened on demand.
pub(crate) struct House {
    pub(crate) server: ScriptedIssuer,
    pub(crate) clock: ManualClock,
    client: Client,
    patience: Patience,
}

impl House {
    pub(crate) async fn new(patience: Patience) -> Self {
        let clock = ManualClock::new();
        let settings = ClientSettings { timeout: patience.timeout, ..ClientSettings::default() };
        let client = Client::new(&settings, Arc::new(clock.clone())).unwrap();
        Self { server: ScriptedIssuer::start_at("", Algorithm::EdDSA).await, clock, client, patience }
    }

    /// A gate that has begun to fetch its keys.
    pub(crate) fn open(&self, settings: IntrospectionSettings) -> Arc<Gate> {
        let client = || self.client.clone();
        let name = self.server.name();
        let discovery = Arc::new(Discovery::of_issuer(client(), name).unwrap());
        let auth = ClientAuth::Basic { client_id: "gateway".into(), secret: Secret::new("hunter2").unwrap() };
        let endpoint =
            IntrospectionEndpoint::new(client(), name, Location::Discovered(discovery.clone()), auth)
                .unwrap();
        let mut sources = IssuerSources::new(name, discovery);
        sources.key_policy.cool_down = COOL_DOWN;
        sources.wait = self.patience.wait;
        let settings = IntrospectionSettings { timeout: self.patience.timeout, ..settings };
        sources.introspection = Some((Arc::new(endpoint), settings));
        let gate = Gate::builder(policy(name)).issuer(sources).clock(Arc::new(self.clock.clone()));
        Arc::new(gate.build())
    }

    /// A gate that has its keys.
    pub(crate) async fn ready(&self, settings: IntrospectionSettings) -> Arc<Gate> {
        let gate = self.open(settings);
        for _ in 0..20 {
            if gate.ready(Duration::from_secs(2)).await {
                return gate;
            }
            // A machine that was too busy for the first fetch may have time for the next.
            self.clock.advance(COOL_DOWN);
        }
        panic!("the keys can't be fetched")
    }

    pub(crate) fn token(&self) -> TokenBuilder {
        self.server.issuer().token().audience(API).client("shop").scope("orders:read")
    }

    pub(crate) fn opaque(&self) -> String {
        self.server.opaque(&self.token())
    }
}

/// The answer to a request with this token, as the table writes it, and how long it took.
pub(crate) async fn get(gate: &Gate, token: &str) -> (String, Duration) {
    let mut headers = HeaderMap::new();
    headers.insert("authorization", HeaderValue::from_str(&format!("Bearer {token}")).unwrap());
    let began = Instant::now();
    let decision = gate.decide(&RequestHead::new(&Method::GET, b"/orders/1", &headers)).await;
    let took = began.elapsed();
    let told = match decision {
        Decision::Allow(permit) if permit.degraded() => "200 degraded".into(),
        Decision::Allow(_) => "200".into(),
        Decision::Deny(denial) => {
            let answer = denial.answer(AnswerForm::NoBody);
            let status = answer.status.as_u16();
            let pause = answer.headers.get("retry-after").map(|value| value.to_str().unwrap().parse::<u64>());
            assert_eq!(
                pause.is_some(),
                status == 503,
                "a 503 says when to come again, and nothing else does"
            );
            assert!(pause.is_none_or(|pause| (1..=30).contains(&pause.unwrap())));
            format!("{status} {}", denial.reason().code())
        }
    };
    (told, took)
}

fn policy(issuer: &str) -> Policy {
    let mut rules = IssuerRules::new(issuer, Profile::Generic, &[API]);
    rules.clients = Some(Box::new(["shop".into()]));
    rules.opaque = Some(OpaqueRules { min_length: 8, prefixes: Box::default() });
    let scopes = ScopeRule::all(&[Scope::new("orders:read").unwrap()], &Implications::default());
    let asked = Requirement::Token(Rules::new(MethodScopes::Every(scopes)));
    let mut routes = RouteTable::builder();
    routes.add(Route::new(Template::parse("/orders/{id}").unwrap(), asked)).unwrap();
    Policy::new(routes.build(), [rules])
}
