//! Starts the gateway, and stops it.

use super::admin::Admin;
use super::door::{Door, MAX_TRIES};
use super::http1::HeadLimits;
use super::listener::{Listener, Manners};
use super::request_id::RequestIds;
use super::tls::{self, TlsError};
use super::upstream::{InForce, SystemRoots, Upstreams};
use crate::config::{self, GatewaySettings, UpstreamSettings};
use crate::gate::{Gate, IssuerSources};
use crate::metrics::Metrics;
use crate::policy::Policy;
use crate::time::SystemClock;
use arc_swap::ArcSwap;
use pingora_core::apps::HttpServerOptions;
use pingora_core::protocols::http::v2::server::{H2Options, default_h2_options};
use pingora_core::server::configuration::ServerConf;
use pingora_proxy::HttpProxy;
use std::fmt;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// What a gateway is made of.
pub struct Setup {
    /// Listeners and limits.
    pub gateway: GatewaySettings,
    /// Where admitted requests go.
    pub upstreams: Vec<UpstreamSettings>,
    /// Who judges them.
    pub gate: Arc<Gate>,
    /// Who counts. To count what happens at the gate too, it must be the gate's observer.
    pub metrics: Option<Arc<Metrics>>,
}

/// A gateway whose sockets are bound, and which takes no connections yet.
pub struct Server {
    door: Arc<HttpProxy<Door>>,
    admin: Option<(Listener, Arc<Admin>)>,
    listeners: Vec<Listener>,
    addresses: Vec<SocketAddr>,
    admin_address: Option<SocketAddr>,
    upstreams: Handle,
    shutdown_grace: Duration,
}

impl Server {
    /// Binds the sockets, reads certificates and keys, finds the upstreams' addresses. Must be called in a tokio runtime.
    ///
    /// # Errors
    /// [`StartError`] for an address that can't be bound, or a file that can't be used.
    pub async fn bind(setup: Setup) -> Result<Self, StartError> {
        tls::install_provider();
        let Setup { gateway, upstreams, gate, metrics } = setup;
        if let Some(metrics) = &metrics {
            metrics.watch(&gate);
        }
        let keepalive: usize = upstreams.iter().map(|upstream| upstream.keepalive).sum();
        let with_system_roots = |upstream: &UpstreamSettings| {
            upstream.tls.as_ref().is_some_and(|settings| settings.ca_file.is_none())
        };
        let roots = match upstreams.iter().any(with_system_roots) {
            true => SystemRoots::Loaded,
            false => SystemRoots::OnDemand,
        };
        let upstreams = Upstreams::new(upstreams, &Upstreams::default(), roots)?;
        upstreams.start(&Upstreams::default()).await;
        let upstreams = Arc::new(ArcSwap::from_pointee(InForce::new(gate.policy(), upstreams)));
        let handle = Handle { gate: gate.clone(), upstreams, roots, reloading: Arc::default() };

        let listeners = gateway.listen.iter().map(|settings| listener(settings, &gateway, &metrics));
        let listeners: Vec<Listener> = listeners.collect::<Result<_, _>>()?;
        let addresses = listeners.iter().map(|listener| listener.address().map_err(StartError::Socket));
        let addresses = addresses.collect::<Result<_, _>>()?;
        let admin = match gateway.admin {
            Some(settings) => Some(admin_listener(settings.address, &gateway, &metrics)?),
            None => None,
        };
        let admin_address = admin.as_ref().and_then(|listener| listener.address().ok());
        let is_local = admin_address.is_some_and(|address| address.ip().is_loopback());
        let admin_app = Arc::new(Admin { gate: gate.clone(), metrics: metrics.clone(), is_local });
        let door = Door {
            gate,
            upstreams: handle.upstreams.clone(),
            limits: gateway.limits.clone(),
            ids: RequestIds::new(draw()?),
            metrics,
            clock: SystemClock::new(),
        };
        Ok(Self {
            door: Arc::new(proxy(door, keepalive, roots, &gateway)),
            admin: admin.map(|listener| (listener, admin_app)),
            listeners,
            addresses,
            admin_address,
            upstreams: handle,
            shutdown_grace: gateway.shutdown_grace,
        })
    }

    /// The addresses that requests come in at, in the order of the settings, with the ports that the system chose where the
    /// settings say 0.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// The operator's address.
    pub fn admin_address(&self) -> Option<SocketAddr> {
        self.admin_address
    }

    /// What it takes to put other upstreams in force while the server runs.
    pub fn handle(&self) -> Handle {
        self.upstreams.clone()
    }

