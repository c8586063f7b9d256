//! What an operator can order at the admin listener: tokens to forget, tokens to revoke.

use crate::gate::{Gate, Selector, What};
use crate::proof::IssuerName;
use crate::time::UnixTime;
use crate::token::{Claims, Shape, UnverifiedJws};
use bytes::Bytes;
use http::StatusCode;
use serde::Deserialize;
use zeroize::Zeroize;

/// The longest order, in bytes: a token of the greatest length, and something round it.
pub(super) const MAX_ORDER_BYTES: usize = crate::token::MAX_TOKEN_BYTES + 1024;

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// Facts are forgotten: an opaque token is asked about anew, a signed one verified anew.
    Forget,
    /// The same, and signed tokens are refused until they expire.
    Revoke,
}

/// Which tokens are meant: exactly one of the first six, and the issuer if only its tokens are.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    token: Option<String>,
    jti: Option<Box<str>>,
    sub: Option<Box<str>>,
    client: Option<Box<str>>,
    sid: Option<Box<str>>,
    all: Option<bool>,
    issuer: Option<Box<str>>,
    /// When the tokens have expired, in seconds since the epoch, if that is known.
    expires: Option<u64>,
}

impl Order {
    /// Carries the order out, and says what came of it, as JSON.
    pub(super) fn carry_out(self, gate: &Gate, body: &[u8]) -> (StatusCode, Bytes) {
        let told = |status, text: String| (status, text.into());
        let meant: Body = match serde_json::from_slice(body) {
            Ok(meant) => meant,
            // The parser's own words could quote the body, which may hold a token.
            Err(_) => {
                return told(
                    StatusCode::BAD_REQUEST,
                    wrong("the body is not a JSON object with known members"),
                );
            }
        };
        let told_expiry = meant.expires.map(UnixTime::from_secs);
        if told_expiry.is_some_and(|expires| gate.has_ended(expires)) {
            return told(StatusCode::BAD_REQUEST, wrong(PAST));
        }
        let expires = told_expiry.or_else(|| expiry(meant.token.as_ref()?));
        let Some(selector) = meant.selector() else {
            return told(StatusCode::BAD_REQUEST, wrong(ONE_OF));
        };
        if selector.issuer().is_some_and(|issuer| gate.policy().issuer(issuer.as_str()).is_none()) {
            return told(StatusCode::BAD_REQUEST, wrong(NO_ISSUER));
        }
        let done = match self {
            Self::Forget => Ok(gate.forget(&selector)),
            Self::Revoke => gate.revoke(&selector, expires),
        };
        tracing::info!(target: "tollgate::admin", order = ?self, tokens = ?selector.what(), outcome = ?done, "an operator's order");
        match done {
            Ok(forgotten) => told(StatusCode::OK, format!("{{\"forgotten\":{forgotten}}}\n")),
            Err(full) => told(StatusCode::INSUFFICIENT_STORAGE, wrong(&full.to_string())),
        }
    }
}

const ONE_OF: &str = "name exactly one of token, jti, sub, client, sid, or all: true; not empty, and a token as a whole, without anything round it";

const PAST: &str = "`expires` is past: it is an instant, in seconds since the epoch, after which none of the tokens is good any more";

const NO_ISSUER: &str =
    "no issuer of this name is configured: write it as its `issuer` stands there, slash and all";

impl Drop for Body {
    fn drop(&mut self) {
        self.token.zeroize();
    }
}

impl Body {
    fn selector(mut self) -> Option<Selector> {
        // Nothing bears an empty name, no token has a space or a line's end in it, and none that begins like a JWS is anything else.
        let names = [&self.jti, &self.sub, &self.client, &self.sid];
        let is_vain = names.into_iter().flatten().any(|name| name.is_empty())
            || self.token.as_ref().is_some_and(|token| {
                let is_text = !token.is_empty() && token.bytes().all(|b| b.is_ascii_graphic());
                !is_text || (Shape::of(token) != Shape::Opaque && UnverifiedJws::parse(token).is_err())
            });
        let named = [
            self.token.as_deref().map(Selector::token),
            self.jti.take().map(|id| Selector::new(What::Id(id))),
            self.sub.take().map(|subject| Selector::new(What::Subject(subject))),
            self.client.take().map(|client| Selector::new(What::Client(client))),
            self.sid.take().map(|session| Selector::new(What::Session(session))),
            self.all.filter(|all| *all).map(|_| Selector::new(What::All)),
        ];
        let mut named = named.into_iter().flatten();
        let selector = named.next().filter(|_| !is_vain)?;
        if named.next().is_some() {
            return None;
        }
        Some(match self.issuer.take() {
            Some(issuer) => selector.of_issuer(IssuerName::new(&issuer)),
            None => selector,
        })
    }
}

/// When a signed token says that it expires. It need not be true: if it is not, the token is refused anyway.
fn expiry(token: &str) -> Option<UnixTime> {
    Claims::parse(UnverifiedJws::parse(token).ok()?.payload()).ok()?.expires()
}

fn wrong(text: &str) -> String {
    format!("{}\n", serde_json::json!({ "error": text }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{self, Environment};

    const CONFIG: &str = "
issuers: {main: {issuer: 'https://as.example/', audiences: [a], clients: any}}
routes: [{path: /, scopes: none}]
";

    fn order(order: Order, body: &str) -> (u16, String) {
        let plan = config::parse("gateway.yaml", CONFIG, &Environment::empty()).unwrap();
        let gate = Gate::builder(plan.policy).build();
        let (status, text) = order.carry_out(&gate, body.as_bytes());
        (status.as_u16(), String::from_utf8(text.to_vec()).unwrap())
    }

    #[test]
    fn exactly_one_thing_is_meant() {
        for good in [
            r#"{"token":"abc"}"#,
            r#"{"jti":"a"}"#,
            r#"{"sub":"a","issuer":"https://as.example/"}"#,
            r#"{"client":"a","expires":4000000000}"#,
            r#"{"sid":"a"}"#,
            r#"{"all":true}"#,
        ] {
            assert_eq!(order(Order::Forget, good), (200, "{\"forgotten\":0}\n".to_owned()), "{good}");
            assert_eq!(order(Order::Revoke, good).0, 200, "{good}");
        }
        for bad in [
            "",
            "[]",
            "{}",
            r#"{"all":false}"#,
            r#"{"issuer":"https://as"}"#,
            r#"{"sub":"a","issuer":"https://as.example"}"#,
            r#"{"sub":"a","jti":"b"}"#,
            r#"{"user":"a"}"#,
            r#"{"sub":1}"#,
            r#"{"sub":"a","expires":3600}"#,
            r#"{"sub":"a","sub":"b"}"#,
            r#"{"sub":""}"#,
            r#"{"token":""}"#,
            r#"{"token":"abc\n"}"#,
            r#"{"token":"Bearer abc"}"#,
            // A signature is missing.
            r#"{"token":"eyJhbGciOiJSUzI1NiJ9.e30"}"#,
        ] {
            assert_eq!(order(Order::Revoke, bad).0, 400, "{bad}");
        }
    }

    #[test]
    fn an_answer_never_quotes_the_order() {
        assert!(!order(Order::Forget, r#"{"token":"hunter2","x":1}"#).1.contains("hunter2"));
        assert!(!order(Order::Forget, r#"{"token":"hunter2"#).1.contains("hunter2"));
    }
}
