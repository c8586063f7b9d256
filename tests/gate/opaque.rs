//! Opaque tokens: each question once, and an outage that fails closed.

use crate::house::{API, AS, Answers, House, Outcome, down, orders, policy, rules};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tollgate::gate::{
    BoxFuture, Introspect, IntrospectionAnswer, IntrospectionSettings, IssuerSources, Selector, SourceError,
    SourceErrorKind, What,
};
use tollgate::policy::{
    IssuerRules, JwtMode, Missing, OpaqueRules, Policy, Reason, Requirement, Route, RouteTable, Rules,
    Template,
};
use tollgate::proof::IssuerName;
use tollgate::testing::ManualClock;
use tollgate::time::Clock;

const TOKEN: &str = "2YotnFZFEjr1zCsicMWpAA";

const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

fn active(more: &str) -> String {
    format!(r#"{{"active":true,"aud":"{API}","client_id":"shop","scope":"orders:read"{more}}}"#)
}

fn inactive() -> String {
    r#"{"active":false}"#.to_owned()
}

async fn house(lines: impl IntoIterator<Item = Result<String, SourceError>>) -> (House, Arc<Answers>) {
    let answers = Answers::new(lines);
    (House::asking(&answers, IntrospectionSettings::default()).await, answers)
}

#[tokio::test]
async fn a_question_is_asked_once_and_the_answer_remembered_until_exp() {
    let exp = ManualClock::START.as_secs() + 300;
    let (house, answers) = house([Ok(active(&format!(r#","exp":{exp}.5"#)))]).await;
    for _ in 0..3 {
        assert_eq!(house.get(TOKEN).await, Outcome::Allowed);
    }
    assert_eq!(house.get_at("/admin", TOKEN).await, Outcome::Refused(Reason::Scope));
    house.clock.advance(secs(300));
    assert_eq!(house.get(TOKEN).await, Outcome::Allowed);
    assert_eq!(answers.times(), 1);
    house.clock.advance(secs(1));
    assert_eq!(house.get(TOKEN).await, Outcome::Allowed, "within the leeway, asked anew");
    assert_eq!(answers.times(), 2);
}

#[tokio::test]
async fn without_exp_an_answer_lives_for_a_minute() {
    let (house, answers) = house([Ok(active(""))]).await;
    assert_eq!(house.get(TOKEN).await, Outcome::Allowed);
    house.clock.advance(secs(59));
    assert_eq!(house.get(TOKEN).await, Outcome::Allowed);
    assert_eq!(answers.times(), 1);
    house.clock.advance(secs(1));
    answers.then(Ok(r#"{"active":false}"#));
    assert_eq!(house.get(TOKEN).await, Outcome::Refused(Reason::Inactive));
    assert_eq!(answers.times(), 2);
}

#[tokio::test]
async fn the_ceiling_is_the_revocation_window() {
    let answers = Answers::new([Ok(active(&format!(r#","exp":{}"#, ManualClock::START.as_secs() + 9_999)))]);
    let settings = IntrospectionSettings { max_lifetime: Some(secs(20)), ..Default::default() };
    let house = House::asking(&answers, settings).await;
    assert_eq!(house.get(TOKEN).await, Outcome::Allowed);
    answers.then(Ok(r#"{"active":false}"#));
    house.clock.advance(secs(19));
    assert_eq!(house.get(TOKEN).await, Outcome::Allowed);
    house.clock.advance(secs(1));
    assert_eq!(house.get(TOKEN).await, Outcome::Refused(Reason::Inactive));
}

#[tokio::test]
async fn an_inactive_token_is_not_asked_about_for_ten_seconds() {
    let (house, answers) = house([Ok(inactive())]).await;
    for _ in 0..3 {
        assert_eq!(house.get(TOKEN).await, Outcome::Refused(Reason::Inactive));
    }
    assert_eq!(answers.times(), 1);
    house.clock.advance(secs(10));
    answers.then(Ok(&active("")));
    assert_eq!(house.get(TOKEN).await, Outcome::Allowed);
}

#[tokio::test]
async fn a_thousand_requests_with_one_token_ask_once() {
    let answers = Answers::slow([Ok(active(""))], Duration::from_millis(30));
    let house = Arc::new(House::asking(&answers, IntrospectionSettings::default()).await);
    let requests: Vec<_> = (0..1_000)
        .map(|_| {
            let house = house.clone();
            tokio::spawn(async move { house.get(TOKEN).await })
        })
        .collect();
    for request in requests {
        assert_eq!(request.await.unwrap(), Outcome::Allowed);
    }
    assert_eq!(answers.times(), 1);
}

#[tokio::test]
async fn more_questions_than_places_are_refused_at_once() {
    let answers = Answers::slow([Ok(active(""))], Duration::from_millis(100));
    let settings = IntrospectionSettings { max_in_flight: 4, ..Default::default() };
    let house = Arc::new(House::asking(&answers, settings).await);
    let requests: Vec<_> = (0..10)
        .map(|n| {
            let house = house.clone();
            tokio::spawn(async move { house.get(&format!("token-number-{n}")).await })
        })
        .collect();
    let mut outcomes = Vec::new();
    for request in requests {
        outcomes.push(request.await.unwrap());
    }
    let allowed = outcomes.iter().filter(|outcome| **outcome == Outcome::Allowed).count();
    let refused =
        outcomes.iter().filter(|outcome| **outcome == Outcome::Refused(Reason::IntrospectionUnavailable));
    assert_eq!((allowed, refused.count(), answers.times()), (4, 6, 4));
}

#[tokio::test]
async fn an_outage_is_503_for_new_tokens_and_nothing_for_remembered_ones() {
    let (house, answers) = house([Ok(active(""))]).await;
    assert_eq!(house.get(TOKEN).await, Outcome::Allowed);
    answers.then(Err(down()));
    assert_eq!(house.get("another-opaque-token").await, Outcome::Refused(Reason::IntrospectionUnavailable));
    assert_eq!(house.get(TOKEN).await, Outcome::Allowed);
    house.clock.advance(secs(60));
    assert_eq!(
        house.get(TOKEN).await,
        Outcome::Refused(Reason::IntrospectionUnavailable),
        "no grace by default"
    );
    answers.then(Ok(&active("")));
    house.clock.advance(secs(30));
    assert_eq!(house.get(TOKEN).await, Outcome::Allowed, "and back by itself");
}

#[tokio::test]
async fn an_issuer_that_fails_again_and_again_is_left_alone() {
    let (house, answers) = house([Err(down())]).await;
    for n in 0..50 {
        let outcome = house.get(&format!("token-number-{n}")).await;
        assert_eq!(outcome, Outcome::Refused(Reason::IntrospectionUnavailable));
        if n == 4 {
            settled().await;
        }
    }
    assert_eq!(answers.times(), 6, "and about a word of our own, before it is left alone");
}

/// Lets the gate find out, behind the back of whoever has met the last failure, whether the issuer answers at all.
async fn settled() {
    tokio::time::sleep(Duration::from_millis(20)).await;
}

/// An endpoint that fails about some tokens, and counts what it is asked.
#[derive(Default)]
struct Choosy(AtomicUsize);

impl Introspect for Choosy {
    fn introspect<'a>(&'a self, token: &'a str) -> BoxFuture<'a, Result<IntrospectionAnswer, SourceError>> {
        Box::pin(async move {
            self.0.fetch_add(1, Ordering::SeqCst);
            match token {
                TOKEN => Ok(IntrospectionAnswer::Json(active("").into())),
                _ if token.starts_with("poison") => Err(down()),
                _ => Ok(IntrospectionAnswer::Json(inactive().into())),
            }
        })
    }

    fn client_id(&self) -> &str {
        "gateway"
    }
}

#[tokio::test]
async fn tokens_that_fail_alone_cost_the_others_nothing() {
    let endpoint = Arc::new(Choosy::default());
    let mut rules = rules();
    rules.opaque = Some(OpaqueRules { min_length: 8, prefixes: Box::default() });
    let asked = (endpoint.clone() as Arc<dyn Introspect>, IntrospectionSettings::default());
    let house = House::unready(|sources| sources.introspection = Some(asked), rules);
    for n in 0..50 {
        let outcome = house.get(&format!("poison-number-{n}")).await;
        assert_eq!(outcome, Outcome::Refused(Reason::IntrospectionUnavailable));
        settled().await;
    }
    assert_eq!(endpoint.0.load(Ordering::SeqCst), 60, "one in five more");
    assert_eq!(house.get(TOKEN).await, Outcome::Allowed);
}

/// An endpoint that is down, then panics, then answers.
#[derive(Default)]
struct Defective(AtomicUsize);

impl Introspect for Defective {
    fn introspect<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<IntrospectionAnswer, SourceError>> {
        Box::pin(async {
            match self.0.load(Ordering::SeqCst) {
                0 => Err(down()),
                1 => panic!("a defect"),
                _ => Ok(IntrospectionAnswer::Json(active("").into())),
            }
        })
    }

    fn client_id(&self) -> &str {
        "gateway"
    }
}

#[tokio::test]
async fn odd_answers_about_some_tokens_cost_the_others_nothing() {
    let no_boolean = r#"{"active":"true"}"#.to_owned();
    let twice = r#"{"active":true,"active":true}"#.to_owned();
    for odd in
        [active(r#","sub":null"#), active(r#","sub":"a","sub":"a""#), no_boolean, twice, "{}".to_owned()]
    {
        let (house, answers) = house([Ok(odd.clone())]).await;
        for n in 0..20 {
            let outcome = house.get(&format!("odd-token-number-{n}")).await;
            assert_eq!(outcome, Outcome::Refused(Reason::IntrospectionUnavailable), "{odd}");
        }
        answers.then(Ok(&active("")));
        assert_eq!(house.get(TOKEN).await, Outcome::Allowed, "{odd}");
    }
}

#[tokio::test]
async fn what_was_answered_is_forgotten_where_another_is_asked() {
    let answers = Answers::new([Ok(active(""))]);
    let mut rules = rules();
    rules.opaque = Some(OpaqueRules { min_length: 8, prefixes: Box::default() });
    let asked = (answers.clone() as Arc<dyn Introspect>, IntrospectionSettings::default());
    let house = House::unready(|sources| sources.introspection = Some(asked), rules.clone());
    assert!(house.gate.ready(secs(5)).await);
    let signed = house.token();
    for token in [TOKEN, &signed] {
        assert_eq!(house.get(token).await, Outcome::Allowed);
    }
    answers.then(Ok(&inactive()));
    let mut sources = house.sources.clone();
    let reload = |sources: &IssuerSources| {
        house.gate.replace(policy(orders(), rules.clone()), vec![sources.clone()]);
    };
    sources.tag = "other lifetimes".into();
    reload(&sources);
    assert_eq!(house.get(TOKEN).await, Outcome::Allowed);
    sources.tag = "signed answers".into();
    sources.answers_tag = "signed".into();
    reload(&sources);
    assert_eq!(house.gate.remembered().0, 1, "what is only signed stays");
    assert_eq!(house.get(TOKEN).await, Outcome::Refused(Reason::Inactive));
    assert_eq!(house.get(&signed).await, Outcome::Allowed);
}

#[tokio::test]
async fn what_was_answered_is_not_believed_longer_than_the_reload_says() {
    let long = IntrospectionSettings { grace: secs(60), ..Default::default() };
    for (settings, forgotten) in [
        (IntrospectionSettings { lifetime_without_exp: secs(59), ..long.clone() }, true),
        (IntrospectionSettings { max_lifetime: Some(secs(3_600)), ..long.clone() }, true),
        (IntrospectionSettings { grace: secs(59), ..long.clone() }, true),
        (IntrospectionSettings { grace: secs(600), lifetime_without_exp: secs(600), ..long.clone() }, false),
        (IntrospectionSettings { timeout: secs(1), ..long.clone() }, false),
    ] {
        let answers = Answers::new([Ok(active(""))]);
        let house = House::asking(&answers, long.clone()).await;
        assert_eq!(house.get(TOKEN).await, Outcome::Allowed);
        let mut sources = house.sources.clone();
        sources.tag = "other".into();
        sources.introspection = Some((answers.clone(), settings.clone()));
        house.gate.replace(house.gate.policy(), vec![sources]);
        assert_eq!(house.gate.remembered().0 == 0, forgotten, "{settings:?}");
    }
}

#[tokio::test]
async fn what_begins_as_a_signed_token_is_no_opaque_one() {
    let (house, answers) = house([Ok(active(""))]).await;
    let signed = house.token();
    let revoked = Selector::token(&signed);
    house.gate.revoke(&revoked, None).unwrap();
    assert_eq!(house.get(&signed).await, Outcome::Refused(Reason::Revoked));
    for behind in ["=", "==", ".", ".x", "~", ".x.y.z", "."] {
        let outcome = house.get(&format!("{signed}{behind}")).await;
        assert_eq!(outcome, Outcome::Refused(Reason::TokenMalformed), "{behind:?}");
    }
    assert_eq!(house.get(&format!("{signed}.x.y")).await, Outcome::Refused(Reason::TokenEncrypted));
    assert_eq!(answers.times(), 0);
}

#[tokio::test]
async fn a_token_with_another_issuer_s_prefix_is_shown_to_nobody_else() {
    const PARTNER: &str = "https://partner.example/";
    let (ours, theirs) = (Answers::new([Ok(active(""))]), Answers::new([Ok(active(""))]));
    let issuers = [(AS, "ours_", &ours), (PARTNER, "theirs_", &theirs)];
    let all = issuers.each_ref().map(|(name, prefix, _)| {
        let mut rules = IssuerRules { name: IssuerName::new(name), ..rules() };
        rules.opaque = Some(OpaqueRules { min_length: 8, prefixes: [(*prefix).into()].into() });
        rules
    });
    let mut routes = RouteTable::builder();
    for (path, issuers) in [("/orders/{id}", None), ("/partner", Some([IssuerName::new(PARTNER)].into()))] {
        let rules = Rules { issuers, ..orders() };
        routes.add(Route::new(Template::parse(path).unwrap(), Requirement::Token(rules))).unwrap();
    }
    let house = House::new().await;
    let sources = |ours_at: &str| {
        issuers.map(|(name, _, answers)| {
            let asked = (answers.clone() as Arc<dyn Introspect>, IntrospectionSettings::default());
            let at = if name == AS { ours_at } else { "there" };
            IssuerSources {
                tag: at.into(),
                answers_tag: at.into(),
                introspection: Some(asked),
                ..IssuerSources::new(name, house.keys.clone())
            }
        })
    };
    house.gate.replace(Policy::new(routes.build(), all), sources("here").into());
    for (path, token, outcome) in [
        ("/partner", "ours_token", Outcome::Refused(Reason::IssuerNotForRoute)),
        ("/partner", "theirs_token", Outcome::Allowed),
        ("/partner", "another_token", Outcome::Refused(Reason::OpaqueNotTaken)),
        ("/orders/1", "ours_token", Outcome::Allowed),
        ("/orders/1", "another_token", Outcome::Refused(Reason::OpaqueNotTaken)),
    ] {
        assert_eq!(house.get_at(path, token).await, outcome, "{path} {token}");
        assert!(path != "/partner" || ours.times() == 0);
    }
    assert_eq!((ours.times(), theirs.times(), house.gate.remembered().0), (1, 1, 2));
    // Where one is asked otherwise, what the other has said stays.
    house.gate.replace(house.gate.policy(), sources("elsewhere").into());
    assert_eq!(house.gate.remembered().0, 1);
}

#[tokio::test]
async fn an_endpoint_that_panics_on_trial_is_tried_again() {
    let endpoint = Arc::new(Defective::default());
    let mut rules = rules();
    rules.opaque = Some(OpaqueRules { min_length: 8, prefixes: Box::default() });
    let asked = (endpoint.clone() as Arc<dyn Introspect>, IntrospectionSettings::default());
    let house = House::unready(|sources| sources.introspection = Some(asked), rules);
    let unavailable = Outcome::Refused(Reason::IntrospectionUnavailable);
    for n in 0..5 {
        assert_eq!(house.get(&format!("token-number-{n}")).await, unavailable);
    }
    settled().await;
    endpoint.0.store(1, Ordering::SeqCst);
    house.clock.advance(secs(30));
    assert_eq!(house.get(TOKEN).await, unavailable, "on trial");
    endpoint.0.store(2, Ordering::SeqCst);
    house.clock.advance(secs(30));
    assert_eq!(house.get(TOKEN).await, Outcome::Allowed);
}

#[tokio::test]
async fn retry_after_is_respected() {
    let (house, answers) = house([Err(down().with_retry_after(Some(secs(7))))]).await;
    assert_eq!(house.get(TOKEN).await, Outcome::Refused(Reason::IntrospectionUnavailable));
    house.clock.advance(secs(6));
    assert_eq!(house.get(TOKEN).await, Outcome::Refused(Reason::IntrospectionUnavailable));
    assert_eq!(answers.times(), 1);
    house.clock.advance(secs(1));
    answers.then(Ok(&active("")));
    assert_eq!(house.get(TOKEN).await, Outcome::Allowed);
}

#[tokio::test]
async fn a_broken_connection_is_tried_once_more() {
    let connect = || SourceError::new(SourceErrorKind::Connect, "reset");
    let (house, answers) = house([Err(connect()), Ok(active(""))]).await;
    assert_eq!(house.get(TOKEN).await, Outcome::Allowed);
    assert_eq!(answers.times(), 2);
}

#[tokio::test]
async fn a_hanging_issuer_is_waited_for_within_the_bound() {
    let answers = Answers::slow([Ok(active(""))], secs(60));
    let settings = IntrospectionSettings { timeout: Duration::from_millis(50), ..Default::default() };
    let house = House::asking(&answers, settings).await;
    let began = std::time::Instant::now();
    assert_eq!(house.get(TOKEN).await, Outcome::Refused(Reason::IntrospectionUnavailable));
    assert!(began.elapsed() < secs(2));
}

#[tokio::test]
async fn many_questions_are_no_outage() {
    let (delay, timeout) = (Duration::from_millis(300), Duration::from_millis(450));
    let answers = Answers::slow([Ok(active(""))], delay);
    let settings =
        IntrospectionSettings { max_in_flight: 1, timeout, grace: secs(600), ..Default::default() };
    let house = Arc::new(House::asking(&answers, settings).await);
    let known = ["known-token-number-1", "known-token-number-2", "known-token-number-3"];
    for token in known {
        assert_eq!(house.get(token).await, Outcome::Allowed);
    }
    house.clock.advance(secs(61));
    answers.then(Ok(&inactive()));
    let ask = |token: &str| {
        let (house, token) = (house.clone(), token.to_owned());
        tokio::spawn(async move { house.get(&token).await })
    };
    let before = answers.times();
    let asked: Vec<_> = known.into_iter().map(ask).collect();
    while answers.times() == before {
        tokio::task::yield_now().await;
    }
    // Whoever is not known does not wait at all.
    let unavailable = Outcome::Refused(Reason::IntrospectionUnavailable);
    assert_eq!(ask("a-token-that-is-new").await.unwrap(), unavailable);
    assert_eq!(answers.times() - before, 1);
    let mut outcomes = Vec::new();
    for outcome in asked {
        outcomes.push(outcome.await.unwrap());
    }
    // One has the place, one waits for it, and one has waited for as long as an answer may take.
    let revoked = Outcome::Refused(Reason::Inactive);
    assert_eq!(outcomes, [revoked, revoked, unavailable]);
}

#[tokio::test]
async fn grace_bridges_an_outage_but_never_exp() {
    let exp = ManualClock::START.as_secs() + 100;
    let answers = Answers::new([Ok(active(&format!(r#","exp":{exp}"#)))]);
    let settings =
        IntrospectionSettings { max_lifetime: Some(secs(20)), grace: secs(60), ..Default::default() };
    let house = House::asking(&answers, settings).await;
    assert_eq!(house.get(TOKEN).await, Outcome::Allowed);
    answers.then(Err(down()));
    house.clock.advance(secs(79));
    assert_eq!(house.get(TOKEN).await, Outcome::Degraded);
    house.clock.advance(secs(1));
    assert_eq!(house.get(TOKEN).await, Outcome::Refused(Reason::IntrospectionUnavailable));
}

#[tokio::test]
async fn answers_are_judged_like_a_jwt_s_claims() {
    let start = ManualClock::START.as_secs();
    let cases = [
        (active(""), Outcome::Allowed),
        (active(r#","token_type":"Bearer""#), Outcome::Allowed),
        (active(r#","token_type":"refresh_token""#), Outcome::Refused(Reason::TypeNotAccess)),
        (active(r#","iss":"https://as.example/""#), Outcome::Allowed),
        (active(r#","iss":"https://other/""#), Outcome::Refused(Reason::IssuerUnknown)),
        (active(&format!(r#","exp":{}"#, start - 31)), Outcome::Refused(Reason::Expired)),
        (active(&format!(r#","nbf":{}"#, start + 31)), Outcome::Refused(Reason::NotYetValid)),
        (active(r#","cnf":{"jkt":"x"}"#), Outcome::Refused(Reason::Binding)),
        (active(r#","cnf":{"jkt":"x"},"token_type":"DPoP""#), Outcome::Refused(Reason::Binding)),
        (active(r#","nonce":"x""#), Outcome::Refused(Reason::IdToken)),
        (active("").replace(API, "https://other/"), Outcome::Refused(Reason::Audience)),
        (active("").replace("\"aud\"", "\"x\""), Outcome::Refused(Reason::Audience)),
        (active("").replace("shop", "other"), Outcome::Refused(Reason::Client)),
        (active("").replace("client_id", "x"), Outcome::Refused(Reason::Client)),
        (active("").replace("orders:read", "orders:reader"), Outcome::Refused(Reason::Scope)),
        (active("").replace("true", "\"true\""), Outcome::Refused(Reason::IntrospectionUnavailable)),
        (active(r#","active":true"#), Outcome::Refused(Reason::IntrospectionUnavailable)),
        (active(r#","exp":"1""#), Outcome::Refused(Reason::IntrospectionUnavailable)),
        ("<html>".to_owned(), Outcome::Refused(Reason::IntrospectionUnavailable)),
        (inactive(), Outcome::Refused(Reason::Inactive)),
    ];
    for (answer, expected) in cases {
        let (house, _) = house([Ok(answer.clone())]).await;
        assert_eq!(house.get(TOKEN).await, expected, "{answer}");
        assert_eq!(house.get(TOKEN).await, expected, "from memory: {answer}");
    }
}

#[tokio::test]
async fn what_an_answer_may_lack_is_said_in_words() {
    let (house, _) = house([Ok(r#"{"active":true,"scope":"orders:read"}"#.to_owned())]).await;
    let opaque = Some(OpaqueRules::default());
    let relaxed = |missing| tollgate::policy::IssuerRules { missing, opaque: opaque.clone(), ..rules() };
    for (missing, expected) in [
        (Missing { audience: true, client: true }, Outcome::Allowed),
        (Missing { audience: true, client: false }, Outcome::Refused(Reason::Client)),
        (Missing { audience: false, client: true }, Outcome::Refused(Reason::Audience)),
    ] {
        house.reload(crate::house::orders(), relaxed(missing));
        assert_eq!(house.get(TOKEN).await, expected);
    }
}

#[tokio::test]
async fn garbage_never_reaches_the_issuer() {
    let (house, answers) = house([Ok(active(""))]).await;
    assert_eq!(house.get("7-bytes").await, Outcome::Refused(Reason::TokenMalformed));
    assert_eq!(house.get("with space").await, Outcome::Refused(Reason::AuthorizationMalformed));
    assert_eq!(house.get(&"a".repeat(20_000)).await, Outcome::Refused(Reason::TokenTooLong));
    let forged = house.issuer.token().audience(API).tampered().sign();
    assert_eq!(
        house.get(&forged).await,
        Outcome::Refused(Reason::Signature),
        "a failed signature is no second chance"
    );
    assert_eq!(house.get(&format!("{forged}.x.y")).await, Outcome::Refused(Reason::TokenEncrypted));
    assert_eq!(answers.times(), 0);
    assert_eq!((house.get("8~bytes~").await, answers.times()), (Outcome::Allowed, 1));
}

#[tokio::test]
async fn a_forgotten_opaque_token_is_asked_about_anew() {
    let (house, answers) = house([Ok(active(r#","sub":"alice""#))]).await;
    for (n, selector) in
        [Selector::token(TOKEN), Selector::new(What::Subject("alice".into()))].iter().enumerate()
    {
        assert_eq!(house.get(TOKEN).await, Outcome::Allowed);
        assert_eq!(answers.times(), n + 1);
        assert_eq!(house.gate.revoke(selector, None).unwrap(), 1);
    }
    answers.then(Ok(r#"{"active":false}"#));
    assert_eq!(house.get(TOKEN).await, Outcome::Refused(Reason::Inactive));
}

#[tokio::test]
async fn who_comes_after_an_order_is_not_told_what_was_asked_before() {
    let answers = Answers::slow([Ok(active("")), Ok(inactive())], Duration::from_millis(100));
    let house = Arc::new(House::asking(&answers, IntrospectionSettings::default()).await);
    for selector in [Selector::token(TOKEN), Selector::new(What::All)] {
        *answers.script.lock().unwrap() = [Ok(active("")), Ok(inactive())].into();
        let asked = answers.times();
        let get = || {
            let house = house.clone();
            tokio::spawn(async move { house.get(TOKEN).await })
        };
        let before = get();
        while answers.times() == asked {
            tokio::task::yield_now().await;
        }
        let _ = house.gate.revoke(&selector, None).unwrap();
        let after = [get(), get()];
        assert_eq!(before.await.unwrap(), Outcome::Allowed);
        for after in after {
            assert_eq!(after.await.unwrap(), Outcome::Refused(Reason::Inactive), "{selector:?}");
        }
        assert_eq!(answers.times(), asked + 2, "those who come after share one question");
        house.clock.advance(secs(10));
    }
}

#[tokio::test]
async fn who_is_asked_no_longer_is_not_believed() {
    let slow = |answer| Answers::slow([Ok(answer)], Duration::from_millis(100));
    let (before, after) = (slow(active("")), slow(inactive()));
    let house = Arc::new(House::asking(&before, IntrospectionSettings::default()).await);
    assert_eq!(house.get(&house.token()).await, Outcome::Allowed);
    let asking = house.clone();
    let waiting = tokio::spawn(async move { asking.get(TOKEN).await });
    while before.times() == 0 {
        tokio::task::yield_now().await;
    }
    let asked = (after.clone() as Arc<dyn Introspect>, IntrospectionSettings::default());
    let sources = IssuerSources {
        tag: "another".into(),
        answers_tag: "another".into(),
        introspection: Some(asked),
        ..IssuerSources::new(AS, house.keys.clone())
    };
    house.gate.replace(house.gate.policy(), vec![sources]);
    assert_eq!(waiting.await.unwrap(), Outcome::Refused(Reason::Inactive));
    assert_eq!((before.times(), after.times()), (1, 1));
    assert_eq!(house.gate.remembered().0, 1, "what rests on a signature stays");
}

#[tokio::test]
async fn signed_tokens_are_introspected_too_where_that_is_configured() {
    let (house, answers) = house([Ok(active(""))]).await;
    let always = || tollgate::policy::IssuerRules {
        jwts: JwtMode::SignatureAndIntrospection,
        opaque: Some(OpaqueRules::default()),
        ..rules()
    };
    house.reload(crate::house::orders(), always());
    let token = house.token();
    assert_eq!(house.get(&token).await, Outcome::Allowed);
    assert_eq!(house.get(&token).await, Outcome::Allowed);
    assert_eq!(answers.times(), 1);
    let forged = house.issuer.token().audience(API).tampered().sign();
    assert_eq!(house.get(&forged).await, Outcome::Refused(Reason::Signature));
    assert_eq!(answers.times(), 1, "the signature is checked first");
    let good = || house.issuer.token().issued(house.clock.now(), secs(3_600)).audience(API).client("shop");
    for (token, reason) in [
        (good().issued(house.clock.now() - secs(7_200), secs(3_600)), Reason::Expired),
        (good().audience("https://other/"), Reason::Audience),
        (good().client("stranger"), Reason::Client),
    ] {
        assert_eq!(house.get(&token.sign()).await, Outcome::Refused(reason));
    }
    let revoked = good().subject("mallory").claim("jti", "r").sign();
    house.gate.revoke(&Selector::token(&revoked), None).unwrap();
    assert_eq!(house.get(&revoked).await, Outcome::Refused(Reason::Revoked));
    assert_eq!(answers.times(), 1, "and so is what it says: an outage changes nothing of that");
    answers.then(Ok(r#"{"active":false}"#));
    house.clock.advance(secs(60));
    assert_eq!(house.get(&token).await, Outcome::Refused(Reason::Inactive));
    answers.then(Err(down()));
    assert_eq!(house.get(&house.token()).await, Outcome::Refused(Reason::IntrospectionUnavailable));
}

#[tokio::test]
async fn a_reload_that_asks_for_introspection_too_is_not_content_with_a_remembered_signature() {
    let (house, answers) = house([Ok(inactive())]).await;
    let token = house.token();
    assert_eq!(house.get(&token).await, Outcome::Allowed);
    let jwts = JwtMode::SignatureAndIntrospection;
    let opaque = Some(OpaqueRules::default());
    house.reload(crate::house::orders(), tollgate::policy::IssuerRules { jwts, opaque, ..rules() });
    assert_eq!(house.get(&token).await, Outcome::Refused(Reason::Inactive));
    assert_eq!(answers.times(), 1);
}
