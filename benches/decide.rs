//! How long a decision takes: for a remembered token, at first sight of one by algorithm, for what is refused with its answer,
//! and in the tower layer.

mod house;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use house::{Extent, House, TARGET, bearer};
use http::{HeaderMap, Request, Response, header};
use std::convert::Infallible;
use std::future::{Ready, ready};
use std::hint::black_box;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use tollgate::policy::{AnswerForm, Reason};
use tollgate::proof::Algorithm;
use tollgate::tower::TollgateLayer;
use tower::{Layer, Service};

fn decide(c: &mut Criterion) {
    let house = House::new(Algorithm::RS256, Extent::default());
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
        let house = House::new(algorithm, Extent::default());
        group.bench_function(format!("first sight, {}", algorithm.name()), |bench| {
            let fresh = || bearer(&house.token().sign());
            bench.iter_batched(
                fresh,
                |headers| assert_eq!(house.decide(&headers), None),
                BatchSize::SmallInput,
            );
        });
    }

    let refuse = |headers: &HeaderMap, reason| {
        let denial = house.deny(headers).unwrap();
        assert_eq!(denial.reason(), reason);
        denial.answer(AnswerForm::Problem)
    };
    let without = HeaderMap::new();
    group.bench_function("refused, no token", |bench| {
        bench.iter(|| refuse(black_box(&without), Reason::TokenMissing));
    });
    let scopeless = bearer(&house.token().claim("scp", Vec::<String>::new()).sign());
    group.bench_function("refused, remembered token without the scope", |bench| {
        bench.iter(|| refuse(black_box(&scopeless), Reason::Scope));
    });
    let tampered = bearer(&house.token().tampered().sign());
    group.bench_function("refused, bad signature (RS256)", |bench| {
        bench.iter(|| refuse(black_box(&tampered), Reason::Signature));
    });
    group.finish();
}

/// A request through the layer, from its making until its response; and the same without the layer.
fn layer(c: &mut Criterion) {
    let house = House::new(Algorithm::RS256, Extent::default());
    let mut group = c.benchmark_group("layer");
    group.throughput(Throughput::Elements(1));
    let field = format!("Bearer {}", house.token().sign());
    let request = |field: &str| {
        let request = Request::get(TARGET).header(header::HOST, "api.example");
        request.header(header::AUTHORIZATION, field).body(()).unwrap()
    };
    let mut service = TollgateLayer::new(house.gate.clone()).layer(Nothing);
    assert_eq!(call(&mut service, request(&field)), 200);
    group.bench_function("none", |bench| bench.iter(|| call(&mut Nothing, request(black_box(&field)))));
    group.bench_function("remembered", |bench| {
        bench.iter(|| assert_eq!(call(&mut service, request(black_box(&field))), 200));
    });
    group.bench_function("refused, not a token", |bench| {
        bench.iter(|| assert_eq!(call(&mut service, request(black_box("Bearer x"))), 401));
    });
    group.finish();
}

fn call<B>(service: &mut impl Service<Request<()>, Response = Response<B>>, request: Request<()>) -> u16 {
    let mut context = Context::from_waker(Waker::noop());
    assert!(service.poll_ready(&mut context).is_ready());
    match pin!(service.call(request)).poll(&mut context) {
        Poll::Ready(Ok(response)) => response.status().as_u16(),
        _ => panic!("it is decided at once"),
    }
}

/// The service behind the layer.
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

criterion_group!(benches, decide, layer);
criterion_main!(benches);
