//! The tower layers that check tokens, side by side: the same token, the same service behind, the same demands.
//!
//!   cargo run --release --manifest-path benches/layers/Cargo.toml -- --bench
//!
//! Each request is made, carried through the layer to a service that does nothing, and answered.

#[path = "../../house/mod.rs"]
#[expect(dead_code, reason = "other benches use the rest")]
mod house;

use bytes::Bytes;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use house::{API, Extent, House, TARGET};
use http::{Request, Response, header};
use jwt_authorizer::{AuthError, IntoLayer, JwtAuthorizer};
use serde::Deserialize;
use std::convert::Infallible;
use std::hint::black_box;
use tollgate::proof::Algorithm;
use tollgate::tower::TollgateLayer;
use tower::{Layer, Service, ServiceExt};
use tower_oauth2_resource_server::{server::OAuth2ResourceServer, tenant::TenantConfiguration};

/// What the others want to read of a token, and what they are told to look at.
#[derive(Clone, Debug, Deserialize)]
#[expect(dead_code, reason = "that it is read is what is measured")]
struct Claims {
    iss: String,
    aud: String,
    cid: String,
    scp: Vec<String>,
    exp: u64,
    sub: String,
}

fn layers(c: &mut Criterion) {
    // Two providers are linked in, and `jsonwebtoken` does not choose by itself.
    let _ = jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER.install_default();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    for algorithm in [Algorithm::RS256, Algorithm::ES256] {
        let house = House::new(algorithm, Extent::default());
        let token = house.token().sign();
        let field = format!("Bearer {token}");
        let request = || {
            let request = Request::get(TARGET).header(header::HOST, "api.example");
            request.header(header::AUTHORIZATION, black_box(&field)).body(()).unwrap()
        };
        let mut group = c.benchmark_group(format!("layers, {}, {} bytes", algorithm.name(), token.len()));
        group.throughput(Throughput::Elements(1));

        group.bench_function("none", |bench| {
            let nothing = tower::service_fn(async |_: Request<()>| Ok::<_, Infallible>(Reply(true)));
            bench.iter(|| assert!(runtime.block_on(nothing.oneshot(request())).unwrap().0));
        });

        let behind =
            tower::service_fn(async |_: Request<()>| Ok::<_, Infallible>(Response::new(Bytes::new())));
        let mut service = TollgateLayer::new(house.gate.clone()).layer(behind);
        group.bench_function("tollgate", |bench| {
            bench.iter(|| assert_eq!(runtime.block_on(service.call(request())).unwrap().status(), 200));
        });

        let behind = tower::service_fn(async |_: Request<()>| Ok::<_, Infallible>(Reply(true)));
        let validation = jwt_authorizer::Validation::new().iss(&[house.issuer.name()]).aud(&[API]);
        let building = JwtAuthorizer::<Claims>::from_jwks_text(&house.issuer.jwks())
            .validation(validation)
            .check(|claims: &Claims| {
                claims.cid == "shop" && claims.scp.iter().any(|scope| scope == "orders:read")
            })
            .build();
        let mut service = runtime.block_on(building).unwrap().into_layer().layer(behind);
        group.bench_function("jwt-authorizer", |bench| {
            bench.iter(|| assert!(runtime.block_on(service.call(request())).unwrap().0));
        });

        let behind = tower::service_fn(async |_: Request<()>| Ok::<_, Infallible>(Response::new(())));
        let tenant = TenantConfiguration::static_builder(house.issuer.jwks());
        let tenant = tenant.identifier(house.issuer.name()).audiences(&[API]).build().unwrap();
        let building = OAuth2ResourceServer::<Claims>::builder().add_tenant(tenant).build();
        let service = runtime.block_on(building).unwrap().into_layer::<()>().layer(behind);
        group.bench_function("tower-oauth2-resource-server", |bench| {
            bench.iter(|| {
                let answered = runtime.block_on(service.clone().oneshot(request()));
                assert_eq!(answered.unwrap().status(), 200);
            });
        });
        group.finish();
    }
}

/// What `jwt-authorizer` makes of a refusal.
struct Reply(bool);

impl From<AuthError> for Reply {
    fn from(_: AuthError) -> Self {
        Self(false)
    }
}

criterion_group!(benches, layers);
criterion_main!(benches);
