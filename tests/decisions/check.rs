//! Whether what came of a request is what its case says, and what the RFCs say of every such answer.

use crate::doors::{Exchange, Seen};
use crate::file::Case;
use http::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, WWW_AUTHENTICATE};
use http::{HeaderMap, Method};
use std::collections::BTreeMap;

/// `fill` puts tokens in the place of their names.
pub fn check(
    case: &Case,
    exchange: &Exchange,
    seen: &Seen,
    fill: impl Fn(&str) -> Result<String, String>,
) -> Result<(), String> {
    match (&case.pass, &case.refuse) {
        (Some(pass), _) => {
            let fill = |(name, value): (&String, &Option<String>)| {
                Ok((name.clone(), value.as_deref().map(&fill).transpose()?))
            };
            passed(&pass.iter().map(fill).collect::<Result<_, String>>()?, exchange, seen)
        }
        (None, refuse) => refused(refuse.as_deref().unwrap_or_default(), case, exchange, seen),
    }
}

fn passed(pass: &BTreeMap<String, Option<String>>, exchange: &Exchange, seen: &Seen) -> Result<(), String> {
    let Some(forwarded) = &seen.forwarded else {
        return Err(format!("it is refused: {} {}", seen.status, String::from_utf8_lossy(&seen.body)));
    };
    compare("the API sees", pass, forwarded)?;
    // Whatever the caller says of itself is not what the API reads, unless the case says so.
    for (name, value) in &exchange.headers {
        let claimed = name.as_str().replace(['_', '.'], "-").starts_with("x-auth-request-");
        let expected = pass.get(name.as_str()).is_some_and(Option::is_some);
        if claimed && !expected && forwarded.get_all(name).iter().any(|other| other == value) {
            return Err(format!("`{name}` of the caller reaches the API"));
        }
    }
    match forwarded.contains_key(AUTHORIZATION) && !pass.contains_key("authorization") {
        true => Err("the token reaches the API".to_owned()),
        false => Ok(()),
    }
}

fn refused(expected: &str, case: &Case, exchange: &Exchange, seen: &Seen) -> Result<(), String> {
    if seen.forwarded.is_some() {
        return Err("it passes".to_owned());
    }
    let grpc = seen.headers.get(CONTENT_TYPE).is_some_and(|value| value == "application/grpc");
    let head = exchange.method == Method::HEAD;
    let (status, code) = expected.split_once(' ').ok_or("`refuse` is a status, a space and a code")?;
    let told = match grpc || head {
        true => code.to_owned(),
        false => code_of(seen)?,
    };
    if (seen.status.as_str(), told.as_str()) != (status, code) {
        return Err(format!("it is refused as {} {told}, and not as {expected}", seen.status.as_u16()));
    }
    if (grpc || head) && !seen.body.is_empty() {
        return Err("there is a body".to_owned());
    }
    let challenge = seen.headers.get(WWW_AUTHENTICATE).map(|value| value.to_str().unwrap());
    if let Some(expected) = &case.challenge
        && challenge != Some(expected)
    {
        return Err(format!("the challenge is {challenge:?}"));
    }
    if !grpc {
        check_challenge(status, code, challenge)?;
    }
    if seen.headers.get(CACHE_CONTROL).is_none_or(|value| value != "no-store") {
        return Err("it may be stored".to_owned());
    }
    compare("the answer has", &case.answer, &seen.headers)
}

/// The problem document's code (RFC 9457).
fn code_of(seen: &Seen) -> Result<String, String> {
    let problem: serde_json::Value = serde_json::from_slice(&seen.body).map_err(|error| error.to_string())?;
    if problem["status"] != seen.status.as_u16() {
        return Err(format!("the document says {}", problem["status"]));
    }
    if seen.headers.get(CONTENT_TYPE).is_none_or(|value| value != "application/problem+json") {
        return Err("it is no problem document".to_owned());
    }
    Ok(problem["code"].as_str().unwrap_or_default().to_owned())
}

/// RFC 6750 section 3: one challenge with 401, without an error where no token came; 400 and 403 name theirs.
fn check_challenge(status: &str, code: &str, challenge: Option<&str>) -> Result<(), String> {
    let error = match (status, code) {
        ("401", "token_missing" | "scheme_unsupported") => Some(None),
        ("401", _) => Some(Some("invalid_token")),
        ("403", _) => Some(Some("insufficient_scope")),
        ("400", "path_ambiguous") => None,
        ("400", _) => Some(Some("invalid_request")),
        _ => None,
    };
    let fits = match (challenge, error) {
        (None, None) => true,
        (Some(challenge), Some(error)) => {
            let named = challenge.split("error=\"").nth(1).and_then(|rest| rest.split('"').next());
            challenge.starts_with("Bearer") && named == error
        }
        _ => false,
    };
    if fits { Ok(()) } else { Err(format!("with {status} {code} goes no challenge {challenge:?}")) }
}

fn compare(
    who: &str,
    expected: &BTreeMap<String, Option<String>>,
    headers: &HeaderMap,
) -> Result<(), String> {
    for (name, expected) in expected {
        let values: Vec<_> = headers.get_all(name).iter().map(|value| value.to_str().unwrap()).collect();
        if values != expected.as_deref().into_iter().collect::<Vec<_>>() {
            return Err(format!("{who} `{name}`: {values:?}"));
        }
    }
    Ok(())
}
