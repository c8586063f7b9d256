//! Starting, reloading, and stopping without dropping what is under way.

use crate::backend::Backend;
use crate::certificates::Certificates;
use crate::client::Client;
use crate::harness::{ISSUER, Making, before, gateway};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tollgate::config::ListenerTls;
use tollgate::gate::{BoxFuture, IssuerSources, KeySource, SourceError};
use tollgate::testing::Issuer;

#[tokio::test]
async fn a_request_under_way_ends_before_the_gateway_does() {
    let backend = Backend::start().await;
    let gateway = before(&backend).start().await;
    let (mut busy, mut idle) = (gateway.connect().await, gateway.connect().await);
    let address = gateway.address();
    assert_eq!(idle.ask("GET /public/a HTTP/1.1\r\nHost: a\r\n\r\n").await.status, 200);
    busy.send("GET /public/slow HTTP/1.1\r\nHost: a\r\n\r\n").await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    let began = Instant::now();
    let stopping = tokio::spawn(gateway.running.stop());
    assert!(idle.closes_within(Duration::from_secs(1)).await, "idle connections end at once");
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(tokio::net::TcpStream::connect(address).await.is_err(), "no new ones are taken");
    let answer = busy.answer().await.unwrap();
    assert_eq!((answer.status, answer.text()), (200, "slow"));
    assert!(busy.closes_within(Duration::from_secs(1)).await);
    stopping.await.unwrap();
    assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
}

#[tokio::test]
async fn grace_has_an_end() {
    let backend = Backend::start().await;
    let gateway = before(&backend).settle(|settings| settings.shutdown_grace = Duration::from_millis(300));
    let gateway = gateway.start().await;
    let mut busy = gateway.connect().await;
    busy.send("GET /public/slow HTTP/1.1\r\nHost: a\r\n\r\n").await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    let began = Instant::now();
    gateway.running.stop().await;
    assert!(began.elapsed() < Duration::from_millis(1500), "{:?}", began.elapsed());
    assert!(busy.closes_within(Duration::from_secs(1)).await);
}

#[tokio::test]
async fn a_reload_acts_on_the_next_request_of_an_open_connection() {
    let (one, two) = (Backend::start().await, Backend::start().await);
    let yaml = |path: &str, name: &str, backend: &Backend| {
        format!(
            "
routes:
  - {{path: '{path}', public: true, upstream: {name}}}
upstreams:
  {name}: {{addresses: ['{}']}}
",
            backend.address
        )
    };
    let gateway = gateway(&yaml("/a", "one", &one)).start().await;
    let mut client = gateway.connect().await;
    assert!(
        client
            .ask("GET /a HTTP/1.1\r\nHost: a\r\n\r\n")
            .await
            .text()
            .ends_with(&one.address.port().to_string())
    );
    let plan = Making::plan(&yaml("/b", "two", &two));
    gateway.running.handle().reload(plan.upstreams, plan.policy, Vec::new()).await.unwrap();
    assert_eq!(client.ask("GET /a HTTP/1.1\r\nHost: a\r\n\r\n").await.status, 404);
    assert!(
        client
            .ask("GET /b HTTP/1.1\r\nHost: a\r\n\r\n")
            .await
            .text()
            .ends_with(&two.address.port().to_string())
    );
}

/// Keys that take a while, but for the first time.
#[derive(Default)]
struct Rotated {
    document: Mutex<String>,
    fetches: AtomicUsize,
}

impl KeySource for Rotated {
    fn fetch(&self) -> BoxFuture<'_, Result<bytes::Bytes, SourceError>> {
        Box::pin(async {
            if self.fetches.fetch_add(1, Ordering::SeqCst) > 0 {
                tokio::time::sleep(Duration::from_millis(150)).await;
            }
            Ok(self.document.lock().unwrap().clone().into())
        })
    }
}

