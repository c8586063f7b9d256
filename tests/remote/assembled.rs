//! From YAML to decisions: a plan, a live gate, an issuer behind real HTTP.

use crate::house::temporary;
use http::{HeaderMap, HeaderValue, Method};
use std::sync::Arc;
use std::time::Duration;
use tollgate::assemble;
use tollgate::config::{self, Environment, Plan};
use tollgate::gate::{Gate, Silent};
use tollgate::policy::{Reason, RequestHead};
use tollgate::proof::{Algorithm, Candidates, IssuerName, KeySet, verify};
use tollgate::testing::{Behaviour, ManualClock, Resource, ScriptedIssuer, SigningKey, TokenBuilder};
use tollgate::time::Clock;
use tollgate::token::UnverifiedJws;

const API: &str = "https://api.example/";

fn plan(server: &ScriptedIssuer, more: &str) -> Plan {
    let text = format!(
        "issuers:\n  main: {{issuer: '{}', audiences: ['{API}'], clients: [shop]{more}}}\n\
         routes:\n  - {{path: '/orders/{{id}}', scopes: [orders:read]}}\n",
        server.name()
    );
    config::parse("gateway.yaml", &text, &Environment::empty())
        .unwrap_or_else(|problems| panic!("{problems}"))
}

async fn gate(server: &ScriptedIssuer, more: &str, clock: &ManualClock) -> Gate {
    let gate = assemble::gate(plan(server, more), Arc::new(clock.clone()), Arc::new(Silent)).unwrap();
    assert!(gate.ready(Duration::from_secs(20)).await);
    gate
}

fn token(server: &ScriptedIssuer) -> TokenBuilder {
    server.issuer().token().audience(API).client("shop").scope("orders:read")
}

async fn get(gate: &Gate, token: &str) -> Result<(), Reason> {
    let mut headers = HeaderMap::new();
    headers.insert("authorization", HeaderValue::from_str(&format!("Bearer {token}")).unwrap());
    let decision = gate.decide(&RequestHead::new(&Method::GET, b"/orders/1", &headers)).await;
    decision.denial().map_or(Ok(()), |denial| Err(denial.reason()))
}

#[tokio::test]
async fn keys_from_each_place() {
    let (server, clock) = (ScriptedIssuer::start().await, ManualClock::new());
    let path = temporary("keys.json");
    std::fs::write(&path, server.issuer().jwks()).unwrap();
    for keys in [
        String::new(),
        format!(", keys: {{discovery: '{}'}}", server.url(Resource::OAuthMetadata)),
        format!(", keys: {{jwks_uri: '{}'}}", server.url(Resource::Jwks)),
        format!(", keys: {{file: '{}'}}", path.display()),
    ] {
        let gate = gate(&server, &keys, &clock).await;
        assert_eq!(get(&gate, &token(&server).sign()).await, Ok(()), "{keys}");
        assert_eq!(get(&gate, &token(&server).tampered().sign()).await, Err(Reason::Signature), "{keys}");
    }
    std::fs::remove_file(path).unwrap();
}

#[tokio::test]
async fn opaque_tokens_by_each_way_to_authenticate() {
    let (server, clock) = (ScriptedIssuer::start().await, ManualClock::new());
    let (secret, key) = (temporary("asked-secret"), temporary("asked-key.json"));
    std::fs::write(&secret, "hunter2\n").unwrap();
    std::fs::write(&key, include_str!("../../src/testing/keys/rsa-1.jwk.json")).unwrap();
    for auth in [
        "client_id: gateway, client_secret: hunter2".to_owned(),
        format!("auth: client_secret_post, client_id: gateway, client_secret_file: '{}'", secret.display()),
        format!("auth: private_key_jwt, client_id: gateway, signing_key_file: '{}'", key.display()),
        "auth: bearer, bearer_token: hunter2, token_type_hint: none".to_owned(),
    ] {
        let gate = gate(&server, &format!(", introspection: {{{auth}}}"), &clock).await;
        let opaque = server.opaque(&token(&server));
        let before = server.requests(Resource::Introspection);
        for _ in 0..3 {
            assert_eq!(get(&gate, &opaque).await, Ok(()), "{auth}");
        }
        assert_eq!(get(&gate, "another-opaque-token").await, Err(Reason::Inactive), "{auth}");
        assert_eq!(server.requests(Resource::Introspection) - before, 2, "{auth}");
    }
    let asked = server.recorded(Resource::Introspection);
    assert_eq!(asked[0].headers.get("authorization").unwrap(), "Basic Z2F0ZXdheTpodW50ZXIy");
    assert!(asked[2].body.ends_with("&client_id=gateway&client_secret=hunter2"), "{}", asked[2].body);
    assert_eq!(asked[6].headers.get("authorization").unwrap(), "Bearer hunter2");
    assert!(!asked[6].body.contains("hint"));
    assertions_hold(&server, &asked[4].body, &asked[5].body, clock.now());
    std::fs::remove_file(secret).unwrap();
    std::fs::remove_file(key).unwrap();
}

