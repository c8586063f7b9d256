//! Issuers that are slow, odd, down or in a hurry, and herds of callers.

use crate::client::Pulse;
use crate::gateway::{Gateway, good, unknown};
use crate::jwks::{Jwks, Manner};
use crate::{FLAT, PROMPT};
use std::time::{Duration, Instant};
use tokio::task::JoinSet;
use tollgate::proof::Algorithm;
use tollgate::testing::{Behaviour, Issuer, Resource, ScriptedIssuer};

const COOL_DOWN: Duration = Duration::from_secs(1);

/// What a configuration says of an issuer that is asked about opaque tokens.
fn discovered(server: &ScriptedIssuer, wait: &str) -> String {
    format!(
        "issuer: {}\nkeys: {{cool_down: 1s, wait: {wait}, timeout: 5s}}\n\
         introspection: {{client_id: gateway, client_secret: hunter2, timeout: 5s}}",
        server.name()
    )
}

/// The statuses of so many requests at once, and the longest wait.
async fn at_once(gateway: &Gateway, tokens: Vec<String>) -> (Vec<u16>, Duration) {
    let mut asking = JoinSet::new();
    for token in tokens {
        let mut client = gateway.client();
        asking.spawn(async move { client.get(&token).await });
    }
    let answers = asking.join_all().await;
    let longest = answers.iter().map(|answer| answer.took).max().unwrap();
    (answers.iter().map(|answer| answer.status).collect(), longest)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn random_key_ids_by_32_callers_cost_one_fetch_a_cool_down() {
    let issuer = Issuer::new("https://as.test/");
    let jwks = Jwks::start(&issuer).await;
    let gateway = Gateway::start(&jwks.settings()).await;
    let known = good(&issuer).sign();
    gateway.takes(&known).await;
    let (before, began) = (jwks.asked(), Instant::now());
    let pulse = Pulse::start(gateway.address, &known);
    let mut flood = JoinSet::new();
    for caller in 0..32 {
        let (mut client, issuer) = (gateway.client(), issuer.clone());
        flood.spawn(async move {
            let mut sent = 0;
            while began.elapsed() < Duration::from_millis(2_500) {
                sent += 1;
                let token = unknown(&issuer, caller * 1_000_000 + sent);
                assert_eq!(client.get(&token).await.status, 401);
            }
            sent
        });
    }
    let sent: usize = flood.join_all().await.into_iter().sum();
    let bound = began.elapsed().as_secs() as usize / COOL_DOWN.as_secs() as usize + 1;
    let fetches = jwks.asked() - before;
    assert!(fetches <= bound, "{fetches} fetches for {sent} key ids in {:?}", began.elapsed());
    assert!(fetches >= 1 && sent >= 64, "there was a flood: {sent}");
    pulse.was_served().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_odd_key_set_costs_a_bounded_wait_and_no_memory() {
    let mut playing = JoinSet::new();
    for manner in Manner::ODD {
        playing.spawn(odd(manner));
    }
    playing.join_all().await;
}

async fn odd(manner: Manner) {
    let issuer = Issuer::with_algorithm("https://as.test/", Algorithm::ES256);
    let jwks = Jwks::start(&issuer).await;
    let gateway = Gateway::start(&jwks.settings()).await;
    let known = good(&issuer).sign();
    gateway.takes(&known).await;
    let memory = gateway.memory();
    jwks.behave(manner);
    tokio::time::sleep(COOL_DOWN + Duration::from_millis(100)).await;
    let pulse = Pulse::start(gateway.address, &known);
    let (before, began) = (jwks.asked(), Instant::now());
    for number in 0..3 {
        let answer = gateway.client().get(&unknown(&issuer, number)).await;
        assert_eq!(answer.status, 401, "{manner:?}");
        // Not even the fetch's own time, 2 s, is waited for.
        assert!(answer.took < Duration::from_millis(1_900), "{manner:?}: {:?}", answer.took);
    }
    assert_eq!(gateway.client().get(&good(&issuer).sign()).await.status, 200, "{manner:?}: the key is known");
    let bound = began.elapsed().as_secs() as usize / COOL_DOWN.as_secs() as usize + 1;
    let fetches = jwks.asked() - before;
    assert!((1..=bound).contains(&fetches), "{manner:?}: {fetches} fetches in {:?}", began.elapsed());
    // As long as a fetch may take.
    tokio::time::sleep(Duration::from_millis(2_100)).await;
    pulse.was_served().await;
    let grown = gateway.memory().saturating_sub(memory);
    assert!(grown < FLAT, "{manner:?}: {grown} bytes more");
    // What the sockets hold, and no more, is taken of 400 MB.
    assert!(jwks.sent() < 20_000_000, "{manner:?}: {} bytes went out", jwks.sent());
    jwks.behave(Manner::Sound);
    issuer.rotate();
    gateway.takes(&good(&issuer).sign()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_issuer_that_is_down_at_the_start_is_waited_for() {
    let issuer = Issuer::new("https://as.test/");
    // Bound, and nobody listens: connections are refused.
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind(([127, 0, 0, 1], 0).into()).unwrap();
    let address = socket.local_addr().unwrap();
    let keys = format!("keys: {{jwks_uri: 'http://{address}/keys', cool_down: 1s}}");
    let gateway = Gateway::start(&format!("issuer: https://as.test/\n{keys}")).await;
    let mut client = gateway.client();
    let token = good(&issuer).sign();
    for _ in 0..3 {
        let answer = client.get(&token).await;
        assert_eq!(answer.status, 503);
        let head = answer.head.to_lowercase();
        assert!(head.contains("\r\nretry-after: ") && !head.contains("www-authenticate"), "{head}");
    }
    assert_eq!(client.get("no-token-at-all").await.status, 401, "what is no token needs no issuer");
    assert_eq!(client.get_public().await.status, 200);
    let _jwks = Jwks::over(socket.listen(64).unwrap(), &issuer);
    let began = Instant::now();
    gateway.takes(&token).await;
    assert!(began.elapsed() < COOL_DOWN + PROMPT, "it took {:?}", began.elapsed());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_herd_of_64_at_a_cold_start_costs_one_fetch() {
    let server = ScriptedIssuer::start_at("", Algorithm::ES256).await;
    server.script(Resource::Jwks, Behaviour::Slow(Duration::from_millis(700)));
    let tokens = (0..64).map(|_| good(server.issuer()).sign()).collect();
    let gateway = Gateway::start(&discovered(&server, "5s")).await;
    let (statuses, _) = at_once(&gateway, tokens).await;
    assert!(statuses.iter().all(|status| *status == 200), "{statuses:?}");
    assert_eq!(server.requests(Resource::Jwks), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixty_four_callers_with_one_opaque_token_ask_once() {
    let server = ScriptedIssuer::start_at("", Algorithm::ES256).await;
    let gateway = Gateway::start(&discovered(&server, "5s")).await;
    gateway.takes(&good(server.issuer()).sign()).await;
    server.script(Resource::Introspection, Behaviour::Slow(Duration::from_millis(300)));
    let opaque = server.opaque(&good(server.issuer()));
    let (statuses, longest) = at_once(&gateway, vec![opaque; 64]).await;
    assert!(statuses.iter().all(|status| *status == 200), "{statuses:?}");
    assert_eq!(server.requests(Resource::Introspection), 1);
    assert!(longest < PROMPT + Duration::from_millis(300), "{longest:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rotation_without_overlap_costs_one_fetch_and_no_refusal() {
    let server = ScriptedIssuer::start_at("", Algorithm::ES256).await;
    let gateway = Gateway::start(&discovered(&server, "5s")).await;
    let old = good(server.issuer()).sign();
    gateway.takes(&old).await;
    tokio::time::sleep(COOL_DOWN + Duration::from_millis(100)).await;
    let before = server.requests(Resource::Jwks);
    server.issuer().rotate();
    server.issuer().withdraw("k1");
    let tokens = (0..16).map(|_| good(server.issuer()).sign()).collect();
    let (statuses, longest) = at_once(&gateway, tokens).await;
    assert!(statuses.iter().all(|status| *status == 200), "{statuses:?}");
    assert!(longest < PROMPT, "{longest:?}");
    assert_eq!(server.requests(Resource::Jwks) - before, 1);
    assert_eq!(gateway.client().get(&old).await.status, 401, "its key is gone");
}
