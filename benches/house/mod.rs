//! A gate with its keys, and tokens for it: what the benches have in common.

use http::{HeaderMap, HeaderValue, Method, header};
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Runtime;
use tollgate::gate::{Gate, IssuerSources, StaticKeys, Verdict};
use tollgate::policy::{
    Decision, Denial, Implications, IssuerRules, MethodScopes, Policy, Profile, Reason, RequestHead,
    Requirement, Route, RouteTable, Rules, ScopeRule, Template,
};
use tollgate::proof::Algorithm;
use tollgate::testing::{Issuer, TokenBuilder};
use tollgate::time::{Clock, SystemClock};
use tollgate::token::Scope;

/// What the tokens are for.
pub const API: &str = "https://api.example/";
/// The name of the issuer, or what the names of many begin with.
pub const ISSUER: &str = "https://as.example/";
/// A target that a token is good for.
pub const TARGET: &str = "/orders/17?page=2";

/// A gate on the system's clock: what a request pays in production.
pub struct House {
    /// Who signs.
    pub issuer: Issuer,
    /// Who judges.
    pub gate: Arc<Gate>,
    /// The gate's own tasks are in there.
    _runtime: Runtime,
    clock: SystemClock,
}

/// How much there is of what a gate has.
pub struct Extent {
    /// Issuers.
    pub issuers: usize,
    /// Routes.
    pub routes: usize,
    /// Bytes for remembered tokens.
    pub bytes: u64,
}

/// What a test of one thing needs.
impl Default for Extent {
    fn default() -> Self {
        Self { issuers: 1, routes: 1, bytes: Gate::DEFAULT_CACHE_BYTES }
    }
}

impl House {
    /// Its issuers sign with this algorithm; the tokens are those of the last.
    pub fn new(algorithm: Algorithm, extent: Extent) -> Self {
        let Extent { issuers, routes: count, bytes } = extent;
        let issuer = |number: usize| match number {
            0 => Issuer::with_algorithm(ISSUER, algorithm),
            _ => Issuer::with_algorithm(&format!("{ISSUER}{number}/"), algorithm),
        };
        let issuers: Vec<Issuer> = (0..issuers).rev().map(issuer).collect();
        let rules = issuers.iter().map(|issuer| {
            let mut rules = IssuerRules::new(issuer.name(), Profile::Okta, &[API]);
            rules.algorithms = [algorithm].into_iter().collect();
            rules.clients = Some(Box::new(["shop".into()]));
            rules
        });
        let mut builder = Gate::builder(Policy::new(routes(count), rules)).cache_bytes(bytes);
        for issuer in &issuers {
            builder =
                builder.issuer(IssuerSources::new(issuer.name(), Arc::new(StaticKeys::new(issuer.jwks()))));
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let gate = runtime.block_on(async {
            let gate = builder.build();
            assert!(gate.ready(Duration::from_secs(60)).await);
            gate
        });
        let issuer = issuers.into_iter().next_back().unwrap();
        Self { issuer, gate: Arc::new(gate), _runtime: runtime, clock: SystemClock::new() }
    }

    /// A token as a custom authorization server issues them: about 900 bytes if signed with RSA.
    pub fn token(&self) -> TokenBuilder {
        let token = self.issuer.token().like(Profile::Okta).audience(API);
        token.issued(self.clock.now(), Duration::from_secs(3_600)).claim("groups", "x".repeat(180))
    }

    /// What the gate says to a request for [`TARGET`].
    pub fn judge(&self, headers: &HeaderMap) -> Decision {
        let head = RequestHead::new(&Method::GET, TARGET.as_bytes(), headers);
        match self.gate.decide_now(&head.with_authority(Some("api.example"))) {
            Verdict::Decided(decision) => decision,
            Verdict::Errand(errand) => panic!("{errand:?}"),
        }
    }

    /// Why it says no; `None` if it says yes.
    pub fn decide(&self, headers: &HeaderMap) -> Option<Reason> {
        self.deny(headers).map(|denial| denial.reason())
    }

    /// Its no; `None` if it says yes.
    pub fn deny(&self, headers: &HeaderMap) -> Option<Denial> {
        match self.judge(headers) {
            Decision::Allow(_) => None,
            Decision::Deny(denial) => Some(denial),
        }
    }
}

/// The route of [`TARGET`], and others, so that there are so many.
pub fn routes(count: usize) -> RouteTable {
    let mut routes = RouteTable::builder();
    let read = ScopeRule::all(&[Scope::new("orders:read").unwrap()], &Implications::default());
    let mut add = |template: &str| {
        let requirement =
            Requirement::Token(Rules::new(MethodScopes::PerMethod(vec![(Method::GET, read.clone())])));
        routes.add(Route::new(Template::parse(template).unwrap(), requirement)).unwrap();
    };
    add("/orders/{id}");
    // As an API of many services has them: a few dozen beginnings, and under each its own.
    (1..count)
        .for_each(|number| add(&format!("/service-{}/things-{number}/{{id}}/parts/{{part}}", number % 40)));
    routes.build()
}

/// The header fields of a request with this token.
pub fn bearer(token: &str) -> HeaderMap {
    let field = HeaderValue::try_from(format!("Bearer {token}")).unwrap();
    [(header::AUTHORIZATION, field)].into_iter().collect()
}
