//! What is counted: the ways of a request that are walked most, each a number of times, under `valgrind --tool=callgrind`.
//!
//! Callgrind counts inside [`measured`] alone, and writes a file each time that is left; this prints, in the same order, the
//! name of what was measured, how often it ran, and by how many percent it may grow. `run` puts both together.

#[path = "../house/mod.rs"]
mod house;

use house::{Extent, House, TARGET, bearer, routes};
use http::{HeaderMap, Method, Request, Response, header};
use std::convert::Infallible;
use std::future::{Future, Ready, ready};
use std::hint::black_box;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use tollgate::policy::{AnswerForm, CanonicalPath, Reason, Requirement, Route, RouteTable, Template};
use tollgate::proof::Algorithm;
use tollgate::token::{Claims, Credential, Fingerprint, UnverifiedJws};
use tollgate::tower::TollgateLayer;
use tower_layer::Layer;
use tower_service::Service;

/// Our own code: the same instructions wherever it runs.
const OURS: u32 = 5;
/// Where cryptography has a part: it chooses its code by what the processor can do.
const WITH_CRYPTOGRAPHY: u32 = 10;

fn main() {
    let house = House::new(Algorithm::RS256, Extent::default());
    words(&house);
    ways(&house);
    decisions(&house);
    for algorithm in [Algorithm::RS256, Algorithm::ES256, Algorithm::EdDSA] {
        let house = House::new(algorithm, Extent::default());
        let fresh = || bearer(&house.token().sign());
        // What is done once is done.
        assert_eq!(house.decide(&fresh()), None);
        let tokens: Vec<HeaderMap> = (0..20).map(|_| fresh()).collect();
        let mut turn = tokens.iter();
        let name = format!("first sight, {}", algorithm.name());
        measure(&name, tokens.len(), WITH_CRYPTOGRAPHY, || {
            assert_eq!(house.decide(turn.next().unwrap()), None);
        });
    }
    layer(house);
}

/// Reading a token.
fn words(house: &House) {
    let (token, headers) = (house.token().sign(), bearer(&house.token().sign()));
    repeat("credential", OURS, || Credential::from_headers(black_box(&headers)).unwrap());
    repeat("fingerprint", WITH_CRYPTOGRAPHY, || Fingerprint::of(black_box(&token)));
    repeat("jws", OURS, || UnverifiedJws::parse(black_box(&token)).unwrap());
    let jws = UnverifiedJws::parse(&token).unwrap();
    repeat("claims", OURS, || Claims::parse(black_box(jws.payload())).unwrap());
}

/// Finding a route.
fn ways(_: &House) {
    repeat("path", OURS, || CanonicalPath::parse(black_box(TARGET.as_bytes())).unwrap());
    let path = CanonicalPath::parse(TARGET.as_bytes()).unwrap();
    for count in [10, 1_000, 10_000] {
        let routes = routes(count);
        repeat(&format!("route of {count}"), OURS, || {
            routes.find(Some("api.example"), &Method::GET, black_box(&path)).unwrap()
        });
    }
    // What takes longest in 8 KiB that anybody may send.
    let (mut builder, longest) = (RouteTable::builder(), format!("/files/{}", "%C3%A9%CE%90".repeat(670)));
    let route = Route::new(Template::parse("/files/{*rest}").unwrap(), Requirement::Public);
    builder.add(Route { non_ascii: true, ..route }).unwrap();
    let routes = builder.build();
    repeat("longest path", OURS, || {
        let path = CanonicalPath::parse(black_box(longest.as_bytes())).unwrap();
        routes.find(None, &Method::GET, &path).unwrap()
    });
}

/// The whole judgement.
fn decisions(house: &House) {
    let known = bearer(&house.token().sign());
    repeat("decide, remembered", OURS, || assert_eq!(house.decide(black_box(&known)), None));
    let scopeless = bearer(&house.token().claim("scp", Vec::<String>::new()).sign());
    let refuse = |headers: &HeaderMap, reason| {
        let denial = house.deny(black_box(headers)).unwrap();
        assert_eq!(denial.reason(), reason);
        black_box(denial.answer(AnswerForm::Problem))
    };
    repeat("refuse, no token", OURS, || refuse(&HeaderMap::new(), Reason::TokenMissing));
    repeat("refuse, no scope", OURS, || refuse(&scopeless, Reason::Scope));
    let forged = bearer(&house.token().tampered().sign());
    repeat("refuse, bad signature", WITH_CRYPTOGRAPHY, || refuse(&forged, Reason::Signature));
}

/// The judgement in the tower layer, the service behind it included, which does nothing.
fn layer(house: House) {
    let field = format!("Bearer {}", house.token().sign());
    let mut service = TollgateLayer::new(house.gate).layer(Nothing);
    let request = || {
        let request = Request::get(TARGET).header(header::HOST, "api.example");
        request.header(header::AUTHORIZATION, &field).body(()).unwrap()
    };
    (0..WARM_UP).for_each(|_| call(&mut service, request()));
    let mut requests: Vec<Request<()>> = (0..TIMES).map(|_| request()).collect();
    measure("layer, remembered", TIMES, OURS, || call(&mut service, requests.pop().unwrap()));
}

fn call(service: &mut impl Service<Request<()>, Response = Response<bytes::Bytes>>, request: Request<()>) {
    let mut context = Context::from_waker(Waker::noop());
    assert!(service.poll_ready(&mut context).is_ready());
    let Poll::Ready(Ok(response)) = pin!(service.call(request)).poll(&mut context) else {
        panic!("it is decided at once");
    };
    assert_eq!(response.status(), 200);
}

#[derive(Clone)]
struct Nothing;

impl Service<Request<()>> for Nothing {
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

/// Measures what can be done again and again.
fn repeat<T>(name: &str, tolerance: u32, mut work: impl FnMut() -> T) {
    let mut work = || drop(black_box(work()));
    (0..WARM_UP).for_each(|_| work());
    measure(name, TIMES, tolerance, work);
}

fn measure(name: &str, times: usize, tolerance: u32, mut work: impl FnMut()) {
    println!("{name}\t{times}\t{tolerance}");
    measured(times, &mut work);
}

/// What callgrind looks at.
#[inline(never)]
fn measured(times: usize, work: &mut dyn FnMut()) {
    for _ in 0..times {
        work();
    }
}

/// Enough for tables and timers that are set up at first use.
const WARM_UP: usize = 200;
/// So often, so that what happens now and then shows as its share.
const TIMES: usize = 256;
