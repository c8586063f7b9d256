//! The embedded authorization server: for the demo, for development and for tests, never for production.
//!
//! It speaks HTTP on a loopback address and looks like Okta's API Access Management: custom authorization servers, each with its
//! own issuer, audience, scopes and signing key, and clients that are granted scopes at them. What it knows it keeps in memory, and
//! forgets when it stops.
//!
//! | endpoint | what it does | where it is told |
//! |---|---|---|
//! | `GET /oauth2/{id}/.well-known/openid-configuration` | metadata | OpenID Connect Discovery 4 |
//! | `GET /.well-known/oauth-authorization-server/oauth2/{id}` | metadata | RFC 8414 section 3 |
//! | `GET /oauth2/{id}/v1/keys` | the key set | RFC 7517 section 5 |
//! | `POST /oauth2/{id}/v1/token` | a token for a client itself | RFC 6749 section 4.4 |
//! | `POST /oauth2/{id}/v1/introspect` | what is known of a token | RFC 7662 section 2 |
//! | `POST /oauth2/{id}/v1/revoke` | a token's end | RFC 7009 section 2 |
//!
//! ```
//! use tollgate::authority::{Authority, AuthorizationServer, Client};
//! use tollgate::proof::Algorithm;
//!
//! # tokio::runtime::Runtime::new()?.block_on(async {
//! let orders = AuthorizationServer::new("default", "https://api.example.com/orders")
//!     .scopes(["orders:read", "orders:write"])
//!     .algorithm(Algorithm::ES256);
//! let shop = Client::new("shop", "a secret of the shop's").grant("default", ["orders:read"]);
//!
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
//! let authority = Authority::builder().server(orders).client(shop).start(listener).await?;
//! assert_eq!(authority.issuer("default"), Some(&*format!("http://{}/oauth2/default", authority.address())));
//! authority.stop().await;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod builder;
mod endpoints;
mod error;
mod form;
mod keys;
mod ledger;
mod metadata;
mod serve;
mod server;
mod settings;

pub use builder::{AuthorityBuilder, AuthorityError};
pub use settings::{AuthorizationServer, Client};

pub(crate) use serve::Serving;

use crate::time::Clock;
use server::Server;
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;

/// A running authority. It stops when it is dropped.
#[derive(Debug)]
pub struct Authority {
    state: Arc<State>,
    serving: Serving,
}

/// What the endpoints work on.
struct State {
    servers: HashMap<Box<str>, Server>,
    clients: HashMap<Box<str>, Client>,
    clock: Arc<dyn Clock>,
}

impl Authority {
    /// Begins an authority without servers and clients.
    pub fn builder() -> AuthorityBuilder {
        AuthorityBuilder::new()
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.serving.address()
    }

    /// The issuer identifier of the server of this id: `http://{address}/oauth2/{id}`. `None` if there is no such server.
    pub fn issuer(&self, server: &str) -> Option<&str> {
        self.state.servers.get(server).map(Server::issuer)
    }

    /// Makes a new key for the server of this id, signs with it from now on, and publishes it beside those before it. Returns its
    /// `kid`; `None` if there is no such server.
    ///
    /// An RSA key takes some tenths of a second, in which this blocks.
    pub fn rotate(&self, server: &str) -> Option<String> {
        self.state.servers.get(server).map(Server::rotate)
    }

    /// Takes all keys out of the key set of this server but the one that signs. Returns whether there is such a server.
    pub fn withdraw_old_keys(&self, server: &str) -> bool {
        self.state.servers.get(server).map(Server::withdraw_old_keys).is_some()
    }

    /// Stops listening, and drops the connections that are open.
    pub async fn stop(self) {
        self.serving.stop().await;
    }
}

impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("State")
            .field("servers", &self.servers.keys())
            .field("clients", &self.clients.keys())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
