//! What becomes of a request before its token's facts are known: its path, its method, its credentials, and what a token says
//! of itself.

use crate::house::{API, AS, Keys, Outcome, orders, rules};
use http::{HeaderMap, HeaderValue, Method};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tollgate::gate::{Event, Gate, IssuerSources, Observer, StaticKeys};
use tollgate::policy::{
    Decision, IssuerRules, Methods, OpaqueRules, Policy, Preflight, Profile, Reason, RequestHead,
    Requirement, Route, RouteTable, Template,
};
use tollgate::testing::{Issuer, ManualClock, TokenBuilder};

const OKTA: &str = "https://example.okta.com/oauth2/default";

fn gate(issuer: &Issuer) -> Gate {
    let mut routes = RouteTable::builder();
    let mut add = |path: &str, methods: &[Method], preflight| {
        let mut route = Route::new(Template::parse(path).unwrap(), Requirement::Token(orders()));
        route.preflight = preflight;
        if !methods.is_empty() {
            route.methods = Methods::Listed(methods.to_vec());
        }
        routes.add(route).unwrap();
    };
    add("/orders/{id}", &[Method::GET, Method::PUT], Preflight::Deny);
    add("/shared/{id}", &[Method::GET], Preflight::Forward);
    add("/both/{id}", &[Method::GET, Method::OPTIONS], Preflight::Forward);
    let okta = IssuerRules::new(OKTA, Profile::Okta, &[API]);
    let policy = Policy::new(routes.build(), [rules(), okta]);
    let sources = IssuerSources::new(AS, Keys::of(issuer));
    Gate::builder(policy).issuer(sources).clock(Arc::new(ManualClock::new())).build()
}

/// Header fields: names and values.
type Fields<'a> = [(&'static str, &'a str)];

fn headers(fields: &Fields<'_>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in fields {
        headers.append(*name, HeaderValue::from_str(value).unwrap());
    }
    headers
}

async fn decide(gate: &Gate, method: &Method, target: &str, fields: &Fields<'_>) -> Decision {
    gate.decide(&RequestHead::new(method, target.as_bytes(), &headers(fields))).await
}

async fn ready() -> (Issuer, Gate) {
    let issuer = Issuer::new(AS);
    let gate = gate(&issuer);
    assert!(gate.ready(Duration::from_secs(5)).await);
    (issuer, gate)
}

fn token(issuer: &Issuer) -> TokenBuilder {
    issuer.token().audience(API).client("shop").scope("orders:read").subject("alice")
}

