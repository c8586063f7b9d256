//! Where admitted requests go: upstreams by name, each with its addresses, which are taken in turn.

mod health;
mod resolve;
mod rewrite;

pub(super) use rewrite::Rewrite;

use super::tls::{self, TlsError};
use crate::config::{HostHeader, HostPort, Protocol, UpstreamSettings};
use crate::policy::{Handling, Map, Policy};
use arc_swap::ArcSwap;
use http::HeaderValue;
use pingora_core::protocols::ALPN;
use pingora_core::upstreams::peer::{HttpPeer, HttpUpstreamRequestPolicy};
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

/// All upstreams, by name.
#[derive(Debug, Default)]
pub(super) struct Upstreams {
    by_name: Map<Box<str>, Arc<Upstream>>,
    /// The only one, to which routes go that name none.
    only: Option<Arc<Upstream>>,
}

impl Upstreams {
    /// The upstreams of a configuration. One whose settings are the same as before is kept, with what is known of its health
    /// and with its connections.
    ///
    /// # Errors
    /// [`TlsError`] for what can't be used in their settings.
    pub(super) fn new(
        settings: Vec<UpstreamSettings>,
        before: &Self,
        roots: SystemRoots,
    ) -> Result<Self, TlsError> {
        let mut by_name = Map::default();
        for settings in settings {
            let kept = before.by_name.get(&settings.name).filter(|known| known.settings == settings);
            let upstream = match kept {
                Some(kept) => kept.clone(),
                None => Arc::new(Upstream::new(settings, roots)?),
            };
            by_name.insert(upstream.settings.name.clone(), upstream);
        }
        let mut all = by_name.values();
        let only = all.next().filter(|_| all.next().is_none()).cloned();
        Ok(Self { by_name, only })
    }

    /// The upstream that a route's requests go to.
    pub(super) fn of(&self, handling: &Handling) -> Option<&Arc<Upstream>> {
        match &handling.upstream {
            Some(name) => self.by_name.get(name),
            None => self.only.as_ref(),
        }
    }

    /// Finds their addresses, and begins to ask whether they are well. Those that were there before are left alone.
    pub(super) async fn start(&self, before: &Self) {
        let mut starting = tokio::task::JoinSet::new();
        for (name, upstream) in &self.by_name {
            if before.by_name.get(name).is_some_and(|known| Arc::ptr_eq(known, upstream)) {
                continue;
            }
            let upstream = upstream.clone();
            starting.spawn(async move {
                resolve::start(&upstream).await;
                health::start(&upstream);
            });
        }
        starting.join_all().await;
    }
}

/// The upstreams of the policy in force: what one policy has permitted goes nowhere that only another speaks of.
#[derive(Debug)]
pub(super) struct InForce {
    policy: Arc<Policy>,
    upstreams: Arc<Upstreams>,
    /// Those of the policy that this one is replacing, for the moment in which either may have judged a request.
    before: Option<(Arc<Policy>, Arc<Upstreams>)>,
}

impl InForce {
    pub(super) fn new(policy: Arc<Policy>, upstreams: Upstreams) -> Self {
        Self { policy, upstreams: Arc::new(upstreams), before: None }
    }

    /// The upstreams of the newest policy.
    pub(super) fn newest(&self) -> &Arc<Upstreams> {
        &self.upstreams
    }

    /// The same while another policy, whose requests go to these upstreams, is being replaced by its own.
    pub(super) fn replacing(&self, policy: Arc<Policy>, upstreams: Arc<Upstreams>) -> Self {
        let before = Some((policy, upstreams));
        Self { policy: self.policy.clone(), upstreams: self.upstreams.clone(), before }
    }

    /// The upstreams of a policy, unless it is no longer, or not yet, one of these.
    pub(super) fn of(&self, policy: &Arc<Policy>) -> Option<&Arc<Upstreams>> {
        if Arc::ptr_eq(&self.policy, policy) {
            return Some(&self.upstreams);
        }
        let before = self.before.as_ref().filter(|(known, _)| Arc::ptr_eq(known, policy));
        before.map(|(_, upstreams)| upstreams)
    }
}

/// Where the system's roots of trust are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SystemRoots {
    /// In the connector, from the start.
    Loaded,
    /// Nowhere yet: nobody needed them.
    OnDemand,
}

/// One upstream.
pub(super) struct Upstream {
    settings: UpstreamSettings,
    rewrite: Rewrite,
    /// The `Host` that it sees instead of the caller's.
    host: Option<HeaderValue>,
    /// What all connections to it have in common; the address is a placeholder.
    template: HttpPeer,
    targets: ArcSwap<Vec<Arc<Target>>>,
    turn: AtomicUsize,
}

/// An address of an upstream.
#[derive(Debug)]
pub(super) struct Target {
    /// As the settings name it.
    written: HostPort,
    address: SocketAddr,
    peer: HttpPeer,
    /// The `Host` that stands for it, if the upstream wants to see its own address.
    host: Option<HeaderValue>,
    /// Whether it is well, as far as is known.
    well: AtomicBool,
}

