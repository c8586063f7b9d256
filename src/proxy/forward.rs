//! What an admitted request looks like to the upstream: which of the caller's fields stay behind, and which are ours.

use super::connection::Caller;
use super::refusal::Refusal;
use super::vet::nominated;
use crate::policy::{HeaderRules, Permit};
use http::header::{self, HeaderName};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, Version};
use pingora_http::RequestHeader;

/// An admitted request on its way.
pub(super) struct Passage<'a> {
    /// What admits it.
    pub(super) permit: &'a Permit,
    /// The caller, as its connection shows it.
    pub(super) caller: &'a Caller,
    /// The head as it came.
    pub(super) came: &'a RequestHeader,
    /// The host that the caller asked for.
    pub(super) authority: &'a str,
    /// The name and the value of the request's id.
    pub(super) id: (&'a HeaderName, &'a HeaderValue),
    /// Whether `Authorization` is passed on.
    pub(super) forward_authorization: bool,
    /// Whether the connection becomes a WebSocket if the upstream agrees.
    pub(super) websocket: bool,
    /// Whether the upstream speaks HTTP/2.
    pub(super) http2: bool,
    /// Whether nothing follows the head, where its method anticipates that something does.
    pub(super) no_body: bool,
    /// The `Host` that the upstream sees, if not the caller's.
    pub(super) host: Option<&'a HeaderValue>,
}

impl Passage<'_> {
    /// Makes the upstream's head out of a copy of the caller's.
    ///
    /// 1. Out: fields of the connection, and those that `Connection` names (RFC 9110 section 7.6.1).
    /// 2. Out: every field that we may set, however it is spelled; names with an underscore; method and path overrides.
    /// 3. Out: `Authorization`, unless the route passes it on.
    /// 4. Out: forwarding fields, unless a trusted proxy sent them.
    /// 5. In: identity, forwarding fields, the request's id, and the connection's fields as we mean them. What goes in last
    ///    can't be taken out by anything that the caller sent.
    ///
    /// An identity that is too long for one field is not shortened: without a part of it, it would be another's.
    ///
    /// Names arrive in lower case, but for a few whose usual spelling the library knows: keeping the caller's costs more than
    /// everything else here.
    pub(super) fn dress(&self, head: &mut RequestHeader) -> Result<(), Refusal> {
        let mut parts: Parts = std::mem::replace(head, empty()).into();
        let fields = &mut parts.headers;
        self.strip(fields);
        fields.reserve(OURS);
        for (name, value) in self.permit.policy().identity().fields(self.permit) {
            if value.len() > MAX_IDENTITY_BYTES {
                return Err(Refusal::IdentityTooLong);
            }
            fields.insert(name.clone(), value);
        }
        self.tell_origin(fields)?;
        let (id_name, id) = self.id;
        fields.insert(id_name.clone(), id.clone());
        if self.websocket {
            fields.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
            fields.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
        }
        if self.http2 && asks_for_trailers(&self.came.headers) {
            // gRPC needs it, and it is for each hop to say (RFC 9110 section 10.1.4).
            fields.insert(header::TE, HeaderValue::from_static("trailers"));
        }
        if self.came.version == Version::HTTP_2 && !self.http2 {
            join_cookies(fields);
        }
        if let Some(host) = self.host {
            fields.insert(header::HOST, host.clone());
        } else if self.http2 {
            // Of this, pingora makes `:authority`, and `:scheme` by how the upstream is reached. Otherwise it would be the caller's.
            fields.insert(header::HOST, HeaderValue::from_str(self.authority).map_err(|_| Refusal::Host)?);
        }
        self.frame(fields);
        *head = parts.into();
        Ok(())
    }

    fn strip(&self, fields: &mut HeaderMap) {
        let rules = self.permit.policy().identity().rules();
        let nominated: Vec<&str> = nominated(&self.came.headers).collect();
        let goes = |name: &&HeaderName| {
            let name = name.as_str();
            (name == "authorization" && !self.forward_authorization)
                || is_for_this_hop(name)
                || (is_forwarding(name) && !self.caller.trusted)
                || nominated.iter().any(|nominated| nominated.eq_ignore_ascii_case(name))
                || strips(rules, name)
        };
        let goers: Vec<HeaderName> = fields.keys().filter(goes).cloned().collect();
        for name in &goers {
            fields.remove(name);
        }
    }

    /// `X-Forwarded-For`, `-Proto` and `-Host`. What a trusted proxy says is kept, and added to.
    fn tell_origin(&self, fields: &mut HeaderMap) -> Result<(), Refusal> {
        let caller = self.caller;
        let chain = if caller.trusted { chain(fields, &caller.forwarded_for) } else { None };
        fields.insert(FORWARDED_FOR.clone(), chain.unwrap_or_else(|| caller.forwarded_for.clone()));
        let is_told = |fields: &HeaderMap, name| caller.trusted && is_told(fields, name);
        if !is_told(fields, &FORWARDED_PROTO) {
            let scheme = if caller.tls { "https" } else { "http" };
            fields.insert(FORWARDED_PROTO.clone(), HeaderValue::from_static(scheme));
        }
        if !is_told(fields, &FORWARDED_HOST) {
            let host = HeaderValue::from_str(self.authority).map_err(|_| Refusal::Host)?;
            fields.insert(FORWARDED_HOST.clone(), host);
        }
        Ok(())
    }

    /// One framing field in canonical form, or none (RFC 9112 section 6.3).
    fn frame(&self, fields: &mut HeaderMap) {
        if self.came.headers.contains_key(header::TRANSFER_ENCODING) && !self.http2 {
            fields.insert(header::TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
        }
        if self.no_body && !fields.contains_key(header::CONTENT_LENGTH) && !self.websocket {
            // RFC 9110 section 8.6: it says so where there is none.
            fields.insert(header::CONTENT_LENGTH, HeaderValue::from_static("0"));
        }
    }
}

