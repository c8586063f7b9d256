//! Keys and endpoints as the metadata names them.

use crate::house::{client, client_at, fetch, hasty};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;
use tollgate::gate::SourceErrorKind::{Connect, Forbidden, Malformed, Status, Timeout};
use tollgate::gate::{Introspect, IntrospectionAnswer};
use tollgate::proof::Algorithm;
use tollgate::remote::{ClientAuth, Discovery, IntrospectionEndpoint, Location, Secret};
use tollgate::testing::{Behaviour, ManualClock, Resource, ScriptedIssuer};

const PLACES: [Resource; 3] =
    [Resource::OpenIdConfiguration, Resource::OAuthMetadata, Resource::OAuthMetadataBelow];

async fn server() -> ScriptedIssuer {
    ScriptedIssuer::start_at("/tenant/one", Algorithm::EdDSA).await
}

fn of(server: &ScriptedIssuer) -> Discovery {
    Discovery::of_issuer(client(), server.name()).unwrap()
}

fn asked(server: &ScriptedIssuer) -> [usize; 4] {
    [PLACES[0], PLACES[1], PLACES[2], Resource::Jwks].map(|resource| server.requests(resource))
}

#[tokio::test]
async fn each_place_is_tried_until_one_has_metadata() {
    let misses = [
        Behaviour::Html,
        Behaviour::Status(404),
        Behaviour::Status(403),
        Behaviour::Status(500),
        Behaviour::Empty,
        Behaviour::OthersJson,
        Behaviour::Garbage,
        Behaviour::Redirect("https://login.example/".into()),
        Behaviour::Huge,
    ];
    for miss in misses {
        for only in 0..3 {
            let server = server().await;
            for (index, place) in PLACES.into_iter().enumerate() {
                server.script(place, if index == only { Behaviour::Normal } else { miss.clone() });
            }
            let keys = fetch(&of(&server)).await;
            assert_eq!(
                keys.as_deref(),
                Ok(server.issuer().jwks().as_bytes()),
                "{miss}, but for place {only}"
            );
            assert_eq!(server.requests(Resource::Jwks), 1);
        }
    }
}

#[tokio::test]
async fn the_place_that_had_metadata_is_asked_first_from_then_on() {
    let server = server().await;
    server.script(PLACES[0], Behaviour::Html);
    let discovery = of(&server);
    fetch(&discovery).await.unwrap();
    assert_eq!(asked(&server), [1, 1, 0, 1]);
    fetch(&discovery).await.unwrap();
    assert_eq!(asked(&server), [1, 2, 0, 2]);
}

#[tokio::test]
async fn the_issuer_must_be_ours_byte_for_byte() {
    let server = server().await;
    let name = server.name().to_owned();
    for other in [format!("{name}/"), name.to_uppercase(), "https://other.example/".into(), String::new()] {
        server.metadata(|metadata| drop(metadata.insert("issuer".into(), other.clone().into())));
        let error = fetch(&of(&server)).await.unwrap_err();
        assert_eq!(error.kind(), Forbidden, "{other}");
        assert!(
            error.to_string().contains(&format!("is the metadata of `{other}`, and not of `{name}`")),
            "{error}"
        );
    }
    assert_eq!(server.requests(Resource::Jwks), 0);
}

#[tokio::test]
async fn a_slash_at_the_end_belongs_to_the_name() {
    let server = ScriptedIssuer::start_at("/tenant/", Algorithm::EdDSA).await;
    assert!(server.name().ends_with("/tenant/"));
    fetch(&of(&server)).await.unwrap();
    let without = Discovery::of_issuer(client(), server.name().trim_end_matches('/')).unwrap();
    assert_eq!(fetch(&without).await.unwrap_err().kind(), Forbidden);
}

#[tokio::test]
async fn the_most_telling_trouble_is_told() {
    let server = server().await;
    server.script(PLACES[0], Behaviour::Status(404));
    server.script(PLACES[1], Behaviour::Status(503));
    server.script(PLACES[2], Behaviour::Html);
    let error = fetch(&of(&server)).await.unwrap_err();
    assert_eq!((error.kind(), error.to_string().contains("answered 503")), (Status, true), "{error}");
    server.script(PLACES[2], Behaviour::Normal);
    server.metadata(|metadata| drop(metadata.remove("jwks_uri")));
    server.script(PLACES[1], Behaviour::Html);
    let error = fetch(&of(&server)).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.to_string().contains("names no `jwks_uri`")),
        (Malformed, true),
        "{error}"
    );
}

#[tokio::test]
async fn urls_in_the_metadata_are_held_to_our_rules() {
    let server = server().await;
    for jwks_uri in [
        "http://as.example/jwks",
        "https://10.0.0.1/jwks",
        "https://u:hunter2@as.example/",
        "file:///etc/passwd",
    ] {
        server.metadata(|metadata| drop(metadata.insert("jwks_uri".into(), jwks_uri.into())));
        let error = fetch(&of(&server)).await.unwrap_err();
        assert_eq!(error.kind(), Forbidden, "{error}");
        assert!(!error.to_string().contains("hunter2"));
    }
}

#[tokio::test]
async fn members_that_come_twice_are_refused() {
    let server = server().await;
    let twice = format!(
        r#"{{"issuer":"{0}","jwks_uri":"{1}","jwks_uri":"{1}"}}"#,
        server.name(),
        server.url(Resource::Jwks)
    );
    PLACES
        .into_iter()
        .for_each(|place| server.script(place, Behaviour::Body("application/json", twice.clone())));
    assert_eq!(fetch(&of(&server)).await.unwrap_err().kind(), Malformed);
    assert_eq!(server.requests(Resource::Jwks), 0);
}

