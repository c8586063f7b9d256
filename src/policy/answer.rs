//! How a refusal is told: RFC 6750 section 3, RFC 9110 section 11.6.1, RFC 9457; and in gRPC's own way.

use super::decision::Detail;
use super::{Denial, Fault, Reason, RequestHead};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header};
use std::fmt::Write;

/// The answer to a refused request.
///
/// | refused because of | status | challenge | gRPC status |
/// |---|---|---|---|
/// | no credentials | 401 | `Bearer` | 16 |
/// | malformed credentials | 400 | `Bearer error="invalid_request"` | 16 |
/// | the token | 401 | `Bearer error="invalid_token"` | 16 |
/// | its scopes | 403 | `Bearer error="insufficient_scope", scope="…"` | 7 |
/// | its claims | 403 | `Bearer error="insufficient_scope"` | 7 |
/// | the request | 400, 414 | – | 3 |
/// | the place, the method | 404, 405 with `Allow` | – | 12 |
/// | an outage of ours | 503 with `Retry-After` | – | 14 |
///
/// The body is `application/problem+json` with the stable code of the [`Reason`]; a gRPC request gets a trailers-only response
/// instead. Nothing may store it (`Cache-Control: no-store`).
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The header fields.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

/// How an answer is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AnswerForm {
    /// Status, challenge and a problem document.
    Problem,
    /// The same, without the document: the request was `HEAD`.
    NoBody,
    /// A trailers-only gRPC response.
    Grpc,
}

impl AnswerForm {
    /// The form that suits a request.
    pub fn of(head: &RequestHead<'_>) -> Self {
        match head.method {
            _ if head.is_grpc() => Self::Grpc,
            &Method::HEAD => Self::NoBody,
            _ => Self::Problem,
        }
    }
}

impl Denial {
    /// The answer to it.
    pub fn answer(&self, form: AnswerForm) -> Answer {
        let mut headers = HeaderMap::with_capacity(6);
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(challenge) = self.challenge() {
            headers.insert(header::WWW_AUTHENTICATE, challenge);
        }
        match self.detail() {
            Detail::Methods(methods) => {
                let list: Vec<&str> = methods.iter().map(Method::as_str).collect();
                if let Ok(list) = HeaderValue::from_str(&list.join(", ")) {
                    headers.insert(header::ALLOW, list);
                }
            }
            Detail::RetryAfter(after) => {
                // Whole seconds (RFC 9110 section 10.2.3), rounded up.
                let secs = after.as_secs() + u64::from(after.subsec_nanos() > 0);
                headers.insert(header::RETRY_AFTER, HeaderValue::from(secs.max(1)));
            }
            Detail::None | Detail::Scopes(_) | Detail::Path(_) => {}
        }
        match form {
            AnswerForm::Grpc => {
                headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
                headers.insert("grpc-status", HeaderValue::from_static(grpc_status(self.reason())));
                headers.insert("grpc-message", HeaderValue::from_static(self.reason().description()));
                Answer { status: StatusCode::OK, headers, body: Bytes::new() }
            }
            AnswerForm::Problem | AnswerForm::NoBody => {
                headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
                let body = if form == AnswerForm::NoBody { Bytes::new() } else { problem(self.reason()) };
                Answer { status: self.reason().status(), headers, body }
            }
        }
    }

    /// The one challenge: realm, error, its description and the scopes, as far as they apply (RFC 6750 section 3).
    fn challenge(&self) -> Option<HeaderValue> {
        let (error, realm) = (self.reason().error(), self.policy().realm());
        if !matches!(
            self.reason().fault(),
            Fault::NoCredentials | Fault::Credentials | Fault::Token | Fault::Scope | Fault::Forbidden
        ) {
            return None;
        }
        if error.is_none() && realm.is_none() {
            return Some(HeaderValue::from_static("Bearer"));
        }
        let mut challenge = String::with_capacity(160);
        let mut separator = " ";
        challenge.push_str("Bearer");
        let description = error.map(|_| self.reason().description());
        let parameters = [
            ("realm", realm),
            ("error", error),
            ("error_description", description),
            ("scope", self.scopes()),
        ];
        for (name, value) in parameters {
            let Some(value) = value else { continue };
            // Each value is free of `"` and `\`: scopes by their grammar, the others by construction.
            // Writing to a string can't fail.
            let _ = write!(challenge, "{separator}{name}=\"{value}\"");
            separator = ", ";
        }
        HeaderValue::from_str(&challenge).ok()
    }
}

impl From<Answer> for Response<Bytes> {
    fn from(answer: Answer) -> Self {
        let mut response = Response::new(answer.body);
        *response.status_mut() = answer.status;
        *response.headers_mut() = answer.headers;
        response
    }
}

/// RFC 9457 section 3.1. `type` is left out, which means `about:blank`: the code tells the problems apart.
fn problem(reason: Reason) -> Bytes {
    let status = reason.status();
    let title = status.canonical_reason().unwrap_or_default();
    // Every part is plain ASCII without `"` and `\`.
    let json = format!(
        r#"{{"status":{},"title":"{title}","code":"{}","detail":"{}"}}"#,
        status.as_u16(),
        reason.code(),
        reason.description()
    );
    json.into()
}

fn grpc_status(reason: Reason) -> &'static str {
    match reason.fault() {
        Fault::NoCredentials | Fault::Credentials | Fault::Token => "16",
        Fault::Scope | Fault::Forbidden => "7",
        Fault::Ours => "14",
        Fault::Place | Fault::Method => "12",
        Fault::Request => "3",
    }
}

#[cfg(test)]
mod tests;
