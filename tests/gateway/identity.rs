//! Identity headers come from the gate alone, whatever a caller sends, and by whatever way.

use crate::backend::Backend;
use crate::harness::before;

const SPELLINGS: [&str; 8] = [
    "X-Auth-Request-User",
    "x-auth-request-user",
    "X_Auth_Request_User",
    "X-Auth_Request.User",
    "X-AUTH-REQUEST-SCOPES",
    "x.auth.request.client-id",
    "X-Auth-Request-Issuer",
    "x_auth_degraded",
];

#[tokio::test]
async fn no_spelling_arrives_on_any_kind_of_route() {
    let backend = Backend::start().await;
    let gateway = before(&backend).start().await;
    let token = gateway.token();
    for name in SPELLINGS {
        let lines = format!(
            "{name}: root\r\n{name}: root2\r\nConnection: {name}\r\nAuthorization: Bearer {token}\r\n"
        );
        for path in ["/public/a", "/token/a"] {
            assert_eq!(gateway.get(path, &lines).await.status, 200, "{name} {path}");
            let head = backend.last().head;
            assert!(!head.contains("root"), "{head}");
            let user = backend.last().field("x-auth-request-user").map(str::to_owned);
            assert_eq!(user.as_deref(), (path == "/token/a").then_some("alice"), "{head}");
        }
    }
}

#[tokio::test]
async fn trailers_carry_nothing() {
    let backend = Backend::start().await;
    let gateway = before(&backend).start().await;
    let head = "POST /public/echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTrailer: X-Auth-Request-User\r\n\r\n";
    let answer = gateway.send(format!("{head}2\r\nab\r\n0\r\nX-Auth-Request-User: root\r\n\r\n")).await;
    assert_eq!(answer.text(), "ab");
    assert!(!format!("{:?}", backend.last()).contains("root"));
}

#[tokio::test]
async fn connection_can_t_make_ours_vanish() {
    let backend = Backend::start().await;
    let gateway = before(&backend).start().await;
    let token = gateway.token();
    let names = "X-Auth-Request-User, x-auth-request-client-id, X-Request-Id, X-Forwarded-For, X-Forwarded-Proto, close";
    let lines = format!("Authorization: Bearer {token}\r\nConnection: {names}\r\n");
    assert_eq!(gateway.get("/token/a", &lines).await.status, 200);
    let request = backend.last();
    assert_eq!(request.field("x-auth-request-user"), Some("alice"));
    assert_eq!(request.field("x-auth-request-client-id"), Some("shop"));
    assert_eq!(request.field("x-forwarded-for"), Some("127.0.0.1"));
    assert_eq!(request.field("x-forwarded-proto"), Some("http"));
    assert!(request.field("x-request-id").is_some());
    assert_eq!(request.field("connection"), None);
}

#[tokio::test]
async fn an_identity_is_passed_on_whole_or_not_at_all() {
    let backend = Backend::start().await;
    let gateway = before(&backend).start().await;
    let (long, longer) = ("l".repeat(8_128), "l".repeat(8_129));
    for (subject, status) in [(&long, 200), (&longer, 431)] {
        let token =
            gateway.issuer.token().audience("https://api.example.com").client("shop").subject(subject).sign();
        let answer = gateway.get("/token/a", &format!("Authorization: Bearer {token}\r\n")).await;
        assert_eq!(answer.status, status, "{}", answer.text());
    }
    assert_eq!(backend.last().field("x-auth-request-user"), Some(&*long));
    assert_eq!(backend.requests().len(), 1, "the other did not arrive");
}

#[tokio::test]
async fn the_request_id_of_a_trusted_proxy_is_kept() {
    let backend = Backend::start().await;
    let lines = "X-Request-Id: theirs-1\r\nX-Forwarded-For: 1.2.3.4\r\nX-Forwarded-Proto: https\r\n";
    let gateway = before(&backend).start().await;
    gateway.get("/public/a", lines).await;
    assert_ne!(backend.last().field("x-request-id"), Some("theirs-1"));
    assert_eq!(backend.last().fields("x-forwarded-for"), ["127.0.0.1"]);
    let trusting = before(&backend).settle(|settings| {
        settings.trusted_proxies = vec![tollgate::config::Network::parse("127.0.0.0/8").unwrap()];
        settings.limits.request_id_header = http::HeaderName::from_static("x-correlation-id");
    });
    let trusting = trusting.start().await;
    let answer = trusting.get("/public/a", &lines.replace("X-Request-Id", "X-Correlation-Id")).await;
    assert_eq!(answer.field("x-correlation-id"), Some("theirs-1"));
    assert_eq!(backend.last().fields("x-correlation-id"), ["theirs-1"]);
    assert_eq!(backend.last().fields("x-forwarded-for"), ["1.2.3.4, 127.0.0.1"]);
    assert_eq!(backend.last().fields("x-forwarded-proto"), ["https"]);
}

#[tokio::test]
async fn the_token_is_passed_on_where_the_route_says_so() {
    let backend = Backend::start().await;
    let gateway = crate::harness::gateway(&format!(
        "
routes:
  - {{path: /open, public: true}}
  - {{path: /pass, scopes: none, forward_authorization: true}}
  - {{path: /strip, scopes: none}}
upstreams:
  api: {{addresses: ['{}']}}
",
        backend.address
    ));
    let gateway = gateway.start().await;
    let token = gateway.token();
    let lines = format!("Authorization: Bearer {token}\r\n");
    for (path, passes) in [("/pass", true), ("/strip", false), ("/open", false)] {
        assert_eq!(gateway.get(path, &lines).await.status, 200);
        assert_eq!(backend.last().head.contains(&token), passes, "{path}");
    }
}
