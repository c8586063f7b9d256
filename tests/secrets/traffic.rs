//! All kinds of traffic, and all kinds of trouble.

use crate::eventually;
use crate::house::{CLIENT_SECRET, House};
use crate::leaks::Secrets;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::Request;
use std::net::SocketAddr;
use std::time::Duration;
use tollgate::testing::{Behaviour, Resource};

/// Lets everything happen, and returns what must not have been told of it.
pub(crate) async fn everything(house: &mut House) -> Secrets {
    let mut secrets = Secrets::default();
    signed_tokens(house, &mut secrets).await;
    odd_requests(house, &mut secrets).await;
    over_http2(house, &mut secrets).await;
    opaque_tokens(house, &mut secrets).await;
    odd_key_sets(house, &mut secrets).await;
    operators(house, &mut secrets).await;
    reloads(house).await;
    for (what, secret) in house.own_secrets() {
        secrets.other(what, &secret);
    }
    for issuer in &house.issuers {
        for asked in issuer.recorded(Resource::Introspection) {
            // The assertions that the gateway signed, and whatever else it said of itself.
            let own = asked.body.split('&').filter(|pair| pair.starts_with("client_assertion="));
            own.for_each(|pair| secrets.token(pair.trim_start_matches("client_assertion=")));
            let header = asked.headers.get("authorization").and_then(|value| value.to_str().ok());
            header.into_iter().for_each(|value| secrets.other("the gateway's Authorization", value));
        }
    }
    secrets
}

fn bearer(path: &str, token: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nHost: api.test\r\nAuthorization: Bearer {token}\r\n\r\n").into_bytes()
}

async fn signed_tokens(house: &mut House, secrets: &mut Secrets) {
    let good = house.token(0);
    let mut tokens = vec![
        good.sign(),
        good.clone().tampered().sign(),
        good.clone().claim("exp", 1).sign(),
        good.clone().header("kid", "nobody's").sign(),
        good.clone().header("alg", "none").sign(),
        good.clone().header("crit", "x").sign(),
        good.clone().raw_header("{\"alg\":\"RS256\",\"kid\":").sign(),
        good.clone().raw_payload("{\"iss\":").sign(),
        good.clone().claim("iss", "https://nobody.test/").sign(),
        good.clone().claim("aud", "https://nobody.test/").sign(),
        good.clone().claim("aud", 7).sign(),
        good.clone().scope("nothing").sign(),
        good.clone().hmac(b"secret").sign(),
        house.token(1).sign(),
        house.token(2).sign(),
    ];
    tokens.push(tokens[0].replacen('.', ".AAAA", 1));
    tokens.push(format!("{}=", tokens[0]));
    tokens.push(format!("{}.{}", tokens[0], "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo"));
    tokens.push(format!("{}{}", tokens[0], "QUJDREVGR0hJSktM".repeat(1_100)));
    for token in &tokens {
        secrets.token(token);
    }
    for path in ["/orders/1", "/raw/1", "/public/1", "/nowhere", "/orders/..%2f1"] {
        for token in &tokens {
            // The first twice, so that it is remembered.
            house.exchange(house.address, &bearer(path, token)).await;
        }
    }
    let answer = house.exchange(house.address, &bearer("/orders/1", &tokens[0])).await;
    assert!(is_admitted(&answer), "{answer}");
}

/// Whether the gate let it pass: then it is the API that answers, or does not.
fn is_admitted(answer: &str) -> bool {
    answer.starts_with("HTTP/1.1 200 ") || answer.starts_with("HTTP/1.1 502 ")
}

