//! How long a decision takes: for a remembered token, at first sight of one by algorithm, and for what is refused.

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use http::{HeaderMap, HeaderValue, Method, header};
use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Runtime;
use tollgate::gate::{Gate, IssuerSources, StaticKeys, Verdict};
use tollgate::policy::{
    Decision, Implications, IssuerRules, MethodScopes, Policy, Profile, Reason, RequestHead, Requirement,
    Route, RouteTable, Rules, ScopeRule, Template,
};
use tollgate::proof::Algorithm;
use tollgate::testing::{Issuer, TokenBuilder};
use tollgate::time::{Clock, SystemClock};
use tollgate::token::Scope;

const API: &str = "https://api.example/";

fn decide(c: &mut Criterion) {
    let runtime = Runtime::new().unwrap();
    let house = House::new(&runtime, Algorithm::RS256);
    let mut group = c.benchmark_group("decide");
    group.throughput(Throughput::Elements(1));

    let token = house.token().sign();
    let headers = bearer(&token);
    group.bench_function(format!("remembered ({} bytes)", token.len()), |bench| {
        bench.iter(|| assert_eq!(house.decide(black_box(&headers)), None));
    });
    let many: Vec<HeaderMap> = (0..10_000).map(|_| bearer(&house.token().sign())).collect();
    many.iter().for_each(|headers| assert_eq!(house.decide(headers), None));
    let mut turn = many.iter().cycle();
    group.bench_function("remembered, one of 10,000", |bench| {
        bench.iter(|| assert_eq!(house.decide(black_box(turn.next().unwrap())), None));
    });

    for algorithm in [Algorithm::RS256, Algorithm::ES256, Algorithm::EdDSA] {
        let house = House::new(&runtime, algorithm);
        group.bench_function(format!("first sight, {}", algorithm.name()), |bench| {
            let fresh = || bearer(&house.token().sign());
            bench.iter_batched(
                fresh,
                |headers| assert_eq!(house.decide(&headers), None),
                BatchSize::SmallInput,
            );
        });
    }

    let without = HeaderMap::new();
    group.bench_function("refused, no token", |bench| {
        bench.iter(|| assert_eq!(house.decide(black_box(&without)), Some(Reason::TokenMissing)));
    });
    let scopeless = bearer(&house.token().claim("scp", Vec::<String>::new()).sign());
    group.bench_function("refused, remembered token without the scope", |bench| {
        bench.iter(|| assert_eq!(house.decide(black_box(&scopeless)), Some(Reason::Scope)));
    });
    let tampered = bearer(&house.token().tampered().sign());
    group.bench_function("refused, bad signature (RS256)", |bench| {
        bench.iter(|| assert_eq!(house.decide(black_box(&tampered)), Some(Reason::Signature)));
    });
    group.finish();
}

struct House {
    issuer: Issuer,
    gate: Gate,
    clock: SystemClock,
}

impl House {
    /// A gate with its keys, on the system's clock: what a request pays in production.
    fn new(runtime: &Runtime, algorithm: Algorithm) -> Self {
        let issuer = Issuer::with_algorithm("https://as.example/", algorithm);
        let read = ScopeRule::all(&[Scope::new("orders:read").unwrap()], &Implications::default());
        let mut routes = RouteTable::builder();
        let requirement = Requirement::Token(Rules::new(MethodScopes::PerMethod(vec![(Method::GET, read)])));
        routes.add(Route::new(Template::parse("/orders/{id}").unwrap(), requirement)).unwrap();
        let mut rules = IssuerRules::new(issuer.name(), Profile::Okta, &[API]);
        rules.algorithms = [algorithm].into_iter().collect();
        rules.clients = Some(Box::new(["shop".into()]));
        let _guard = runtime.enter();
        let sources = IssuerSources::new(issuer.name(), Arc::new(StaticKeys::new(issuer.jwks())));
        let gate = Gate::builder(Policy::new(routes.build(), [rules])).issuer(sources).build();
        assert!(runtime.block_on(gate.ready(Duration::from_secs(5))));
        Self { issuer, gate, clock: SystemClock::new() }
    }

    /// A token as a custom authorization server issues them: about 900 bytes if signed with RSA.
    fn token(&self) -> TokenBuilder {
        let token = self.issuer.token().like(Profile::Okta).audience(API);
        token.issued(self.clock.now(), Duration::from_secs(3_600)).claim("groups", "x".repeat(180))
    }

    fn decide(&self, headers: &HeaderMap) -> Option<Reason> {
        let head = RequestHead::new(&Method::GET, b"/orders/17?page=2", headers);
        match self.gate.decide_now(&head.with_authority(Some("api.example"))) {
            Verdict::Decided(Decision::Allow(_)) => None,
            Verdict::Decided(Decision::Deny(denial)) => Some(denial.reason()),
            Verdict::Errand(errand) => panic!("{errand:?}"),
        }
    }
}

fn bearer(token: &str) -> HeaderMap {
    let field = HeaderValue::try_from(format!("Bearer {token}")).unwrap();
    [(header::AUTHORIZATION, field)].into_iter().collect()
}

criterion_group!(benches, decide);
criterion_main!(benches);
