//! From requests to answers.

use super::error::OAuthError;
use super::form::{Form, authenticate};
use super::server::Server;
use super::{State, metadata};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use serde_json::Value;
use std::sync::Arc;

/// An answer with its whole body.
pub(super) type Answer = Response<Full<Bytes>>;

/// Answers one request.
pub(super) async fn answer(state: Arc<State>, request: Request<Incoming>) -> Answer {
    let (head, body) = request.into_parts();
    match Limited::new(body, MAX_BODY).collect().await {
        Ok(body) => respond(&state, &head.method, head.uri.path(), &head.headers, &body.to_bytes()),
        Err(_) => OAuthError::InvalidRequest("the body is too large, or broke off").answer(),
    }
}

pub(super) fn respond(
    state: &State,
    method: &Method,
    path: &str,
    headers: &HeaderMap,
    body: &[u8],
) -> Answer {
    let found = find(path).and_then(|(id, endpoint)| Some((state.servers.get(id)?, endpoint)));
    let Some((server, endpoint)) = found else {
        return plain(StatusCode::NOT_FOUND, "there is no such endpoint\n");
    };
    let document = match endpoint {
        Endpoint::Metadata => Some(metadata::document(server)),
        Endpoint::Keys => Some(server.key_set()),
        Endpoint::Token | Endpoint::Introspect | Endpoint::Revoke => None,
    };
    match (document, method) {
        (Some(document), &Method::GET | &Method::HEAD) => json(StatusCode::OK, &document),
        (Some(_), _) => not_allowed("GET, HEAD"),
        (None, &Method::POST) => {
            act(state, server, endpoint, headers, body).unwrap_or_else(OAuthError::answer)
        }
        (None, _) => not_allowed("POST"),
    }
}

/// What only a client may ask for.
fn act(
    state: &State,
    server: &Server,
    endpoint: Endpoint,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<Answer, OAuthError> {
    let form = Form::read(headers, body)?;
    let client = authenticate(state, headers, &form)?;
    let now = state.clock.now();
    match endpoint {
        Endpoint::Token => {
            if form.require("grant_type", "`grant_type` is missing")? != "client_credentials" {
                return Err(OAuthError::UnsupportedGrantType);
            }
            Ok(json(StatusCode::OK, &server.issue(client, form.get("scope"), now)?))
        }
        Endpoint::Introspect => {
            let token = form.require("token", "`token` is missing")?;
            Ok(json(StatusCode::OK, &server.introspect(token, now)))
        }
        _ => {
            server.revoke(form.require("token", "`token` is missing")?, client, now)?;
            Ok(Response::new(Full::default()))
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Endpoint {
    Metadata,
    Keys,
    Token,
    Introspect,
    Revoke,
}

/// The id of the server, and which of its endpoints it is.
fn find(path: &str) -> Option<(&str, Endpoint)> {
    // RFC 8414 section 3.1 puts the well-known part before the issuer's path.
    if let Some(id) = path.strip_prefix("/.well-known/oauth-authorization-server/oauth2/") {
        return Some((id, Endpoint::Metadata));
    }
    let (id, rest) = path.strip_prefix("/oauth2/")?.split_once('/')?;
    let endpoint = match rest {
        ".well-known/openid-configuration" | ".well-known/oauth-authorization-server" => Endpoint::Metadata,
        "v1/keys" => Endpoint::Keys,
        "v1/token" => Endpoint::Token,
        "v1/introspect" => Endpoint::Introspect,
        "v1/revoke" => Endpoint::Revoke,
        _ => return None,
    };
    Some((id, endpoint))
}

/// A JSON answer that nobody stores: some hold tokens (RFC 6749 section 5.1), and keys may change at any time.
pub(super) fn json(status: StatusCode, document: &Value) -> Answer {
    let mut answer = Response::new(Full::from(document.to_string()));
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}

fn plain(status: StatusCode, text: &'static str) -> Answer {
    let mut answer = Response::new(Full::from(text));
    *answer.status_mut() = status;
    answer
}

fn not_allowed(allowed: &'static str) -> Answer {
    let mut answer = plain(StatusCode::METHOD_NOT_ALLOWED, "this endpoint takes another method\n");
    answer.headers_mut().insert(header::ALLOW, HeaderValue::from_static(allowed));
    answer
}

/// Bytes of a request's body: a token of 16 KiB, encoded at three bytes for one, and the rest.
const MAX_BODY: usize = 64 * 1024;
