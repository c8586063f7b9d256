//! An authorization server on this machine that behaves as it is told.

mod behaviour;
mod server;

pub use behaviour::{Behaviour, Resource};

use super::{Issuer, TokenBuilder};
use crate::proof::Algorithm;
use http::HeaderMap;
use serde_json::{Map, Value, json};
use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// An [`Issuer`] behind real HTTP on a loopback address: metadata, key set, introspection endpoint. Each of them can be told to
/// misbehave, and what is asked of them is counted.
///
/// ```
/// use std::sync::Arc;
/// use std::time::Duration;
/// use tollgate::gate::KeySource;
/// # #[cfg(feature = "remote")]
/// use tollgate::remote::{Client, ClientSettings, JwksUri};
/// use tollgate::testing::{Behaviour, Resource, ScriptedIssuer};
/// use tollgate::time::SystemClock;
///
/// # #[cfg(feature = "remote")]
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// let server = ScriptedIssuer::start().await;
/// let client = Client::new(&ClientSettings::default(), Arc::new(SystemClock::new()))?;
/// let keys = JwksUri::new(client, &server.url(Resource::Jwks))?;
/// assert_eq!(keys.fetch().await?, server.issuer().jwks());
///
/// server.script(Resource::Jwks, Behaviour::Html);
/// assert_eq!(keys.fetch().await?, "<!doctype html><title>Maintenance</title>");
/// assert_eq!(server.requests(Resource::Jwks), 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct ScriptedIssuer {
    shared: Arc<Shared>,
    address: SocketAddr,
    server: Mutex<Option<JoinHandle<()>>>,
}

/// What is known on both sides of the wire.
#[derive(Debug)]
struct Shared {
    issuer: Issuer,
    origin: String,
    /// The issuer's path, without a slash at its end.
    path: String,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    script: HashMap<Resource, Behaviour>,
    metadata: Map<String, Value>,
    /// The tokens that are active, and what is said of them.
    active: HashMap<String, Map<String, Value>>,
    opaque_made: usize,
    recorded: Vec<(Resource, Recorded)>,
}

/// A request that has come.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body; empty for a GET.
    pub body: String,
}

impl ScriptedIssuer {
    /// Starts an issuer whose name is the server's origin, and which signs with RS256.
    ///
    /// # Panics
    /// If no port can be had.
    pub async fn start() -> Self {
        Self::start_at("", Algorithm::RS256).await
    }

