//! Questions about tokens, as they go over the wire, and what the answers mean.

use crate::house::{client, client_at, temporary};
use std::sync::Arc;
use std::time::Duration;
use tollgate::gate::SourceErrorKind::{self, Connect, Forbidden, Malformed, Status, TooLarge, Unjudged};
use tollgate::gate::{Introspect, IntrospectionAnswer};
use tollgate::remote::{ClientAuth, IntrospectionEndpoint, Location, Secret};
use tollgate::testing::{Behaviour, ManualClock, Resource, ScriptedIssuer};

fn basic() -> ClientAuth {
    ClientAuth::Basic { client_id: "gateway".into(), secret: Secret::new("hunter2").unwrap() }
}

fn endpoint(server: &ScriptedIssuer, auth: ClientAuth) -> IntrospectionEndpoint {
    let location = Location::Url(server.url(Resource::Introspection).into());
    IntrospectionEndpoint::new(client(), server.name(), location, auth).unwrap()
}

#[tokio::test]
async fn a_question_is_one_post_with_one_token() {
    let server = ScriptedIssuer::start().await;
    let hostile = "x&token=victim#?+%00/";
    let endpoint = endpoint(&server, basic());
    endpoint.introspect(hostile).await.unwrap();
    let plain = endpoint.token_type_hint(None).signed(true);
    plain.introspect("abc").await.unwrap();

    let recorded = server.recorded(Resource::Introspection);
    assert_eq!(recorded[0].body, "token=x%26token%3Dvictim%23%3F%2B%2500%2F&token_type_hint=access_token");
    assert_eq!(recorded[1].body, "token=abc");
    let header = |index: usize, name: &str| recorded[index].headers.get(name).unwrap().to_str().unwrap();
    assert_eq!(header(0, "content-type"), "application/x-www-form-urlencoded");
    assert_eq!(header(0, "accept"), "application/json");
    assert_eq!(header(1, "accept"), "application/token-introspection+jwt, application/json");
    assert_eq!(header(0, "authorization"), "Basic Z2F0ZXdheTpodW50ZXIy");
}

