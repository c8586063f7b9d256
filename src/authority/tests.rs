//! The endpoints, asked as clients and gateways ask them.

use super::endpoints::{Answer, respond};
use super::*;
use crate::proof::{Algorithm, Candidates, IssuerName, KeySet, Verified, verify};
use crate::testing::ManualClock;
use crate::token::UnverifiedJws;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use http::{HeaderMap, Method, StatusCode, header};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

const ORIGIN: &str = "http://127.0.0.1:1";

fn builder() -> AuthorityBuilder {
    let orders = AuthorizationServer::new("default", "https://api.example.com/orders")
        .scopes(["orders:read", "orders:write"])
        .algorithm(Algorithm::ES256);
    let bills = AuthorizationServer::new("bills", "https://api.example.com/bills")
        .scopes(["bills:read"])
        .algorithm(Algorithm::EdDSA)
        .lifetime(Duration::from_secs(60));
    Authority::builder()
        .server(orders)
        .server(bills)
        .client(Client::new("shop", "s").grant("default", ["orders:read"]).grant("bills", ["bills:read"]))
        .client(Client::new("desk", "d:%+ &").grant("default", ["orders:write"]).opaque_tokens())
        .client(Client::new("gateway", "g"))
}

struct Desk {
    state: State,
    clock: ManualClock,
}

impl Desk {
    async fn new() -> Self {
        let clock = ManualClock::new();
        let state = builder().clock(Arc::new(clock.clone())).state(ORIGIN).await.unwrap();
        Self { state, clock }
    }

    fn send(&self, method: Method, path: &str, credentials: &str, body: &str) -> Answer {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, "application/x-www-form-urlencoded".parse().unwrap());
        if !credentials.is_empty() {
            let value = format!("Basic {}", STANDARD.encode(credentials));
            headers.insert(header::AUTHORIZATION, value.parse().unwrap());
        }
        respond(&self.state, &method, path, &headers, body.as_bytes())
    }

    async fn get(&self, path: &str) -> Value {
        told(self.send(Method::GET, path, "", "")).await.1
    }

    async fn post(&self, path: &str, credentials: &str, body: &str) -> (StatusCode, Value) {
        told(self.send(Method::POST, path, credentials, body)).await
    }

    async fn token(&self, server: &str, credentials: &str, scope: &str) -> String {
        let body = format!("grant_type=client_credentials&scope={scope}");
        let (status, answer) = self.post(&format!("/oauth2/{server}/v1/token"), credentials, &body).await;
        assert_eq!(status, 200, "{answer}");
        answer["access_token"].as_str().unwrap().to_owned()
    }

    async fn introspect(&self, server: &str, token: &str) -> Value {
        self.post(&format!("/oauth2/{server}/v1/introspect"), "gateway:g", &format!("token={token}")).await.1
    }

    async fn prove(&self, server: &str, algorithm: Algorithm, token: &str) -> Result<Verified, String> {
        let set = self.get(&format!("/oauth2/{server}/v1/keys")).await.to_string();
        let (set, jws) = (KeySet::from_json(set.as_bytes()).unwrap(), UnverifiedJws::parse(token).unwrap());
        let Candidates::Keys(keys) = set.select(algorithm, jws.kid()) else { return Err("no key".into()) };
        let issuer = IssuerName::new(&format!("{ORIGIN}/oauth2/{server}"));
        verify(&jws, algorithm, &keys, &issuer).map_err(|error| error.to_string())
    }
}

/// The status and the document. Nothing that holds a token or an error may be stored.
async fn told(answer: Answer) -> (StatusCode, Value) {
    let status = answer.status();
    let json = answer.headers().get(header::CONTENT_TYPE).is_some_and(|value| value == "application/json");
    assert!(!json || answer.headers()[header::CACHE_CONTROL] == "no-store");
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    (status, serde_json::from_slice(&body).unwrap_or(Value::Null))
}

#[tokio::test]
async fn a_token_has_okta_s_shape() {
    let desk = Desk::new().await;
    let token = desk.token("default", "shop:s", "orders:read").await;
    let part = |n| -> Value {
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(token.split('.').nth(n).unwrap()).unwrap()).unwrap()
    };
    let (header, mut claims) = (part(0), part(1));
    assert_eq!(header.as_object().unwrap().keys().collect::<Vec<_>>(), ["alg", "kid"]);
    assert_eq!(header["alg"], "ES256");
    let jti = claims.as_object_mut().unwrap().remove("jti").unwrap();
    assert!(jti.as_str().is_some_and(|jti| jti.starts_with("AT.") && jti.len() == 46), "{jti}");
    let now = ManualClock::START.as_secs();
    let expected = json!({
        "ver": 1,
        "iss": "http://127.0.0.1:1/oauth2/default",
        "aud": "https://api.example.com/orders",
        "iat": now,
        "exp": now + 3_600,
        "cid": "shop",
        "scp": ["orders:read"],
        "sub": "shop",
    });
    assert_eq!(claims, expected);
    assert!(desk.prove("default", Algorithm::ES256, &token).await.is_ok());
    let opaque = desk.token("default", "desk:d%3A%25%2B+%26", "orders:write").await;
    assert!(opaque.len() == 43 && !opaque.contains('.'));
}

