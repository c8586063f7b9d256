//! The API behind the gateway: answers everything with 200 and remembers what arrived.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Request, State};
use http::request::Parts;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

pub(crate) struct Upstream {
    address: SocketAddr,
    arrived: Arc<Mutex<Vec<Parts>>>,
    server: JoinHandle<()>,
}

impl Upstream {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let arrived = Arc::new(Mutex::new(Vec::new()));
        let router = Router::new().fallback(remember).with_state(Arc::clone(&arrived));
        let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { address, arrived, server }
    }

    /// `host:port`.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// The requests that arrived since the last call, oldest first.
    pub(crate) fn take(&self) -> Vec<Parts> {
        std::mem::take(&mut self.arrived.lock().unwrap())
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn remember(State(arrived): State<Arc<Mutex<Vec<Parts>>>>, request: Request) -> &'static str {
    arrived.lock().unwrap().push(request.into_parts().0);
    "from the upstream"
}
