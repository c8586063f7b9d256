//! Takes connections, and finds out what is spoken on each: TLS or not, HTTP/1 or HTTP/2.

use super::access;
use super::connection::{Account, Caller, Connection, Transport};
use super::frames::FrameWatch;
use super::http1::{self, HeadLimits};
use crate::config::Network;
use crate::metrics::Metrics;
use http::HeaderValue;
use pingora_core::apps::{HttpServerApp, ServerApp};
use pingora_core::server::ShutdownWatch;
use pingora_core::tls::TlsAcceptor;
use std::io;
use std::net::SocketAddr;
use std::os::fd::AsRawFd;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::JoinSet;
use tokio::time::Instant;

/// An address that connections are taken at.
pub(super) struct Listener {
    socket: TcpListener,
    manners: Arc<Manners>,
}

/// How a listener treats those who come.
pub(super) struct Manners {
    /// The certificate that it shows, if it speaks TLS.
    pub(super) tls: Option<TlsAcceptor>,
    /// Whether HTTP/2 is taken by prior knowledge.
    pub(super) h2c: bool,
    /// What a head may take.
    pub(super) limits: HeadLimits,
    /// Whose forwarding fields are believed.
    pub(super) trusted: Vec<Network>,
    /// Who counts the heads that are refused.
    pub(super) metrics: Option<Arc<Metrics>>,
}

impl Manners {
    /// Serves HTTP/1 on a connection, whose first head has taken so long already.
    async fn http1<A, S>(
        &self,
        connection: Box<Connection<S>>,
        app: &Arc<A>,
        shutdown: ShutdownWatch,
        taken: Duration,
    ) where
        A: HttpServerApp + Send + Sync + 'static,
        S: Transport,
    {
        if let Some((connection, refusal)) = http1::serve(app, connection, self.limits, shutdown, taken).await
        {
            if let Some(metrics) = &self.metrics {
                metrics.refused(refusal.code());
            }
            access::log_refused(connection.caller().map(|caller| caller.address), refusal);
            connection.close_with(&refusal.to_http1()).await;
        }
    }

    /// Serves HTTP/2 on a connection.
    async fn http2<A, S>(&self, mut connection: Box<Connection<S>>, app: &Arc<A>, shutdown: ShutdownWatch)
    where
        A: HttpServerApp + Send + Sync + 'static,
        S: Transport,
    {
        connection.become_http2(FrameWatch::new(self.limits.timeout));
        // It takes what the connection says it is for granted, and returns when the connection is over.
        ServerApp::process_new(app, connection, &shutdown).await;
    }
}

impl Listener {
    /// Binds an address. Port 0 lets the system choose one.
    pub(super) fn bind(address: SocketAddr, manners: Manners) -> io::Result<Self> {
        let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
        // A restart must not wait until the last connections of the run before have been forgotten.
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        Ok(Self { socket: socket.listen(BACKLOG)?, manners: Arc::new(manners) })
    }

    /// The address that it is bound to.
    pub(super) fn address(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// Takes connections until the server shuts down, and then waits for those that are under way. Dropping the future cuts
    /// them off.
    pub(super) async fn serve<A>(self, app: Arc<A>, shutdown: ShutdownWatch)
    where
        A: HttpServerApp + Send + Sync + 'static,
    {
        let mut leaving = shutdown.clone();
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                accepted = self.socket.accept() => match accepted {
                    Ok((tcp, peer)) => {
                        let (app, manners) = (app.clone(), self.manners.clone());
                        connections.spawn(connection(tcp, peer, app, manners, shutdown.clone()));
                    }
                    Err(error) => {
                        // Out of file descriptors, mostly: some will be free again.
                        tracing::warn!(%error, "can't take a connection");
                        tokio::time::sleep(ACCEPT_PAUSE).await;
                    }
                },
                Some(ended) = connections.join_next() => report(ended),
                () = told(&mut leaving) => break,
            }
        }
        drop(self.socket);
        while let Some(ended) = connections.join_next().await {
            report(ended);
        }
    }
}

