//! What is asked of every request before it is judged, whatever protocol it came by: one host, one length, no tricks with
//! `Connection`.

use super::head::{content_length, is_token};
use super::refusal::Refusal;
use http::header::{CONNECTION, CONTENT_LENGTH, HOST, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderName, HeaderValue, Version};
use pingora_http::RequestHeader;

/// Checks a request's head.
///
/// 1. No more field lines than allowed.
/// 2. On HTTP/2, names are tokens (RFC 9110 section 5.1), which the library does not quite see to, and no value begins or ends with a
///    space or a tab (RFC 9113 section 8.2.1). On HTTP/1, the raw head was checked already.
/// 3. Exactly one valid host: `Host`, or `:authority`, or both if they agree (RFC 9112 section 3.2, RFC 9113 section 8.3.1).
/// 4. At most one `Content-Length` or `Transfer-Encoding`, in canonical form. On HTTP/1, the raw head was checked already.
/// 5. `Connection` names tokens only, and none of the fields that a request can't do without.
///
/// # Errors
/// The [`Refusal`] for the first that does not hold.
pub(super) fn vet(head: &RequestHeader, max_fields: usize) -> Result<(), Refusal> {
    if head.headers.len() > max_fields {
        return Err(Refusal::HeadTooLarge);
    }
    if !head.raw_path_is_utf8() {
        return Err(Refusal::Target);
    }
    let is_malformed = |(name, value): (&HeaderName, &HeaderValue)| {
        has_outer_space(value) || !name.as_str().bytes().all(is_token)
    };
    if head.version == Version::HTTP_2 && head.headers.iter().any(is_malformed) {
        return Err(Refusal::Malformed);
    }
    let seen = Seen::of(&head.headers);
    framing(seen.length, seen.coding)?;
    if seen.connection {
        connection(&head.headers)?;
    }
    authority(head, seen.host).map(drop)
}

fn has_outer_space(value: &HeaderValue) -> bool {
    let is_space = |byte: Option<&u8>| matches!(byte, Some(b' ' | b'\t'));
    is_space(value.as_bytes().first()) || is_space(value.as_bytes().last())
}

/// The fields that matter here, found in one look over all of them.
#[derive(Default)]
struct Seen<'a> {
    host: Field<'a>,
    length: Field<'a>,
    coding: Field<'a>,
    connection: bool,
}

#[derive(Clone, Copy, Default)]
enum Field<'a> {
    #[default]
    Absent,
    Once(&'a HeaderValue),
    Repeated,
}

impl<'a> Seen<'a> {
    fn of(headers: &'a HeaderMap) -> Self {
        let mut seen = Self::default();
        for (name, value) in headers {
            let field = match name {
                name if *name == HOST => &mut seen.host,
                name if *name == CONTENT_LENGTH => &mut seen.length,
                name if *name == TRANSFER_ENCODING => &mut seen.coding,
                name => {
                    seen.connection |= *name == CONNECTION;
                    continue;
                }
            };
            *field = if matches!(field, Field::Absent) { Field::Once(value) } else { Field::Repeated };
        }
        seen
    }
}

/// The host of a vetted head.
pub(super) fn authority_of(head: &RequestHeader) -> Option<&str> {
    let authority = head.uri.authority().map(http::uri::Authority::as_str);
    authority.or_else(|| head.headers.get(HOST)?.to_str().ok())
}

/// The length of the body, if it is announced.
pub(super) fn announced_length(headers: &HeaderMap) -> Option<u64> {
    content_length(headers.get(CONTENT_LENGTH)?.as_bytes())
}

/// The fields that `Connection` names, other than those that every hop handles itself. They are for the next hop alone
/// (RFC 9110 section 7.6.1).
pub(super) fn nominated(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    let values = headers.get_all(CONNECTION).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).map(str::trim).filter(|token| {
        let usual = ["keep-alive", "close", "upgrade", "te", ""];
        !usual.iter().any(|usual| token.eq_ignore_ascii_case(usual))
    })
}

fn framing(length: Field<'_>, coding: Field<'_>) -> Result<(), Refusal> {
    match (length, coding) {
        (Field::Absent, Field::Absent) => Ok(()),
        (Field::Once(length), Field::Absent) if content_length(length.as_bytes()).is_some() => Ok(()),
        (Field::Absent, Field::Once(coding)) if coding.as_bytes().eq_ignore_ascii_case(b"chunked") => Ok(()),
        _ => Err(Refusal::Framing),
    }
}

fn connection(headers: &HeaderMap) -> Result<(), Refusal> {
    let mut tokens = 0;
    for value in headers.get_all(CONNECTION) {
        for token in value.as_bytes().split(|byte| *byte == b',').map(<[u8]>::trim_ascii) {
            tokens += 1;
            let needed: [&[u8]; 3] = [b"host", b"content-length", b"transfer-encoding"];
            let valid = token.iter().copied().all(is_token);
            if !valid || tokens > MAX_TOKENS || needed.iter().any(|name| token.eq_ignore_ascii_case(name)) {
                return Err(Refusal::Connection);
            }
        }
    }
    Ok(())
}

fn authority<'a>(head: &'a RequestHeader, host: Field<'a>) -> Result<&'a str, Refusal> {
    let host = match host {
        Field::Absent => None,
        Field::Once(host) => Some(host.to_str().map_err(|_| Refusal::Host)?),
        Field::Repeated => return Err(Refusal::Host),
    };
    let authority = head.uri.authority().map(http::uri::Authority::as_str);
    let agreed = match (host, authority) {
        (Some(host), Some(authority)) if host != authority => None,
        (host, authority) => authority.or(host),
    };
    agreed.filter(|authority| is_host(authority)).ok_or(Refusal::Host)
}

