//! The API behind the demo's gateway. It checks nothing, and says what it was sent.

use crate::authority::Serving;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, header};
use http_body_util::Full;
use hyper::body::Incoming;
use serde::Serialize;
use std::collections::BTreeMap;
use tokio::net::TcpListener;

/// Answers on this listener until what it returns is dropped.
pub(super) fn start(listener: TcpListener) -> std::io::Result<Serving> {
    Serving::start(listener, async |request| answer(&request))
}

/// What the API says. In this order, for it is read by people.
#[derive(Serialize)]
struct Account<'a> {
    method: &'a str,
    path: &'a str,
    /// Whether the caller's token came through to it.
    token_seen: bool,
    identity: BTreeMap<&'a str, String>,
}

fn answer(request: &Request<Incoming>) -> Response<Full<Bytes>> {
    let account = Account {
        method: request.method().as_str(),
        path: request.uri().path(),
        token_seen: request.headers().contains_key(header::AUTHORIZATION),
        identity: identity(request.headers()),
    };
    let mut text = serde_json::to_string_pretty(&account).unwrap_or_default();
    text.push('\n');
    let mut response = Response::new(Full::from(text));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// The fields that tell who is calling. Where one came twice, both are told.
fn identity(headers: &HeaderMap) -> BTreeMap<&str, String> {
    let names = headers.keys().map(HeaderName::as_str).filter(|name| name.starts_with("x-auth-request-"));
    names
        .map(|name| {
            let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
            (name, values.collect::<Vec<_>>().join(", "))
        })
        .collect()
}