async fn odd_requests(house: &mut House, secrets: &mut Secrets) {
    let token = house.token(0).claim("n", 2).sign();
    let basic = STANDARD.encode("alice:a-password-of-some-length-31");
    secrets.token(&token);
    secrets.other("a caller's password", &basic);
    let host = "HTTP/1.1\r\nHost: api.test\r\n";
    let heads = [
        format!("GET /orders/1?access_token={token} {host}\r\n"),
        format!("GET /public/1?a=b&access_token={token} {host}\r\n"),
        format!("GET /orders/1?token={token}#{token} {host}\r\n"),
        format!("GET http://api.test/?{token} {host}\r\n"),
        format!("GET {token} {host}\r\n"),
        format!("{token} / {host}\r\n"),
        format!("GET /orders/1 {host}Authorization: Basic {basic}\r\n\r\n"),
        format!("GET /orders/1 {host}Authorization: Bearer {token}, Basic {basic}\r\n\r\n"),
        format!("GET /orders/1 {host}Authorization: Bearer\t{token}\r\n\r\n"),
        format!("GET /orders/1 {host}Authorization: Bearer \"{token}\"\r\n\r\n"),
        format!("GET /orders/1 {host}Authorization: {token}\r\n\r\n"),
        format!("GET /orders/1 {host}Authorization : Bearer {token}\r\n\r\n"),
        format!("GET /orders/1 {host}Authorization: Bearer\r\n {token}\r\n\r\n"),
        format!("GET /orders/1 {host}Authorization: Bearer {token}\n\n"),
        format!("GET /orders/1 {host}Authorization: Bearer {token}\rX: y\r\n\r\n"),
        format!("GET /orders/1 {host}Authorization: Bearer {token}\0\r\n\r\n"),
        format!("GET /orders/1 {host}Authorization: Bearer {token}\r\nAuthorization: Basic {basic}\r\n\r\n"),
        format!(
            "GET /orders/1 {host}Cookie: token={token}\r\nX-Token: {token}\r\nX-Auth-Request-User: {token}\r\n\r\n"
        ),
        format!("GET /orders/1 {host}{token}: x\r\n\r\n"),
        format!("GET /orders/1 {host}Connection: {token}\r\n\r\n"),
        format!("GET /orders/1 HTTP/1.1\r\nHost: {token}\r\n\r\n"),
        format!("GET /public/1 {host}Upgrade: {token}\r\nConnection: upgrade\r\n\r\n"),
        format!("GET /public/1 {host}X-Request-Id: {token}\r\nX-Forwarded-For: {token}\r\n\r\n"),
        format!("POST /public/1 {host}Content-Length: {token}\r\n\r\n"),
        format!("POST /public/1 {host}Transfer-Encoding: {token}\r\n\r\n"),
        format!("POST /public/1 {host}Transfer-Encoding: chunked\r\n\r\n{token}\r\n\r\n"),
        format!("POST /orders/1 {host}Content-Length: {}\r\n\r\naccess_token={token}", token.len() + 13),
        format!("GET /orders/1 HTTP/{token}\r\n\r\n"),
        format!("GET /raw/1 {host}Authorization: Bearer {token}\r\nExpect: {token}\r\n\r\n"),
    ];
    for head in &heads {
        for address in [house.address, house.tls, house.admin] {
            house.exchange(address, head.as_bytes()).await;
        }
    }
}

async fn over_http2(house: &mut House, secrets: &mut Secrets) {
    let (good, forged) =
        (house.token(0).claim("n", 3).sign(), house.token(0).claim("n", 3).tampered().sign());
    secrets.token(&good);
    secrets.token(&forged);
    let good = format!("Bearer {good}");
    let requests = [
        ("/orders/1", vec![("authorization", good.clone())]),
        ("/orders/1", vec![("authorization", format!("Bearer {forged}"))]),
        ("/orders/1", vec![("authorization", good.clone()), ("authorization", good.clone())]),
        ("/orders/1", vec![("authorization", good.clone()), ("connection", "close".into())]),
        ("/orders/1", vec![("authorization", good.clone()), ("host", "other.test".into())]),
        ("/orders/1", vec![("authorization", good.clone()), ("x", "y".repeat(40_000))]),
        ("/raw/1", vec![("authorization", good.clone())]),
        ("/nowhere?access_token=x", vec![("authorization", good)]),
    ];
    for (path, fields) in requests {
        let told = tokio::time::timeout(Duration::from_secs(3), ask(house.address, path, &fields)).await;
        house.answers.push(told.unwrap_or_default());
    }
}

async fn ask(address: SocketAddr, path: &str, fields: &[(&str, String)]) -> Vec<u8> {
    let stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let (send, connection) = h2::client::handshake(stream).await.unwrap();
    tokio::spawn(connection);
    let mut request = Request::builder().uri(format!("http://api.test{path}"));
    for (name, value) in fields {
        request = request.header(*name, value);
    }
    let Ok(mut send) = send.ready().await else { return Vec::new() };
    let Ok((answer, _)) = send.send_request(request.body(()).unwrap(), true) else { return Vec::new() };
    let Ok(answer) = answer.await else { return Vec::new() };
    let mut told = format!("{:?}", answer.headers()).into_bytes();
    let mut body = answer.into_body();
    while let Some(Ok(chunk)) = body.data().await {
        told.extend_from_slice(&chunk);
    }
    told
}