/// A host name, an IPv4 address, or an IPv6 address in brackets; and perhaps a port (RFC 9110 section 7.2). Names are of
/// letters, digits, `-`, `_` and dots: percent-escapes and sub-delimiters, which RFC 3986 allows too, name no host anywhere.
fn is_host(authority: &str) -> bool {
    let bytes = authority.as_bytes();
    let colon = bytes.iter().rposition(|byte| *byte == b':').filter(|at| !bytes.ends_with(b"]") && *at > 0);
    let (host, port) = authority.split_at(colon.unwrap_or(bytes.len()));
    let is_port = |port: &str| port.bytes().all(|byte| byte.is_ascii_digit()) && port.parse::<u16>().is_ok();
    port.strip_prefix(':').is_none_or(is_port) && (is_name(host) || is_v6(host))
}

/// Labels, joined by dots. A name may end in the root's dot.
fn is_name(host: &str) -> bool {
    let name = host.strip_suffix('.').unwrap_or(host).as_bytes();
    let mut after_dot = true;
    for byte in name {
        match byte {
            b'.' if after_dot => return false,
            b'.' => after_dot = true,
            b'-' | b'_' => after_dot = false,
            byte if byte.is_ascii_alphanumeric() => after_dot = false,
            _ => return false,
        }
    }
    !after_dot && host.len() <= MAX_NAME_BYTES
}

fn is_v6(host: &str) -> bool {
    let inner = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    inner.is_some_and(|inner| inner.parse::<std::net::Ipv6Addr>().is_ok())
}

const MAX_TOKENS: usize = 16;
/// RFC 1035 section 2.3.4.
const MAX_NAME_BYTES: usize = 254;

#[cfg(test)]
mod tests {
    use super::*;

    fn head(fields: &[(&'static str, &str)]) -> RequestHeader {
        let mut head = RequestHeader::build("GET", b"/", None).unwrap();
        for (name, value) in fields {
            head.append_header(*name, *value).unwrap();
        }
        head
    }

    fn vetted(head: &RequestHeader) -> Result<String, Refusal> {
        vet(head, 10).map(|()| authority_of(head).unwrap().to_owned())
    }

    fn check(fields: &[(&'static str, &str)]) -> Result<String, Refusal> {
        vetted(&head(fields))
    }

    #[test]
    fn there_is_one_host() {
        for host in
            ["a", "api.example.com", "api.example.com.", "a_b:8080", "10.0.0.1", "[::1]", "[2001:db8::1]:80"]
        {
            assert_eq!(check(&[("host", host)]).as_deref(), Ok(host));
        }
        for host in [
            "", ":80", "a:", "a:b", "a:80:80", "a:65536", "a:+1", "a b", "a/b", "a@b", "a..b", ".a", ".",
            "a%2e", "[::1", "::1", "[::1]x", "[a]", "a,b", "a;b", "a\\b", "a?b", "a#b",
        ] {
            assert_eq!(check(&[("host", host)]), Err(Refusal::Host), "{host}");
        }
        assert_eq!(check(&[]), Err(Refusal::Host));
        assert_eq!(check(&[("host", "a"), ("host", "a")]), Err(Refusal::Host));
    }

    #[test]
    fn host_and_authority_agree() {
        let with_authority = |fields: &[(&'static str, &str)]| {
            let mut head = head(fields);
            head.set_uri("http://a/".parse().unwrap());
            vetted(&head)
        };
        assert_eq!(with_authority(&[]).as_deref(), Ok("a"));
        assert_eq!(with_authority(&[("host", "a")]).as_deref(), Ok("a"));
        assert_eq!(with_authority(&[("host", "b")]), Err(Refusal::Host));
    }

    #[test]
    fn a_body_has_one_length() {
        let framing = |fields: &[(&'static str, &str)]| check(&[&[("host", "a")], fields].concat()).map(drop);
        assert_eq!(framing(&[("content-length", "5")]), Ok(()));
        assert_eq!(framing(&[("transfer-encoding", "chunked")]), Ok(()));
        for fields in [
            &[("content-length", "5"), ("content-length", "5")][..],
            &[("content-length", "5, 5")],
            &[("content-length", "005")],
            &[("transfer-encoding", "gzip, chunked")],
            &[("content-length", "5"), ("transfer-encoding", "chunked")],
        ] {
            assert_eq!(framing(fields), Err(Refusal::Framing), "{fields:?}");
        }
    }

    #[test]
    fn connection_names_fields_that_may_vanish() {
        let connection = |value: &str| check(&[("host", "a"), ("connection", value)]).map(drop);
        for value in ["close", "keep-alive, Upgrade", "TE, x-private", "", "a,,b"] {
            assert_eq!(connection(value), Ok(()), "{value}");
        }
        for value in
            ["Host", "close, HOST", "content-length", "transfer-encoding", ":authority", "\"a\"", "a b"]
        {
            assert_eq!(connection(value), Err(Refusal::Connection), "{value}");
        }
        assert_eq!(connection(&"a,".repeat(20)), Err(Refusal::Connection));
        let named = head(&[("connection", "close, X-A"), ("connection", "te,x-b")]);
        assert_eq!(nominated(&named.headers).collect::<Vec<_>>(), ["X-A", "x-b"]);
    }

    #[test]
    fn fields_are_counted() {
        let fields = [("host", "a"), ("a", "b"), ("a", "c")];
        assert_eq!(vet(&head(&fields), 2), Err(Refusal::HeadTooLarge));
        assert_eq!(vet(&head(&fields), 3), Ok(()));
    }
}