#[tokio::test]
async fn servers_keep_to_themselves() {
    let desk = Desk::new().await;
    let token = desk.token("bills", "shop:s", "bills:read").await;
    assert!(desk.prove("bills", Algorithm::EdDSA, &token).await.is_ok());
    assert!(desk.prove("default", Algorithm::EdDSA, &token).await.is_err());
    assert_eq!(desk.introspect("bills", &token).await["active"], true);
    assert_eq!(desk.introspect("default", &token).await, json!({"active": false}));
}

#[tokio::test]
async fn refusals_are_those_of_rfc_6749() {
    let desk = Desk::new().await;
    let grant = "grant_type=client_credentials";
    for (credentials, body, status, error) in [
        ("shop:s", "scope=orders:read", 400, "invalid_request"),
        ("shop:s", "grant_type=password&username=u&password=p", 400, "unsupported_grant_type"),
        ("shop:s", &format!("{grant}&{grant}&scope=orders:read"), 400, "invalid_request"),
        ("shop:s", grant, 400, "invalid_scope"),
        ("shop:s", &format!("{grant}&scope=bills:read"), 400, "invalid_scope"),
        ("shop:s", &format!("{grant}&scope=orders:write"), 400, "invalid_scope"),
        ("shop:s", &format!("{grant}&scope=orders:read++orders:read"), 400, "invalid_scope"),
        ("gateway:g", &format!("{grant}&scope=orders:read"), 400, "unauthorized_client"),
        ("", &format!("{grant}&scope=orders:read"), 401, "invalid_client"),
        ("shop:wrong", &format!("{grant}&scope=orders:read"), 401, "invalid_client"),
        ("nobody:s", &format!("{grant}&scope=orders:read"), 401, "invalid_client"),
        ("", &format!("{grant}&scope=orders:read&client_id=shop"), 401, "invalid_client"),
        ("shop:s", &format!("{grant}&client_id=shop&client_secret=s"), 400, "invalid_request"),
        ("shop:s", &format!("{grant}&client_id=gateway"), 400, "invalid_request"),
    ] {
        let answer = desk.send(Method::POST, "/oauth2/default/v1/token", credentials, body);
        let challenged = answer.headers().contains_key(header::WWW_AUTHENTICATE);
        let (told, document) = told(answer).await;
        assert_eq!(
            (told.as_u16(), document["error"].as_str()),
            (status, Some(error)),
            "{credentials} {body}"
        );
        assert_eq!(challenged, status == 401, "{credentials} {body}");
        assert!(document["error_description"].is_string());
    }
    let body = format!("{grant}&scope=orders:read+orders:read&client_id=shop&client_secret=s");
    let (status, document) = desk.post("/oauth2/default/v1/token", "", &body).await;
    assert_eq!(
        (status.as_u16(), document["scope"].as_str()),
        (200, Some("orders:read")),
        "client_secret_post"
    );
    assert_eq!(
        (document["token_type"].as_str(), document["expires_in"].as_u64()),
        (Some("Bearer"), Some(3_600))
    );
}

#[tokio::test]
async fn introspection_tells_what_a_token_is_until_it_ends() {
    let desk = Desk::new().await;
    let token = desk.token("default", "desk:d%3A%25%2B+%26", "orders:write").await;
    let mut answer = desk.introspect("default", &token).await;
    assert!(answer.as_object_mut().unwrap().remove("jti").is_some());
    let now = ManualClock::START.as_secs();
    let expected = json!({
        "active": true, "token_type": "Bearer", "client_id": "desk", "sub": "desk", "scope": "orders:write",
        "iss": "http://127.0.0.1:1/oauth2/default", "aud": "https://api.example.com/orders",
        "iat": now, "exp": now + 3_600,
    });
    assert_eq!(answer, expected);
    let (status, _) = desk.post("/oauth2/default/v1/introspect", "", &format!("token={token}")).await;
    assert_eq!(status, 401, "only clients may ask");
    desk.clock.advance(Duration::from_secs(3_599));
    assert_eq!(desk.introspect("default", &token).await["active"], true);
    desk.clock.advance(Duration::from_secs(1));
    assert_eq!(desk.introspect("default", &token).await, json!({"active": false}));
}

