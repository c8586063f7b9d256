//! A request, as far as a decision needs it: what every door makes of what came in.

use http::{HeaderMap, Method};

/// The head of a request. Borrowed from the door's own request; making one costs nothing.
///
/// ```
/// use http::{HeaderMap, Method};
/// use tollgate::policy::RequestHead;
///
/// let headers = HeaderMap::new();
/// let head = RequestHead::new(&Method::GET, b"/orders/1?page=2", &headers).with_authority(Some("api.example.com"));
/// assert_eq!(head.target, b"/orders/1?page=2");
/// ```
#[derive(Clone, Copy, Debug)]
pub struct RequestHead<'a> {
    /// The method.
    pub method: &'a Method,
    /// The request target in origin-form (RFC 9112 section 3.2.1): the very bytes that will be forwarded.
    pub target: &'a [u8],
    /// The header fields.
    pub headers: &'a HeaderMap,
    /// `Host`, or HTTP/2's `:authority`. It selects among routes that name hosts.
    pub authority: Option<&'a str>,
    /// SHA-256 of the certificate by which the caller's TLS connection was authenticated.
    pub client_certificate: Option<[u8; 32]>,
}

impl<'a> RequestHead<'a> {
    /// A head without authority or certificate.
    pub fn new(method: &'a Method, target: &'a [u8], headers: &'a HeaderMap) -> Self {
        Self { method, target, headers, authority: None, client_certificate: None }
    }

    /// The same with an authority.
    #[must_use]
    pub fn with_authority(mut self, authority: Option<&'a str>) -> Self {
        self.authority = authority;
        self
    }

    /// Whether this is a CORS preflight (Fetch, "CORS-preflight request"), and for which method.
    pub(crate) fn preflight(&self) -> Option<Method> {
        if self.method != Method::OPTIONS || !self.headers.contains_key(http::header::ORIGIN) {
            return None;
        }
        let mut asked = self.headers.get_all(http::header::ACCESS_CONTROL_REQUEST_METHOD).iter();
        let method = Method::from_bytes(asked.next()?.as_bytes()).ok()?;
        asked.next().is_none().then_some(method)
    }

    /// Whether this is a gRPC request, whose refusals are told in gRPC's own way.
    pub(super) fn is_grpc(&self) -> bool {
        let content_type = self.headers.get(http::header::CONTENT_TYPE);
        content_type.is_some_and(|value| {
            let rest = value.as_bytes().strip_prefix(b"application/grpc");
            rest.is_some_and(|rest| matches!(rest.first(), None | Some(b'+' | b';' | b' ')))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(fields: &[(&'static str, &'static str)]) -> HeaderMap {
        let pair = |(name, value): &(&'static str, &'static str)| {
            (http::HeaderName::from_static(name), http::HeaderValue::from_static(value))
        };
        fields.iter().map(pair).collect()
    }

    #[test]
    fn a_preflight_has_an_origin_and_asks_for_one_method() {
        let full = headers(&[("origin", "https://a"), ("access-control-request-method", "PUT")]);
        assert_eq!(RequestHead::new(&Method::OPTIONS, b"/", &full).preflight(), Some(Method::PUT));
        assert_eq!(RequestHead::new(&Method::GET, b"/", &full).preflight(), None);
        for fields in [&[][..], &[("origin", "a")], &[("access-control-request-method", "PUT")]] {
            assert_eq!(RequestHead::new(&Method::OPTIONS, b"/", &headers(fields)).preflight(), None);
        }
    }

    #[test]
    fn grpc_is_told_by_its_content_type() {
        for (value, expected) in [
            ("application/grpc", true),
            ("application/grpc+proto", true),
            ("application/grpc;charset=utf-8", true),
            ("application/grpc-web", false),
            ("text/plain", false),
        ] {
            let headers = headers(&[("content-type", value)]);
            assert_eq!(RequestHead::new(&Method::POST, b"/", &headers).is_grpc(), expected, "{value}");
        }
    }

    #[test]
    fn a_preflight_that_asks_for_two_methods_is_none() {
        let mut twice = headers(&[("origin", "https://a"), ("access-control-request-method", "PUT")]);
        twice.append("access-control-request-method", http::HeaderValue::from_static("GET"));
        assert_eq!(RequestHead::new(&Method::OPTIONS, b"/", &twice).preflight(), None);
        let odd = headers(&[("origin", "https://a"), ("access-control-request-method", "a b")]);
        assert_eq!(RequestHead::new(&Method::OPTIONS, b"/", &odd).preflight(), None);
    }
}
