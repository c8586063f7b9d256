//! Opaque tokens, which only their issuer can read: RFC 7662 introspection, asked once and remembered.

use std::time::Duration;

use http::Method;

use crate::harness::{AUDIENCE, Gateway, Issuer, Upstream, Wish, jwt, opaque};

const ENDPOINT: &str = "/token/introspection";

/// How the gateway shows itself to the issuer, for most tests.
pub(crate) const BY_SECRET: &str =
    "{client_id: gateway, auth: client_secret_basic, client_secret: loopback-test-only}";

/// A gateway's YAML for opaque tokens of this issuer; `introspection` is the issuer's entry of that name.
pub(crate) fn policy(issuer: &Issuer, introspection: &str) -> String {
    let url = issuer.url();
    format!(
        "
issuers:
  real:
    issuer: {url}
    audiences: [{AUDIENCE}]
    clients: [caller]
    leeway: 0s
    keys: {{discovery: auto, cool_down: 1s, wait: 5s}}
    introspection: {introspection}
routes:
  - path: /orders/{{id}}
    scopes: {{GET: [orders:read], POST: [orders:write]}}
  - path: /status
    public: true
"
    )
}

#[tokio::test]
async fn a_valid_token_is_asked_about_once() {
    let (issuer, upstream) = (Issuer::start().await, Upstream::start().await);
    let gateway = Gateway::start(&policy(&issuer, BY_SECRET), &upstream).await.ready().await;
    let token = issuer.token(&opaque()).await;
    gateway.get("/orders/1", &token).await.is_admitted();
    assert_eq!(issuer.count(ENDPOINT).await, 1);
    for _ in 0..5 {
        gateway.get("/orders/2", &token).await.is_admitted();
    }
    assert_eq!(issuer.count(ENDPOINT).await, 1, "remembered");

    let answer = gateway.send(Method::POST, "/orders/1", Some(&token)).await;
    answer.is_refused(403, "insufficient_scope");
    assert!(answer.challenge().contains("scope=\"orders:write\""), "{answer:?}");
    assert_eq!(issuer.count(ENDPOINT).await, 1, "judged afresh, from what is remembered");
}

#[tokio::test]
async fn a_crowd_with_one_new_token_asks_once() {
    let (issuer, upstream) = (Issuer::start().await, Upstream::start().await);
    let gateway = Gateway::start(&policy(&issuer, BY_SECRET), &upstream).await.ready().await;
    let token = issuer.token(&opaque()).await;
    for answer in gateway.get_at_once("/orders/1", &vec![token; 100]).await {
        answer.is_admitted();
    }
    assert_eq!(issuer.count(ENDPOINT).await, 1);
}

#[tokio::test]
async fn a_revoked_token_is_refused_at_first_sight_and_when_it_is_asked_about_again() {
    let (issuer, upstream) = (Issuer::start().await, Upstream::start().await);
    let forgetful = format!("{}cache: {{max_lifetime: 2s}}\n", policy(&issuer, BY_SECRET));
    let gateway = Gateway::start(&forgetful, &upstream).await.ready().await;
    let [known, new] = [issuer.token(&opaque()).await, issuer.token(&opaque()).await];
    gateway.get("/orders/1", &known).await.is_admitted();
    issuer.revoke(&known).await;
    issuer.revoke(&new).await;
    gateway.get("/orders/1", &new).await.is_refused(401, "invalid_token");
    tokio::time::sleep(Duration::from_secs(3)).await;
    gateway.get("/orders/1", &known).await.is_refused(401, "invalid_token");
}

#[tokio::test]
async fn an_expired_token_is_refused_whether_remembered_or_not() {
    let (issuer, upstream) = (Issuer::start().await, Upstream::start().await);
    let gateway = Gateway::start(&policy(&issuer, BY_SECRET), &upstream).await.ready().await;
    let brief = Wish { ttl: 3, ..opaque() };
    let [known, new] = [issuer.token(&brief).await, issuer.token(&brief).await];
    gateway.get("/orders/1", &known).await.is_admitted();
    tokio::time::sleep(Duration::from_secs(4)).await;
    gateway.get("/orders/1", &known).await.is_refused(401, "invalid_token");
    gateway.get("/orders/1", &new).await.is_refused(401, "invalid_token");
}

