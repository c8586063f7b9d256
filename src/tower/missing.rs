//! The answer where code asks for a caller, but no layer has let the request through: a mistake of the service's own.

use super::body::AnswerBody;
use crate::policy::AnswerForm;
use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};

/// 500, or gRPC's status 13 (`INTERNAL`). The operator's log says what to do.
pub(super) fn response<R>(form: AnswerForm, body: &impl AnswerBody<R>) -> Response<R> {
    tracing::error!(
        "a request reached code that asks for a caller without passing a `TollgateLayer`; put one around the router"
    );
    let (status, content_type, bytes) = match form {
        AnswerForm::Grpc => (StatusCode::OK, "application/grpc", ""),
        AnswerForm::NoBody => (StatusCode::INTERNAL_SERVER_ERROR, "application/problem+json", ""),
        AnswerForm::Problem => (StatusCode::INTERNAL_SERVER_ERROR, "application/problem+json", PROBLEM),
    };
    let mut response = Response::new(body.answer_body(Bytes::from_static(bytes.as_bytes())));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if form == AnswerForm::Grpc {
        headers.insert("grpc-status", HeaderValue::from_static("13"));
        headers.insert("grpc-message", HeaderValue::from_static("this request was not judged"));
    }
    response
}

/// RFC 9457 section 3.1.
const PROBLEM: &str = r#"{"status":500,"title":"Internal Server Error","code":"not_judged","detail":"this request was not judged"}"#;
