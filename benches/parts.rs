//! What a decision is made of: reading the token, proving it beside the bare cryptography, finding its route and its issuer.

mod house;

use aws_lc_rs::signature::{self, ParsedPublicKey, VerificationAlgorithm};
use criterion::{Criterion, criterion_group, criterion_main};
use house::{Extent, House, TARGET, bearer, routes};
use http::{HeaderMap, Method};
use std::hint::black_box;
use tollgate::policy::{AnswerForm, CanonicalPath};
use tollgate::proof::{Algorithm, Candidates, IssuerName, verify};
use tollgate::token::{Claims, Credential, Fingerprint, UnverifiedJws};

/// From the header field to what a token says.
fn words(c: &mut Criterion) {
    let house = House::new(Algorithm::RS256, Extent::default());
    let token = house.token().sign();
    let headers = bearer(&token);
    let jws = UnverifiedJws::parse(&token).unwrap();
    let mut group = c.benchmark_group(format!("words of {} bytes", token.len()));
    group.bench_function("credential", |bench| {
        bench.iter(|| Credential::from_headers(black_box(&headers)).unwrap())
    });
    group.bench_function("fingerprint", |bench| bench.iter(|| Fingerprint::of(black_box(&token))));
    group.bench_function("jws", |bench| {
        bench.iter(|| UnverifiedJws::parse(black_box(&token)).unwrap().kid().is_some())
    });
    group.bench_function("claims", |bench| bench.iter(|| Claims::parse(black_box(jws.payload())).unwrap()));
    group.finish();
}

/// Everything that a token takes at first sight but for the judgement, and the bare check of its signature with a key that was
/// parsed before. What is above the bare check is ours.
fn proof(c: &mut Criterion) {
    let mut group = c.benchmark_group("proof");
    for algorithm in Algorithm::ALL {
        let house = House::new(algorithm, Extent::default());
        let token = house.token().sign();
        let (keys, issuer) = (house.issuer.key_set(), IssuerName::new(house.issuer.name()));
        group.bench_function(format!("{}, whole", algorithm.name()), |bench| {
            bench.iter(|| {
                let jws = UnverifiedJws::parse(black_box(&token)).unwrap();
                let Candidates::Keys(fitting) = keys.select(algorithm, jws.kid()) else { panic!("no key") };
                verify(&jws, algorithm, &fitting, &issuer).unwrap()
            });
        });
        let key = ParsedPublicKey::new(bare(algorithm), house.issuer.key().public_der()).unwrap();
        let jws = UnverifiedJws::parse(&token).unwrap();
        group.bench_function(format!("{}, bare", algorithm.name()), |bench| {
            bench
                .iter(|| key.verify_sig(black_box(jws.signing_input().as_bytes()), jws.signature()).unwrap());
        });
    }
    group.finish();
}

fn bare(algorithm: Algorithm) -> &'static dyn VerificationAlgorithm {
    match algorithm {
        Algorithm::RS256 => &signature::RSA_PKCS1_2048_8192_SHA256,
        Algorithm::RS384 => &signature::RSA_PKCS1_2048_8192_SHA384,
        Algorithm::RS512 => &signature::RSA_PKCS1_2048_8192_SHA512,
        Algorithm::PS256 => &signature::RSA_PSS_2048_8192_SHA256,
        Algorithm::PS384 => &signature::RSA_PSS_2048_8192_SHA384,
        Algorithm::PS512 => &signature::RSA_PSS_2048_8192_SHA512,
        Algorithm::ES256 => &signature::ECDSA_P256_SHA256_FIXED,
        Algorithm::ES384 => &signature::ECDSA_P384_SHA384_FIXED,
        Algorithm::EdDSA => &signature::ED25519,
    }
}

/// A route among more and more.
fn ways(c: &mut Criterion) {
    let mut group = c.benchmark_group("ways");
    group.bench_function("path", |bench| {
        bench.iter(|| CanonicalPath::parse(black_box(TARGET.as_bytes())).unwrap())
    });
    for count in [10, 1_000, 10_000] {
        let routes = routes(count);
        for (name, target) in [("short", TARGET), ("long", "/service-7/things-7/17/parts/4")] {
            let path = CanonicalPath::parse(target.as_bytes()).unwrap();
            group.bench_function(format!("route of {count}, {name}"), |bench| {
                bench.iter(|| routes.find(Some("api.example"), &Method::GET, black_box(&path)).unwrap());
            });
        }
    }
    group.finish();
}

/// A remembered token, and one at first sight, of one issuer among more and more.
fn issuers(c: &mut Criterion) {
    let mut group = c.benchmark_group("issuers");
    for count in [1, 1_000] {
        let house = House::new(Algorithm::EdDSA, Extent { issuers: count, ..Extent::default() });
        let known = bearer(&house.token().sign());
        group.bench_function(format!("one of {count}, remembered"), |bench| {
            bench.iter(|| assert_eq!(house.decide(black_box(&known)), None));
        });
        group.bench_function(format!("one of {count}, first sight, EdDSA"), |bench| {
            let fresh = || bearer(&house.token().sign());
            bench.iter_batched(
                fresh,
                |headers| assert_eq!(house.decide(&headers), None),
                criterion::BatchSize::SmallInput,
            );
        });
    }
    group.finish();
}

/// What a caller without a token is told, in each form.
fn answers(c: &mut Criterion) {
    let house = House::new(Algorithm::EdDSA, Extent::default());
    let denial = house.deny(&HeaderMap::new()).unwrap();
    let mut group = c.benchmark_group("answer");
    for (name, form) in
        [("problem", AnswerForm::Problem), ("no body", AnswerForm::NoBody), ("gRPC", AnswerForm::Grpc)]
    {
        group.bench_function(name, |bench| bench.iter(|| black_box(&denial).answer(form)));
    }
    group.finish();
}

criterion_group!(benches, words, proof, ways, issuers, answers);
criterion_main!(benches);
