//! Tower's contract: only an instance that was polled ready is called, and it is called at most once for that.

use crate::house::{House, bare};
use axum::body::Body;
use http::{Request, Response};
use std::convert::Infallible;
use std::future::{Ready, ready};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use tollgate::tower::{ResponseFuture, TollgateLayer};
use tower::limit::ConcurrencyLimitLayer;
use tower::{Layer, Service, ServiceBuilder, ServiceExt};

/// Panics if it is called without having been polled ready. A clone of it has not been.
struct Picky {
    ready: bool,
    polled: Arc<AtomicUsize>,
}

impl Clone for Picky {
    fn clone(&self) -> Self {
        Self { ready: false, polled: self.polled.clone() }
    }
}

impl Service<Request<Body>> for Picky {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.polled.fetch_add(1, Ordering::SeqCst);
        self.ready = true;
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<Body>) -> Self::Future {
        assert!(std::mem::take(&mut self.ready), "called without having been polled ready");
        ready(Ok(Response::new(Body::from("called"))))
    }
}

#[tokio::test]
async fn the_instance_that_was_polled_ready_is_the_one_that_is_called() {
    let (house, held) = House::held();
    let polled = Arc::new(AtomicUsize::new(0));
    let picky = Picky { ready: false, polled: polled.clone() };
    let mut service = TollgateLayer::new(house.gate.clone()).layer(picky);
    let mut statuses = Vec::new();
    for turn in 0..4 {
        // The first waits for the keys; the second is remembered; the third is refused; the fourth is new, and locally known.
        let request = match turn {
            2 => bare("/me"),
            _ => house.get("/me"),
        };
        let response = service.ready().await.unwrap().call(request);
        held.add_permits(1);
        statuses.push(response.await.unwrap().status().as_u16());
    }
    assert_eq!(statuses, [200, 200, 401, 200]);
    assert_eq!(
        polled.load(Ordering::SeqCst),
        4,
        "once for each call, by the caller, and never behind its back"
    );
}

#[tokio::test]
async fn readiness_that_was_taken_is_given_back() {
    let house = House::new().await;
    let inner = ServiceBuilder::new()
        .layer(ConcurrencyLimitLayer::new(1))
        .service(Picky { ready: false, polled: Arc::default() });
    let mut service = TollgateLayer::new(house.gate.clone()).layer(inner);
    for _ in 0..3 {
        assert_eq!(service.ready().await.unwrap().call(bare("/me")).await.unwrap().status(), 401);
        assert_eq!(service.ready().await.unwrap().call(house.get("/me")).await.unwrap().status(), 200);
    }
    // A request that goes away while it waits for keys gives its place back as well.
    let (house, _held) = House::held();
    let inner = ServiceBuilder::new()
        .layer(ConcurrencyLimitLayer::new(1))
        .service(Picky { ready: false, polled: Arc::default() });
    let mut service = TollgateLayer::new(house.gate.clone()).layer(inner);
    drop(service.ready().await.unwrap().call(house.get("/me")));
    assert_eq!(service.ready().await.unwrap().call(bare("/me")).await.unwrap().status(), 401);
}

#[test]
fn futures_go_where_their_parts_go() {
    fn is_send<T: Send>() {}
    fn is_unpin<T: Unpin>() {}
    is_send::<ResponseFuture<Picky, Body>>();
    is_unpin::<ResponseFuture<Picky, Body>>();
    let size = size_of::<ResponseFuture<Picky, Body>>();
    assert!(
        size <= size_of::<Response<Body>>() + 32,
        "{size}: what waits is boxed, so that the others stay small"
    );
}
