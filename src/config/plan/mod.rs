//! The configuration as meant: names resolved, defaults applied, nothing left to interpret.

mod address;
mod gateway;
mod issuer;
mod shared;
mod upstream;

pub(super) use address::is_host_name;
pub use address::{HostPort, Network};
pub use gateway::{AdminSettings, GatewaySettings, Limits, Listener, ListenerTls};
pub use issuer::{
    ClientCredentials, IntrospectionEndpoint, IssuerSettings, KeyLocation, KeySettings, SecretSource,
};
pub use shared::{SharedMode, SharedServer, SharedSettings};
pub use upstream::{HealthCheck, HostHeader, Protocol, Timeouts, UpstreamSettings, UpstreamTls};

use super::problems::Problems;
use crate::gate::Gate;
use crate::policy::Policy;
use std::time::Duration;

/// What one configuration file means.
///
/// Library and gateway read the same file: the library takes [`policy`](Self::policy), [`issuers`](Self::issuers) and
/// [`cache`](Self::cache), and leaves the rest alone.
#[derive(Debug)]
pub struct Plan {
    /// What is asked of requests.
    pub policy: Policy,
    /// How each issuer is reached, in the order of the file.
    pub issuers: Vec<IssuerSettings>,
    /// What is remembered, and how long.
    pub cache: CacheSettings,
    /// What is shared with other gateways; `None` if nothing is.
    pub shared: Option<SharedSettings>,
    /// The gateway's listeners and limits.
    pub gateway: GatewaySettings,
    /// Where the gateway sends admitted requests, in the order of the file; empty if the file is for the library alone.
    pub upstreams: Vec<UpstreamSettings>,
    /// What goes against advice, but is no error.
    pub warnings: Problems,
}

impl Plan {
    /// The upstream of this name.
    pub fn upstream(&self, name: &str) -> Option<&UpstreamSettings> {
        self.upstreams.iter().find(|upstream| *upstream.name == *name)
    }
}

/// What is remembered about tokens, and how long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CacheSettings {
    /// Memory for facts, in bytes.
    pub size: u64,
    /// The ceiling for any remembered token, even if it lives longer; `None` for none. With introspection, this is how
    /// long a revoked token may still be taken.
    pub max_lifetime: Option<Duration>,
    /// How many revocations are listed at most. One more is an error: nothing is dropped to make room.
    pub max_revocations: usize,
    /// How long a revocation is listed where the token's `exp` is not known: no shorter than the longest lifetime of a token.
    pub keep_revocations: Duration,
}

impl CacheSettings {
    /// 100,000 revocations: some 20 MiB.
    pub const DEFAULT_MAX_REVOCATIONS: usize = 100_000;
    /// 24 h: few access tokens live longer.
    pub const DEFAULT_KEEP_REVOCATIONS: Duration = Duration::from_secs(24 * 3_600);

    /// The gate's own default.
    pub const DEFAULT_SIZE: u64 = Gate::DEFAULT_CACHE_BYTES;
}

impl Default for CacheSettings {
    fn default() -> Self {
        Self {
            size: Self::DEFAULT_SIZE,
            max_lifetime: None,
            max_revocations: Self::DEFAULT_MAX_REVOCATIONS,
            keep_revocations: Self::DEFAULT_KEEP_REVOCATIONS,
        }
    }
}
