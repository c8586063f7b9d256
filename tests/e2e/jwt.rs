//! JWT access tokens of a real issuer, checked with its published keys.

use std::time::Duration;

use http::Method;
use http::header::AUTHORIZATION;

use crate::harness::{AUDIENCE, Gateway, Issuer, Upstream, Wish, eventually, jwt, opaque};

const ALGORITHMS: [&str; 3] = ["RS256", "ES256", "EdDSA"];

/// A gateway's YAML for JWTs of this issuer; `keys` is the issuer's `keys` entry.
pub(crate) fn policy(issuer: &Issuer, keys: &str) -> String {
    let url = issuer.url();
    format!(
        "
issuers:
  real:
    issuer: {url}
    profile: rfc9068
    audiences: [{AUDIENCE}]
    clients: [caller]
    algorithms: [RS256, ES256, EdDSA]
    leeway: 0s
    keys: {keys}
routes:
  - path: /orders/{{id}}
    scopes: {{GET: [orders:read], POST: [orders:write]}}
  - path: /status
    public: true
"
    )
}

/// Keys by discovery, asked again at most once a second.
pub(crate) const DISCOVERED: &str = "{discovery: auto, cool_down: 1s, wait: 5s}";

#[tokio::test]
async fn each_algorithm_is_admitted_with_one_fetch_of_the_keys() {
    let (issuer, upstream) = (Issuer::start().await, Upstream::start().await);
    let gateway = Gateway::start(&policy(&issuer, DISCOVERED), &upstream).await.ready().await;
    for alg in ALGORITHMS {
        let token = issuer.token(&jwt(alg)).await;
        gateway.get("/orders/7", &token).await.is_admitted();
        gateway.get("/orders/8", &token).await.is_admitted();
    }
    assert_eq!(issuer.count("/jwks").await, 1);
    assert_eq!(issuer.count("/.well-known/openid-configuration").await, 1);
}

#[tokio::test]
async fn the_upstream_learns_who_asks_but_not_the_token() {
    let (issuer, upstream) = (Issuer::start().await, Upstream::start().await);
    let gateway = Gateway::start(&policy(&issuer, DISCOVERED), &upstream).await.ready().await;
    let token = issuer.token(&jwt("ES256")).await;
    upstream.take();
    gateway.get("/orders/7?with=items", &token).await.is_admitted();
    let arrived = upstream.take();
    let [request] = arrived.as_slice() else { panic!("one request, not {arrived:?}") };
    assert_eq!(request.uri.path_and_query().unwrap().as_str(), "/orders/7?with=items");
    assert!(!request.headers.contains_key(AUTHORIZATION), "{request:?}");
    for (name, value) in [
        ("x-auth-request-user", "caller"),
        ("x-auth-request-client-id", "caller"),
        ("x-auth-request-scopes", "orders:read"),
        ("x-auth-request-issuer", issuer.url()),
    ] {
        assert_eq!(request.headers.get(name).unwrap(), value, "{name}");
    }
}

#[tokio::test]
async fn without_a_token_there_is_a_bare_challenge() {
    let (issuer, upstream) = (Issuer::start().await, Upstream::start().await);
    let gateway = Gateway::start(&policy(&issuer, DISCOVERED), &upstream).await;
    upstream.take();
    let answer = gateway.send(Method::GET, "/orders/7", None).await;
    assert_eq!(answer.status, 401);
    assert!(answer.challenge().starts_with("Bearer"), "{answer:?}");
    assert!(!answer.challenge().contains("error"), "RFC 6750 3.1: no error code without a token: {answer:?}");
    assert_eq!(upstream.take().len(), 0);
    gateway.send(Method::GET, "/status", None).await.is_admitted();
}

#[tokio::test]
async fn what_does_not_fit_the_policy_is_refused_for_its_own_reason() {
    let (issuer, upstream) = (Issuer::start().await, Upstream::start().await);
    let gateway = Gateway::start(&policy(&issuer, DISCOVERED), &upstream).await.ready().await;
    upstream.take();
    for wish in [
        Wish { audience: "https://api.test/bills", ..jwt("ES256") },
        Wish { audience: "https://api.test/orders/", ..jwt("ES256") },
        Wish { client: "stranger", ..jwt("ES256") },
    ] {
        let token = issuer.token(&wish).await;
        gateway.get("/orders/7", &token).await.is_refused(401, "invalid_token");
    }

    let reader = issuer.token(&jwt("ES256")).await;
    let answer = gateway.send(Method::POST, "/orders/7", Some(&reader)).await;
    answer.is_refused(403, "insufficient_scope");
    assert!(answer.challenge().contains("scope=\"orders:write\""), "{answer:?}");

    // The first character of the signature, so that the encoding stays canonical.
    let dot = reader.rfind('.').unwrap();
    let (head, signature) = reader.split_at(dot + 1);
    let other = if signature.starts_with('A') { "B" } else { "A" };
    let forged = format!("{head}{other}{}", signature.get(1..).unwrap());
    gateway.get("/orders/7", &forged).await.is_refused(401, "invalid_token");

    let unknown = issuer.token(&opaque()).await;
    gateway.get("/orders/7", &unknown).await.is_refused(401, "invalid_token");
    assert_eq!(upstream.take().len(), 0, "nothing refused reaches the upstream");
}

