//! Plays the table.

use crate::house::{BELIEVED, COOL_DOWN, GRACE, House, LONG, SHORT, get};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tollgate::gate::IntrospectionSettings;
use tollgate::testing::{Behaviour, Issuer, Resource};

/// What a machine with better things to do may add to a wait.
const SLACK: Duration = Duration::from_secs(2);

type Row = BTreeMap<&'static str, &'static str>;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn table() {
    let rows = rows();
    assert!(rows.len() >= 30);
    // A few at a time, so that waits stay those of the issuer and not of this machine.
    let places = Arc::new(Semaphore::new(3));
    let playing: Vec<_> = rows
        .into_iter()
        .map(|row| {
            let places = places.clone();
            tokio::spawn(async move {
                let _place = places.acquire().await.unwrap();
                play(&row).await
            })
        })
        .collect();
    let mut wrong = Vec::new();
    for row in playing {
        wrong.extend(row.await.unwrap());
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Plays one row, and returns where it differs.
async fn play(row: &Row) -> Vec<String> {
    let patience = if row["waits"] == "- / -" { LONG } else { SHORT };
    let house = House::new(patience).await;
    let plain = IntrospectionSettings::default();
    let gate = house.ready(plain.clone()).await;
    let grace = IntrospectionSettings { max_lifetime: Some(BELIEVED), grace: GRACE, ..plain.clone() };
    let gracious = house.ready(grace).await;
    let (remembered, opaque, bridged) = (house.token().sign(), house.opaque(), house.opaque());
    for (gate, token) in [(&gate, &remembered), (&gate, &opaque), (&gracious, &bridged)] {
        assert_eq!(get(gate, token).await.0, "200");
    }
    house.clock.advance(BELIEVED.max(COOL_DOWN));
    // What an issuer has signed before it falls ill is as good as ever.
    let known_key = house.token();
    fall_ill(&house, row["behaviour"], &bridged).await;
    let fetched = || house.server.requests(Resource::Jwks);

    let mut got = BTreeMap::new();
    let mut waits = [Duration::ZERO; 2];
    got.insert("remembered", get(&gate, &remembered).await.0);
    let known_key = if row["behaviour"] == "replaced" { house.token() } else { known_key };
    got.insert("known key", get(&gate, &known_key.sign()).await.0);
    let before = fetched();
    house.server.issuer().rotate();
    for _ in 0..6 {
        let (told, took) = get(&gate, &house.token().sign()).await;
        waits[0] = waits[0].max(took);
        got.entry("unknown key").or_insert(told);
    }
    got.insert("afterwards", get(&gate, &remembered).await.0);
    got.insert("fetches", (fetched() - before).to_string());
    got.insert("opaque, remembered", get(&gate, &opaque).await.0);
    let before = house.server.requests(Resource::Introspection);
    let (told, took) = get(&gate, &house.opaque()).await;
    waits[1] = took;
    got.insert("opaque, new", told);
    got.insert("questions", (house.server.requests(Resource::Introspection) - before).to_string());
    got.insert("opaque, in grace", get(&gracious, &bridged).await.0);
    let cold = house.open(plain);
    let (told, cold_wait) = get(&cold, &house.token().sign()).await;
    got.insert("cold", told);

    let mut wrong: Vec<_> = got
        .iter()
        .filter(|(column, told)| row[*column] != **told)
        .map(|(column, told)| {
            format!("{}: {column}: `{}` was expected, and it is `{told}`", row["behaviour"], row[column])
        })
        .collect();
    let bounds = row["waits"].split(" / ").map(|bound| match bound {
        "wait" => patience.wait,
        "timeout" => patience.timeout,
        _ => Duration::ZERO,
    });
    for (wait, bound) in waits.into_iter().zip(bounds).chain([(cold_wait, patience.wait)]) {
        if wait > bound + SLACK {
            wrong.push(format!("{}: {wait:?} is longer than {bound:?}", row["behaviour"]));
        }
    }
    recover(&house).await;
    for (gate, name) in [(&gate, "the gate"), (&gracious, "the one with grace"), (&cold, "the cold one")] {
        assert!(gate.ready(Duration::from_secs(20)).await, "{}: {name} has its keys", row["behaviour"]);
        for token in [house.token().sign(), house.opaque()] {
            let told = get(gate, &token).await.0;
            if told != "200" {
                wrong.push(format!("{}: after it, {name} says `{told}`", row["behaviour"]));
            }
        }
    }
    wrong
}

/// Lets the issuer behave as a row says.
async fn fall_ill(house: &House, behaviour: &'static str, bridged: &str) {
    let (server, issuer) = (&house.server, house.server.issuer());
    match behaviour {
        "dead" => server.stop().await,
        "stale keys" => server.script(Resource::Jwks, Behaviour::Stale),
        "renamed" => server
            .metadata(|metadata| drop(metadata.insert("issuer".into(), "https://other.example/".into()))),
        "no keys" => {
            server.script(Resource::Jwks, Behaviour::Body("application/json", r#"{"keys":[]}"#.into()))
        }
        "others' keys" => {
            let other = Issuer::with_algorithm("https://other.example/", issuer.algorithm());
            other.replace();
            other.describe("k1", |jwk| drop(jwk.insert("kid".into(), "x1".into())));
            server.script(Resource::Jwks, Behaviour::Body("application/json", other.jwks()));
        }
        "keys elsewhere" => {
            let jwks_uri = format!("{}?moved", server.url(Resource::Jwks));
            server.metadata(|metadata| drop(metadata.insert("jwks_uri".into(), jwks_uri.into())));
        }
        "withdrawn" => issuer.withdraw("k1"),
        "replaced" => issuer.replace(),
        "revoked" => server.revoke(bridged),
        _ => server.script_all(&scripted(behaviour)),
    }
}

fn scripted(behaviour: &'static str) -> Behaviour {
    let argument = behaviour.split_once(' ').map_or("", |(_, argument)| argument);
    let number = || argument.parse().unwrap();
    match behaviour.split(' ').next().unwrap() {
        "normal" => Behaviour::Normal,
        "slow" if argument == "50ms" => Behaviour::Slow(Duration::from_millis(50)),
        "slow" => Behaviour::Slow(Duration::from_secs(30)),
        "hang" => Behaviour::Hang,
        "trickle" => Behaviour::Trickle,
        "reset" => Behaviour::Reset,
        "close" => Behaviour::Close,
        "truncated" => Behaviour::Truncated,
        "status" => Behaviour::Status(number()),
        "busy" => Behaviour::Busy(argument.parse().unwrap()),
        "refuse" => Behaviour::Refuse(argument),
        "redirect" => Behaviour::Redirect("https://elsewhere.example/".into()),
        "html" => Behaviour::Html,
        "empty" => Behaviour::Empty,
        "othersjson" => Behaviour::OthersJson,
        "garbage" => Behaviour::Garbage,
        "huge" => Behaviour::Huge,
        "compressed" => Behaviour::Compressed,
        other => panic!("`{other}` is no behaviour"),
    }
}

async fn recover(house: &House) {
    let server = &house.server;
    server.restart().await;
    server.script_all(&Behaviour::Normal);
    let name = server.name().to_owned();
    server.metadata(|metadata| drop(metadata.insert("issuer".into(), name.into())));
    server.issuer().rotate();
    house.clock.advance(COOL_DOWN);
}

/// The table's rows, by column.
fn rows() -> Vec<Row> {
    let mut lines = include_str!("table.md").lines().filter(|line| line.starts_with('|'));
    let cells = |line: &'static str| line.trim_matches('|').split('|').map(str::trim);
    let columns: Vec<_> = cells(lines.next().unwrap()).collect();
    lines.skip(1).map(|line| columns.iter().copied().zip(cells(line)).collect()).collect()
}
