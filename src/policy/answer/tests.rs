use super::*;
use crate::policy::fixtures::{any_token, policy};
use crate::policy::{Policy, Requirement, RouteTable};
use http::HeaderMap;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

fn denial(reason: Reason) -> Denial {
    let (policy, index) = policy("/a", Requirement::Token(any_token()));
    Denial::new(reason, &policy).on(index)
}

fn in_realm(reason: Reason, realm: &str) -> Denial {
    Denial::new(reason, &Arc::new(Policy::new(RouteTable::default(), []).with_realm(realm)))
}

fn challenge(denial: &Denial) -> Option<String> {
    let answer = denial.answer(AnswerForm::Problem);
    let mut challenges = answer.headers.get_all(header::WWW_AUTHENTICATE).iter();
    let challenge = challenges.next().map(|value| value.to_str().unwrap().to_owned());
    assert!(challenges.next().is_none(), "there is at most one");
    challenge
}

#[test]
fn challenges_as_rfc_6750_has_them() {
    let expired = r#"error="invalid_token", error_description="the token has expired""#;
    let cases = [
        (denial(Reason::TokenMissing), Some("Bearer".to_owned())),
        (denial(Reason::SchemeUnsupported), Some("Bearer".into())),
        (in_realm(Reason::TokenMissing, "orders"), Some(r#"Bearer realm="orders""#.into())),
        (in_realm(Reason::TokenMissing, "a \"b\"\\\r\né"), Some(r#"Bearer realm="a b""#.into())),
        (denial(Reason::Expired), Some(format!("Bearer {expired}"))),
        (in_realm(Reason::Expired, "orders"), Some(format!(r#"Bearer realm="orders", {expired}"#))),
        (
            denial(Reason::AuthorizationRepeated),
            Some(
                r#"Bearer error="invalid_request", error_description="there is more than one Authorization field""#
                    .into(),
            ),
        ),
        (
            denial(Reason::Scope).wanting("orders:read orders:write"),
            Some(
                concat!(
                    r#"Bearer error="insufficient_scope", error_description="the token lacks a scope", "#,
                    r#"scope="orders:read orders:write""#
                )
                .into(),
            ),
        ),
        (
            denial(Reason::Claim),
            Some(r#"Bearer error="insufficient_scope", error_description="the token does not allow this""#.into()),
        ),
        (denial(Reason::NoRoute), None),
        (denial(Reason::MethodNotAllowed), None),
        (denial(Reason::PathAmbiguous), None),
        (denial(Reason::KeysUnavailable), None),
    ];
    for (denial, expected) in cases {
        assert_eq!(challenge(&denial), expected, "{denial:?}");
    }
}

#[test]
fn each_reason_has_the_status_challenge_and_grpc_status_of_its_fault() {
    for reason in Reason::ALL {
        let (status, error, grpc) = match reason.fault() {
            Fault::Request if *reason == Reason::TargetTooLong => (414, None, "3"),
            Fault::Request => (400, None, "3"),
            Fault::NoCredentials => (401, Some("Bearer"), "16"),
            Fault::Credentials => (400, Some("Bearer error=\"invalid_request\""), "16"),
            Fault::Token => (401, Some("Bearer error=\"invalid_token\""), "16"),
            Fault::Scope | Fault::Forbidden => (403, Some("Bearer error=\"insufficient_scope\""), "7"),
            Fault::Place => (404, None, "12"),
            Fault::Method => (405, None, "12"),
            Fault::Ours => (503, None, "14"),
        };
        let denial = denial(*reason);
        assert_eq!(reason.status().as_u16(), status, "{reason}");
        let challenge = challenge(&denial);
        assert_eq!(challenge.is_some(), error.is_some(), "{reason}");
        assert!(challenge.unwrap_or_default().starts_with(error.unwrap_or_default()), "{reason}");

        let answer = denial.answer(AnswerForm::Problem);
        assert_eq!(answer.status.as_u16(), status);
        assert_eq!(answer.headers[header::CACHE_CONTROL], "no-store");
        assert_eq!(answer.headers[header::CONTENT_TYPE], "application/problem+json");
        let problem: Value = serde_json::from_slice(&answer.body).unwrap();
        let title = reason.status().canonical_reason();
        let expected =
            json!({"status": status, "title": title, "code": reason.code(), "detail": reason.description()});
        assert_eq!(problem, expected);

        let empty = denial.answer(AnswerForm::NoBody);
        assert_eq!((empty.status.as_u16(), empty.body.len()), (status, 0));
        assert_eq!(empty.headers, answer.headers, "a HEAD is answered with the header of a GET");

        let trailers = denial.answer(AnswerForm::Grpc);
        assert_eq!((trailers.status, trailers.body.len()), (StatusCode::OK, 0));
        assert_eq!(trailers.headers[header::CONTENT_TYPE], "application/grpc");
        assert_eq!(trailers.headers["grpc-status"], grpc, "{reason}");
        // Percent-encoded where needed, which is nowhere.
        assert_eq!(trailers.headers["grpc-message"], reason.description());
        assert!(!reason.description().contains('%'));
        assert_eq!(trailers.headers[header::CACHE_CONTROL], "no-store");
    }
}

#[test]
fn a_method_that_is_not_allowed_is_told_which_are() {
    let denial = denial(Reason::MethodNotAllowed).allowing(vec![Method::GET, Method::HEAD]);
    assert_eq!(denial.answer(AnswerForm::Problem).headers[header::ALLOW], "GET, HEAD");
    assert_eq!(denial.answer(AnswerForm::NoBody).headers[header::ALLOW], "GET, HEAD");
}

#[test]
fn an_outage_tells_when_to_come_again_in_whole_seconds() {
    for (millis, expected) in [(0, "1"), (1, "1"), (1_000, "1"), (1_001, "2"), (30_000, "30")] {
        let denial = denial(Reason::KeysUnavailable).retry_after(Duration::from_millis(millis));
        assert_eq!(denial.answer(AnswerForm::Problem).headers[header::RETRY_AFTER], expected, "{millis}");
        assert_eq!(denial.answer(AnswerForm::Grpc).headers[header::RETRY_AFTER], expected, "{millis}");
    }
    let headers = denial(Reason::Expired).answer(AnswerForm::Problem).headers;
    assert!(!headers.contains_key(header::RETRY_AFTER) && !headers.contains_key(header::ALLOW));
}

#[test]
fn the_form_suits_the_request() {
    let plain = HeaderMap::new();
    let mut grpc = HeaderMap::new();
    grpc.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/grpc+proto"));
    let cases = [
        (Method::GET, &plain, AnswerForm::Problem),
        (Method::POST, &plain, AnswerForm::Problem),
        (Method::HEAD, &plain, AnswerForm::NoBody),
        (Method::POST, &grpc, AnswerForm::Grpc),
    ];
    for (method, headers, expected) in cases {
        assert_eq!(AnswerForm::of(&RequestHead::new(&method, b"/", headers)), expected, "{method}");
    }
}

#[test]
fn an_answer_becomes_a_response() {
    let answer = denial(Reason::Expired).answer(AnswerForm::Problem);
    let response = Response::from(answer.clone());
    assert_eq!((response.status(), response.headers()), (answer.status, &answer.headers));
    assert_eq!(response.body(), &answer.body);
}
