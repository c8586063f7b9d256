//! The door for tower: a layer over any service that takes HTTP requests.

mod body;
mod door;
mod future;
mod head;
mod layer;
mod missing;
mod require;
mod service;

#[cfg(feature = "axum")]
mod axum;

pub use body::{AnswerBody, FromBytes};
pub use future::{ResponseFuture, Settled};
pub use head::ClientCertificate;
pub use layer::TollgateLayer;
pub use require::{RequireScopes, ScopesRequired};
pub use service::Tollgate;

#[cfg(feature = "axum")]
pub use self::axum::{Claims, Rejection};
