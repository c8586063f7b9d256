//! What a token's header points at, and what it is called: a key that it brings along is none, nothing is fetched for it, and no
//! name breaks out of where it is told.

use crate::house::House;
use crate::http1::exchange;
use serde_json::{Value, json};
use std::net::TcpListener;
use tollgate::testing::{SigningKey, TokenBuilder};
use tollgate::time::{Clock, SystemClock};

/// A token that is good but for what is done to it.
fn token(house: &House) -> TokenBuilder {
    let now = SystemClock::new().now();
    let token = house.issuer().token().issued(now, std::time::Duration::from_secs(600));
    token.audience("https://api.test/").client("shop").scope("orders:read")
}

fn answer_to(house: &House, token: &TokenBuilder) -> String {
    let token = token.sign();
    let head = format!("GET /orders/1 HTTP/1.1\r\nHost: api.test\r\nAuthorization: Bearer {token}\r\n\r\n");
    exchange(house, head.as_bytes()).unwrap()
}

#[test]
fn what_a_token_points_at_is_never_fetched() {
    let (house, canary) = (House::open(), TcpListener::bind("127.0.0.1:0").unwrap());
    canary.set_nonblocking(true).unwrap();
    let url = format!("http://{}/keys", canary.local_addr().unwrap());
    let stranger = std::sync::Arc::new(SigningKey::generate(tollgate::proof::KeyType::Rsa));
    let mut jwk = stranger.public_jwk();
    jwk.insert("kid".into(), "k1".into());
    let certificate = "MIIBgTCCASegAwIBAgIUSOME";
    let members: [(&str, Value); 7] = [
        ("jku", json!(url)),
        ("x5u", json!(url)),
        ("jwk", Value::Object(jwk)),
        ("x5c", json!([certificate])),
        ("x5t", json!("c3RyYW5nZXI")),
        ("kid", json!(url)),
        ("iss", json!(url)),
    ];
    for (name, value) in members {
        let forged = token(&house).key(stranger.clone()).header(name, value.clone());
        let answer = answer_to(&house, &forged);
        assert!(answer.starts_with("HTTP/1.1 401 ") && answer.contains("invalid_token"), "{name}: {answer}");
    }
    let all = token(&house).key(stranger).header("jku", url.clone()).header("x5u", url.clone());
    assert!(answer_to(&house, &all.claim("iss", url.clone())).starts_with("HTTP/1.1 401 "));
    let sound = token(&house).header("jku", url.clone()).header("x5u", url);
    assert!(answer_to(&house, &sound).starts_with("HTTP/1.1 200 "), "they are not even looked at");
    std::thread::sleep(std::time::Duration::from_millis(100));
    assert!(canary.accept().is_err(), "somebody came to look");
    assert!(house.arrivals().len() <= 2, "no more than the good ones arrived");
}

#[test]
fn an_odd_name_of_a_key_breaks_out_of_nothing() {
    let house = House::open();
    let odd = [
        "k1\r\nX-Evil: 1",
        "\u{1b}[31mevil",
        "k1\0evil",
        "../../../../etc/evil",
        "file:///etc/evil",
        "k1' OR '1'='1 evil",
        "\"}evil{\"",
        "evil\u{202e}1k",
        "%0d%0aX-Evil:%201",
    ];
    let long = "evil".repeat(65);
    for kid in odd.into_iter().chain([long.as_str()]) {
        let answer = answer_to(&house, &token(&house).header("kid", kid));
        assert!(answer.starts_with("HTTP/1.1 401 "), "{kid:?}: {answer}");
        assert!(!answer.to_lowercase().contains("evil"), "{kid:?}: {answer}");
    }
    for kid in [json!(1), json!(null), json!(["k1"]), json!({"k1": 1}), json!(true)] {
        let answer = answer_to(&house, &token(&house).header("kid", kid.clone()));
        assert!(answer.starts_with("HTTP/1.1 401 "), "{kid}: {answer}");
    }
    let log = house.log();
    assert!(!log.to_lowercase().contains("evil"), "{log}");
    assert!(log.chars().all(|c| c == '\n' || !c.is_control()), "{log:?}");
}