#[tokio::test]
async fn a_key_set_that_moves_is_followed() {
    let (server, other) = (server().await, ScriptedIssuer::start().await);
    let discovery = of(&server);
    fetch(&discovery).await.unwrap();
    let moved = other.url(Resource::Jwks);
    server.metadata(|metadata| drop(metadata.insert("jwks_uri".into(), moved.into())));
    assert_eq!(fetch(&discovery).await.unwrap(), other.issuer().jwks());
    assert_eq!(other.requests(Resource::Jwks), 1);
}

#[tokio::test]
async fn while_the_metadata_is_out_of_reach_the_last_known_place_serves() {
    let server = server().await;
    let discovery = Discovery::of_issuer(hasty(Duration::from_secs(1)), server.name()).unwrap();
    fetch(&discovery).await.unwrap();
    for trouble in [Behaviour::Status(500), Behaviour::Html, Behaviour::Reset, Behaviour::Hang] {
        PLACES.into_iter().for_each(|place| server.script(place, trouble.clone()));
        assert_eq!(fetch(&discovery).await.unwrap(), server.issuer().jwks(), "{trouble}");
    }
    // But what says something wrong is believed to be wrong.
    PLACES.into_iter().for_each(|place| server.script(place, Behaviour::Normal));
    server.metadata(|metadata| drop(metadata.insert("issuer".into(), "https://other.example/".into())));
    assert_eq!(fetch(&discovery).await.unwrap_err().kind(), Forbidden);
}

#[tokio::test]
async fn all_of_it_together_is_in_time() {
    let server = server().await;
    let discovery = Discovery::of_issuer(hasty(Duration::from_millis(300)), server.name()).unwrap();
    for place in PLACES {
        server.script(place, Behaviour::Slow(Duration::from_millis(200)));
    }
    server.script(PLACES[0], Behaviour::Hang);
    let began = Instant::now();
    assert_eq!(fetch(&discovery).await.unwrap_err().kind(), Timeout);
    assert!(began.elapsed() < Duration::from_secs(2));
}

#[tokio::test]
async fn metadata_at_a_place_of_its_own() {
    let server = server().await;
    let place = server.url(Resource::OAuthMetadata);
    let discovery = Discovery::at(client(), server.name(), &place).unwrap();
    fetch(&discovery).await.unwrap();
    assert_eq!(asked(&server), [0, 1, 0, 1]);
    server.stop().await;
    let discovery = Discovery::at(client(), server.name(), &place).unwrap();
    assert_eq!(fetch(&discovery).await.unwrap_err().kind(), Connect);
}

fn endpoint(clock: &ManualClock, server: &ScriptedIssuer) -> IntrospectionEndpoint {
    let client = client_at(clock);
    let discovery = Arc::new(Discovery::of_issuer(client.clone(), server.name()).unwrap());
    let auth = ClientAuth::Bearer { token: Secret::new("ours").unwrap() };
    IntrospectionEndpoint::new(client, server.name(), Location::Discovered(discovery), auth).unwrap()
}

#[tokio::test]
async fn the_introspection_endpoint_is_found_once() {
    let (server, clock) = (server().await, ManualClock::new());
    let endpoint = endpoint(&clock, &server);
    for _ in 0..3 {
        let answer = endpoint.introspect("some-opaque-token").await.unwrap();
        assert!(matches!(answer, IntrospectionAnswer::Json(json) if json == r#"{"active":false}"#));
    }
    assert_eq!((asked(&server), server.requests(Resource::Introspection)), ([1, 0, 0, 0], 3));
}

#[tokio::test]
async fn metadata_that_lacks_the_endpoint_is_passed_over() {
    let (server, clock) = (server().await, ManualClock::new());
    let openid = format!(r#"{{"issuer":"{}","jwks_uri":"{}"}}"#, server.name(), server.url(Resource::Jwks));
    server.script(PLACES[0], Behaviour::Body("application/json", openid));
    endpoint(&clock, &server).introspect("some-opaque-token").await.unwrap();
    assert_eq!(asked(&server), [1, 1, 0, 0]);

    server.metadata(|metadata| drop(metadata.remove("introspection_endpoint")));
    let error = endpoint(&clock, &server).introspect("some-opaque-token").await.unwrap_err();
    assert!(error.to_string().contains("names no `introspection_endpoint`"), "{error}");
}

#[tokio::test]
async fn an_endpoint_that_is_not_found_is_looked_for_once_in_a_while() {
    let (server, clock) = (server().await, ManualClock::new());
    let endpoint = endpoint(&clock, &server);
    PLACES.into_iter().for_each(|place| server.script(place, Behaviour::Status(500)));
    for _ in 0..20 {
        assert_eq!(endpoint.introspect("some-opaque-token").await.unwrap_err().kind(), Status);
    }
    assert_eq!(asked(&server), [1, 1, 1, 0]);
    PLACES.into_iter().for_each(|place| server.script(place, Behaviour::Normal));
    clock.advance(Duration::from_secs(5));
    endpoint.introspect("some-opaque-token").await.unwrap();
}

#[tokio::test]
async fn an_endpoint_that_moves_is_found_again() {
    let (server, other, clock) = (server().await, ScriptedIssuer::start().await, ManualClock::new());
    let endpoint = endpoint(&clock, &server);
    endpoint.introspect("some-opaque-token").await.unwrap();
    let moved = other.url(Resource::Introspection);
    server.metadata(|metadata| drop(metadata.insert("introspection_endpoint".into(), moved.into())));
    server.script(Resource::Introspection, Behaviour::Status(404));
    clock.advance(Duration::from_secs(5));
    assert_eq!(endpoint.introspect("some-opaque-token").await.unwrap_err().kind(), Status);
    endpoint.introspect("some-opaque-token").await.unwrap();
    assert_eq!(other.requests(Resource::Introspection), 1);
}
