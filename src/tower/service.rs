//! The service: judges each request before the one behind it sees it.

use super::body::{AnswerBody, FromBytes};
use super::door::Door;
use super::future::{ResponseFuture, Settled};
use crate::gate::{Progress, Verdict};
use crate::policy::Decision;
use http::{Request, Response};
use std::mem;
use std::task::{Context, Poll};
use tower_service::Service;

/// A service behind a gate. [`TollgateLayer`](super::TollgateLayer) makes it.
#[derive(Clone, Debug)]
pub struct Tollgate<S, A = FromBytes> {
    inner: S,
    door: Door<A>,
}

impl<S, A> Tollgate<S, A> {
    pub(super) fn new(inner: S, door: Door<A>) -> Self {
        Self { inner, door }
    }

    /// The service behind the gate.
    pub fn get_ref(&self) -> &S {
        &self.inner
    }
}

impl<S, A, B, R> Service<Request<B>> for Tollgate<S, A>
where
    S: Service<Request<B>, Response = Response<R>> + Clone,
    A: AnswerBody<R>,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = ResponseFuture<S, B, A>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    /// Judges the request. What can be decided here and now is: the service behind, which has been polled ready, is called at
    /// once, and neither cloned nor boxed.
    fn call(&mut self, request: Request<B>) -> Self::Future {
        match self.door.judge(&request, Progress::default()) {
            Verdict::Decided(decision) => {
                ResponseFuture::settled(settle(&self.door, &mut self.inner, decision, request))
            }
            Verdict::Errand(errand) => {
                // The instance that has been polled ready is the one to call; its clone has not been.
                let clone = self.inner.clone();
                let ready = mem::replace(&mut self.inner, clone);
                ResponseFuture::waiting(errand, self.door.clone(), ready, request)
            }
        }
    }
}

/// Carries a decision out.
pub(super) fn settle<S, A, B, R>(
    door: &Door<A>,
    inner: &mut S,
    decision: Decision,
    mut request: Request<B>,
) -> Settled<S::Future, Response<R>, S::Error>
where
    S: Service<Request<B>, Response = Response<R>>,
    A: AnswerBody<R>,
{
    match decision {
        Decision::Allow(permit) => {
            door.admit(permit, &mut request);
            Settled::passed(inner.call(request))
        }
        Decision::Deny(denial) => Settled::refused(door.refuse(denial, &request)),
    }
}