async fn opaque_tokens(house: &mut House, secrets: &mut Secrets) {
    for (number, prefix) in ["basic-", "signed-", "bearer-"].into_iter().enumerate() {
        let opaque = |kind: &str| format!("{prefix}{kind}-zq8Lr3XvT0pWm5Yb7Nc1");
        let active = opaque("active");
        house.issuers[number].vouch(&active, house.token(number).claims());
        let tokens = ["active", "active", "inactive", "with~odd+bytes/in=", "short"].map(opaque);
        for token in &tokens {
            secrets.token(token);
            let answer = house.exchange(house.address, &bearer("/orders/1", token)).await;
            assert_eq!(is_admitted(&answer), *token == active, "{answer}");
        }
    }
    // One issuer in every kind of trouble, one that repeats what it is asked among them.
    let echo = |token: &str| format!("{{\"active\":\"{token}\",\"error\":\"{token} {CLIENT_SECRET}\"}}");
    let answers =
        ["ok", "status", "html", "garbage", "empty", "redirect", "echo", "text", "signed", "refuse", "hang"];
    for kind in answers {
        let token = format!("basic-{kind}-Jk4Vd9Rw2XsQ6Hn8Ty3B");
        secrets.token(&token);
        house.issuers[0].script(
            Resource::Introspection,
            match kind {
                "status" => Behaviour::Status(500),
                "html" => Behaviour::Html,
                "garbage" => Behaviour::Garbage,
                "empty" => Behaviour::Empty,
                "redirect" => Behaviour::Redirect(format!("https://evil.test/{token}?{CLIENT_SECRET}")),
                "echo" => Behaviour::Body("application/json", echo(&token)),
                "text" => Behaviour::Body("text/plain", echo(&token)),
                "signed" => Behaviour::Body("application/token-introspection+jwt", echo(&token)),
                "refuse" => Behaviour::Refuse("invalid_client"),
                "hang" => Behaviour::Hang,
                _ => Behaviour::Normal,
            },
        );
        house.exchange(house.address, &bearer("/orders/1", &token)).await;
    }
    house.issuers[0].script(Resource::Introspection, Behaviour::Normal);
}

async fn odd_key_sets(house: &mut House, secrets: &mut Secrets) {
    let token = house.token(0).header("kid", "somebody's").claim("n", 4).sign();
    secrets.token(&token);
    // A set with a private key in it; one that repeats a token; one that is none.
    let number = "q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA";
    secrets.other("a number of a private key", number);
    let private = format!(
        r#"{{"keys":[{{"kty":"EC","crv":"P-256","kid":"p","x":"{number}","y":"AA","d":"{number}"}},
        {{"kty":"oct","k":"{number}"}}]}}"#
    );
    for document in
        [private, format!("{{\"keys\":[{{\"kty\":\"{token}\",\"kid\":\"{token}\"}}]}}"), token.clone()]
    {
        house.issuers[0].script(Resource::Jwks, Behaviour::Body("application/json", document));
        // The cool-down.
        tokio::time::sleep(Duration::from_millis(1_050)).await;
        house.exchange(house.address, &bearer("/orders/1", &token)).await;
    }
    house.issuers[0].script(Resource::Jwks, Behaviour::Normal);
}

async fn operators(house: &mut House, secrets: &mut Secrets) {
    let (signed, opaque) =
        (house.token(0).claim("n", 5).sign(), "basic-revoked-Pm7Gf2Zx9LkW4Qv6Ds1A".to_owned());
    secrets.token(&signed);
    secrets.token(&opaque);
    for token in [&signed, &opaque] {
        for body in [
            format!("{{\"token\":\"{token}\"}}"),
            format!("{{\"token\":\"{token}\",\"jti\":\"{token}\"}}"),
            format!("{{\"token\":\"{token}"),
            format!("{{\"tokn\":\"{token}\"}}"),
            token.clone(),
        ] {
            for order in ["forget", "revoke"] {
                let head = "HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length:";
                let order = format!("POST /{order} {head} {}\r\n\r\n{body}", body.len());
                house.exchange(house.admin, order.as_bytes()).await;
            }
        }
        house.exchange(house.admin, &bearer(&format!("/forget?token={token}"), token)).await;
        house.exchange(house.address, &bearer("/orders/1", token)).await;
    }
    for page in ["/metrics", "/readyz", "/livez"] {
        let page = house
            .exchange(house.admin, format!("GET {page} HTTP/1.1\r\nHost: localhost\r\n\r\n").as_bytes())
            .await;
        assert!(page.starts_with("HTTP/1.1 200"), "{page}");
    }
}

/// Read again with a secret in the wrong place, and again as it was.
async fn reloads(house: &House) {
    let sound = house.config();
    for spoilt in [
        sound.replace("client_secret:", "client_secrt:"),
        sound.replace("client_secret: ", "client_secret: ["),
        sound.replace("bearer_token:", "bearer_tokn:"),
    ] {
        let refused = || house.log().matches("stays as it was").count();
        let before = refused();
        house.file("tollgate.yaml", &spoilt);
        house.signal("HUP");
        eventually("it is refused", async || (refused() > before).then_some(())).await;
    }
    house.file("tollgate.yaml", &sound);
    house.signal("HUP");
    tokio::time::sleep(Duration::from_millis(200)).await;
}
