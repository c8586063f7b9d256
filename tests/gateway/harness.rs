//! A gateway made of a few lines of YAML, with an issuer that signs.

use crate::backend::Backend;
use crate::client::{Answer, Client};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tollgate::config::{self, Environment, GatewaySettings, Plan};
use tollgate::gate::{Gate, IssuerSources, KeySource, StaticKeys};
use tollgate::metrics::Metrics;
use tollgate::proxy::{Running, Server, Setup};
use tollgate::testing::{Issuer, ManualClock};

pub(crate) const ISSUER: &str = "https://id.example.com/";

/// A running gateway, the upstream behind it, and the issuer of its tokens.
pub(crate) struct Gateway {
    pub(crate) running: Running,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) issuer: Issuer,
}

/// What a gateway is made of, before it runs.
pub(crate) struct Making {
    yaml: String,
    keys: Option<Arc<dyn KeySource>>,
    settle: Box<dyn FnOnce(&mut GatewaySettings)>,
}

/// A gateway with these routes and upstreams, and one issuer.
pub(crate) fn gateway(routes_and_upstreams: &str) -> Making {
    let yaml = format!(
        "issuers:\n  main:\n    issuer: {ISSUER}\n    audiences: [https://api.example.com]\n    clients: [shop]\n{routes_and_upstreams}"
    );
    Making { yaml, keys: None, settle: Box::new(|_| {}) }
}

/// A gateway before this backend, with a public route, one that asks for a token, and one that asks for a scope.
pub(crate) fn before(backend: &Backend) -> Making {
    gateway(&format!(
        "
routes:
  - {{path: '/public/{{*rest}}', public: true}}
  - {{path: '/token/{{*rest}}', scopes: none}}
  - {{path: '/orders/{{id}}', scopes: {{GET: [orders:read], POST: [orders:write]}}}}
upstreams:
  api: {{addresses: ['{}']}}
",
        backend.address
    ))
}

impl Making {
    /// Other keys than the issuer's.
    pub(crate) fn keys(self, keys: Arc<dyn KeySource>) -> Self {
        Self { keys: Some(keys), ..self }
    }

    /// Other settings than the defaults.
    pub(crate) fn settle(self, settle: impl FnOnce(&mut GatewaySettings) + 'static) -> Self {
        Self { settle: Box::new(settle), ..self }
    }

    /// The plan that the YAML means.
    pub(crate) fn plan(yaml: &str) -> Plan {
        config::parse("gateway.yaml", yaml, &Environment::empty())
            .unwrap_or_else(|problems| panic!("{problems}"))
    }

    /// The plan of this one.
    pub(crate) fn into_plan(self) -> Plan {
        Self::plan(&self.yaml)
    }

    pub(crate) async fn start(self) -> Gateway {
        let plan = Self::plan(&self.yaml);
        let issuer = Issuer::new(ISSUER);
        let keys = self.keys.unwrap_or_else(|| Arc::new(StaticKeys::new(issuer.jwks())));
        let (metrics, clock) = (Arc::new(Metrics::new()), Arc::new(ManualClock::new()));
        let gate =
            Gate::builder(plan.policy).issuer(IssuerSources::new(ISSUER, keys)).observer(metrics.clone());
        let gate = Arc::new(gate.clock(clock.clone()).build());
        gate.ready(Duration::from_secs(5)).await;
        let mut gateway = plan.gateway;
        for listener in &mut gateway.listen {
            listener.address.set_port(0);
        }
        gateway.admin = Some(config::AdminSettings { address: SocketAddr::from(([127, 0, 0, 1], 0)) });
        (self.settle)(&mut gateway);
        let setup = Setup { gateway, upstreams: plan.upstreams, gate, metrics: Some(metrics) };
        let running = Server::bind(setup).await.unwrap().start();
        Gateway { running, clock, issuer }
    }
}

impl Gateway {
    pub(crate) fn address(&self) -> SocketAddr {
        self.running.addresses()[0]
    }

    pub(crate) async fn connect(&self) -> Client {
        Client::connect(self.address()).await
    }

    /// A token that is good for everything but scopes.
    pub(crate) fn token(&self) -> String {
        self.token_with("")
    }

    pub(crate) fn token_with(&self, scope: &str) -> String {
        self.issuer
            .token()
            .audience("https://api.example.com")
            .client("shop")
            .subject("alice")
            .scope(scope)
            .sign()
    }

    /// Sends a request of these bytes, on a connection of its own.
    pub(crate) async fn send(&self, bytes: impl AsRef<[u8]>) -> Answer {
        self.connect().await.ask(bytes).await
    }

    /// `GET`, with these header lines.
    pub(crate) async fn get(&self, path: &str, lines: &str) -> Answer {
        self.send(format!("GET {path} HTTP/1.1\r\nHost: api.example.com\r\n{lines}\r\n")).await
    }
}