#[tokio::test]
async fn who_waits_through_a_reload_goes_where_the_new_policy_says() {
    let (one, two) = (Backend::start().await, Backend::start().await);
    let yaml = |scopes: &str, backend: &Backend| {
        let address = backend.address;
        format!(
            "\nroutes:\n  - {{path: /a, scopes: {scopes}}}\nupstreams:\n  api: {{addresses: ['{address}']}}\n"
        )
    };
    let (before, after) = (gateway(&yaml("[nope]", &one)), gateway(&yaml("none", &two)).into_plan());
    let keys = Arc::new(Rotated::default());
    *keys.document.lock().unwrap() = Issuer::new(ISSUER).jwks();
    let gateway = before.keys(keys.clone()).start().await;
    gateway.issuer.rotate();
    *keys.document.lock().unwrap() = gateway.issuer.jwks();
    gateway.clock.advance(Duration::from_secs(30));
    let mut client = gateway.connect().await;
    let token = gateway.token();
    client.send(format!("GET /a HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {token}\r\n\r\n")).await;
    let asked = async {
        while keys.fetches.load(Ordering::SeqCst) < 2 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(5), asked).await.expect("the token's key is unknown");
    let sources = vec![IssuerSources::new(ISSUER, keys)];
    gateway.running.handle().reload(after.upstreams, after.policy, sources).await.unwrap();
    let answer = client.answer().await.unwrap();
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert!(answer.text().ends_with(&two.address.port().to_string()), "{}", answer.text());
}

#[tokio::test]
async fn tls_is_spoken_with_alpn() {
    let backend = Backend::start().await;
    let certificates = Certificates::make("listener");
    let (certificate_file, key_file) = certificates.server_files();
    let gateway = before(&backend).settle(move |settings| {
        settings.listen[0].tls = Some(ListenerTls { certificate_file, key_file });
    });
    let gateway = gateway.start().await;
    for (offered, expected) in
        [(&[][..], None), (&["http/1.1"], Some("http/1.1")), (&["h2", "http/1.1"], Some("h2"))]
    {
        let (stream, spoken) = certificates.connect(gateway.address(), offered).await;
        assert_eq!(spoken.as_deref(), expected);
        let (status, _) = match expected {
            Some("h2") => crate::http2::get(stream, "https", "/public/a").await,
            _ => {
                let answer = Client::over(stream).ask("GET /public/a HTTP/1.1\r\nHost: a\r\n\r\n").await;
                (answer.status, answer.body)
            }
        };
        assert_eq!(status, 200);
        assert_eq!(backend.last().field("x-forwarded-proto"), Some("https"));
    }
    // What is no TLS gets no answer.
    let mut plain = gateway.connect().await;
    plain.send("GET /public/a HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert!(plain.closes_within(Duration::from_secs(3)).await);
}

#[tokio::test]
async fn a_tls_session_is_resumed_over_both_protocols() {
    let backend = Backend::start().await;
    let certificates = Certificates::make("resumption");
    let (certificate_file, key_file) = certificates.server_files();
    let gateway = before(&backend).settle(move |settings| {
        settings.listen[0].tls = Some(ListenerTls { certificate_file, key_file });
    });
    let gateway = gateway.start().await;
    for alpn in ["http/1.1", "h2"] {
        let caller = certificates.client(&[alpn]);
        for expected in [rustls::HandshakeKind::Full, rustls::HandshakeKind::Resumed] {
            let stream = Certificates::connect_with(&caller, gateway.address()).await;
            assert_eq!(stream.get_ref().1.handshake_kind(), Some(expected), "{alpn}");
            // The tickets come with the first answer.
            let status = match alpn {
                "h2" => crate::http2::get(stream, "https", "/public/a").await.0,
                _ => Client::over(stream).ask("GET /public/a HTTP/1.1\r\nHost: a\r\n\r\n").await.status,
            };
            assert_eq!(status, 200);
        }
    }
}

#[tokio::test]
async fn an_address_that_is_taken_is_told() {
    let backend = Backend::start().await;
    let first = before(&backend).start().await;
    let plan = Making::plan(&format!(
        "
routes: [{{path: /a, public: true}}]
gateway: {{listen: [{{address: '{}'}}]}}
upstreams: {{api: {{addresses: ['{}']}}}}
",
        first.address(),
        backend.address
    ));
    let gate = std::sync::Arc::new(tollgate::gate::Gate::builder(plan.policy).build());
    let setup =
        tollgate::proxy::Setup { gateway: plan.gateway, upstreams: plan.upstreams, gate, metrics: None };
    let error = tollgate::proxy::Server::bind(setup).await.unwrap_err();
    assert!(error.to_string().starts_with(&format!("can't listen at `{}`", first.address())), "{error}");
}
