//! Signed introspection answers (RFC 9701), and endpoints that say that a token is none of theirs.

use crate::house::{API, House, Outcome, rules};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tollgate::gate::{
    BoxFuture, Introspect, IntrospectionAnswer, IntrospectionSettings, SourceError, SourceErrorKind,
};
use tollgate::policy::{OpaqueRules, Reason};
use tollgate::proof::{Algorithm, AlgorithmSet};
use tollgate::testing::TokenBuilder;

const TOKEN: &str = "2YotnFZFEjr1zCsicMWpAA";
const UNAVAILABLE: Outcome = Outcome::Refused(Reason::IntrospectionUnavailable);

/// An endpoint that gives these answers, one after the other, the last over and over.
#[derive(Default)]
struct Script {
    asked: AtomicUsize,
    answers: Mutex<VecDeque<Result<IntrospectionAnswer, SourceErrorKind>>>,
}

impl Introspect for Script {
    fn introspect<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<IntrospectionAnswer, SourceError>> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let mut answers = self.answers.lock().unwrap();
        let answer = if answers.len() > 1 { answers.pop_front() } else { answers.front().cloned() };
        Box::pin(async { answer.unwrap().map_err(|kind| SourceError::new(kind, "as the script says")) })
    }

    fn client_id(&self) -> &str {
        "gateway"
    }
}

fn rs256() -> AlgorithmSet {
    [Algorithm::RS256].into_iter().collect()
}

async fn house(settings: IntrospectionSettings) -> (House, Arc<Script>) {
    let script = Arc::new(Script::default());
    let asked = (script.clone() as Arc<dyn Introspect>, settings);
    let mut rules = rules();
    rules.opaque = Some(OpaqueRules { min_length: 8, prefixes: Box::default() });
    let house = House::unready(|sources| sources.introspection = Some(asked), rules);
    assert!(house.gate.ready(Duration::from_secs(5)).await);
    (house, script)
}

fn says(script: &Script, answers: impl IntoIterator<Item = Result<IntrospectionAnswer, SourceErrorKind>>) {
    *script.answers.lock().unwrap() = answers.into_iter().collect();
}

fn claims(active: bool) -> serde_json::Value {
    serde_json::json!({"active": active, "aud": API, "client_id": "shop", "scope": "orders:read"})
}

fn json() -> IntrospectionAnswer {
    IntrospectionAnswer::Json(claims(true).to_string().into())
}

/// What the issuer would sign about an active token.
fn answer(house: &House) -> TokenBuilder {
    let token = house.issuer.token().typ("token-introspection+jwt").audience("gateway");
    token.claim("token_introspection", claims(true))
}

fn signed(token: &TokenBuilder) -> Result<IntrospectionAnswer, SourceErrorKind> {
    Ok(IntrospectionAnswer::Signed(token.sign()))
}

#[tokio::test]
async fn an_answer_must_be_signed_where_that_is_asked() {
    for (asked, expected) in [(true, UNAVAILABLE), (false, Outcome::Allowed)] {
        let settings = IntrospectionSettings { signed: asked, algorithms: rs256(), ..Default::default() };
        let (house, script) = house(settings).await;
        says(&script, [Ok(json())]);
        assert_eq!(house.get(TOKEN).await, expected);
    }
}

#[tokio::test]
async fn a_signed_answer_is_held_against_who_was_asked_and_who_asks() {
    type Change = fn(TokenBuilder) -> TokenBuilder;
    let cases: [(Change, Outcome); 8] = [
        (|token| token, Outcome::Allowed),
        (|token| token.claim("token_introspection", claims(false)), Outcome::Refused(Reason::Inactive)),
        (|token| token.audience("another"), UNAVAILABLE),
        (|token| token.claim("iss", "https://other/"), UNAVAILABLE),
        (|token| token.typ("at+jwt"), UNAVAILABLE),
        (|token| token.tampered(), UNAVAILABLE),
        (|token| token.algorithm(Algorithm::PS256), UNAVAILABLE),
        (|token| token.without("token_introspection"), UNAVAILABLE),
    ];
    for (n, (change, expected)) in cases.into_iter().enumerate() {
        let settings = IntrospectionSettings { signed: true, algorithms: rs256(), ..Default::default() };
        let (house, script) = house(settings).await;
        says(&script, [signed(&change(answer(&house)))]);
        assert_eq!(house.get(TOKEN).await, expected, "case {n}");
        assert_eq!(house.keys.fetched(), 1, "case {n}: a known key is no reason to fetch");
    }
}

#[tokio::test]
async fn a_signed_answer_with_a_new_key_costs_one_fetch() {
    let settings = IntrospectionSettings { signed: true, algorithms: rs256(), ..Default::default() };
    let (house, script) = house(settings).await;
    house.issuer.rotate();
    says(&script, [signed(&answer(&house))]);
    assert_eq!(house.get(TOKEN).await, UNAVAILABLE, "the keys were fetched a moment ago");
    house.clock.advance(Duration::from_secs(30));
    assert_eq!(house.get(TOKEN).await, Outcome::Allowed);
    assert_eq!((house.keys.fetched(), script.asked.load(Ordering::SeqCst)), (2, 2));
}

#[tokio::test]
async fn a_token_that_is_none_of_the_endpoint_s_is_not_active() {
    let (house, script) = house(IntrospectionSettings::default()).await;
    says(&script, [Ok(IntrospectionAnswer::NotJudged)]);
    assert_eq!(house.get(TOKEN).await, Outcome::Refused(Reason::Inactive));
}

#[tokio::test]
async fn only_a_connection_that_fails_is_tried_again_and_only_once() {
    let cases = [
        (vec![Err(SourceErrorKind::Connect), Ok(json())], Outcome::Allowed, 2),
        (vec![Err(SourceErrorKind::Connect), Err(SourceErrorKind::Connect), Ok(json())], UNAVAILABLE, 2),
        (vec![Err(SourceErrorKind::Status), Ok(json())], UNAVAILABLE, 1),
        (vec![Err(SourceErrorKind::Timeout), Ok(json())], UNAVAILABLE, 1),
    ];
    for (answers, expected, asked) in cases {
        let (house, script) = house(IntrospectionSettings::default()).await;
        says(&script, answers);
        assert_eq!(house.get(TOKEN).await, expected);
        assert_eq!(script.asked.load(Ordering::SeqCst), asked);
    }
}
