//! What went wrong in an exchange, told without what is secret in it.

use super::url::EndpointUrl;
use crate::gate::{SourceError, SourceErrorKind};
use crate::time::UnixTime;
use http::{HeaderMap, StatusCode, header};
use std::error::Error;
use std::fmt::Write;
use std::io;
use std::net::IpAddr;
use std::time::{Duration, SystemTime};

/// A name led to addresses that must not be connected to, such as this one.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("`{0}` is not an address of the public internet; set `allow_private_addresses: true` if it is meant")]
pub(super) struct RefusedAddress(pub(super) IpAddr);

/// What an error of the HTTP client means.
pub(super) fn exchange(url: &EndpointUrl, error: reqwest::Error) -> SourceError {
    // The URL may hold what is nobody's business; ours is shown without it.
    let error = error.without_url();
    let refused = causes(&error).any(|cause| cause.is::<RefusedAddress>());
    let kind = match () {
        () if refused => SourceErrorKind::Forbidden,
        () if error.is_timeout() => SourceErrorKind::Timeout,
        () if error.is_builder() => SourceErrorKind::Local,
        () => SourceErrorKind::Connect,
    };
    let mut told = format!("`{url}`: ");
    for (depth, cause) in causes(&error).enumerate() {
        let separator = if depth == 0 { "" } else { ": " };
        // Writing to a string does not fail.
        let _ = write!(told, "{separator}{cause}");
    }
    if causes(&error).any(is_unknown_root) {
        told.push_str(" (no root certificate vouches for it: if it is the right server, name its root in `tls: {ca_file: …}`)");
    }
    SourceError::new(kind, printable(&told))
}

/// A status that is no answer.
pub(super) fn status(
    url: &EndpointUrl,
    status: StatusCode,
    headers: &HeaderMap,
    now: UnixTime,
) -> SourceError {
    let (kind, told) = if status.is_redirection() {
        (SourceErrorKind::Forbidden, "; that redirect is not followed")
    } else {
        (SourceErrorKind::Status, "")
    };
    SourceError::new(kind, format!("`{url}` answered {}{told}", status.as_u16()))
        .with_retry_after(retry_after(headers, now))
}

/// An answer that is not what was asked for.
pub(super) fn malformed(url: &EndpointUrl, what: &str) -> SourceError {
    SourceError::new(SourceErrorKind::Malformed, printable(&format!("`{url}`: {what}")))
}

/// How long a server asks to be left alone: `Retry-After`, in seconds or until a date (RFC 9110 section 10.2.3).
pub(super) fn retry_after(headers: &HeaderMap, now: UnixTime) -> Option<Duration> {
    let text = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        // More digits than a number has room for are more than anyone waits.
        return Some(Duration::from_secs(text.parse().unwrap_or(u64::from(u32::MAX))));
    }
    let date = httpdate::parse_http_date(text).ok()?.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    Some((UnixTime::EPOCH + date).since(now))
}

/// An error and its causes, the outermost first; what an `io::Error` wraps is one of them.
fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    fn cause<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
        match error.downcast_ref::<io::Error>() {
            Some(wrapping) => wrapping.get_ref().map(|inner| inner as &(dyn Error + 'static)),
            None => error.source(),
        }
    }
    std::iter::successors(Some(error), |error| cause(*error))
}

fn is_unknown_root(error: &(dyn Error + 'static)) -> bool {
    matches!(
        error.downcast_ref(),
        Some(rustls::Error::InvalidCertificate(rustls::CertificateError::UnknownIssuer))
    )
}

/// One line of bounded length: causes may quote what the other side sent.
pub(super) fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(MAX_MESSAGE_CHARS).collect()
}

const MAX_MESSAGE_CHARS: usize = 500;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_are_seconds_or_a_date() {
        let now = UnixTime::from_secs(784_111_777);
        let read = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::RETRY_AFTER, text.parse().unwrap());
            retry_after(&headers, now)
        };
        assert_eq!(read("120"), Some(Duration::from_secs(120)));
        assert_eq!(read(" 0 "), Some(Duration::ZERO));
        assert_eq!(read("99999999999999999999999"), Some(Duration::from_secs(u64::from(u32::MAX))));
        assert_eq!(read("Sun, 06 Nov 1994 08:50:37 GMT"), Some(Duration::from_secs(60)));
        assert_eq!(read("Sun, 06 Nov 1994 08:40:37 GMT"), Some(Duration::ZERO), "a date that has passed");
        for nothing in ["", "-1", "1.5", "soon", "+5"] {
            assert_eq!(read(nothing), None, "{nothing:?}");
        }
        assert_eq!(retry_after(&HeaderMap::new(), now), None);
    }

    #[test]
    fn messages_are_one_line() {
        assert_eq!(printable("a\r\nb\u{1b}[2J"), "a  b [2J");
        assert_eq!(printable(&"x".repeat(9_999)).len(), MAX_MESSAGE_CHARS);
    }
}