/// Waits until the server shuts down, or is gone.
pub(super) async fn told(shutdown: &mut ShutdownWatch) {
    // What comes back holds a lock, and must not be kept.
    drop(shutdown.wait_for(|down| *down).await);
}

/// A panic ends one connection, and nothing else.
fn report(ended: Result<(), tokio::task::JoinError>) {
    if ended.is_err_and(|error| error.is_panic()) {
        tracing::error!("a connection ended in a panic; this is a bug");
    }
}

async fn connection<A>(
    tcp: TcpStream,
    peer: SocketAddr,
    app: Arc<A>,
    manners: Arc<Manners>,
    shutdown: ShutdownWatch,
) where
    A: HttpServerApp + Send + Sync + 'static,
{
    // Answers go out at once; the kernel has nothing to wait for.
    if tcp.set_nodelay(true).is_err() {
        return;
    }
    let id = tcp.as_raw_fd();
    let address = peer.ip().to_canonical();
    let Ok(forwarded_for) = HeaderValue::from_str(&address.to_string()) else { return };
    let caller = Caller {
        address,
        forwarded_for,
        trusted: manners.trusted.iter().any(|network| network.contains(address)),
        tls: manners.tls.is_some(),
        asks_ahead: AtomicBool::new(false),
        account: Account::default(),
    };
    let Some(tls) = &manners.tls else {
        if let Ok(connection) = Connection::new(tcp, id, caller) {
            plain(Box::new(connection), &app, &manners, shutdown).await;
        }
        return;
    };
    match tokio::time::timeout(manners.limits.timeout, tls.accept(tcp)).await {
        Ok(Ok(stream)) => {
            let http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
            if let Ok(connection) = Connection::new(stream, id, caller) {
                let connection = Box::new(connection);
                match http2 {
                    true => manners.http2(connection, &app, shutdown).await,
                    false => manners.http1(connection, &app, shutdown, Duration::ZERO).await,
                }
            }
        }
        Ok(Err(error)) => tracing::debug!(peer = %address, %error, "TLS handshake failed"),
        Err(_) => tracing::debug!(peer = %address, "TLS handshake took too long"),
    }
}

/// Without TLS, the first bytes tell the protocol (RFC 9113 section 3.3).
async fn plain<A, S>(
    mut connection: Box<Connection<S>>,
    app: &Arc<A>,
    manners: &Manners,
    mut shutdown: ShutdownWatch,
) where
    A: HttpServerApp + Send + Sync + 'static,
    S: Transport,
{
    let began = Instant::now();
    if manners.h2c {
        let first = tokio::time::timeout(manners.limits.timeout, begins_http2(&mut connection));
        let http2 = tokio::select! {
            biased;
            first = first => first,
            () = told(&mut shutdown) => return,
        };
        match http2 {
            Ok(Some(true)) => return manners.http2(connection, app, shutdown).await,
            Ok(Some(false)) => {}
            // Nobody there, or too slow even for this.
            Ok(None) | Err(_) => return,
        }
    }
    let taken = if connection.ahead().is_empty() { Duration::ZERO } else { began.elapsed() };
    manners.http1(connection, app, shutdown, taken).await;
}

/// Whether the caller speaks HTTP/2; `None` if it leaves before that is clear.
async fn begins_http2<S: Transport>(connection: &mut Connection<S>) -> Option<bool> {
    loop {
        let ahead = connection.ahead();
        let common = ahead.iter().zip(super::HTTP2_PREFACE).take_while(|(a, b)| a == b).count();
        if common == super::HTTP2_PREFACE.len() || common < ahead.len() {
            return Some(common == super::HTTP2_PREFACE.len());
        }
        if !matches!(connection.read_ahead().await, Ok(1..)) {
            return None;
        }
    }
}

/// Connections that wait to be taken.
const BACKLOG: u32 = 4096;
/// After a connection could not be taken.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
