//! Puts an authority together, and refuses one that contradicts itself.

use super::serve::Serving;
use super::server::Server;
use super::{Authority, AuthorizationServer, Client, State, endpoints};
use crate::time::{Clock, SystemClock};
use crate::token::Scope;
use std::collections::HashMap;
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::task::spawn_blocking;

/// Puts an [`Authority`] together.
pub struct AuthorityBuilder {
    servers: Vec<AuthorizationServer>,
    clients: Vec<Client>,
    clock: Arc<dyn Clock>,
}

impl AuthorityBuilder {
    pub(super) fn new() -> Self {
        Self { servers: Vec::new(), clients: Vec::new(), clock: Arc::new(SystemClock::new()) }
    }

    /// Adds an authorization server.
    #[must_use]
    pub fn server(mut self, server: AuthorizationServer) -> Self {
        self.servers.push(server);
        self
    }

    /// Adds a client.
    #[must_use]
    pub fn client(mut self, client: Client) -> Self {
        self.clients.push(client);
        self
    }

    /// Another clock than the system's.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Makes the servers' keys, and answers on this listener from then on.
    ///
    /// # Errors
    /// - [`AuthorityError::NotLoopback`] if the listener can be reached from elsewhere: this is no server for production.
    /// - [`AuthorityError::Twice`], [`AuthorityError::InvalidId`], [`AuthorityError::InvalidScope`] and [`AuthorityError::Unknown`] if
    ///   servers and clients contradict themselves.
    /// - [`AuthorityError::Io`] if the listener fails.
    pub async fn start(self, listener: TcpListener) -> Result<Authority, AuthorityError> {
        let address = listener.local_addr()?;
        if !address.ip().is_loopback() {
            return Err(AuthorityError::NotLoopback(address));
        }
        let state = Arc::new(self.state(&format!("http://{address}")).await?);
        let shared = state.clone();
        let serving = Serving::start(listener, move |request| endpoints::answer(shared.clone(), request))?;
        Ok(Authority { state, serving })
    }

    pub(super) async fn state(self, origin: &str) -> Result<State, AuthorityError> {
        self.check()?;
        let mut making = Vec::new();
        for settings in self.servers {
            let issuer = format!("{origin}/oauth2/{}", settings.id);
            // An RSA key keeps a core busy for some tenths of a second; several servers use several.
            making.push((settings.id.clone(), spawn_blocking(move || Server::new(issuer, settings))));
        }
        let mut servers = HashMap::new();
        for (id, server) in making {
            servers.insert(id, server.await.map_err(std::io::Error::other)?);
        }
        let clients = self.clients.into_iter().map(|client| (client.id.clone(), client)).collect();
        Ok(State { servers, clients, clock: self.clock })
    }

    fn check(&self) -> Result<(), AuthorityError> {
        for (at, server) in self.servers.iter().enumerate() {
            if !is_id(&server.id) {
                return Err(AuthorityError::InvalidId(server.id.clone()));
            }
            if self.servers.iter().take(at).any(|other| other.id == server.id) {
                return Err(AuthorityError::Twice(server.id.clone()));
            }
            if let Some(scope) = server.scopes.iter().find(|scope| Scope::new(scope).is_err()) {
                return Err(AuthorityError::InvalidScope(scope.clone()));
            }
        }
        for (at, client) in self.clients.iter().enumerate() {
            if self.clients.iter().take(at).any(|other| other.id == client.id) {
                return Err(AuthorityError::Twice(client.id.clone()));
            }
            for grant in &client.grants {
                let server = self.servers.iter().find(|server| server.id == grant.server);
                let server = server.ok_or_else(|| AuthorityError::unknown(client, &grant.server))?;
                if let Some(scope) = grant.scopes.iter().find(|scope| !server.scopes.contains(scope)) {
                    return Err(AuthorityError::unknown(client, scope));
                }
            }
        }
        Ok(())
    }
}

/// An id that is one segment of a path as it stands, so that the issuer needs no encoding.
fn is_id(id: &str) -> bool {
    !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

impl fmt::Debug for AuthorityBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthorityBuilder")
            .field("servers", &self.servers)
            .field("clients", &self.clients)
            .finish_non_exhaustive()
    }
}

/// Why an authority does not start.
#[derive(Debug, thiserror::Error)]
pub enum AuthorityError {
    /// The listener can be reached from other machines.
    #[error("the embedded authorization server listens on loopback addresses only, and `{0}` is none")]
    NotLoopback(SocketAddr),
    /// Two servers or two clients have one id.
    #[error("`{0}` is there already: give it another id")]
    Twice(Box<str>),
    /// A server's id would need encoding in a URL.
    #[error("`{0}` can't be the id of a server: take letters, digits, `-` and `_`")]
    InvalidId(Box<str>),
    /// A scope does not follow the grammar of RFC 6749 section 3.3.
    #[error("`{0}` is no scope: a scope is printable ASCII without space, `\"` and `\\`")]
    InvalidScope(Box<str>),
    /// A client is granted a scope, or at a server, that is not there.
    #[error("client `{client}` is granted `{what}`, which no server has: add it to a server first")]
    Unknown {
        /// The client.
        client: Box<str>,
        /// The scope or the server's id.
        what: Box<str>,
    },
    /// The listener fails.
    #[error("the embedded authorization server can't start: {0}")]
    Io(#[from] std::io::Error),
}

impl AuthorityError {
    fn unknown(client: &Client, what: &str) -> Self {
        Self::Unknown { client: client.id.clone(), what: what.into() }
    }
}