#[tokio::test]
async fn what_is_wrong_with_a_request_is_told_apart() {
    let (_, gate) = ready().await;
    let long = (format!("/{}", "a".repeat(8_192)), format!("Bearer {}", "a".repeat(16_385)));
    let bearer = ("authorization", "Bearer abc");
    let cases: [(Method, &str, &Fields<'_>, Reason); 12] = [
        (Method::GET, "/orders/../1", &[bearer], Reason::PathAmbiguous),
        (Method::GET, &long.0, &[bearer], Reason::TargetTooLong),
        (Method::GET, "/orders/1?access_token=abc", &[bearer], Reason::TokenInQuery),
        (Method::GET, "/orders", &[bearer], Reason::NoRoute),
        (Method::POST, "/orders/1", &[bearer], Reason::MethodNotAllowed),
        (Method::GET, "/orders/1%2F2", &[bearer], Reason::PathAmbiguous),
        (Method::GET, "/orders/1", &[], Reason::TokenMissing),
        (Method::GET, "/orders/1", &[("authorization", "Basic abc")], Reason::SchemeUnsupported),
        (Method::GET, "/orders/1", &[("authorization", "DPoP abc")], Reason::SchemeUnsupported),
        (Method::GET, "/orders/1", &[("authorization", "Bearer")], Reason::AuthorizationMalformed),
        (Method::GET, "/orders/1", &[bearer, bearer], Reason::AuthorizationRepeated),
        (Method::GET, "/orders/1", &[("authorization", &long.1)], Reason::TokenTooLong),
    ];
    for (method, target, fields, expected) in cases {
        let decision = decide(&gate, &method, target, fields).await;
        assert_eq!(Outcome::from(decision), Outcome::Refused(expected), "{method} {target:.40}");
    }
    let refused = decide(&gate, &Method::POST, "/orders/1", &[]).await;
    let told = refused.denial().unwrap().answer(tollgate::policy::AnswerForm::Problem).headers;
    assert_eq!(told["allow"], "GET, HEAD, PUT");
}

#[tokio::test]
async fn what_is_wrong_with_a_token_is_told_apart() {
    let (issuer, gate) = ready().await;
    let sound = token(&issuer).sign();
    let jwe = format!("{sound}.AAAA.AAAA");
    let refused = |change: fn(TokenBuilder) -> TokenBuilder| change(token(&issuer)).sign();
    let cases = [
        ("abc".to_owned(), Reason::OpaqueNotTaken),
        (jwe, Reason::TokenEncrypted),
        (format!("{sound}="), Reason::TokenMalformed),
        (format!("{}..AAAA", sound.split('.').next().unwrap()), Reason::TokenMalformed),
        (refused(|token| token.header("crit", serde_json::json!(["exp"]))), Reason::TokenCritical),
        (refused(|token| token.header("kid", 1)), Reason::TokenMalformed),
        (refused(|token| token.header("alg", "none")), Reason::AlgorithmNotAllowed),
        (refused(|token| token.header("alg", "PS512")), Reason::AlgorithmNotAllowed),
        (refused(|token| token.header("alg", "ES256")), Reason::AlgorithmNotAllowed),
        (refused(|token| token.claim("iss", "https://other.example/")), Reason::IssuerUnknown),
        (refused(|token| token.claim("iss", 1)), Reason::ClaimsMalformed),
        (refused(|token| token.without("iss")), Reason::IssuerUnknown),
        (refused(|token| token.claim("iss", "https://example.okta.com")), Reason::OrgAuthorizationServer),
        (refused(|token| token.claim("iss", OKTA)), Reason::IssuerUnknown),
        (refused(|token| token.claim("exp", "tomorrow")), Reason::ClaimsMalformed),
        (refused(TokenBuilder::tampered), Reason::Signature),
    ];
    for (token, expected) in cases {
        let fields = [("authorization", &*format!("Bearer {token}"))];
        let decision = decide(&gate, &Method::GET, "/orders/1", &fields).await;
        assert_eq!(Outcome::from(decision), Outcome::Refused(expected), "{token}");
    }
    let fields = [("authorization", &*format!("Bearer {sound}"))];
    assert_eq!(Outcome::from(decide(&gate, &Method::GET, "/orders/1", &fields).await), Outcome::Allowed);
}

#[tokio::test]
async fn a_preflight_passes_where_its_route_forwards_it_and_tells_of_nobody() {
    let (issuer, gate) = ready().await;
    let (missing, allowed) = (Outcome::Refused(Reason::TokenMissing), Outcome::Allowed);
    let asks =
        |method: &'static str| vec![("origin", "https://a"), ("access-control-request-method", method)];
    let cases = [
        ("/shared/1", asks("GET"), allowed),
        ("/shared/1", asks("HEAD"), allowed),
        ("/shared/1", asks("POST"), Outcome::Refused(Reason::MethodNotAllowed)),
        ("/shared/1", vec![("origin", "https://a")], Outcome::Refused(Reason::MethodNotAllowed)),
        ("/orders/1", asks("GET"), missing),
        ("/both/1", asks("GET"), missing),
        ("/other", asks("GET"), Outcome::Refused(Reason::NoRoute)),
    ];
    for (target, fields, expected) in cases {
        let decision = decide(&gate, &Method::OPTIONS, target, &fields).await;
        assert!(decision.permit().is_none_or(|permit| permit.principal().is_none()));
        assert_eq!(Outcome::from(decision), expected, "{target} {fields:?}");
    }
    // A route that lists OPTIONS judges it like any other method.
    let (mut fields, bearer) = (asks("GET"), format!("Bearer {}", token(&issuer).sign()));
    fields.push(("authorization", &bearer));
    let decision = decide(&gate, &Method::OPTIONS, "/both/1", &fields).await;
    assert_eq!(decision.permit().and_then(|permit| permit.principal()?.subject()), Some("alice"));
}

#[tokio::test]
async fn an_issuer_without_keys_or_endpoint_vouches_for_nothing() {
    let issuer = Issuer::new(AS);
    let mut rules = rules();
    rules.opaque = Some(OpaqueRules::default());
    let policy = || crate::house::policy(orders(), rules.clone());
    let mut sources = IssuerSources::new(AS, Keys::of(&issuer));
    let with_keys = sources.clone();
    (sources.keys, sources.tag) = (None, "no keys".into());
    let gate = Gate::builder(policy()).issuer(sources).clock(Arc::new(ManualClock::new())).build();
    assert!(gate.ready(Duration::from_secs(5)).await, "there is nothing to wait for");
    assert!(gate.key_ring(AS).is_none());
    let signed = token(&issuer).sign();
    let ask = async |token: &str| {
        let fields = [("authorization", &*format!("Bearer {token}"))];
        Outcome::from(decide(&gate, &Method::GET, "/orders/1", &fields).await)
    };
    assert_eq!(ask(&signed).await, Outcome::Refused(Reason::KeyUnknown));
    assert_eq!(ask("an-opaque-token").await, Outcome::Refused(Reason::OpaqueNotTaken));
    gate.replace(policy(), vec![with_keys]);
    assert!(gate.ready(Duration::from_secs(5)).await && gate.key_ring(AS).is_some());
    assert_eq!(ask(&signed).await, Outcome::Allowed);
    gate.replace(policy(), vec![]);
    assert_eq!(
        ask(&signed).await,
        Outcome::Refused(Reason::IssuerUnknown),
        "remembered, but by nobody's word"
    );
    assert!(gate.key_ring(AS).is_none() && gate.policy().issuer(AS).is_some());
}

/// Notes what it hears.
#[derive(Default)]
struct Notes(Mutex<Vec<String>>);

impl Observer for Notes {
    fn event(&self, event: &Event<'_>) {
        let note = match event {
            Event::Allowed(_) => "allowed".into(),
            Event::Denied(denial) => denial.reason().to_string(),
            Event::Lookup(lookup) => format!("{lookup:?}"),
            Event::KeysFetched { outcome, .. } => format!("{outcome:?}"),
            Event::Reloaded => "reloaded".into(),
            other => format!("{other:?}"),
        };
        self.0.lock().unwrap().push(note);
    }
}

#[tokio::test]
async fn a_gate_is_as_it_was_built() {
    let (issuer, notes, clock) = (Issuer::new(AS), Arc::new(Notes::default()), ManualClock::new());
    let policy = Arc::new(crate::house::policy(orders(), rules()));
    let gate = Gate::builder(policy.clone())
        .issuer(IssuerSources::new(AS, Arc::new(StaticKeys::new(issuer.jwks()))))
        .cache_bytes(1 << 20)
        .max_lifetime(Some(Duration::from_secs(60)))
        .revocations(1, Duration::from_secs(600))
        .clock(Arc::new(clock.clone()))
        .observer(notes.clone())
        .build();
    assert!(gate.ready(Duration::from_secs(5)).await && gate.waiting_for().is_empty());
    assert!(Arc::ptr_eq(&gate.policy(), &policy));
    assert_eq!(Gate::DEFAULT_CACHE_BYTES, 67_108_864, "64 MiB");
    let token = token(&issuer).sign();
    let fields = [("authorization", &*format!("Bearer {token}"))];
    for wait in [0, 59, 1] {
        clock.advance(Duration::from_secs(wait));
        assert!(decide(&gate, &Method::GET, "/orders/1", &fields).await.permit().is_some());
    }
    gate.revoke(&tollgate::gate::Selector::token(&token), None).unwrap();
    assert!(gate.revoke(&tollgate::gate::Selector::token("another"), None).is_err(), "there is room for one");
    assert_eq!(gate.revoked(), 1);
    assert!(decide(&gate, &Method::GET, "/orders/1", &fields).await.denial().is_some());
    gate.replace(policy, vec![]);
    let heard = notes.0.lock().unwrap().join(" ");
    // After a minute, the token is verified anew.
    assert_eq!(heard, "Ok(1) Miss allowed Hit allowed Miss allowed Miss token_revoked reloaded");
}
