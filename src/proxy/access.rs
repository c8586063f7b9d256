//! One line for each request, under the target `tollgate::access`: who asked for what, and what came of it.
//!
//! A token is told by its fingerprint, and a path without its query. Values that a caller chose are escaped.

use super::door::{Visit, caller_of};
use super::refusal::Refusal;
use super::upstream::Upstream;
use crate::policy::{Denial, Permit, Principal};
use http::Method;
use pingora_core::{Error, ErrorSource};
use pingora_proxy::Session;
use std::fmt::Write;
use std::io;
use std::net::IpAddr;
use std::time::Duration;

/// Whether anybody listens.
pub(super) fn is_wanted() -> bool {
    tracing::enabled!(target: "tollgate::access", tracing::Level::INFO)
}

/// Writes a request's line.
pub(super) fn log(session: &Session, visit: &Visit, error: Option<&Error>, took: Duration) {
    let head = session.req_header();
    let route = match (&visit.permit, &visit.denial) {
        (Some(permit), _) => permit.route(),
        (None, Some(denial)) => denial.route(),
        (None, None) => None,
    };
    let token = visit.permit.as_ref().map_or_else(|| visit.denial.as_ref()?.token(), Permit::token);
    let gone = error.is_some_and(|error| *error.esource() == ErrorSource::Downstream);
    let status = session.response_written().map(|response| response.status.as_u16());
    let reason = visit.denial.as_ref().map(|denial| denial.reason().code());
    let reason = reason.or(visit.refusal.map(Refusal::code)).or(gone.then_some("caller_gone"));
    let principal = visit.permit.as_ref().and_then(|permit| permit.principal());
    tracing::info!(
        target: "tollgate::access",
        method = method(&head.method),
        path = plain(path(head.raw_path())),
        status,
        route = route.map(|route| route.template.as_str()),
        reason,
        why = visit.denial.as_ref().and_then(Denial::path_error).map(|error| error.to_string()),
        peer = caller_of(session).map(|caller| tracing::field::display(caller.address)),
        client = principal.and_then(Principal::client).map(|client| plain(client.as_bytes())),
        token = token.map(tracing::field::display),
        id = visit.id.as_ref().and_then(|id| id.to_str().ok()),
        upstream = visit.upstream.as_deref().map(Upstream::name),
        address = visit.target.as_deref().map(|target| tracing::field::display(target.address())),
        sent = session.body_bytes_sent(),
        received = session.body_bytes_read(),
        micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX),
    );
}

/// Writes the line of a head that never became a request.
pub(super) fn log_refused(peer: Option<IpAddr>, refusal: Refusal) {
    tracing::info!(
        target: "tollgate::access",
        status = refusal.status().as_u16(),
        reason = refusal.code(),
        peer = peer.map(tracing::field::display),
    );
}

/// The cause of an error, where it is the operating system's or TLS's: those speak of neither headers nor bodies.
pub(super) fn cause(error: &Error) -> Option<tracing::field::DisplayValue<&io::Error>> {
    error.root_cause().downcast_ref::<io::Error>().map(tracing::field::display)
}

/// A method as methods are written; anything else may be a token that somebody has put in the wrong place.
fn method(method: &Method) -> &str {
    let plain = method.as_str().bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'-');
    if plain { method.as_str() } else { "?" }
}

fn path(target: &[u8]) -> &[u8] {
    target.split(|byte| *byte == b'?').next().unwrap_or_default()
}

/// Printable ASCII as it is, everything else escaped, and no more of it than a line can bear.
fn plain(text: &[u8]) -> String {
    let mut plain = String::with_capacity(text.len().min(MAX_BYTES) + 1);
    for byte in text.iter().take(MAX_BYTES) {
        match byte {
            b'!'..=b'~' if *byte != b'"' && *byte != b'\\' => plain.push(char::from(*byte)),
            // Writing to a string can't fail.
            _ => drop(write!(plain, "\\x{byte:02x}")),
        }
    }
    if text.len() > MAX_BYTES {
        plain.push('…');
    }
    plain
}

const MAX_BYTES: usize = 512;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_breaks_out_of_a_line() {
        assert_eq!(plain(b"/a/b-c"), "/a/b-c");
        assert_eq!(plain(b"a b\r\n\"\\\x1b\xff"), r"a\x20b\x0d\x0a\x22\x5c\x1b\xff");
        assert_eq!(plain(&[b'a'; 600]).chars().count(), MAX_BYTES + 1);
        assert_eq!(path(b"/a?access_token=x"), b"/a");
    }

    #[test]
    fn a_token_in_the_place_of_a_method_is_not_told() {
        for (sent, told) in [
            ("GET", "GET"),
            ("VERSION-CONTROL", "VERSION-CONTROL"),
            ("eyJhbGciOi", "?"),
            ("get", "?"),
            ("A1", "?"),
        ] {
            assert_eq!(method(&Method::from_bytes(sent.as_bytes()).unwrap()), told);
        }
    }
}