    /// Starts an issuer whose name is the server's origin and this path, and which signs with this algorithm.
    ///
    /// # Panics
    /// If no port can be had.
    #[expect(clippy::expect_used, reason = "without a port there is nothing to test")]
    pub async fn start_at(path: &str, algorithm: Algorithm) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port can be had");
        let address = listener.local_addr().expect("a listener has an address");
        let origin = format!("http://{address}");
        let name = format!("{origin}{path}");
        let state = State { metadata: metadata(&origin, &name), ..State::default() };
        let shared = Arc::new(Shared {
            issuer: Issuer::with_algorithm(&name, algorithm),
            origin,
            path: path.trim_end_matches('/').to_owned(),
            state: Mutex::new(state),
        });
        let server = tokio::spawn(server::serve(listener, shared.clone()));
        Self { shared, address, server: Mutex::new(Some(server)) }
    }

    /// The issuer, which signs tokens, and rotates, withdraws and replaces keys.
    pub fn issuer(&self) -> &Issuer {
        &self.shared.issuer
    }

    /// Its name: the issuer identifier.
    pub fn name(&self) -> &str {
        self.shared.issuer.name()
    }

    /// Where a resource is.
    pub fn url(&self, resource: Resource) -> String {
        format!("{}{}", self.shared.origin, self.shared.target(resource))
    }

    /// Lets a resource behave so from now on.
    pub fn script(&self, resource: Resource, behaviour: Behaviour) {
        let behaviour = match behaviour {
            Behaviour::Stale => Behaviour::Body("application/json", self.shared.document(resource)),
            other => other,
        };
        self.shared.state().script.insert(resource, behaviour);
    }

    /// Lets all resources behave so from now on.
    pub fn script_all(&self, behaviour: &Behaviour) {
        Resource::ALL.into_iter().for_each(|resource| self.script(resource, behaviour.clone()));
    }

    /// Changes the metadata: renames the issuer, moves an endpoint, takes a member away.
    pub fn metadata(&self, change: impl FnOnce(&mut Map<String, Value>)) {
        change(&mut self.shared.state().metadata);
    }

    /// Hands out an opaque token that is active, and about which is said what this signed one would say.
    pub fn opaque(&self, like: &TokenBuilder) -> String {
        let mut state = self.shared.state();
        state.opaque_made += 1;
        let token = format!("opaque-token-number-{}", state.opaque_made);
        state.active.insert(token.clone(), like.claims().clone());
        token
    }

    /// Says this of a token from now on, signed or opaque, and that it is active.
    pub fn vouch(&self, token: &str, claims: &Map<String, Value>) {
        self.shared.state().active.insert(token.to_owned(), claims.clone());
    }

    /// Says from now on that a token is not active.
    pub fn revoke(&self, token: &str) {
        self.shared.state().active.remove(token);
    }

    /// How many requests for a resource have come.
    pub fn requests(&self, resource: Resource) -> usize {
        self.shared.state().recorded.iter().filter(|(asked, _)| *asked == resource).count()
    }

    /// The requests for a resource, in the order in which they came.
    pub fn recorded(&self, resource: Resource) -> Vec<Recorded> {
        let state = self.shared.state();
        let ours = state.recorded.iter().filter(|(asked, _)| *asked == resource);
        ours.map(|(_, recorded)| recorded.clone()).collect()
    }

    /// Ends the server as a killed process ends: connections break, and new ones are refused.
    pub async fn stop(&self) {
        let server = self.server.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(server) = server {
            server.abort();
            // It was aborted, and says so.
            let _ = server.await;
        }
    }

    /// Starts it again, on the same port.
    ///
    /// # Panics
    /// If somebody else has taken the port meanwhile.
    #[expect(clippy::expect_used, reason = "without the port there is nothing to test")]
    pub async fn restart(&self) {
        self.stop().await;
        let listener = TcpListener::bind(self.address).await.expect("the port is still free");
        let server = tokio::spawn(server::serve(listener, self.shared.clone()));
        *self.server.lock().unwrap_or_else(PoisonError::into_inner) = Some(server);
    }
}

impl Drop for ScriptedIssuer {
    fn drop(&mut self) {
        if let Some(server) = self.server.lock().unwrap_or_else(PoisonError::into_inner).take() {
            server.abort();
        }
    }
}

impl Shared {
    /// A resource's path on the server.
    fn target(&self, resource: Resource) -> String {
        let path = &self.path;
        match resource {
            Resource::OpenIdConfiguration => format!("{path}/.well-known/openid-configuration"),
            Resource::OAuthMetadata => format!("/.well-known/oauth-authorization-server{path}"),
            Resource::OAuthMetadataBelow => format!("{path}/.well-known/oauth-authorization-server"),
            Resource::Jwks => "/jwks".into(),
            Resource::Introspection => "/introspect".into(),
        }
    }

    /// The resource of this path. Without a path of the issuer's, both places of RFC 8414 are one.
    fn resource(&self, target: &str) -> Option<Resource> {
        Resource::ALL.into_iter().find(|resource| self.target(*resource) == target)
    }

    /// The sound document of a resource that is read with GET.
    fn document(&self, resource: Resource) -> String {
        match resource {
            Resource::Jwks => self.issuer.jwks(),
            _ => Value::Object(self.state().metadata.clone()).to_string(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn metadata(origin: &str, name: &str) -> Map<String, Value> {
    let metadata = json!({
        "issuer": name,
        "jwks_uri": format!("{origin}/jwks"),
        "introspection_endpoint": format!("{origin}/introspect"),
        "token_endpoint": format!("{origin}/token"),
        "response_types_supported": ["code"],
    });
    match metadata {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}