    /// Serves until `stop` is ready. Then it takes no more connections, lets requests that are under way end for as long as
    /// the settings grant, and cuts off the rest.
    pub async fn run(self, stop: impl Future<Output = ()>) {
        let (tell, shutdown) = watch::channel(false);
        let mut serving = JoinSet::new();
        for listener in self.listeners {
            serving.spawn(listener.serve(self.door.clone(), shutdown.clone()));
        }
        // The operator may look until the end: its listener is stopped last.
        let (tell_admin, admin_shutdown) = watch::channel(false);
        let admin = self.admin.map(|(listener, app)| tokio::spawn(listener.serve(app, admin_shutdown)));
        // Every connection and every HTTP/2 request holds a copy; when the last is gone, all is done.
        drop(shutdown);
        for address in &self.addresses {
            tracing::info!(%address, "listening");
        }
        stop.await;
        tracing::info!(grace = ?self.shutdown_grace, "shutting down");
        let _ = tell.send(true);
        let ended = async {
            while serving.join_next().await.is_some() {}
            tell.closed().await;
        };
        if tokio::time::timeout(self.shutdown_grace, ended).await.is_err() {
            tracing::warn!("cutting off what is still under way");
        }
        drop(serving);
        let _ = tell_admin.send(true);
        if let Some(admin) = admin {
            admin.abort();
        }
    }

    /// Serves in the background, until it is told to stop.
    pub fn start(self) -> Running {
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let (addresses, admin_address, handle) = (self.addresses.clone(), self.admin_address, self.handle());
        // Dropping the sender stops it too.
        let task = tokio::spawn(self.run(async move { drop(stopped.await) }));
        Running { addresses, admin_address, handle, stop, task }
    }
}

/// A gateway that serves in the background. Dropping it stops it too, but does not wait.
pub struct Running {
    addresses: Vec<SocketAddr>,
    admin_address: Option<SocketAddr>,
    handle: Handle,
    stop: tokio::sync::oneshot::Sender<()>,
    task: tokio::task::JoinHandle<()>,
}

impl Running {
    /// The addresses that requests come in at.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// The operator's address.
    pub fn admin_address(&self) -> Option<SocketAddr> {
        self.admin_address
    }

    /// What it takes to put other upstreams in force.
    pub fn handle(&self) -> &Handle {
        &self.handle
    }

    /// Stops it, as [`Server::run`] says, and waits until it has.
    pub async fn stop(self) {
        drop(self.stop);
        // If it panicked, it has stopped.
        let _ = self.task.await;
    }
}

/// Puts another configuration in force while a server runs. Cloning it is cheap.
#[derive(Clone)]
pub struct Handle {
    gate: Arc<Gate>,
    upstreams: Arc<ArcSwap<InForce>>,
    roots: SystemRoots,
    reloading: Arc<tokio::sync::Mutex<()>>,
}

impl Handle {
    /// Puts upstreams, policy and issuers in force together, as [`Gate::replace`] does. A request that either policy permits goes to
    /// the upstreams of that one.
    ///
    /// Upstreams whose settings are unchanged keep their connections and what is known of their health. Nothing changes if
    /// there is an error.
    ///
    /// # Errors
    /// [`TlsError`] for a file that can't be used.
    pub async fn reload(
        &self,
        upstreams: Vec<UpstreamSettings>,
        policy: impl Into<Arc<Policy>>,
        issuers: Vec<IssuerSources>,
    ) -> Result<(), TlsError> {
        let _one_at_a_time = self.reloading.lock().await;
        let (before, policy) = (self.upstreams.load_full(), policy.into());
        let upstreams = Upstreams::new(upstreams, before.newest(), self.roots)?;
        upstreams.start(before.newest()).await;
        let after = InForce::new(policy.clone(), upstreams);
        self.upstreams.store(Arc::new(after.replacing(self.gate.policy(), before.newest().clone())));
        self.gate.replace(policy, issuers);
        self.upstreams.store(Arc::new(after));
        Ok(())
    }
}

/// A tokio runtime for a gateway: so many worker threads, or one per core.
///
/// # Errors
/// If the system gives no threads.
pub fn runtime(threads: Option<usize>) -> io::Result<tokio::runtime::Runtime> {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    if let Some(threads) = threads {
        builder.worker_threads(threads.max(1));
    }
    builder.enable_all().thread_name("tollgate").build()
}

/// Ready when the operator (Ctrl-C) or the system (SIGTERM) asks the program to stop.
///
/// # Errors
/// If the system does not let us listen for signals.
pub fn stop_signal() -> io::Result<impl Future<Output = ()> + Send> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

