//! The layer: a gate, and a few choices.

use super::body::FromBytes;
use super::door::{Door, Options};
use super::service::Tollgate;
use crate::gate::Gate;
use bytes::Bytes;
use http::{Extensions, Uri};
use std::sync::Arc;
use tower_layer::Layer;

/// Puts a [`Gate`] in front of a service. See [the module](super) for what that does, and for examples.
#[derive(Clone, Debug)]
#[must_use = "a layer does nothing until it is put around a service"]
pub struct TollgateLayer<A = FromBytes> {
    door: Door<A>,
}

impl TollgateLayer {
    /// A layer that asks this gate, and takes the token out of what it lets through.
    pub fn new(gate: impl Into<Arc<Gate>>) -> Self {
        Self { door: Door { gate: gate.into(), options: Options::default(), body: FromBytes } }
    }
}

impl<A> TollgateLayer<A> {
    /// Makes the bodies of refusals by this closure, where the service's response bodies are not `From<Bytes>`.
    ///
    /// ```
    /// # use tollgate::{gate::Gate, policy::Policy, tower::TollgateLayer};
    /// # let gate = Gate::builder(Policy::default()).build();
    /// use http_body_util::Full;
    ///
    /// let layer = TollgateLayer::new(gate).with_body(|bytes| tonic::body::Body::new(Full::new(bytes)));
    /// ```
    pub fn with_body<B, F>(self, body: F) -> TollgateLayer<F>
    where
        F: Fn(Bytes) -> B + Clone,
    {
        let Door { gate, options, .. } = self.door;
        TollgateLayer { door: Door { gate, options, body } }
    }

    /// Whether `Authorization` is taken out of what is let through; default true. A route with `forward_authorization` keeps
    /// it in any case.
    pub fn strip_authorization(mut self, strip: bool) -> Self {
        self.door.options.strip_authorization = strip;
        self
    }

    /// Whether the policy's [identity headers](crate::policy::IdentityHeaders) are set on what is let through; default false,
    /// since a service in the same process finds the caller in the extensions. Copies that the caller sent are taken out in
    /// any case.
    pub fn identity_headers(mut self, set: bool) -> Self {
        self.door.options.identity_headers = set;
        self
    }

    /// Judges the URI that `find` takes from a request's extensions, instead of the one that the request has by then.
    ///
    /// A router that nests another takes the prefix away before an inner layer sees the request, so that the layer would judge
    /// `/orders` for `/api/orders`. Put the layer around the outermost router; or, where that can't be, let it find the URI
    /// as the caller sent it:
    ///
    /// ```
    /// # use tollgate::{gate::Gate, policy::Policy, tower::TollgateLayer};
    /// # let gate = Gate::builder(Policy::default()).build();
    /// use axum::extract::OriginalUri;
    ///
    /// let layer = TollgateLayer::new(gate).original_uri(|extensions| Some(&extensions.get::<OriginalUri>()?.0));
    /// ```
    ///
    /// A request without one is judged by its own URI.
    pub fn original_uri(mut self, find: for<'a> fn(&'a Extensions) -> Option<&'a Uri>) -> Self {
        self.door.options.original_uri = Some(find);
        self
    }
}

impl<S, A: Clone> Layer<S> for TollgateLayer<A> {
    type Service = Tollgate<S, A>;

    fn layer(&self, inner: S) -> Self::Service {
        Tollgate::new(inner, self.door.clone())
    }
}
