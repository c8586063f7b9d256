//! What these tests share: a gate in front of a small API, and tokens for it.

use ::axum::body::Body;
use ::axum::response::Response;
use bytes::Bytes;
use http::{Method, Request, header};
use http_body_util::BodyExt;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tollgate::gate::{BoxFuture, Gate, IssuerSources, KeySource, SourceError, StaticKeys};
use tollgate::policy::{
    Denial, HostPattern, Implications, IssuerRules, MethodScopes, Methods, Policy, Profile, Requirement,
    Route, RouteTable, Rules, ScopeRule, Template,
};
use tollgate::testing::{Issuer, ManualClock, TokenBuilder};
use tollgate::token::Scope;

pub const API: &str = "https://api.example/";

pub struct House {
    pub issuer: Issuer,
    pub gate: Arc<Gate>,
}

impl House {
    /// A gate that has its keys.
    pub async fn new() -> Self {
        let issuer = Issuer::new("https://as.example/");
        let house = Self::fetching(Arc::new(StaticKeys::new(issuer.jwks())), issuer);
        assert!(house.gate.ready(Duration::from_secs(5)).await);
        house
    }

    /// A gate whose keys are held back until somebody adds a permit to the semaphore.
    pub fn held() -> (Self, Arc<Semaphore>) {
        let issuer = Issuer::new("https://as.example/");
        let held = Arc::new(Semaphore::new(0));
        (Self::fetching(Arc::new(Held(issuer.jwks(), held.clone())), issuer), held)
    }

    fn fetching(keys: Arc<dyn KeySource>, issuer: Issuer) -> Self {
        let rules = IssuerRules::new(issuer.name(), Profile::Generic, &[API]);
        let mut sources = IssuerSources::new(issuer.name(), keys);
        sources.wait = Duration::from_secs(5);
        let gate = Gate::builder(Policy::new(routes(), [rules]).with_realm("orders"));
        let gate = gate.issuer(sources).clock(Arc::new(ManualClock::new())).build();
        Self { issuer, gate: Arc::new(gate) }
    }

    pub fn token(&self) -> TokenBuilder {
        self.issuer.token().like(Profile::Generic).audience(API)
    }

    /// A request with a sound token, whose scope is `orders:read`.
    pub fn get(&self, path: &str) -> Request<Body> {
        with_token(path, &self.token().sign())
    }
}

pub fn with_token(path: &str, token: &str) -> Request<Body> {
    let mut request = bare(path);
    request.headers_mut().insert(header::AUTHORIZATION, format!("Bearer {token}").parse().unwrap());
    request
}

pub fn bare(path: &str) -> Request<Body> {
    Request::builder().uri(path).header(header::HOST, "api.example").body(Body::empty()).unwrap()
}

/// The code of a refusal's reason, and a permitted request's status: what came of it, in short.
pub async fn outcome(response: Response) -> (u16, String) {
    let status = response.status().as_u16();
    let code = response.extensions().get::<Denial>().map(|denial| denial.reason().code().to_owned());
    let text = text(response).await;
    (status, code.unwrap_or(text))
}

pub async fn text(response: Response) -> String {
    let bytes: Bytes = response.into_body().collect().await.unwrap().to_bytes();
    String::from_utf8(bytes.into()).unwrap()
}

fn routes() -> RouteTable {
    let mut table = RouteTable::builder();
    let route = |path: &str, requirement| Route::new(Template::parse(path).unwrap(), requirement);
    let any_token = || Requirement::Token(Rules::new(MethodScopes::Every(ScopeRule::none())));
    let scope = |text: &str| ScopeRule::all(&[Scope::new(text).unwrap()], &Implications::default());
    let per_method = vec![(Method::GET, scope("orders:read")), (Method::POST, scope("orders:write"))];
    let orders = Route {
        methods: Methods::Listed(vec![Method::GET, Method::POST]),
        ..route("/orders/{id}", Requirement::Token(Rules::new(MethodScopes::PerMethod(per_method))))
    };
    let mut forwarding = route("/forwarding", any_token());
    forwarding.handling.forward_authorization = true;
    let hosted = Route {
        hosts: vec![HostPattern::parse("internal.example").unwrap()],
        ..route("/hosted", Requirement::Public)
    };
    let nested = route("/api/orders", any_token());
    let public = ["/health", "/public/me"].map(|path| route(path, Requirement::Public));
    let tokens = ["/me", "/tenant", "/jobs", "/nested/orders"].map(|path| route(path, any_token()));
    let grpc = route(
        "/tollgate.Echo/{method}",
        Requirement::Token(Rules::new(MethodScopes::Every(scope("orders:read")))),
    );
    for route in [orders, forwarding, hosted, nested, grpc].into_iter().chain(public).chain(tokens) {
        table.add(route).unwrap();
    }
    table.build()
}

struct Held(String, Arc<Semaphore>);

impl KeySource for Held {
    fn fetch(&self) -> BoxFuture<'_, Result<Bytes, SourceError>> {
        Box::pin(async {
            self.1.acquire().await.unwrap().forget();
            Ok(self.0.clone().into())
        })
    }
}