#[tokio::test]
async fn a_remembered_token_expires_on_time() {
    let (issuer, upstream) = (Issuer::start().await, Upstream::start().await);
    let gateway = Gateway::start(&policy(&issuer, DISCOVERED), &upstream).await.ready().await;
    let token = issuer.token(&Wish { ttl: 3, ..jwt("ES256") }).await;
    gateway.get("/orders/7", &token).await.is_admitted();
    tokio::time::sleep(Duration::from_secs(4)).await;
    gateway.get("/orders/7", &token).await.is_refused(401, "invalid_token");
}

#[tokio::test]
async fn keys_are_found_wherever_the_configuration_says() {
    let (issuer, upstream) = (Issuer::start().await, Upstream::start().await);
    let (url, token) = (issuer.url(), issuer.token(&jwt("RS256")).await);
    for (keys, discoveries) in [
        (format!("{{jwks_uri: {url}/jwks}}"), 0),
        (format!("{{discovery: {url}/.well-known/openid-configuration}}"), 1),
    ] {
        let gateway = Gateway::start(&policy(&issuer, &keys), &upstream).await.ready().await;
        gateway.get("/orders/7", &token).await.is_admitted();
        assert_eq!(issuer.count("/.well-known/openid-configuration").await, discoveries, "{keys}");
    }
    assert_eq!(issuer.count("/jwks").await, 2);
}

#[tokio::test]
async fn a_rotation_costs_exactly_one_fetch() {
    let (issuer, upstream) = (Issuer::start().await, Upstream::start().await);
    let gateway = Gateway::start(&policy(&issuer, DISCOVERED), &upstream).await.ready().await;
    let old = issuer.token(&jwt("ES256")).await;
    gateway.get("/orders/7", &old).await.is_admitted();
    tokio::time::sleep(Duration::from_secs(1)).await; // the cool-down
    issuer.rotate().await;

    let mut new = Vec::new();
    for alg in ALGORITHMS.iter().cycle().take(30) {
        new.push(issuer.token(&jwt(alg)).await);
    }
    for answer in gateway.get_at_once("/orders/7", &new).await {
        answer.is_admitted();
    }
    gateway.get("/orders/7", &old).await.is_admitted();
    assert_eq!(issuer.count("/jwks").await, 2, "one at the start, one for the rotation");
}

#[tokio::test]
async fn a_withdrawn_key_takes_its_remembered_tokens_with_it() {
    let (issuer, upstream) = (Issuer::start().await, Upstream::start().await);
    let gateway = Gateway::start(&policy(&issuer, DISCOVERED), &upstream).await.ready().await;
    let old = issuer.token(&jwt("ES256")).await;
    gateway.get("/orders/7", &old).await.is_admitted();
    issuer.rotate().await;
    issuer.withdraw().await;
    gateway.get("/orders/7", &old).await.is_admitted();

    let new = issuer.token(&jwt("ES256")).await;
    eventually("the new key is known", async || {
        (gateway.get("/orders/7", &new).await.status == 200).then_some(())
    })
    .await;
    gateway.get("/orders/7", &old).await.is_refused(401, "invalid_token");
}

#[tokio::test]
async fn no_token_is_logged_even_at_the_finest_level() {
    let (issuer, upstream) = (Issuer::start().await, Upstream::start().await);
    let gateway = Gateway::start_with(&policy(&issuer, DISCOVERED), &upstream, "trace").await.ready().await;
    let good = issuer.token(&jwt("ES256")).await;
    gateway.get("/orders/7", &good).await.is_admitted();
    let expired = issuer.token(&Wish { ttl: 1, ..jwt("RS256") }).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    gateway.get("/orders/7", &expired).await.is_refused(401, "invalid_token");
    gateway.get("/orders/7", &format!("{good}A")).await.is_refused(401, "invalid_token");
    // Dropping the gateway searches its log for each of them.
}
