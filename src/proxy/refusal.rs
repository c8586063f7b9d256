//! What the door itself refuses or can't do, apart from the gate's denials: request by request, with a stable code.

use crate::policy::{Answer, AnswerForm};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode, header};

macro_rules! refusals {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $status:ident, $grpc:literal, $text:literal;)*) => {
        /// Why the door answers a request itself. Its [`code`](Self::code) is stable: logs, metrics and answers name it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub(super) enum Refusal {
            $($(#[$doc])* $name,)*
        }

        impl Refusal {
            #[cfg(test)]
            const ALL: &[Self] = &[$(Self::$name,)*];

            /// The stable code.
            pub(super) const fn code(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }

            /// The status of the answer.
            pub(super) const fn status(self) -> StatusCode {
                match self { $(Self::$name => StatusCode::$status,)* }
            }

            /// The gRPC status of the answer to a gRPC request.
            const fn grpc_status(self) -> &'static str {
                match self { $(Self::$name => $grpc,)* }
            }

            /// A sentence for the caller, in plain ASCII without `"` and `\`.
            const fn description(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }
    };
}

refusals! {
    /// Not HTTP/1.1 as RFC 9112 writes it, or not in one way only: bare CR or LF, folded lines, a malformed line.
    Malformed = "request_malformed", BAD_REQUEST, "3", "the request can be read in more than one way";
    /// A target that is not in origin-form (RFC 9112 section 3.2.1), or not visible ASCII.
    Target = "target_invalid", BAD_REQUEST, "3", "the request target is not a path";
    /// `Host` and `:authority`: missing, repeated, not alike, or not a host (RFC 9112 section 3.2, RFC 9113 section 8.3.1).
    Host = "host_invalid", BAD_REQUEST, "3", "there must be one valid Host";
    /// `Content-Length` and `Transfer-Encoding`: both, repeated, or not in canonical form (RFC 9112 section 6.3).
    Framing = "framing_ambiguous", BAD_REQUEST, "3", "the length of the body can be read in more than one way";
    /// `Connection` names fields that must not vanish, or no fields at all (RFC 9110 section 7.6.1).
    Connection = "connection_invalid", BAD_REQUEST, "3", "the Connection field is invalid";
    /// The head is too long, or has too many lines (RFC 6585 section 5).
    HeadTooLarge = "header_too_large", REQUEST_HEADER_FIELDS_TOO_LARGE, "8", "the header is too large";
    /// What the token says of the caller is too long for a field of the upstream's request.
    IdentityTooLong = "identity_too_long", REQUEST_HEADER_FIELDS_TOO_LARGE, "8", "a claim of the token is too long to be passed on";
    /// The head or the body came too slowly (RFC 9110 section 15.5.9).
    TooSlow = "request_timeout", REQUEST_TIMEOUT, "1", "the request took too long to arrive";
    /// The body is longer than the route allows (RFC 9110 section 15.5.14).
    BodyTooLarge = "body_too_large", PAYLOAD_TOO_LARGE, "8", "the body is too large";
    /// A method that a gateway does not carry: `CONNECT`.
    MethodNotImplemented = "method_not_implemented", NOT_IMPLEMENTED, "12", "this method is not supported";
    /// A version of HTTP other than 1.0, 1.1 and 2; or 1.0 where the answer would need chunks.
    Version = "version_unsupported", HTTP_VERSION_NOT_SUPPORTED, "12", "this version of HTTP is not supported";
    /// No address of the upstream takes connections.
    UpstreamUnreachable = "upstream_unreachable", BAD_GATEWAY, "14", "the service behind this gateway can't be reached";
    /// The upstream took too long to take the connection or to answer.
    UpstreamTimeout = "upstream_timeout", GATEWAY_TIMEOUT, "14", "the service behind this gateway took too long";
    /// The upstream gave no usable answer.
    UpstreamFailed = "upstream_failed", BAD_GATEWAY, "14", "the service behind this gateway failed";
    /// A fault of the gateway's own.
    Internal = "internal", INTERNAL_SERVER_ERROR, "13", "the gateway failed";
}

impl Refusal {
    /// The answer to it (RFC 9457, or gRPC's own way).
    pub(super) fn answer(self, form: AnswerForm) -> Answer {
        let mut headers = HeaderMap::with_capacity(6);
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if form == AnswerForm::Grpc {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
            headers.insert("grpc-status", HeaderValue::from_static(self.grpc_status()));
            headers.insert("grpc-message", HeaderValue::from_static(self.description()));
            return Answer { status: StatusCode::OK, headers, body: Bytes::new() };
        }
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        let body = if form == AnswerForm::NoBody { Bytes::new() } else { self.problem().into() };
        Answer { status: self.status(), headers, body }
    }

    /// The answer as bytes on an HTTP/1.1 connection that is closed behind it: for a request that never became one.
    pub(super) fn to_http1(self) -> String {
        let (status, body) = (self.status(), self.problem());
        let (code, reason) = (status.as_u16(), status.canonical_reason().unwrap_or_default());
        format!(
            "HTTP/1.1 {code} {reason}\r\ncache-control: no-store\r\ncontent-type: application/problem+json\r\n\
             content-length: {}\r\nconnection: close\r\n\r\n{body}",
            body.len()
        )
    }

    fn problem(self) -> String {
        let status = self.status();
        // Every part is plain ASCII without `"` and `\`.
        format!(
            r#"{{"status":{},"title":"{}","code":"{}","detail":"{}"}}"#,
            status.as_u16(),
            status.canonical_reason().unwrap_or_default(),
            self.code(),
            self.description()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_descriptions_need_no_escape() {
        for (i, refusal) in Refusal::ALL.iter().enumerate() {
            assert!(Refusal::ALL.iter().skip(i + 1).all(|other| other.code() != refusal.code()));
            assert!(refusal.description().chars().all(|c| (' '..='~').contains(&c) && c != '"' && c != '\\'));
            assert!(serde_json::from_str::<serde_json::Value>(&refusal.problem()).is_ok());
        }
    }

    #[test]
    fn a_refusal_on_the_wire_frames_its_body() {
        let text = Refusal::Malformed.to_http1();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 400 Bad Request\r\n"));
        assert!(head.contains(&format!("content-length: {}", body.len())));
    }
}
