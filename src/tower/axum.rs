//! Extractors for axum: the caller, and its claims as types, at the point of use.

use super::body::FromBytes;
use super::door::refusal;
use super::missing;
use crate::policy::{AnswerForm, Denial, Permit, Principal, RequestHead};
use axum_core::body::Body;
use axum_core::extract::{FromRequestParts, OptionalFromRequestParts};
use axum_core::response::{IntoResponse, Response};
use http::request::Parts;
use serde::de::DeserializeOwned;

/// The caller's claims as a type of yours, at the point of use.
///
/// A token whose claims don't fit the type is valid, but not for this: 403.
///
/// ```
/// use axum::{Router, routing::get};
/// use tollgate::tower::Claims;
///
/// #[derive(serde::Deserialize)]
/// struct Tenant {
///     tenant: String,
/// }
///
/// async fn orders(Claims(Tenant { tenant }): Claims<Tenant>) -> String {
///     format!("the orders of {tenant}")
/// }
///
/// let app: Router = Router::new().route("/orders", get(orders));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Claims<T>(pub T);

/// Why a request has no caller to extract.
#[derive(Clone, Debug)]
pub struct Rejection {
    /// `None` if no layer has judged the request.
    denial: Option<Denial>,
    form: AnswerForm,
}

impl Rejection {
    /// The denial; `None` if no [`TollgateLayer`](super::TollgateLayer) has judged the request, which is answered 500.
    pub fn denial(&self) -> Option<&Denial> {
        self.denial.as_ref()
    }
}

impl IntoResponse for Rejection {
    fn into_response(self) -> Response {
        match self.denial {
            Some(denial) => refusal::<Body>(denial, self.form, &FromBytes),
            None => missing::response::<Body>(self.form, &FromBytes),
        }
    }
}

/// A handler may return it as its error: `permit.require_scopes(…)?`. The answer is a problem document; for gRPC there is
/// [`Denial::answer`].
impl IntoResponse for Denial {
    fn into_response(self) -> Response {
        refusal::<Body>(self, AnswerForm::Problem, &FromBytes)
    }
}

impl<S: Sync> FromRequestParts<S> for Permit {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Rejection> {
        permit(parts).cloned()
    }
}

/// On a public route, where no token is looked at, this is refused with 401. Take an `Option<Principal>` there.
impl<S: Sync> FromRequestParts<S> for Principal {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Rejection> {
        permit(parts)?.require_principal().cloned().map_err(|denial| reject(parts, denial))
    }
}

impl<S: Sync> OptionalFromRequestParts<S> for Principal {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, Rejection> {
        Ok(permit(parts)?.principal().cloned())
    }
}

impl<S: Sync, T: DeserializeOwned> FromRequestParts<S> for Claims<T> {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Rejection> {
        permit(parts)?.require_claims().map(Self).map_err(|denial| reject(parts, denial))
    }
}

fn permit(parts: &Parts) -> Result<&Permit, Rejection> {
    parts.extensions.get().ok_or_else(|| Rejection { denial: None, form: form(parts) })
}

fn reject(parts: &Parts, denial: Denial) -> Rejection {
    Rejection { denial: Some(denial), form: form(parts) }
}

fn form(parts: &Parts) -> AnswerForm {
    AnswerForm::of(&RequestHead::new(&parts.method, b"", &parts.headers))
}
