//! Claims: RFC 7519 section 4. The input is the JSON.

use super::json::Members;
use serde_json::Value;
use tollgate::time::UnixTime;
use tollgate::token::{Claims, ClaimsError, ClientClaim, KindClaim};

/// A set of claims is refused for a wrong type or for not being one, else says what `serde_json` finds in it.
pub fn check(data: &[u8]) {
    let members = Members::unique_throughout(data);
    match (Claims::parse(data), members) {
        (Err(ClaimsError::TooLong), _) => assert!(data.len() > 1024 * 1024),
        (Ok(claims), Some(members)) => agrees(data, &claims, &members),
        (Ok(_), None) => panic!("these are no claims"),
        (Err(ClaimsError::NotAnObject), Some(_)) => panic!("these are claims"),
        (Err(ClaimsError::NotAnObject), None) => {}
        (Err(ClaimsError::WrongType(name)), members) => {
            // It is told as soon as it is seen, whatever comes behind it.
            if let Some(members) = members {
                assert!(
                    !has_its_type(name, members.get(name).expect("it is there")),
                    "`{name}` has its type"
                );
            }
        }
    }
}

fn agrees(data: &[u8], claims: &Claims, members: &Members<'_>) {
    assert_eq!(claims.as_json().as_bytes(), data, "the object is kept as it came");
    for (name, value) in &members.0 {
        assert!(has_its_type(name, value.get()), "`{name}` has another type, and is taken");
    }
    let text = |name: &str| members.string(name).expect("a string");
    let texts = [
        ("iss", claims.issuer()),
        ("sub", claims.subject()),
        ("jti", claims.id()),
        ("sid", claims.session()),
        ("token_use", claims.kind(KindClaim::TokenUse)),
        ("token_type", claims.kind(KindClaim::TokenType)),
        ("typ", claims.kind(KindClaim::Typ)),
    ];
    let clients = ClientClaim::ALL.map(|claim| (claim.name(), claims.client(claim)));
    for (name, read) in texts.into_iter().chain(clients) {
        assert_eq!(read.map(str::to_owned), text(name), "`{name}`");
    }
    for (name, read) in [("exp", claims.expires()), ("nbf", claims.not_before()), ("iat", claims.issued_at())]
    {
        assert_eq!(read, members.get(name).map(instant), "`{name}`");
    }
    let audiences: Vec<String> = members.get("aud").map(|value| strings(value, None)).unwrap_or_default();
    assert_eq!(claims.audiences().collect::<Vec<_>>(), audiences);
    let scopes = members.0.iter().filter(|(name, _)| name == "scp" || name == "scope");
    let scopes: Vec<String> = scopes.flat_map(|(_, value)| strings(value.get(), Some(' '))).collect();
    let scopes: Vec<&String> = scopes.iter().filter(|scope| !scope.is_empty()).collect();
    assert_eq!(claims.scopes().iter().collect::<Vec<_>>(), scopes);
    assert!(scopes.iter().all(|scope| claims.scopes().contains(scope)));
    let peeked = Claims::peek_issuer(data).expect("the whole was taken");
    assert_eq!(peeked.as_deref(), claims.issuer(), "one issuer is asked, and believed");
    for (name, value) in members.0.iter().filter(|(name, _)| !name.starts_with('/')) {
        assert_eq!(claims.get(name), serde_json::from_str(value.get()).ok(), "`{name}`");
    }
    if let Ok(whole) = serde_json::from_slice::<Value>(data) {
        assert_eq!(claims.deserialize::<Value>().ok(), Some(whole));
    }
}

/// Whether a claim's value has the type that its standard gives it.
fn has_its_type(name: &str, json: &str) -> bool {
    let value: Option<Value> = serde_json::from_str(json).ok();
    let is_text = |value: &Value| value.is_string();
    match name {
        "iss" | "sub" | "jti" | "sid" | "cid" | "client_id" | "azp" | "appid" | "token_use"
        | "token_type" | "typ" => value.is_some_and(|value| is_text(&value)),
        "exp" | "nbf" | "iat" => {
            value.and_then(|value| value.as_f64()).is_some_and(|date| date.is_finite() && date >= 0.0)
        }
        "aud" | "scp" | "scope" => value.is_some_and(|value| match &value {
            Value::Array(list) => list.iter().all(is_text),
            single => is_text(single),
        }),
        // What it confirms is judged elsewhere.
        "cnf" => Members::unique(json.as_bytes())
            .is_some_and(|members| ["jkt", "x5t#S256"].into_iter().all(|name| members.string(name).is_ok())),
        _ => true,
    }
}

/// The strings of a string or an array.
fn strings(json: &str, separator: Option<char>) -> Vec<String> {
    match serde_json::from_str(json).expect("its type was looked at") {
        Value::String(text) => match separator {
            Some(separator) => text.split(separator).map(str::to_owned).collect(),
            None => vec![text],
        },
        Value::Array(list) => list.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        other => panic!("{other}"),
    }
}

/// The instant of a date: integers to the second, whatever their size.
fn instant(json: &str) -> UnixTime {
    let date: Value = serde_json::from_str(json).expect("its type was looked at");
    match date.as_u64() {
        // Up to the year 9999 a float knows each millisecond.
        Some(secs) => UnixTime::from_secs(secs),
        None => {
            UnixTime::from_numeric_date(date.as_f64().expect("a number")).expect("its type was looked at")
        }
    }
}