/// Whether a method anticipates content (RFC 9110 section 8.6).
pub(super) fn anticipates_content(method: &Method) -> bool {
    matches!(*method, Method::POST | Method::PUT | Method::PATCH)
}

/// Whether the caller waits for 100 before it sends its content (RFC 9110 section 10.1.1). HTTP/1.0 knows no such thing.
pub(super) fn waits_to_continue(head: &RequestHeader) -> bool {
    let asks = |value: &HeaderValue| value.as_bytes().eq_ignore_ascii_case(b"100-continue");
    head.version != Version::HTTP_10 && head.headers.get(header::EXPECT).is_some_and(asks)
}

/// A head to leave in the place of one that is worked on.
fn empty() -> RequestHeader {
    http::Request::new(()).into_parts().0.into()
}

/// Whether a request asks for a WebSocket (RFC 6455 section 4.1). `Upgrade` counts where `Connection` names it (RFC 9110 section 7.8), and
/// nothing but the other protocol follows the head.
pub(super) fn asks_for_websocket(head: &RequestHeader) -> bool {
    let mut upgrades = head.headers.get_all(header::UPGRADE).iter();
    let websocket = upgrades.next().is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"websocket"));
    let connection = head.headers.get_all(header::CONNECTION).iter().filter_map(|value| value.to_str().ok());
    let named = connection
        .flat_map(|value| value.split(','))
        .any(|token| token.trim().eq_ignore_ascii_case("upgrade"));
    websocket
        && named
        && upgrades.next().is_none()
        && head.version == Version::HTTP_11
        && head.method == Method::GET
        && !head.headers.contains_key(header::TRANSFER_ENCODING)
}

/// One field of the cookies that HTTP/2 has in several (RFC 9113 section 8.2.3).
fn join_cookies(fields: &mut HeaderMap) {
    let cookies: Vec<&[u8]> = fields.get_all(header::COOKIE).iter().map(HeaderValue::as_bytes).collect();
    // What is joined by what may be in a value is a value.
    if cookies.len() > 1
        && let Ok(joined) = HeaderValue::from_bytes(&cookies.join(&b"; "[..]))
    {
        fields.insert(header::COOKIE, joined);
    }
}

fn asks_for_trailers(headers: &HeaderMap) -> bool {
    let values = headers.get_all(header::TE).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|coding| coding.trim().eq_ignore_ascii_case("trailers"))
}

/// Fields that end at each hop, or are meant for a proxy (RFC 9110 section 7.6.1, RFC 9113 section 8.2.2).
fn is_for_this_hop(name: &str) -> bool {
    matches!(
        name,
        "connection"
            | "keep-alive"
            | "te"
            | "trailer"
            | "transfer-encoding"
            | "upgrade"
            | "http2-settings"
            // The caller is told to go on by us: an upstream that answers without having read what follows could take it for
            // another request.
            | "expect"
            // "httpoxy": programs take it for their own environment's.
            | "proxy"
    ) || name.starts_with("proxy-")
}

/// Fields that tell where a request came from, in whatever spelling.
fn is_forwarding(name: &str) -> bool {
    const EXACT: [&str; 4] = ["forwarded", "x-real-ip", "x-client-ip", "true-client-ip"];
    const PREFIX: &str = "x-forwarded-";
    // Few names begin like one of them.
    if !name.starts_with(['x', 'f', 't']) {
        return false;
    }
    EXACT.iter().any(|exact| exact.len() == name.len() && alike(name, exact))
        || name.len() >= PREFIX.len() && name.get(..PREFIX.len()).is_some_and(|start| alike(start, PREFIX))
}

/// The identity's rules, and fields by which some frameworks take another path than the one that was judged.
fn strips(rules: &HeaderRules, name: &str) -> bool {
    const OTHER_PATH: [&str; 4] = ["x-original-url", "x-rewrite-url", "x-original-uri", "x-original-method"];
    rules.strips(name)
        || name.starts_with('x')
            && OTHER_PATH.iter().any(|other| other.len() == name.len() && alike(name, other))
}

/// Whether two names of one length are the same to a reader that takes `_` and `.` for `-`.
fn alike(name: &str, plain: &str) -> bool {
    name.bytes().map(|byte| if byte.is_ascii_alphanumeric() { byte } else { b'-' }).eq(plain.bytes())
}

/// Whether a trusted proxy said this, once.
fn is_told(headers: &HeaderMap, name: &HeaderName) -> bool {
    headers.get_all(name).iter().count() == 1
}

/// The chain of addresses with one more at its end (RFC 7239 section 5.2 calls it the same).
fn chain(headers: &HeaderMap, last: &HeaderValue) -> Option<HeaderValue> {
    let mut chain = Vec::new();
    for value in headers.get_all(&FORWARDED_FOR).iter().chain([last]) {
        if !chain.is_empty() {
            chain.extend_from_slice(b", ");
        }
        chain.extend_from_slice(value.as_bytes());
    }
    HeaderValue::try_from(chain).ok()
}

/// Most servers take lines of 8 KiB, name and all.
const MAX_IDENTITY_BYTES: usize = 8 * 1024 - 64;

/// About how many fields we set.
const OURS: usize = 10;

static FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
static FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
static FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");

#[cfg(test)]
mod tests;
