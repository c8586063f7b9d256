//! What the client refuses, and what it makes of answers that are none.

use crate::house::{client, fetch, hasty, patient};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;
use tollgate::gate::SourceErrorKind::{self, Connect, Forbidden, Malformed, Status, Timeout, TooLarge};
use tollgate::proof::Algorithm;
use tollgate::remote::{Client, ClientSettings, JwksUri, SetupError};
use tollgate::testing::{Behaviour, Resource, ScriptedIssuer};
use tollgate::time::SystemClock;

async fn jwks(server: &ScriptedIssuer) -> JwksUri {
    JwksUri::new(client(), &server.url(Resource::Jwks)).unwrap()
}

#[tokio::test]
async fn answers_that_are_none_are_told_apart() {
    let server = ScriptedIssuer::start().await;
    let keys = jwks(&server).await;
    for (behaviour, expected) in [
        (Behaviour::Reset, Connect),
        (Behaviour::Close, Connect),
        (Behaviour::Truncated, Connect),
        (Behaviour::Status(404), Status),
        (Behaviour::Status(500), Status),
        (Behaviour::Status(204), Status),
        (Behaviour::Busy(7), Status),
        (Behaviour::Huge, TooLarge),
        (Behaviour::Compressed, Malformed),
        (Behaviour::Redirect("https://evil.example/".into()), Forbidden),
    ] {
        server.script(Resource::Jwks, behaviour.clone());
        let error = fetch(&keys).await.unwrap_err();
        assert_eq!(error.kind(), expected, "{behaviour}: {error}");
        let pause = (behaviour == Behaviour::Busy(7)).then_some(Duration::from_secs(7));
        assert_eq!(error.retry_after(), pause);
    }
    server.script(Resource::Jwks, Behaviour::Normal);
    assert_eq!(fetch(&keys).await.unwrap(), server.issuer().jwks());
}

#[tokio::test]
async fn nothing_takes_longer_than_the_timeout() {
    let server = ScriptedIssuer::start().await;
    let keys = JwksUri::new(hasty(Duration::from_millis(200)), &server.url(Resource::Jwks)).unwrap();
    for behaviour in [Behaviour::Hang, Behaviour::Trickle, Behaviour::Slow(Duration::from_secs(5))] {
        server.script(Resource::Jwks, behaviour.clone());
        let began = Instant::now();
        assert_eq!(fetch(&keys).await.unwrap_err().kind(), Timeout, "{behaviour}");
        assert!(began.elapsed() < Duration::from_secs(2), "{behaviour}: {:?}", began.elapsed());
    }
}

#[tokio::test]
async fn redirects_are_followed_at_home_and_three_times() {
    let server = ScriptedIssuer::start_at("/tenant", Algorithm::EdDSA).await;
    let keys = jwks(&server).await;
    server.script(Resource::Jwks, Behaviour::Redirect("/tenant/.well-known/openid-configuration".into()));
    assert!(fetch(&keys).await.unwrap().starts_with(b"{\"introspection_endpoint\""));

    server.script(Resource::Jwks, Behaviour::Redirect("/jwks".into()));
    let before = server.requests(Resource::Jwks);
    assert_eq!(fetch(&keys).await.unwrap_err().kind(), Forbidden);
    assert_eq!(server.requests(Resource::Jwks) - before, 4, "the first, and three redirects");

    let other = ScriptedIssuer::start().await;
    for elsewhere in [other.url(Resource::Jwks), server.url(Resource::Jwks).replace("127.0.0.1", "localhost")]
    {
        server.script(Resource::Jwks, Behaviour::Redirect(elsewhere));
        assert_eq!(fetch(&keys).await.unwrap_err().kind(), Forbidden);
    }
    assert_eq!(other.requests(Resource::Jwks), 0);
}

#[tokio::test]
async fn it_says_who_asks_and_what_for() {
    let server = ScriptedIssuer::start().await;
    fetch(&jwks(&server).await).await.unwrap();
    let recorded = server.recorded(Resource::Jwks);
    let header = |name: &str| recorded[0].headers.get(name).map(|value| value.to_str().unwrap().to_owned());
    assert_eq!(header("user-agent"), Some(format!("tollgate/{}", env!("CARGO_PKG_VERSION"))));
    assert_eq!(header("accept").as_deref(), Some("application/jwk-set+json, application/json"));
    for absent in ["accept-encoding", "cookie", "referer", "authorization"] {
        assert_eq!(header(absent), None);
    }
}

#[tokio::test]
async fn nobody_listens() {
    let server = ScriptedIssuer::start().await;
    let keys = jwks(&server).await;
    fetch(&keys).await.unwrap();
    server.stop().await;
    let error = fetch(&keys).await.unwrap_err();
    assert_eq!(error.kind(), Connect);
    assert!(error.to_string().contains("/jwks`: "), "{error}");
    server.restart().await;
    fetch(&keys).await.unwrap();
}

#[tokio::test]
async fn names_that_lead_inside_are_refused_when_they_are_connected_to() {
    // This machine's own name is never one of the public internet; some machines can't resolve theirs.
    let name = std::fs::read_to_string("/etc/hostname").unwrap_or_default();
    let name = name.trim();
    if name.is_empty() || tokio::net::lookup_host((name, 1)).await.is_err() {
        return;
    }
    let settings = |allow_private_addresses| ClientSettings {
        insecure_http: true,
        allow_private_addresses,
        timeout: Duration::from_secs(2),
        ..ClientSettings::default()
    };
    let kind = async |settings: ClientSettings| -> SourceErrorKind {
        let client = Client::new(&settings, Arc::new(SystemClock::new())).unwrap();
        let keys = JwksUri::new(client, &format!("http://{name}:1/")).unwrap();
        fetch(&keys).await.unwrap_err().kind()
    };
    assert_eq!(kind(settings(false)).await, Forbidden);
    assert_eq!(kind(settings(true)).await, Connect);
}

#[test]
fn urls_that_may_not_be_asked_are_refused_at_once() {
    for url in ["http://as.example/jwks", "https://10.0.0.1/", "https://user:hunter2@as.example/", "jwks"] {
        let error = JwksUri::new(client(), url).unwrap_err();
        assert!(matches!(error, SetupError::Url { .. }), "{error}");
        assert!(!error.to_string().contains("hunter2"));
    }
}

#[tokio::test]
async fn queries_do_not_show_in_errors() {
    let server = ScriptedIssuer::start().await;
    let url = format!("{}?key=hunter2", server.url(Resource::Jwks));
    let keys = JwksUri::new(client(), &url).unwrap();
    fetch(&keys).await.unwrap();
    for behaviour in [Behaviour::Reset, Behaviour::Status(500), Behaviour::Huge, Behaviour::Truncated] {
        server.script(Resource::Jwks, behaviour);
        let error = fetch(&keys).await.unwrap_err();
        assert!(!format!("{error} {error:?} {keys:?}").contains("hunter2"), "{error}");
    }
}

#[test]
fn files_that_can_not_be_used_are_named() {
    let settings = ClientSettings { ca_file: Some("/nowhere/ca.pem".into()), ..patient() };
    let error = Client::new(&settings, Arc::new(SystemClock::new())).unwrap_err().to_string();
    assert!(error.starts_with("`/nowhere/ca.pem` can't be used: "), "{error}");
}
