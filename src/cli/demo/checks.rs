//! What the demo asks of its gateway, over HTTP, and what it expects.

use super::Tokens;
use super::client::{Answer, Call};
use http::{HeaderName, HeaderValue, Method, header};
use serde_json::Value;
use std::error::Error;
use std::net::SocketAddr;

/// A request, and what should come of it.
pub(super) struct Check {
    pub(super) method: Method,
    pub(super) target: String,
    /// What is remarkable about the request.
    pub(super) with: &'static str,
    fields: Vec<(HeaderName, String)>,
    pub(super) status: u16,
    expected: Expected,
}

/// What the answer shows beside its status.
enum Expected {
    /// Nothing in particular.
    Anything,
    /// A challenge without an error: the caller showed nothing that could be wrong (RFC 6750 section 3.1).
    BareChallenge,
    /// A challenge that names this error.
    Error(&'static str),
    /// A field with this text in it.
    Field(HeaderName, &'static str),
    /// The API's own account of the request: this client is calling, and no token came along.
    Client(&'static str),
}

/// A check that was made.
pub(super) struct Outcome {
    pub(super) check: Check,
    /// What is wrong with the answer, if anything is.
    pub(super) problem: Option<String>,
}

/// All checks, in the order in which a newcomer would try them.
pub(super) fn all(tokens: &Tokens) -> Vec<Check> {
    let bearer = |token: &str| vec![(header::AUTHORIZATION, format!("Bearer {token}"))];
    let check = |status, method, target: &str, with, fields, expected| Check {
        method,
        target: target.to_owned(),
        with,
        fields,
        status,
        expected,
    };
    let (get, order) = (Method::GET, "/orders/17");
    let mut impostor = bearer(&tokens.read);
    impostor.push((HeaderName::from_static("x-auth-request-client-id"), "admin".to_owned()));
    let in_query = format!("{order}?access_token={}", tokens.read);
    vec![
        check(200, get.clone(), "/health", "a public route", vec![], Expected::Client("")),
        check(401, get.clone(), order, "no token", vec![], Expected::BareChallenge),
        check(
            200,
            get.clone(),
            order,
            "a JWT for orders:read",
            bearer(&tokens.read),
            Expected::Client(ORDERS_APP),
        ),
        check(
            200,
            get.clone(),
            order,
            "an opaque token, introspected",
            bearer(&tokens.opaque),
            Expected::Client(ORDERS_PARTNER),
        ),
        check(
            403,
            Method::POST,
            "/orders",
            "the JWT again: it lacks orders:write",
            bearer(&tokens.read),
            Expected::Error("insufficient_scope"),
        ),
        check(
            401,
            get.clone(),
            order,
            "a forged signature",
            bearer(&tokens.forged()),
            Expected::Error("invalid_token"),
        ),
        check(
            400,
            get.clone(),
            &in_query,
            "the JWT in the query",
            vec![],
            Expected::Error("invalid_request"),
        ),
        check(
            200,
            get.clone(),
            order,
            "a forged identity header: replaced",
            impostor,
            Expected::Client(ORDERS_APP),
        ),
        check(404, get, "/invoices", "a path without a route", bearer(&tokens.read), Expected::Anything),
        check(
            405,
            Method::PUT,
            order,
            "a method that the route lacks",
            bearer(&tokens.read),
            Expected::Field(header::ALLOW, "DELETE"),
        ),
    ]
}

/// Makes a check at the gateway's address.
pub(super) async fn run(check: Check, gateway: SocketAddr) -> Outcome {
    let problem = match send(&check, gateway).await {
        Ok(answer) => check.problem(&answer),
        Err(error) => Some(format!("no answer: {error}")),
    };
    Outcome { check, problem }
}

async fn send(check: &Check, gateway: SocketAddr) -> Result<Answer, Box<dyn Error + Send + Sync>> {
    let mut call = Call::new(check.method.clone(), gateway, &check.target)?;
    for (name, value) in &check.fields {
        call = call.with(name.clone(), HeaderValue::from_str(value)?);
    }
    call.send().await
}

impl Check {
    fn problem(&self, answer: &Answer) -> Option<String> {
        if answer.status != self.status {
            return Some(format!("the answer was {}", answer.status));
        }
        let challenge = answer.header("www-authenticate");
        match self.expected {
            Expected::Anything => None,
            Expected::BareChallenge => (!challenge.starts_with("Bearer") || challenge.contains("error"))
                .then(|| "no bare challenge came with it".to_owned()),
            Expected::Error(error) => (!challenge.contains(&format!("error=\"{error}\"")))
                .then(|| format!("no challenge with {error} came with it")),
            Expected::Field(ref name, text) => (!answer.header(name.as_str()).contains(text))
                .then(|| format!("no {name} with {text} came with it")),
            Expected::Client(client) => {
                let seen: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
                let named = seen.pointer("/identity/x-auth-request-client-id").and_then(Value::as_str);
                if named.unwrap_or_default() != client {
                    return Some("the API was told another client".to_owned());
                }
                (seen.get("token_seen") != Some(&Value::Bool(false)))
                    .then(|| "the API was shown the token".to_owned())
            }
        }
    }
}

/// The client that gets JWTs.
pub(super) const ORDERS_APP: &str = "orders-app";
/// The client that gets opaque tokens.
pub(super) const ORDERS_PARTNER: &str = "orders-partner";
