//! The three servers of the demo.

use super::{SECRET, api, checks};
use crate::authority::{Authority, AuthorizationServer, Client, Serving};
use crate::cli::{Failure, gateway};
use crate::config::{self, Environment};
use crate::proxy::Running;
use crate::time::Clock;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;

/// The gateway's configuration, as it is with the ports that the demo would like to have.
pub(super) const CONFIGURATION: &str = include_str!("tollgate.yaml");

/// Where everybody listens.
pub(super) struct Addresses {
    pub(super) gateway: SocketAddr,
    pub(super) authority: SocketAddr,
    pub(super) api: SocketAddr,
}

/// The three servers at work. They stop when this is dropped.
pub(super) struct Stage {
    addresses: Addresses,
    issuer: String,
    authority: Authority,
    api: Serving,
    gateway: Running,
}

impl Stage {
    /// Starts them, and waits until the gateway can judge tokens.
    ///
    /// # Errors
    /// If one of them does not start.
    pub(super) async fn set(clock: Arc<dyn Clock>) -> Result<Self, Failure> {
        let api = api::start(listen(8082).await?)?;
        let authority = authority(listen(8081).await?).await?;
        let issuer = authority.issuer(SERVER).unwrap_or_default().to_owned();
        let free = listen(8080).await?.local_addr()?;
        let addresses = Addresses { gateway: free, authority: authority.address(), api: api.address() };
        let plan = config::parse("tollgate.yaml", &configuration(&addresses), &Environment::empty())?;
        let (server, gate) = gateway::bind(plan, clock).await?;
        let gateway = server.start();
        if !gate.ready(PATIENCE).await {
            return Err("the gateway can't get the keys of its authorization server".into());
        }
        Ok(Self { addresses, issuer, authority, api, gateway })
    }

    pub(super) fn addresses(&self) -> &Addresses {
        &self.addresses
    }

    pub(super) fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Stops them, the gateway first.
    pub(super) async fn clear(self) {
        self.gateway.stop().await;
        self.api.stop().await;
        self.authority.stop().await;
    }
}

async fn authority(listener: TcpListener) -> Result<Authority, Failure> {
    let server = AuthorizationServer::new(SERVER, "https://api.example.com/orders")
        .scopes(["orders:read", "orders:write"]);
    let scopes = ["orders:read", "orders:write"];
    let authority = Authority::builder()
        .server(server)
        .client(Client::new(checks::ORDERS_APP, SECRET).grant(SERVER, scopes))
        .client(Client::new(checks::ORDERS_PARTNER, SECRET).grant(SERVER, scopes).opaque_tokens())
        .client(Client::new("gateway", SECRET))
        .start(listener);
    Ok(authority.await?)
}

/// The configuration with the ports that there were.
fn configuration(at: &Addresses) -> String {
    let wished =
        [("127.0.0.1:8080", at.gateway), ("127.0.0.1:8081", at.authority), ("127.0.0.1:8082", at.api)];
    // An address that is put in is either the wished one or a port far above these, so none is replaced twice.
    wished.iter().fold(CONFIGURATION.to_owned(), |text, (wish, got)| text.replace(wish, &got.to_string()))
}

/// The port that is wished for, or any if it is taken.
async fn listen(port: u16) -> std::io::Result<TcpListener> {
    match TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await {
        Ok(listener) => Ok(listener),
        Err(_) => TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await,
    }
}

/// How long the gateway may take to get its keys. It takes milliseconds.
const PATIENCE: Duration = Duration::from_secs(10);

const SERVER: &str = "default";
