//! Requirements in code, beside those of the policy.

use crate::house::{House, bare, outcome, text, with_token};
use axum::Router;
use axum::body::Body;
use axum::http::{Request, header};
use axum::routing::get;
use tollgate::policy::{Denial, Implications, Permit, ScopeRule};
use tollgate::token::Scope;
use tollgate::tower::{RequireScopes, TollgateLayer};
use tower::ServiceExt;

fn jobs() -> Router {
    let jobs = Router::new().route("/jobs", get(async || "jobs")).route("/health", get(async || "well"));
    jobs.layer(RequireScopes::all(["jobs:read", "jobs:list"]).unwrap())
}

#[tokio::test]
async fn a_layer_asks_for_scopes_that_the_policy_does_not() {
    let house = House::new().await;
    let app = jobs().layer(TollgateLayer::new(house.gate.clone()));
    let of = async |request: Request<Body>| app.clone().oneshot(request).await.unwrap();

    let refused = of(house.get("/jobs")).await;
    let challenge = refused.headers()[header::WWW_AUTHENTICATE].to_str().unwrap().to_owned();
    assert!(challenge.starts_with(r#"Bearer realm="orders", error="insufficient_scope""#), "{challenge}");
    assert!(challenge.ends_with(r#"scope="jobs:read jobs:list""#), "{challenge}");
    assert_eq!(outcome(refused).await, (403, "insufficient_scope".into()));

    let granted = with_token("/jobs", &house.token().scope("jobs:list jobs:read").sign());
    assert_eq!(outcome(of(granted).await).await, (200, "jobs".into()));
    assert_eq!(outcome(of(bare("/jobs")).await).await, (401, "token_missing".into()));
    assert_eq!(
        outcome(of(house.get("/health")).await).await,
        (401, "token_missing".into()),
        "public: nobody is known"
    );
}

#[tokio::test]
async fn without_a_gate_in_front_nothing_passes() {
    let house = House::new().await;
    let response = jobs().oneshot(house.get("/jobs")).await.unwrap();
    assert_eq!(response.status(), 500);
    assert!(text(response).await.contains("not_judged"));

    let mut grpc = house.get("/jobs");
    grpc.headers_mut().insert(header::CONTENT_TYPE, "application/grpc".parse().unwrap());
    let response = jobs().oneshot(grpc).await.unwrap();
    assert_eq!(
        (response.status().as_u16(), &response.headers()["grpc-status"]),
        (200, &"13".parse().unwrap())
    );
}

#[tokio::test]
async fn a_handler_asks_for_what_only_it_knows() {
    async fn job(permit: Permit) -> Result<&'static str, Denial> {
        permit.require(|principal| principal.subject() == Some("alice"))?;
        let write = [Scope::new("jobs:write").unwrap()];
        permit.require_scopes(&ScopeRule::all(&write, &Implications::default()))?;
        Ok("done")
    }
    let house = House::new().await;
    let app = Router::new().route("/jobs", get(job)).layer(TollgateLayer::new(house.gate.clone()));
    let of =
        async |token: String| outcome(app.clone().oneshot(with_token("/jobs", &token)).await.unwrap()).await;
    assert_eq!(of(house.token().scope("jobs:write").sign()).await, (200, "done".into()));
    assert_eq!(of(house.token().sign()).await, (403, "insufficient_scope".into()));
    assert_eq!(
        of(house.token().subject("bob").scope("jobs:write").sign()).await,
        (403, "claim_mismatch".into())
    );
}
