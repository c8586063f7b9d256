//! An axum service behind the layer.

use crate::house::{House, bare, outcome, text, with_token};
use axum::extract::OriginalUri;
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use axum::routing::{any, get};
use axum::{Extension, Router, body::Body};
use serde_json::json;
use std::time::Duration;
use tollgate::policy::{Denial, Permit, Principal, Reason};
use tollgate::tower::{Claims, ClientCertificate, TollgateLayer};
use tower::ServiceExt;

#[derive(serde::Deserialize)]
struct Tenant {
    tenant: String,
}

async fn me(principal: Principal, Extension(same): Extension<Principal>, permit: Permit) -> String {
    assert_eq!(principal.subject(), same.subject());
    let route = permit.route().unwrap().template.as_str();
    format!("{} at {route} through {}", principal.subject().unwrap(), principal.client().unwrap())
}

async fn perhaps_me(principal: Option<Principal>) -> String {
    principal.map_or("nobody".into(), |principal| principal.subject().unwrap().into())
}

/// The header fields that reach the handler, in alphabetical order.
async fn fields(headers: HeaderMap) -> String {
    let mut names: Vec<String> =
        headers.iter().map(|(n, v)| format!("{n}={}", v.to_str().unwrap())).collect();
    names.sort();
    names.join(";")
}

fn app() -> Router {
    Router::new()
        .route("/me", get(me))
        .route("/health", get(perhaps_me))
        .route("/public/me", get(me))
        .route("/tenant", get(async |Claims(Tenant { tenant })| tenant))
        .route("/orders/{id}", any(fields))
        .route("/forwarding", any(fields))
        .route("/hosted", any(fields))
        .route("/unguarded", any(fields))
}

async fn through(layer: TollgateLayer, request: Request<Body>) -> (u16, String) {
    outcome(app().layer(layer).oneshot(request).await.unwrap()).await
}

#[tokio::test]
async fn the_handler_knows_its_caller() {
    let house = House::new().await;
    let layer = || TollgateLayer::new(house.gate.clone());
    assert_eq!(through(layer(), house.get("/me")).await, (200, "alice at /me through shop".into()));
    assert_eq!(through(layer(), bare("/health")).await, (200, "nobody".into()));
    assert_eq!(through(layer(), house.get("/health")).await, (200, "nobody".into()), "no token is looked at");
    assert_eq!(through(layer(), house.get("/public/me")).await, (401, "token_missing".into()));
    let tenant = with_token("/tenant", &house.token().claim("tenant", "acme").sign());
    assert_eq!(through(layer(), tenant).await, (200, "acme".into()));
    let misfit = with_token("/tenant", &house.token().claim("tenant", json!(["acme"])).sign());
    assert_eq!(through(layer(), misfit).await, (403, "claim_mismatch".into()));
}

#[tokio::test]
async fn without_a_layer_nobody_is_known_and_the_service_is_to_blame() {
    for path in ["/me", "/health", "/tenant"] {
        let response = app().oneshot(bare(path)).await.unwrap();
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
        assert!(response.headers().get(header::WWW_AUTHENTICATE).is_none());
        let text = text(response).await;
        assert!(text.contains("not_judged") || path == "/me", "{path}: {text}");
    }
}

