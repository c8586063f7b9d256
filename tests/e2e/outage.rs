//! The issuer dies. What is known goes on, what is unknown waits for its return, nothing fails open.

use std::time::Duration;

use http::Method;

use crate::harness::{Gateway, Issuer, Upstream, eventually, jwt, opaque};

#[tokio::test]
async fn jwts_with_known_keys_need_no_issuer() {
    let (mut issuer, upstream) = (Issuer::start().await, Upstream::start().await);
    let gateway =
        Gateway::start(&crate::jwt::policy(&issuer, crate::jwt::DISCOVERED), &upstream).await.ready().await;
    let [remembered, new] = [issuer.token(&jwt("ES256")).await, issuer.token(&jwt("RS256")).await];
    gateway.get("/orders/1", &remembered).await.is_admitted();
    issuer.rotate().await;
    let unknown = issuer.token(&jwt("ES256")).await;
    issuer.kill();

    gateway.get("/orders/1", &remembered).await.is_admitted();
    gateway.get("/orders/1", &new).await.is_admitted();
    gateway.get("/orders/1", &unknown).await.is_refused(401, "invalid_token");

    issuer.restart().await;
    eventually("the unknown key is fetched", async || {
        (gateway.get("/orders/1", &unknown).await.status == 200).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_gateway_that_never_met_its_issuer_recovers_by_itself() {
    let (mut issuer, upstream) = (Issuer::start().await, Upstream::start().await);
    let token = issuer.token(&jwt("ES256")).await;
    issuer.kill();
    let gateway = Gateway::start(&crate::jwt::policy(&issuer, crate::jwt::DISCOVERED), &upstream).await;
    gateway.send(Method::GET, "/status", None).await.is_admitted();
    gateway.get("/orders/1", &token).await.is_unavailable();

    issuer.restart().await;
    let gateway = gateway.ready().await;
    gateway.get("/orders/1", &token).await.is_admitted();
}

#[tokio::test]
async fn opaque_tokens_are_served_from_memory_until_the_issuer_is_back() {
    let (mut issuer, upstream) = (Issuer::start().await, Upstream::start().await);
    let policy = crate::opaque::policy(&issuer, crate::opaque::BY_SECRET);
    let gateway = Gateway::start(&policy, &upstream).await.ready().await;
    let [remembered, unknown] = [issuer.token(&opaque()).await, issuer.token(&opaque()).await];
    gateway.get("/orders/1", &remembered).await.is_admitted();
    issuer.kill();

    gateway.get("/orders/1", &remembered).await.is_admitted();
    gateway.get("/orders/1", &unknown).await.is_unavailable();

    issuer.restart().await;
    eventually("the unknown token is admitted", async || {
        (gateway.get("/orders/1", &unknown).await.status == 200).then_some(())
    })
    .await;
}

#[tokio::test]
async fn an_unavailable_issuer_keeps_nobody_waiting() {
    let (mut issuer, upstream) = (Issuer::start().await, Upstream::start().await);
    let policy = crate::opaque::policy(&issuer, crate::opaque::BY_SECRET);
    let gateway = Gateway::start(&policy, &upstream).await.ready().await;
    issuer.kill();
    let tokens: Vec<String> = (0..200).map(|n| format!("unheard-of-token-number-{n}")).collect();
    let answers =
        tokio::time::timeout(Duration::from_secs(10), gateway.get_at_once("/orders/1", &tokens)).await;
    for answer in answers.unwrap() {
        answer.is_unavailable();
    }
}
