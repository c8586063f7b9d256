//! Scopes that code asks for, beside those of the policy.

use super::body::{AnswerBody, FromBytes};
use super::door::{form, refusal};
use super::future::Settled;
use super::missing;
use crate::policy::{Implications, Permit, ScopeRule};
use crate::token::{InvalidScope, Scope};
use bytes::Bytes;
use http::{Request, Response};
use std::sync::Arc;
use std::task::{Context, Poll};
use tower_layer::Layer;
use tower_service::Service;

/// Asks for scopes beside those that the policy asks for: a requirement that stands with the routes it is for.
///
/// It goes behind a [`TollgateLayer`](super::TollgateLayer): without one in front of it, every request is answered 500.
/// A caller that lacks a scope gets 403 with a challenge that names what is wanted (RFC 6750 section 3.1); on a public route,
/// where no token is looked at, everyone gets 401.
///
/// ```
/// use axum::{Router, routing::get};
/// use tollgate::tower::RequireScopes;
///
/// let admin = Router::new()
///     .route("/admin/jobs", get(async || "jobs"))
///     .layer(RequireScopes::all(["jobs:read"])?);
/// # let _: Router = admin;
/// # Ok::<(), tollgate::token::InvalidScope>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "a layer does nothing until it is put around a service"]
pub struct RequireScopes<A = FromBytes> {
    rule: Arc<ScopeRule>,
    body: A,
}

impl RequireScopes {
    /// Asks for whatever this rule does.
    pub fn new(rule: ScopeRule) -> Self {
        Self { rule: Arc::new(rule), body: FromBytes }
    }

    /// Asks for all of these scopes.
    ///
    /// # Errors
    /// [`InvalidScope`] if one of them is no scope (RFC 6749 section 3.3).
    pub fn all<'a>(scopes: impl IntoIterator<Item = &'a str>) -> Result<Self, InvalidScope> {
        let scopes = scopes.into_iter().map(Scope::new).collect::<Result<Vec<_>, _>>()?;
        Ok(Self::new(ScopeRule::all(&scopes, &Implications::default())))
    }
}

impl<A> RequireScopes<A> {
    /// Makes the bodies of refusals by this closure, as [`TollgateLayer::with_body`](super::TollgateLayer::with_body) does.
    pub fn with_body<B, F>(self, body: F) -> RequireScopes<F>
    where
        F: Fn(Bytes) -> B + Clone,
    {
        RequireScopes { rule: self.rule, body }
    }
}

impl<S, A: Clone> Layer<S> for RequireScopes<A> {
    type Service = ScopesRequired<S, A>;

    fn layer(&self, inner: S) -> Self::Service {
        ScopesRequired { inner, required: self.clone() }
    }
}

/// A service that asks for scopes. [`RequireScopes`] makes it.
#[derive(Clone, Debug)]
pub struct ScopesRequired<S, A = FromBytes> {
    inner: S,
    required: RequireScopes<A>,
}

impl<S, A, B, R> Service<Request<B>> for ScopesRequired<S, A>
where
    S: Service<Request<B>, Response = Response<R>>,
    A: AnswerBody<R>,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = Settled<S::Future, Response<R>, S::Error>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let RequireScopes { rule, body } = &self.required;
        match request.extensions().get::<Permit>().map(|permit| permit.require_scopes(rule)) {
            Some(Ok(_)) => Settled::passed(self.inner.call(request)),
            Some(Err(denial)) => Settled::refused(refusal(denial, form(&request), body)),
            None => Settled::refused(missing::response(form(&request), body)),
        }
    }
}