/// Two assertions of one client: sound, for the issuer, and never the same.
fn assertions_hold(server: &ScriptedIssuer, first: &str, second: &str, now: tollgate::time::UnixTime) {
    let jwk = SigningKey::published(tollgate::proof::KeyType::Rsa).public_jwk();
    let keys = KeySet::from_json(serde_json::json!({"keys": [jwk]}).to_string().as_bytes()).unwrap();
    let ids = [first, second].map(|body| {
        assert!(body.contains(
            "&client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer&"
        ));
        let (_, assertion) = body.split_once("client_assertion=").unwrap();
        let jws = UnverifiedJws::parse(assertion).unwrap();
        assert_eq!(jws.kid(), Some("rsa-1"));
        let Candidates::Keys(fitting) = keys.select(Algorithm::RS256, None) else { panic!() };
        let proven = verify(&jws, Algorithm::RS256, &fitting, &IssuerName::new("gateway")).unwrap();
        let claims = proven.claims();
        assert_eq!((claims.issuer(), claims.subject()), (Some("gateway"), Some("gateway")));
        assert!(claims.audiences().eq([server.name()]));
        assert!(claims.expires().unwrap() <= now + Duration::from_secs(60));
        claims.id().unwrap().to_owned()
    });
    assert_ne!(ids[0], ids[1]);
}

#[tokio::test]
async fn signed_answers_are_believed_and_plain_ones_are_not() {
    let (server, clock) = (ScriptedIssuer::start().await, ManualClock::new());
    let more = ", introspection: {client_id: gateway, client_secret: hunter2, signed: true}";
    let gate = gate(&server, more, &clock).await;
    let opaque = server.opaque(&token(&server));
    assert_eq!(get(&gate, &opaque).await, Err(Reason::IntrospectionUnavailable), "plain");
    server.script(Resource::Introspection, Behaviour::Signed("another".into()));
    assert_eq!(get(&gate, &opaque).await, Err(Reason::IntrospectionUnavailable), "for somebody else");
    server.script(Resource::Introspection, Behaviour::Signed("gateway".into()));
    assert_eq!(get(&gate, &opaque).await, Ok(()));
    // Signed with a key that is not there yet: it is fetched, once.
    server.issuer().rotate();
    clock.advance(Duration::from_secs(60));
    assert_eq!(get(&gate, &server.opaque(&token(&server))).await, Ok(()));
    assert_eq!(server.requests(Resource::Jwks), 2);
}

#[tokio::test]
async fn a_reload_of_the_same_settings_fetches_nothing_and_one_that_can_not_be_changes_nothing() {
    let (server, clock) = (ScriptedIssuer::start().await, ManualClock::new());
    let gate = gate(&server, "", &clock).await;
    let shared: Arc<dyn Clock> = Arc::new(clock.clone());
    let signed = token(&server).sign();
    assemble::reload(&gate, plan(&server, ""), &shared).unwrap();
    assert_eq!(get(&gate, &signed).await, Ok(()));
    assemble::reload(&gate, plan(&server, ", keys: {wait: 1s}"), &shared).unwrap();
    assert_eq!(get(&gate, &signed).await, Ok(()));
    assert_eq!(server.requests(Resource::Jwks), 1);
    assemble::reload(&gate, plan(&server, ", keys: {jwks_uri: 'https://10.0.0.1/'}"), &shared).unwrap_err();
    assert_eq!(get(&gate, &signed).await, Ok(()));
}

#[tokio::test]
async fn an_issuer_that_is_asked_about_signed_tokens_too() {
    let (server, clock) = (ScriptedIssuer::start().await, ManualClock::new());
    let more = ", introspection: {mode: always, client_id: gateway, client_secret: hunter2}";
    let gate = gate(&server, more, &clock).await;
    let builder = token(&server);
    let signed = builder.sign();
    assert_eq!(get(&gate, &signed).await, Err(Reason::Inactive));
    server.vouch(&signed, builder.claims());
    clock.advance(Duration::from_secs(10));
    assert_eq!(get(&gate, &signed).await, Ok(()));
    // As some answer for tokens that are not opaque: no token that they can judge.
    server.script(Resource::Introspection, Behaviour::Refuse("unsupported_token_type"));
    assert_eq!(get(&gate, &token(&server).sign()).await, Err(Reason::Inactive));
    let before = server.requests(Resource::Introspection);
    assert_eq!(get(&gate, &token(&server).tampered().sign()).await, Err(Reason::Signature));
    assert_eq!(server.requests(Resource::Introspection), before, "a bad signature is no second chance");
}
