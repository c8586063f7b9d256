//! The doors, as far as these tests see them: a request goes in, and an answer comes out, or the request as the API sees it.

use bytes::Bytes;
use http::header::{AUTHORIZATION, HOST};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri};
use http_body_util::{BodyExt, Full};
use std::convert::Infallible;
use std::sync::Arc;
use tollgate::gate::Gate;
use tollgate::policy::{AnswerForm, Decision, Permit, RequestHead};
use tollgate::tower::TollgateLayer;
use tower::{ServiceBuilder, ServiceExt};

/// A way by which requests come to the gate.
pub trait Door: Sized {
    /// What cases call it.
    const NAME: &'static str;

    /// Opens it in front of an API that is in order with everything. `gate` makes the gate of a policy: the one given, or one with what
    /// the door needs besides.
    async fn open(policy: &str, gate: impl AsyncFnOnce(&str) -> Arc<Gate>) -> Self;

    /// Carries a request through; `None` if it is one that never comes to this door in this form, because what stands before it refuses
    /// it, or makes another of it.
    async fn carry(&self, exchange: &Exchange) -> Option<Seen>;
}

/// A request.
pub struct Exchange {
    pub method: Method,
    /// The request target, byte for byte.
    pub target: String,
    pub headers: HeaderMap,
}

/// What came of it.
pub struct Seen {
    /// Of the API or of the refusal.
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
    /// The header fields that the API saw, if it saw the request.
    pub forwarded: Option<HeaderMap>,
}

impl Exchange {
    pub fn new(method: &str, target: &str, host: Option<&str>) -> Result<Self, String> {
        let method = Method::from_bytes(method.as_bytes()).map_err(|error| error.to_string())?;
        let mut exchange = Self { method, target: target.to_owned(), headers: HeaderMap::new() };
        exchange.add("host", host.unwrap_or("api.example"))?;
        Ok(exchange)
    }

    pub fn add(&mut self, name: &str, value: &str) -> Result<(), String> {
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|error| error.to_string())?;
        self.headers.append(name, HeaderValue::from_str(value).map_err(|error| error.to_string())?);
        Ok(())
    }
}

/// No door at all: the gate itself, with the answer and the header edits that it has for every door.
pub struct Core(Arc<Gate>);

impl Door for Core {
    const NAME: &'static str = "core";

    async fn open(policy: &str, gate: impl AsyncFnOnce(&str) -> Arc<Gate>) -> Self {
        Self(gate(policy).await)
    }

    async fn carry(&self, exchange: &Exchange) -> Option<Seen> {
        let authority = exchange.headers.get(HOST).map(|host| host.to_str().unwrap());
        let head = RequestHead::new(&exchange.method, exchange.target.as_bytes(), &exchange.headers);
        let head = head.with_authority(authority);
        Some(match self.0.decide(&head).await {
            Decision::Deny(denial) => {
                let answer = denial.answer(AnswerForm::of(&head));
                Seen { status: answer.status, headers: answer.headers, body: answer.body, forwarded: None }
            }
            Decision::Allow(permit) => Seen {
                status: StatusCode::OK,
                headers: HeaderMap::new(),
                body: Bytes::new(),
                forwarded: Some(forwarded(&exchange.headers, &permit)),
            },
        })
    }
}

/// What every door makes of a permitted request's header fields.
fn forwarded(headers: &HeaderMap, permit: &Permit) -> HeaderMap {
    let identity = permit.policy().identity();
    let kept = headers.iter().filter(|(name, _)| !identity.rules().strips(name.as_str()));
    let mut forwarded = HeaderMap::new();
    kept.for_each(|(name, value)| {
        forwarded.append(name, value.clone());
    });
    if !permit.forwards_authorization() {
        forwarded.remove(AUTHORIZATION);
    }
    forwarded.extend(identity.fields(permit).map(|(name, value)| (name.clone(), value)));
    forwarded
}

/// The layer, in front of a service that tells what it sees.
pub struct Tower {
    layer: TollgateLayer,
}

impl Door for Tower {
    const NAME: &'static str = "tower";

    async fn open(policy: &str, gate: impl AsyncFnOnce(&str) -> Arc<Gate>) -> Self {
        Self { layer: TollgateLayer::new(gate(policy).await).identity_headers(true) }
    }

    async fn carry(&self, exchange: &Exchange) -> Option<Seen> {
        // What is no URI, the server refuses; of what reads otherwise as one, the service sees that alone.
        let uri: Uri = exchange.target.parse().ok()?;
        uri.path_and_query().filter(|target| target.as_str() == exchange.target)?;
        let mut request = Request::new(());
        (*request.method_mut(), *request.uri_mut()) = (exchange.method.clone(), uri);
        *request.headers_mut() = exchange.headers.clone();
        let service = ServiceBuilder::new().layer(self.layer.clone()).service_fn(api);
        let (mut parts, body) = service.oneshot(request).await.unwrap().into_parts();
        let forwarded = parts.extensions.remove::<Forwarded>().map(|Forwarded(headers)| headers);
        let body = body.collect().await.unwrap().to_bytes();
        Some(Seen { status: parts.status, headers: parts.headers, body, forwarded })
    }
}

#[derive(Clone)]
struct Forwarded(HeaderMap);

async fn api(request: Request<()>) -> Result<Response<Full<Bytes>>, Infallible> {
    let mut response = Response::new(Full::default());
    response.extensions_mut().insert(Forwarded(request.headers().clone()));
    Ok(response)
}