/// Why a gateway can't start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// An address can't be bound.
    #[error("can't listen at `{address}`: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// A certificate, key or root can't be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The system refuses something that it should not.
    #[error("the operating system refuses a socket's address: {0}")]
    Socket(io::Error),
    /// The system has no randomness to give.
    #[error("the operating system gives no random numbers")]
    Randomness,
}

fn listener(
    settings: &config::Listener,
    gateway: &GatewaySettings,
    metrics: &Option<Arc<Metrics>>,
) -> Result<Listener, StartError> {
    let manners = Manners {
        tls: settings.tls.as_ref().map(tls::acceptor).transpose()?,
        h2c: settings.h2c,
        limits: head_limits(gateway),
        trusted: gateway.trusted_proxies.clone(),
        metrics: metrics.clone(),
    };
    let address = settings.address;
    Listener::bind(address, manners).map_err(|source| StartError::Listen { address, source })
}

fn admin_listener(
    address: SocketAddr,
    gateway: &GatewaySettings,
    metrics: &Option<Arc<Metrics>>,
) -> Result<Listener, StartError> {
    let limits = head_limits(gateway);
    let manners = Manners { tls: None, h2c: false, limits, trusted: Vec::new(), metrics: metrics.clone() };
    Listener::bind(address, manners).map_err(|source| StartError::Listen { address, source })
}

fn head_limits(gateway: &GatewaySettings) -> HeadLimits {
    let limits = &gateway.limits;
    HeadLimits {
        timeout: limits.header_timeout,
        max_fields: limits.max_headers,
        max_bytes: limits.max_header_bytes,
    }
}

fn proxy(door: Door, keepalive: usize, roots: SystemRoots, gateway: &GatewaySettings) -> HttpProxy<Door> {
    let conf = ServerConf {
        // Multiplied with the next.
        threads: 1,
        upstream_keepalive_pool_size: keepalive.max(1),
        max_retries: MAX_TRIES,
        // Parsing the system's roots takes a while and a megabyte: not for nothing.
        ca_file: (roots == SystemRoots::OnDemand).then(|| NO_ROOTS.to_owned()),
        ..ServerConf::default()
    };
    let mut proxy = pingora_proxy::http_proxy(&Arc::new(conf), door);
    let mut options = HttpServerOptions::default();
    options.h2_idle_timeout = Some(HTTP2_IDLE);
    proxy.server_options = Some(options);
    proxy.h2_options = Some(http2_options(gateway));
    proxy
}

fn http2_options(gateway: &GatewaySettings) -> H2Options {
    let mut options = default_h2_options();
    options
        .max_concurrent_streams(gateway.limits.http2_streams)
        .max_header_list_size(u32::try_from(gateway.limits.max_header_bytes).unwrap_or(u32::MAX))
        // CVE-2023-44487 and its kin: streams that are opened to be reset.
        .max_concurrent_reset_streams(MAX_RESET_STREAMS)
        .max_pending_accept_reset_streams(MAX_RESET_STREAMS)
        .max_local_error_reset_streams(Some(MAX_ERROR_RESETS))
        .data_frame_budget(SMALL_FRAMES_BUDGET);
    options
}

fn draw() -> Result<[u8; 16], StartError> {
    let mut drawn = [0; 16];
    aws_lc_rs::rand::fill(&mut drawn).map_err(|_| StartError::Randomness)?;
    Ok(drawn)
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("addresses", &self.addresses).finish_non_exhaustive()
    }
}

impl fmt::Debug for Running {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Running").field("addresses", &self.addresses).finish_non_exhaustive()
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle").finish_non_exhaustive()
    }
}

impl fmt::Debug for Setup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Setup").field("gateway", &self.gateway).finish_non_exhaustive()
    }
}

/// An HTTP/2 connection without requests ends after this.
const HTTP2_IDLE: Duration = Duration::from_secs(60);
/// Streams that were reset and are not forgotten yet, per connection.
const MAX_RESET_STREAMS: usize = 20;
/// Streams that we reset because of what the caller did on them, per connection.
const MAX_ERROR_RESETS: usize = 256;
/// What small DATA frames may cost before they are read on, per connection: 256 bytes each, less what is in them. The messages of a gRPC stream
/// come as such frames, by the thousand if they are sent at once, and the window bounds their bytes. The library's own 32 KiB end the
/// connection after 130 of them.
const SMALL_FRAMES_BUDGET: usize = 2 * 1024 * 1024;
/// A file of roots with nothing in it.
const NO_ROOTS: &str = "/dev/null";
