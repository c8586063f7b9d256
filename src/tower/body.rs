//! The body of a refusal, in the type that the service's own responses have.

use bytes::Bytes;

/// Makes a response body of a refusal's bytes.
///
/// | bodies | by |
/// |---|---|
/// | `axum::body::Body`, `http_body_util::Full<Bytes>`, `reqwest::Body`, all that is `From<Bytes>` | [`FromBytes`], the default |
/// | `tonic::body::Body`, `BoxBody`, all others | a closure, with [`TollgateLayer::with_body`](super::TollgateLayer::with_body) |
pub trait AnswerBody<B>: Clone {
    /// The body. For a gRPC request, and for `HEAD`, the bytes are none.
    fn answer_body(&self, bytes: Bytes) -> B;
}

/// Bodies that are `From<Bytes>`.
#[derive(Clone, Copy, Debug, Default)]
pub struct FromBytes;

impl<B: From<Bytes>> AnswerBody<B> for FromBytes {
    fn answer_body(&self, bytes: Bytes) -> B {
        bytes.into()
    }
}

impl<B, F: Fn(Bytes) -> B + Clone> AnswerBody<B> for F {
    fn answer_body(&self, bytes: Bytes) -> B {
        self(bytes)
    }
}
