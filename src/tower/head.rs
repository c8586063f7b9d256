//! What the gate judges of a request that came in by this door.

use crate::policy::RequestHead;
use http::header::HOST;
use http::{Extensions, Request, Uri};

/// SHA-256 of the DER encoding of the certificate by which the caller's TLS connection was authenticated.
///
/// Put it into the extensions of each request of that connection, where TLS is terminated, and tokens that are bound to the
/// certificate pass (RFC 8705 section 3.1). Without it they are refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientCertificate(pub [u8; 32]);

/// Finds the URI as it was before a router took a prefix away.
pub(super) type OriginalUri = for<'a> fn(&'a Extensions) -> Option<&'a Uri>;

/// The head of a request.
///
/// Where its authority can be read in two ways, the target is empty, which the gate refuses as it does every ambiguous target.
pub(super) fn head<B>(request: &Request<B>, original: Option<OriginalUri>) -> RequestHead<'_> {
    let uri = original.and_then(|find| find(request.extensions())).unwrap_or_else(|| request.uri());
    let target = uri.path_and_query().map_or("", |target| target.as_str());
    let (authority, target) = match authority(request, uri) {
        Ok(authority) => (authority, target),
        Err(Ambiguous) => (None, ""),
    };
    let mut head = RequestHead::new(request.method(), target.as_bytes(), request.headers());
    head.authority = authority;
    head.client_certificate =
        request.extensions().get::<ClientCertificate>().map(|certificate| certificate.0);
    head
}

struct Ambiguous;

/// The authority of the URI (HTTP/2's `:authority`, or absolute-form), or of the one `Host` field. If both are there, they are
/// the same: RFC 9112 section 3.2.2, RFC 9113 section 8.3.1.
fn authority<'a, B>(request: &'a Request<B>, uri: &'a Uri) -> Result<Option<&'a str>, Ambiguous> {
    let mut fields = request.headers().get_all(HOST).iter();
    let host = fields.next().map(|field| field.to_str().map_err(|_| Ambiguous)).transpose()?;
    if fields.next().is_some() {
        return Err(Ambiguous);
    }
    match (uri.authority().map(|authority| authority.as_str()), host) {
        (Some(authority), Some(host)) if !authority.eq_ignore_ascii_case(host) => Err(Ambiguous),
        (Some(authority), _) | (None, Some(authority)) if !authority.bytes().all(is_host_byte) => {
            Err(Ambiguous)
        }
        (authority, host) => Ok(authority.or(host)),
    }
}

/// A byte of a host name, an address or a port. User information (`user@host`) is none.
fn is_host_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b':' | b'[' | b']')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(uri: &str, hosts: &[&str]) -> (Option<String>, String) {
        let mut request = Request::builder().uri(uri);
        for host in hosts {
            request = request.header(HOST, *host);
        }
        let request = request.body(()).unwrap();
        let head = head(&request, None);
        (head.authority.map(str::to_owned), String::from_utf8_lossy(head.target).into_owned())
    }

    #[test]
    fn one_authority_from_the_uri_or_the_field() {
        for (uri, hosts, authority, target) in [
            ("/a?b", &["example.com"][..], Some("example.com"), "/a?b"),
            ("https://example.com:8443/a", &[], Some("example.com:8443"), "/a"),
            ("https://example.com/a", &["EXAMPLE.com"], Some("example.com"), "/a"),
            ("/a", &["[::1]:80"], Some("[::1]:80"), "/a"),
            ("/a", &[], None, "/a"),
            ("http://example.com", &[], Some("example.com"), "/"),
        ] {
            assert_eq!(
                read(uri, hosts),
                (authority.map(str::to_owned), target.to_owned()),
                "{uri} {hosts:?}"
            );
        }
    }

    #[test]
    fn an_ambiguous_authority_leaves_nothing_to_judge() {
        for (uri, hosts) in [
            ("/a", &["a.example", "a.example"][..]),
            ("/a", &["a.example", "b.example"]),
            ("https://a.example/a", &["b.example"]),
            ("https://a.example/a", &["a.example:443"]),
            ("https://user@a.example/a", &[]),
            ("/a", &["a.example, b.example"]),
            ("/a", &["a.example b.example"]),
            ("/a", &["a.example/x"]),
            ("/a", &["user@a.example"]),
        ] {
            assert_eq!(read(uri, hosts), (None, String::new()), "{uri} {hosts:?}");
        }
        let request = Request::builder().header(HOST, &b"\xe9"[..]).body(()).unwrap();
        assert!(head(&request, None).target.is_empty());
    }
}