#[tokio::test]
async fn the_media_type_tells_plain_answers_from_signed_ones() {
    let server = ScriptedIssuer::start().await;
    let token = server.opaque(&server.issuer().token().scope("orders:read"));
    let endpoint = endpoint(&server, basic());
    let IntrospectionAnswer::Json(json) = endpoint.introspect(&token).await.unwrap() else { panic!() };
    assert!(json.starts_with(br#"{"active":true"#));

    server.script(Resource::Introspection, Behaviour::Signed("gateway".into()));
    let IntrospectionAnswer::Signed(jwt) = endpoint.introspect(&token).await.unwrap() else { panic!() };
    assert_eq!(jwt.split('.').count(), 3);

    let json = |media_type| Behaviour::Body(media_type, r#"{"active":true}"#.into());
    server.script(Resource::Introspection, json("Application/JSON; charset=utf-8"));
    assert!(matches!(endpoint.introspect(&token).await, Ok(IntrospectionAnswer::Json(_))));
    for other in ["text/html", "text/plain", "application/jwt", "application/jsonp", ""] {
        server.script(Resource::Introspection, json(other));
        assert_eq!(endpoint.introspect(&token).await.unwrap_err().kind(), Malformed, "{other}");
    }
}

#[tokio::test]
async fn what_is_no_answer_is_an_outage() {
    let server = ScriptedIssuer::start().await;
    let endpoint = endpoint(&server, basic());
    for (behaviour, expected, pause) in [
        (Behaviour::Status(401), Status, None),
        (Behaviour::Status(403), Status, None),
        (Behaviour::Status(404), Status, None),
        (Behaviour::Status(500), Status, None),
        (Behaviour::Status(201), Status, None),
        (Behaviour::Busy(9), Status, Some(9)),
        (Behaviour::Reset, Connect, None),
        (Behaviour::Truncated, Connect, None),
        (Behaviour::Huge, TooLarge, None),
        (Behaviour::Compressed, Malformed, None),
        (Behaviour::Html, Malformed, None),
        (Behaviour::Redirect("/introspect".into()), Forbidden, None),
    ] {
        server.script(Resource::Introspection, behaviour.clone());
        let error = endpoint.introspect("some-opaque-token").await.unwrap_err();
        assert_eq!(error.kind(), expected, "{behaviour}: {error}");
        assert_eq!(error.retry_after(), pause.map(Duration::from_secs), "{behaviour}");
        assert!(!format!("{error} {error:?} {endpoint:?}").contains("opaque-token"));
    }
    assert_eq!(server.requests(Resource::Introspection), 12, "no redirect was followed");
}

#[tokio::test]
async fn a_400_is_about_the_token_or_about_us() {
    let (server, clock) = (ScriptedIssuer::start().await, ManualClock::new());
    let location = Location::Url(server.url(Resource::Introspection).into());
    let endpoint = IntrospectionEndpoint::new(client_at(&clock), server.name(), location, basic()).unwrap();
    let ask = async |behaviour: Behaviour| -> Result<(), SourceErrorKind> {
        server.script(Resource::Introspection, behaviour);
        match endpoint.introspect("some-opaque-token").await {
            Ok(IntrospectionAnswer::NotJudged) => Ok(()),
            Ok(other) => panic!("{other:?}"),
            Err(error) => Err(error.kind()),
        }
    };
    let unclear =
        [Behaviour::Refuse("invalid_request"), Behaviour::Refuse("Bad Request"), Behaviour::Status(400)];
    let clear = async |when: &str| {
        for about_the_token in ["unsupported_token_type", "invalid_token", "invalid_grant"] {
            assert_eq!(ask(Behaviour::Refuse(about_the_token)).await, Ok(()), "{when}");
        }
        for outage in ["invalid_client", "unauthorized_client", "server_error", "temporarily_unavailable"] {
            assert_eq!(ask(Behaviour::Refuse(outage)).await, Err(Status), "{when}");
        }
    };
    clear("at first").await;
    for behaviour in unclear.clone() {
        assert_eq!(ask(behaviour).await, Err(Unjudged), "it may be our question");
    }
    server.script(Resource::Introspection, Behaviour::Normal);
    endpoint.introspect("some-opaque-token").await.unwrap();
    clear("after a good answer").await;
    clock.advance(Duration::from_millis(9_999));
    for (behaviour, expected) in unclear.clone().into_iter().zip([Ok(()), Err(Unjudged), Err(Unjudged)]) {
        assert_eq!(
            ask(behaviour).await,
            expected,
            "our questions are well put, but not every 400 is its own"
        );
    }
    clock.advance(Duration::from_millis(1));
    for behaviour in unclear {
        assert_eq!(ask(behaviour).await, Err(Unjudged), "it may have broken since");
    }
}

#[tokio::test]
async fn a_secret_that_changes_is_read_again() {
    let (server, clock) = (ScriptedIssuer::start().await, ManualClock::new());
    let path = temporary("secret");
    std::fs::write(&path, "first\n").unwrap();
    let secret = Secret::from_file(&path, Arc::new(clock.clone())).unwrap();
    let auth = ClientAuth::Post { client_id: "gateway".into(), secret };
    let location = Location::Url(server.url(Resource::Introspection).into());
    let endpoint = IntrospectionEndpoint::new(client_at(&clock), server.name(), location, auth).unwrap();

    endpoint.introspect("abc").await.unwrap();
    std::fs::write(&path, "second one\n").unwrap();
    clock.advance(Duration::from_secs(1));
    endpoint.introspect("abc").await.unwrap();
    std::fs::remove_file(&path).unwrap();
    let bodies: Vec<_> =
        server.recorded(Resource::Introspection).into_iter().map(|asked| asked.body).collect();
    assert_eq!(
        bodies,
        [
            "token=abc&token_type_hint=access_token&client_id=gateway&client_secret=first",
            "token=abc&token_type_hint=access_token&client_id=gateway&client_secret=second%20one"
        ]
    );
}

#[test]
fn credentials_that_can_not_work_are_refused_at_once() {
    let refused = |auth| {
        let location = Location::Url("https://as.example/introspect".into());
        IntrospectionEndpoint::new(client(), "https://as.example/", location, auth).unwrap_err().to_string()
    };
    assert_eq!(refused(ClientAuth::TlsClientAuth { client_id: "".into() }), "the client id is empty");
    let location = Location::Url("http://as.example/introspect".into());
    assert!(IntrospectionEndpoint::new(client(), "https://as.example/", location, basic()).is_err());
}