#[tokio::test]
async fn refusals_are_told_as_the_rfcs_say() {
    let house = House::new().await;
    let app = app().layer(TollgateLayer::new(house.gate.clone()));
    let answer = async |request: Request<Body>| {
        let response = app.clone().oneshot(request).await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        assert_eq!(headers[header::CACHE_CONTROL], "no-store");
        let challenge = headers.get(header::WWW_AUTHENTICATE).map(|value| value.to_str().unwrap().to_owned());
        (status, challenge, response.extensions().get::<Denial>().unwrap().reason(), text(response).await)
    };
    let (status, challenge, reason, body) = answer(bare("/orders/1")).await;
    assert_eq!((status, reason), (401, Reason::TokenMissing));
    assert_eq!(challenge.as_deref(), Some(r#"Bearer realm="orders""#));
    assert_eq!(serde_json::from_str::<serde_json::Value>(&body).unwrap()["code"], "token_missing");

    let mut post = house.get("/orders/1");
    *post.method_mut() = Method::POST;
    let (status, challenge, reason, _) = answer(post).await;
    assert_eq!((status, reason), (403, Reason::Scope));
    assert!(
        challenge.unwrap().ends_with(r#"error_description="the token lacks a scope", scope="orders:write""#)
    );

    let mut delete = house.get("/orders/1");
    *delete.method_mut() = Method::DELETE;
    assert_eq!(answer(delete).await.0, 405);
    let (status, challenge, ..) = answer(with_token("/me", &house.token().tampered().sign())).await;
    assert_eq!(status, 401);
    assert!(challenge.unwrap().contains(r#"error="invalid_token""#));
    assert_eq!(answer(house.get("/unguarded")).await.0, 404, "what no route names is closed");
    assert_eq!(answer(house.get("/orders/../me")).await.0, 400);

    let mut head = bare("/orders/1");
    *head.method_mut() = Method::HEAD;
    assert_eq!(answer(head).await.3, "");
}

#[tokio::test]
async fn only_the_gate_says_who_is_calling() {
    let house = House::new().await;
    let forged = |path: &str| {
        let mut request = house.get(path);
        for name in
            ["X-Auth-Request-User", "x_auth_request_user", "X-Auth.Request-Scopes", "x-auth-degraded", "a_b"]
        {
            let name = header::HeaderName::from_bytes(name.as_bytes()).unwrap();
            request.headers_mut().append(&name, "mallory".parse().unwrap());
            request.headers_mut().append(name, "mallory".parse().unwrap());
        }
        request.headers_mut().insert("x-request-id", "7".parse().unwrap());
        request
    };
    let layer = || TollgateLayer::new(house.gate.clone());
    let plain = "host=api.example;x-request-id=7";
    assert_eq!(through(layer(), forged("/orders/1")).await, (200, plain.into()));
    let (_, kept) = through(layer().strip_authorization(false), forged("/orders/1")).await;
    assert!(kept.starts_with("authorization=Bearer ") && kept.ends_with(plain), "{kept}");
    let (_, kept) = through(layer(), forged("/forwarding")).await;
    assert!(kept.starts_with("authorization=Bearer ") && kept.ends_with(plain), "{kept}");
    let named = "host=api.example;x-auth-request-client-id=shop;x-auth-request-issuer=https://as.example/;\
                 x-auth-request-scopes=orders:read;x-auth-request-user=alice;x-request-id=7";
    assert_eq!(through(layer().identity_headers(true), forged("/orders/1")).await, (200, named.into()));
}

#[tokio::test]
async fn a_public_route_brings_no_principal_of_another_layer() {
    let house = House::new().await;
    let layer = || TollgateLayer::new(house.gate.clone());
    let hand_out = Router::new().fallback(async |extension: Extension<Principal>| extension);
    let response = hand_out.layer(layer()).oneshot(house.get("/me")).await.unwrap();
    let principal: &Principal = response.extensions().get().unwrap();

    let mut request = bare("/health");
    request.extensions_mut().insert(principal.clone());
    let look =
        Router::new().fallback(async |there: Option<Extension<Principal>>| there.is_some().to_string());
    assert_eq!(text(look.layer(layer()).oneshot(request).await.unwrap()).await, "false");
}

#[tokio::test]
async fn a_nested_router_is_judged_by_the_whole_path() {
    let house = House::new().await;
    let layer = || TollgateLayer::new(house.gate.clone());
    let orders = || Router::new().route("/orders", get(async || "orders"));
    let of = async |app: Router, request: Request<Body>| outcome(app.oneshot(request).await.unwrap()).await;

    let outside = Router::new().nest("/api", orders()).layer(layer());
    assert_eq!(of(outside.clone(), house.get("/api/orders")).await, (200, "orders".into()));
    assert_eq!(of(outside, bare("/api/orders")).await, (401, "token_missing".into()));

    // Inside, the prefix is gone: the layer judges `/orders`, which no route of the policy names.
    let inside = Router::new().nest("/api", orders().layer(layer()));
    assert_eq!(of(inside, house.get("/api/orders")).await, (404, "no_route".into()));
    let original = layer().original_uri(|extensions| Some(&extensions.get::<OriginalUri>()?.0));
    let inside = Router::new().nest("/api", orders().layer(original.clone()));
    assert_eq!(of(inside, house.get("/api/orders")).await, (200, "orders".into()));
    assert_eq!(through(original, house.get("/me")).await, (200, "alice at /me through shop".into()));
}

#[tokio::test]
async fn hosts_come_from_one_place() {
    let house = House::new().await;
    let of = async |hosts: &[&str], uri: &str| {
        let mut request = bare(uri);
        request.headers_mut().remove(header::HOST);
        for host in hosts {
            request.headers_mut().append(header::HOST, host.parse().unwrap());
        }
        through(TollgateLayer::new(house.gate.clone()), request).await.0
    };
    assert_eq!(of(&["internal.example"], "/hosted").await, 200);
    assert_eq!(of(&["INTERNAL.example:8080"], "/hosted").await, 200);
    assert_eq!(of(&[], "http://internal.example/hosted").await, 200);
    assert_eq!(of(&["api.example"], "/hosted").await, 404);
    assert_eq!(of(&[], "/hosted").await, 404);
    assert_eq!(of(&["internal.example", "internal.example"], "/hosted").await, 400);
    assert_eq!(of(&["api.example"], "http://internal.example/hosted").await, 400);
}

#[tokio::test]
async fn a_token_bound_to_a_certificate_needs_that_certificate() {
    let house = House::new().await;
    // RFC 8705 section 3.1: base64url of SHA-256; this one is 32 zero bytes.
    let bound = house.token().claim("cnf", json!({"x5t#S256": "A".repeat(43)})).sign();
    let of = async |certificate: Option<[u8; 32]>| {
        let mut request = with_token("/me", &bound);
        certificate.map(|hash| request.extensions_mut().insert(ClientCertificate(hash)));
        through(TollgateLayer::new(house.gate.clone()), request).await.0
    };
    assert_eq!(of(Some([0; 32])).await, 200);
    assert_eq!(of(Some([1; 32])).await, 401);
    assert_eq!(of(None).await, 401);
}

#[tokio::test]
async fn a_request_waits_for_keys_and_an_outage_is_nobody_s_fault_but_ours() {
    let (house, held) = House::held();
    let waiting = tokio::spawn(app().layer(TollgateLayer::new(house.gate.clone())).oneshot(house.get("/me")));
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(!waiting.is_finished());
    held.add_permits(1);
    let response = waiting.await.unwrap().unwrap();
    assert_eq!(outcome(response).await, (200, "alice at /me through shop".into()));

    let (house, held) = House::held();
    held.close();
    let response =
        app().layer(TollgateLayer::new(house.gate.clone())).oneshot(house.get("/me")).await.unwrap();
    assert!(response.headers().contains_key(header::RETRY_AFTER));
    assert_eq!(outcome(response).await, (503, "keys_unavailable".into()));
}
