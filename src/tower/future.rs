//! The futures: named, and boxed only while something must be found out first.

use super::body::{AnswerBody, FromBytes};
use super::door::Door;
use super::service::settle;
use crate::gate::{BoxFuture, Errand, Progress, Verdict};
use http::{Request, Response};
use pin_project_lite::pin_project;
use std::fmt;
use std::future::{Future, Ready, ready};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tower_service::Service;

pin_project! {
    /// The response of [`Tollgate`](super::Tollgate).
    pub struct ResponseFuture<S, B, A = FromBytes>
    where
        S: Service<Request<B>>,
    {
        #[pin]
        state: State<S, B, A, S::Future, S::Response, S::Error>,
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<S, B, A, F, R, E> {
        Waiting { waiting: Box<Waiting<S, B, A>> },
        Settled { #[pin] settled: Settled<F, R, E> },
    }
}

/// A request that can't be judged before an errand is done.
struct Waiting<S, B, A> {
    errand: BoxFuture<'static, Progress>,
    door: Door<A>,
    /// The instance that was polled ready.
    inner: S,
    /// There until the request is settled.
    request: Option<Request<B>>,
}

impl<S, B, A> ResponseFuture<S, B, A>
where
    S: Service<Request<B>>,
{
    pub(super) fn settled(settled: Settled<S::Future, S::Response, S::Error>) -> Self {
        Self { state: State::Settled { settled } }
    }

    pub(super) fn waiting(errand: Errand, door: Door<A>, inner: S, request: Request<B>) -> Self {
        let waiting = Waiting { errand: Box::pin(errand.run()), door, inner, request: Some(request) };
        Self { state: State::Waiting { waiting: Box::new(waiting) } }
    }
}

impl<S, B, A, R> Future for ResponseFuture<S, B, A>
where
    S: Service<Request<B>, Response = Response<R>>,
    A: AnswerBody<R>,
{
    type Output = Result<Response<R>, S::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.project().state;
        loop {
            let settled = match state.as_mut().project() {
                StateProjection::Settled { settled } => return settled.poll(cx),
                StateProjection::Waiting { waiting } => ready!(waiting.poll_settled(cx)),
            };
            state.set(State::Settled { settled });
        }
    }
}

impl<S, B, A, R> Waiting<S, B, A>
where
    S: Service<Request<B>, Response = Response<R>>,
    A: AnswerBody<R>,
{
    /// Runs errands until there is a decision, and carries that out.
    fn poll_settled(&mut self, cx: &mut Context<'_>) -> Poll<Settled<S::Future, Response<R>, S::Error>> {
        loop {
            let progress = ready!(self.errand.as_mut().poll(cx));
            #[expect(clippy::expect_used, reason = "whoever is told that it is settled drops it")]
            let request = self.request.take().expect("a request that is not settled is there");
            match self.door.judge(&request, progress) {
                Verdict::Decided(decision) => {
                    return Poll::Ready(settle(&self.door, &mut self.inner, decision, request));
                }
                Verdict::Errand(errand) => {
                    self.request = Some(request);
                    self.errand = Box::pin(errand.run());
                }
            }
        }
    }
}

pin_project! {
    /// The response of a service behind a check that takes no time: its own, or the refusal.
    pub struct Settled<F, R, E> {
        #[pin]
        kind: Kind<F, R, E>,
    }
}

pin_project! {
    #[project = KindProjection]
    enum Kind<F, R, E> {
        Passed { #[pin] future: F },
        Refused { #[pin] response: Ready<Result<R, E>> },
    }
}

impl<F, R, E> Settled<F, R, E> {
    pub(super) fn passed(future: F) -> Self {
        Self { kind: Kind::Passed { future } }
    }

    pub(super) fn refused(response: R) -> Self {
        Self { kind: Kind::Refused { response: ready(Ok(response)) } }
    }
}

impl<F, R, E> Future for Settled<F, R, E>
where
    F: Future<Output = Result<R, E>>,
{
    type Output = Result<R, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().kind.project() {
            KindProjection::Passed { future } => future.poll(cx),
            KindProjection::Refused { response } => response.poll(cx),
        }
    }
}

impl<S, B, A> fmt::Debug for ResponseFuture<S, B, A>
where
    S: Service<Request<B>>,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}

impl<F, R, E> fmt::Debug for Settled<F, R, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settled").finish_non_exhaustive()
    }
}