#[tokio::test]
async fn an_answer_is_judged_by_the_same_rules_as_a_jwt() {
    let (issuer, upstream) = (Issuer::start().await, Upstream::start().await);
    let gateway = Gateway::start(&policy(&issuer, BY_SECRET), &upstream).await.ready().await;
    upstream.take();
    for wish in
        [Wish { audience: "https://api.test/bills", ..opaque() }, Wish { client: "stranger", ..opaque() }]
    {
        let token = issuer.token(&wish).await;
        gateway.get("/orders/1", &token).await.is_refused(401, "invalid_token");
    }
    gateway.get("/orders/1", &"unheard-of".repeat(4)).await.is_refused(401, "invalid_token");
    let asked = issuer.count(ENDPOINT).await;
    gateway.get("/orders/1", "tooshort").await.is_refused(401, "invalid_token");
    assert_eq!(issuer.count(ENDPOINT).await, asked, "no errand for what can't be a token");
    assert_eq!(upstream.take().len(), 0);
}

#[tokio::test]
async fn a_signed_assertion_authenticates_as_well_as_a_secret() {
    let (issuer, upstream) = (Issuer::start().await, Upstream::start().await);
    for alg in ["RS256", "ES256", "EdDSA"] {
        let key = issuer.gateway_key(alg);
        let introspection = format!(
            "{{client_id: gateway-{alg}, auth: private_key_jwt, signing_key_file: {key:?}, \
             signing_algorithm: {alg}, signing_key_id: gateway-{alg}}}"
        );
        let gateway = Gateway::start(&policy(&issuer, &introspection), &upstream).await.ready().await;
        // Two errands: an assertion is good for one.
        for _ in 0..2 {
            let token = issuer.token(&opaque()).await;
            gateway.get("/orders/1", &token).await.is_admitted();
        }
    }
    assert_eq!(issuer.count(ENDPOINT).await, 6);
}

#[tokio::test]
async fn signed_answers_and_credentials_with_odd_characters() {
    let (issuer, upstream) = (Issuer::start().await, Upstream::start().await);
    let introspection =
        "{client_id: gateway signed, auth: client_secret_basic, client_secret: 'p%ss: w+rd/=', signed: true}";
    let gateway = Gateway::start(&policy(&issuer, introspection), &upstream).await.ready().await;
    let token = issuer.token(&opaque()).await;
    gateway.get("/orders/1", &token).await.is_admitted();
    assert_eq!(issuer.count(ENDPOINT).await, 1);
    gateway.get("/orders/1", &"unheard-of".repeat(4)).await.is_refused(401, "invalid_token");
}

#[tokio::test]
async fn a_jwt_that_the_issuer_will_not_introspect_is_the_callers_fault() {
    let (issuer, upstream) = (Issuer::start().await, Upstream::start().await);
    let always = BY_SECRET.replace('}', ", mode: always}");
    let gateway = Gateway::start(&policy(&issuer, &always), &upstream).await.ready().await;
    let token = issuer.token(&jwt("ES256")).await;
    gateway.get("/orders/1", &token).await.is_refused(401, "invalid_token");
}

#[tokio::test]
async fn a_wrong_secret_is_the_operators_fault() {
    let (issuer, upstream) = (Issuer::start().await, Upstream::start().await);
    let wrong = BY_SECRET.replace("loopback-test-only", "guessed-in-vain");
    let gateway = Gateway::start(&policy(&issuer, &wrong), &upstream).await.ready().await;
    let token = issuer.token(&opaque()).await;
    gateway.get("/orders/1", &token).await.is_unavailable();
}