impl Upstream {
    fn new(settings: UpstreamSettings, roots: SystemRoots) -> Result<Self, TlsError> {
        let host = match &settings.host {
            HostHeader::Literal(host) => HeaderValue::from_str(host).ok(),
            HostHeader::Preserve | HostHeader::Upstream => None,
        };
        Ok(Self {
            rewrite: Rewrite::new(settings.strip_prefix.as_deref(), settings.add_prefix.as_deref()),
            host,
            template: template(&settings, roots)?,
            targets: ArcSwap::default(),
            turn: AtomicUsize::new(0),
            settings,
        })
    }

    /// Its name in the configuration.
    pub(super) fn name(&self) -> &str {
        &self.settings.name
    }

    /// How the target is changed on its way there.
    pub(super) fn rewrite(&self) -> &Rewrite {
        &self.rewrite
    }

    /// Whether HTTP/2 is spoken to it.
    pub(super) fn is_http2(&self) -> bool {
        self.settings.protocol == Protocol::Http2
    }

    /// The `Host` that it sees, if it is not the caller's.
    pub(super) fn host<'a>(&'a self, target: &'a Target) -> Option<&'a HeaderValue> {
        self.host.as_ref().or(target.host.as_ref())
    }

    /// The next turn. A request takes one, and keeps it when it has to try again.
    pub(super) fn next_turn(&self) -> usize {
        self.turn.fetch_add(1, Ordering::Relaxed)
    }

    /// How many addresses there are to try.
    pub(super) fn addresses(&self) -> usize {
        self.targets.load().len()
    }

    /// The address whose turn it is, or the next one that is well. If none is, the address whose turn it is after all: a
    /// health page that is broken must not take down what works. `None` if no address is known.
    pub(super) fn target(&self, turn: usize) -> Option<Arc<Target>> {
        let targets = self.targets.load();
        let at = |offset: usize| targets.get(turn.wrapping_add(offset) % targets.len());
        let mut offsets = 0..targets.len();
        let well = offsets.find_map(|offset| at(offset).filter(|target| target.is_well()));
        well.or_else(|| (!targets.is_empty()).then(|| at(0)).flatten()).cloned()
    }
}

impl Target {
    fn new(upstream: &Upstream, written: &HostPort, address: SocketAddr) -> Self {
        let mut peer = upstream.template.clone();
        peer._address = address.into();
        if upstream.settings.tls.is_some() && peer.sni.is_empty() {
            peer.sni = written.host.clone();
        }
        let shown = (upstream.settings.host == HostHeader::Upstream).then(|| written.to_string());
        Self {
            written: written.clone(),
            address,
            peer,
            host: shown.and_then(|host| HeaderValue::try_from(host).ok()),
            well: AtomicBool::new(true),
        }
    }

    /// What pingora needs to connect to it.
    pub(super) fn peer(&self) -> &HttpPeer {
        &self.peer
    }

    /// Its address.
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    fn is_well(&self) -> bool {
        self.well.load(Ordering::Relaxed)
    }

    fn set_well(&self, well: bool) {
        self.well.store(well, Ordering::Relaxed);
    }
}

impl fmt::Debug for Upstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upstream").field("settings", &self.settings).finish_non_exhaustive()
    }
}

/// The connections to an upstream, apart from their address.
fn template(settings: &UpstreamSettings, roots: SystemRoots) -> Result<HttpPeer, TlsError> {
    /// Upstreams never share connections, even at one address: each has its own idea of whom it trusts.
    static GROUP: AtomicU64 = AtomicU64::new(1);

    let placeholder = SocketAddr::from(([127, 0, 0, 1], 0));
    let mut peer = HttpPeer::new(placeholder, settings.tls.is_some(), String::new());
    peer.group_key = GROUP.fetch_add(1, Ordering::Relaxed);
    if let Some(written) = &settings.tls {
        // Without a name, pingora would not check the certificate at all: the address's host is set for each target. Names
        // with `_` it would change before checking them.
        peer.sni = written.server_name.as_deref().unwrap_or_default().to_owned();
        let hosts = settings.addresses.iter().map(|address| address.host.as_str());
        let mut names =
            written.server_name.as_deref().map_or_else(|| hosts.collect(), |name| vec![name]).into_iter();
        if let Some(name) = names.find(|name| name.is_empty() || name.contains('_')) {
            return Err(TlsError::Name(name.into()));
        }
        let client = tls::client(written)?;
        let on_demand = || (roots == SystemRoots::OnDemand).then(tls::system_roots).flatten();
        peer.options.ca = client.roots.or_else(on_demand);
        peer.client_cert_key = client.identity;
    }
    let (options, timeouts) = (&mut peer.options, &settings.timeouts);
    options.alpn = match settings.protocol {
        Protocol::Http1 => ALPN::H1,
        Protocol::Http2 => ALPN::H2,
    };
    options.max_h2_streams = MAX_HTTP2_STREAMS;
    options.connection_timeout = Some(timeouts.connect);
    options.total_connection_timeout = Some(timeouts.connect);
    options.read_timeout = Some(timeouts.read);
    options.write_timeout = Some(timeouts.write);
    options.idle_timeout = Some(timeouts.idle);
    // `forward.rs` does what this would do, and more, in one pass for both protocols.
    options.http_upstream_request_policy = HttpUpstreamRequestPolicy::preserve();
    Ok(peer)
}

/// Requests at once on one connection, unless the upstream allows fewer.
const MAX_HTTP2_STREAMS: usize = 100;

#[cfg(test)]
mod tests;