#[tokio::test]
async fn a_client_ends_its_own_tokens_only() {
    let desk = Desk::new().await;
    let token = desk.token("default", "shop:s", "orders:read").await;
    let revoke = async |credentials, token: &str| {
        desk.post("/oauth2/default/v1/revoke", credentials, &format!("token={token}")).await
    };
    let (status, answer) = revoke("gateway:g", &token).await;
    assert_eq!((status.as_u16(), answer["error"].as_str()), (400, Some("invalid_grant")));
    assert_eq!(desk.introspect("default", &token).await["active"], true);
    for _ in 0..2 {
        assert_eq!(revoke("shop:s", &token).await.0, 200);
        assert_eq!(desk.introspect("default", &token).await, json!({"active": false}));
    }
    assert_eq!(revoke("shop:s", "never-issued").await.0, 200);
    assert!(desk.prove("default", Algorithm::ES256, &token).await.is_ok(), "a JWT stands by itself");
}

#[tokio::test]
async fn old_keys_stay_published_until_they_are_withdrawn() {
    let desk = Desk::new().await;
    let old = desk.token("default", "shop:s", "orders:read").await;
    let server = &desk.state.servers["default"];
    let kid = server.rotate();
    let new = desk.token("default", "shop:s", "orders:read").await;
    let set = desk.get("/oauth2/default/v1/keys").await;
    assert_eq!(
        (set["keys"].as_array().map(Vec::len), set["keys"][1]["kid"].as_str()),
        (Some(2), Some(&*kid))
    );
    assert!(set["keys"][0].get("d").is_none(), "the private part stays here");
    for token in [&old, &new] {
        assert!(desk.prove("default", Algorithm::ES256, token).await.is_ok());
    }
    server.withdraw_old_keys();
    assert!(desk.prove("default", Algorithm::ES256, &old).await.is_err());
    assert!(desk.prove("default", Algorithm::ES256, &new).await.is_ok());
}

#[tokio::test]
async fn metadata_names_the_issuer_at_each_well_known_place() {
    let desk = Desk::new().await;
    let document = desk.get("/oauth2/default/.well-known/openid-configuration").await;
    assert_eq!(document["issuer"], "http://127.0.0.1:1/oauth2/default");
    assert_eq!(document["jwks_uri"], "http://127.0.0.1:1/oauth2/default/v1/keys");
    assert_eq!(document, desk.get("/.well-known/oauth-authorization-server/oauth2/default").await);
    assert_eq!(document, desk.get("/oauth2/default/.well-known/oauth-authorization-server").await);
}

#[tokio::test]
async fn other_paths_and_methods_are_refused() {
    let desk = Desk::new().await;
    for path in
        ["/", "/oauth2/default", "/oauth2/default/", "/oauth2/none/v1/keys", "/oauth2/default/v1/authorize"]
    {
        assert_eq!(desk.send(Method::GET, path, "", "").status(), 404, "{path}");
    }
    for (method, path, allow) in [
        (Method::GET, "/oauth2/default/v1/token", "POST"),
        (Method::POST, "/oauth2/default/v1/keys", "GET, HEAD"),
    ] {
        let answer = desk.send(method, path, "shop:s", "");
        assert_eq!(
            (answer.status().as_u16(), &answer.headers()[header::ALLOW]),
            (405, &allow.parse().unwrap())
        );
    }
}

#[tokio::test]
async fn contradictions_are_refused_at_the_start() {
    let said = async |builder: AuthorityBuilder| builder.state(ORIGIN).await.err().unwrap().to_string();
    let server = || AuthorizationServer::new("default", "a").scopes(["s"]).algorithm(Algorithm::ES256);
    let with = |client| Authority::builder().server(server()).client(client);
    assert!(said(Authority::builder().server(server()).server(server())).await.contains("`default`"));
    assert!(said(Authority::builder().server(AuthorizationServer::new("a/b", "a"))).await.contains("`a/b`"));
    assert!(said(Authority::builder().server(server().scopes(["a b"]))).await.contains("`a b`"));
    assert!(said(with(Client::new("c", "")).client(Client::new("c", ""))).await.contains("`c`"));
    assert!(said(with(Client::new("c", "").grant("none", ["s"]))).await.contains("`none`"));
    assert!(said(with(Client::new("c", "").grant("default", ["other"]))).await.contains("`other`"));
    let everywhere = TcpListener::bind("0.0.0.0:0").await.unwrap();
    assert!(matches!(builder().start(everywhere).await, Err(AuthorityError::NotLoopback(_))));
}

#[tokio::test]
async fn it_answers_on_its_listener_until_it_is_stopped() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let authority = builder().start(listener).await.unwrap();
    let issuer = authority.issuer("default").unwrap().to_owned();
    assert_eq!(issuer, format!("http://{}/oauth2/default", authority.address()));
    let kid = authority.rotate("default").unwrap();
    let mut stream = tokio::net::TcpStream::connect(authority.address()).await.unwrap();
    let request = "GET /oauth2/default/v1/keys HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.contains(&kid), "{answer}");
    let address = authority.address();
    authority.stop().await;
    assert!(tokio::net::TcpStream::connect(address).await.is_err());
}

#[test]
fn secrets_are_not_shown() {
    assert!(!format!("{:?}", builder()).contains("d:%+ &"));
}
