//! What a request with a remembered token costs in allocations: nothing in the core, and in the layer nothing but the places
//! of permit and principal in the request's extensions.

use allocation_counter::measure;
use http::{HeaderMap, HeaderValue, Method, Request, Response, header};
use std::convert::Infallible;
use std::future::{Ready, ready};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;
use tollgate::gate::{Gate, IssuerSources, StaticKeys, Verdict};
use tollgate::policy::{
    Implications, IssuerRules, MethodScopes, Policy, Profile, RequestHead, Requirement, Route, RouteTable,
    Rules, ScopeRule, Template,
};
use tollgate::testing::{Issuer, ManualClock};
use tollgate::token::Scope;
use tollgate::tower::TollgateLayer;
use tower::{Layer, Service};

const API: &str = "https://api.example/";

/// So many requests are measured.
const REQUESTS: u64 = 10_000;

/// After so many the cache has set up its timer, which it does once.
const FIRST: u64 = 200;

/// The cache's own housekeeping, which runs in the course of a look-up: its memory reclamation (`crossbeam-epoch`) takes one
/// node of 2 KiB about every 128 of them, for what was thrown away somewhere before.
const HOUSEKEEPING: std::ops::RangeInclusive<u64> = 0..=REQUESTS / 64;

#[test]
fn a_remembered_token_allocates_nothing_in_the_core() {
    let (_runtime, gate, token) = gate();
    let mut headers = HeaderMap::new();
    headers.insert(header::AUTHORIZATION, HeaderValue::try_from(format!("Bearer {token}")).unwrap());
    let head =
        RequestHead::new(&Method::GET, b"/orders/1?page=2", &headers).with_authority(Some("api.example"));
    let decide = || match gate.decide_now(&head) {
        Verdict::Decided(decision) => assert!(decision.permit().is_some(), "{decision:?}"),
        Verdict::Errand(errand) => panic!("{errand:?}"),
    };
    assert!(measure(decide).count_total > 0, "the first sight of a token allocates, or this counts nothing");
    (0..FIRST).for_each(|_| decide());
    let cost = measure(|| (0..REQUESTS).for_each(|_| decide()));
    assert!(HOUSEKEEPING.contains(&cost.count_total), "{cost:?}");
}

#[test]
fn a_remembered_token_allocates_nothing_in_the_layer_but_places_in_the_extensions() {
    let (_runtime, gate, token) = gate();
    let mut bare = Counted;
    let mut service = TollgateLayer::new(gate).layer(Counted);
    let request = || {
        let request = Request::get("/orders/1?page=2").header(header::HOST, "api.example");
        request.header(header::AUTHORIZATION, format!("Bearer {token}")).body(()).unwrap()
    };
    (0..FIRST).for_each(|_| call(&mut service, request()));

    // As it comes from a server: without extensions, or with some that have room for two more.
    let mut cost = |extended: bool| {
        let mut sum = 0;
        for _ in 0..REQUESTS {
            let [ours, theirs] = [(), ()].map(|()| {
                let mut request = request();
                if extended {
                    request.extensions_mut().insert(7_u8);
                }
                request
            });
            let passed = measure(|| call(&mut service, ours));
            let alone = measure(|| call(&mut bare, theirs));
            sum += passed.count_total - alone.count_total;
        }
        sum
    };
    let beyond = |cost: u64, places: u64| cost.checked_sub(places * REQUESTS).ok_or(cost);
    let roomy = beyond(cost(true), 2);
    assert!(roomy.is_ok_and(|cost| HOUSEKEEPING.contains(&cost)), "{roomy:?} beyond permit and principal");
    let empty = beyond(cost(false), 4);
    assert!(
        empty.is_ok_and(|cost| HOUSEKEEPING.contains(&cost)),
        "{empty:?} beyond these, the map and its table"
    );
}

fn call<S>(service: &mut S, request: Request<()>)
where
    S: Service<Request<()>, Response = Response<bytes::Bytes>, Error = Infallible>,
{
    let mut context = Context::from_waker(Waker::noop());
    assert!(service.poll_ready(&mut context).is_ready());
    let Poll::Ready(Ok(response)) = pin!(service.call(request)).poll(&mut context) else {
        panic!("it is decided at once");
    };
    assert_eq!(response.status(), 200);
}

/// Answers at once, and allocates nothing. Its clones are counted by their absence: it has none to make.
struct Counted;

impl Clone for Counted {
    fn clone(&self) -> Self {
        panic!("a request that is decided at once clones no service")
    }
}

impl Service<Request<()>> for Counted {
    type Response = Response<bytes::Bytes>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<()>) -> Self::Future {
        ready(Ok(Response::new(bytes::Bytes::new())))
    }
}

/// A gate with its keys, and a token of about 900 bytes that it has not seen yet.
fn gate() -> (tokio::runtime::Runtime, Arc<Gate>, String) {
    let issuer = Issuer::new("https://as.example/");
    let read = ScopeRule::all(&[Scope::new("orders:read").unwrap()], &Implications::default());
    let mut routes = RouteTable::builder();
    let requirement = Requirement::Token(Rules::new(MethodScopes::PerMethod(vec![(Method::GET, read)])));
    routes.add(Route::new(Template::parse("/orders/{id}").unwrap(), requirement)).unwrap();
    let mut rules = IssuerRules::new(issuer.name(), Profile::Okta, &[API]);
    rules.clients = Some(Box::new(["shop".into()]));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let gate = runtime.block_on(async {
        let sources = IssuerSources::new(issuer.name(), Arc::new(StaticKeys::new(issuer.jwks())));
        let gate = Gate::builder(Policy::new(routes.build(), [rules])).issuer(sources);
        let gate = gate.clock(Arc::new(ManualClock::new())).build();
        assert!(gate.ready(Duration::from_secs(5)).await);
        gate
    });
    let token = issuer.token().like(Profile::Okta).audience(API).claim("padding", "x".repeat(200)).sign();
    (runtime, Arc::new(gate), token)
}
