//! What gateways share, and where.

use super::{HostPort, SecretSource};
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

/// The memory that several gateways share: Redis or Valkey. A build without the feature `redis` refuses it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SharedSettings {
    /// The servers: one, or in the other modes those to begin with. They are alike in TLS and database.
    pub servers: Vec<SharedServer>,
    /// What they are.
    pub mode: SharedMode,
    /// Our name there; `None` for `default`.
    pub username: Option<Box<str>>,
    /// Our password.
    pub password: Option<SecretSource>,
    /// PEM: the roots to trust in place of the system's.
    pub ca_file: Option<PathBuf>,
    /// PEM: our certificate with its chain, and its private key.
    pub certificate: Option<(PathBuf, PathBuf)>,
    /// The key that all gateways have in common: 32 bytes in base64.
    pub secret_key: SecretSource,
    /// A second one, while one replaces the other.
    pub other_secret_key: Option<SecretSource>,
    /// What our keys in Redis begin with.
    pub prefix: Box<str>,
    /// How long a request waits for Redis at most: 10 ms to 1 s.
    pub timeout: Duration,
    /// How long the start waits for what is revoked at most: up to 60 s.
    pub start_wait: Duration,
    /// Whether servers other than those at loopback addresses may be spoken to without TLS.
    pub insecure_plaintext: bool,
}

/// What the servers are.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum SharedMode {
    /// One server.
    #[default]
    Single,
    /// Nodes of a cluster.
    Cluster,
    /// Sentinels.
    Sentinel {
        /// The name of the master that they watch.
        master: Box<str>,
        /// Our name at the sentinels.
        username: Option<Box<str>>,
        /// Our password at the sentinels.
        password: Option<SecretSource>,
    },
}

/// A server, such as `rediss://redis.internal:6379/0`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SharedServer {
    /// Where.
    pub address: HostPort,
    /// Whether with TLS.
    pub tls: bool,
    /// The number of the database.
    pub database: u16,
}

impl SharedSettings {
    /// `tollgate`.
    pub const DEFAULT_PREFIX: &str = "tollgate";
    /// 100 ms: some hundred times what an answer takes, and little beside asking the issuer.
    pub const DEFAULT_TIMEOUT: Duration = Duration::from_millis(100);
    /// 5 s: Redis may start along with us.
    pub const DEFAULT_START_WAIT: Duration = Duration::from_secs(5);
}

impl SharedServer {
    /// Reads `redis://host:port/database`, or with `rediss` for TLS; `valkey` and `valkeys` mean the same. Port (6379) and database
    /// (0) may be left out. `None` if it is none.
    pub(in crate::config) fn parse(text: &str) -> Option<Self> {
        let (scheme, rest) = text.split_once("://")?;
        let tls = match scheme {
            "redis" | "valkey" => false,
            "rediss" | "valkeys" => true,
            _ => return None,
        };
        let (address, database) = rest.split_once('/').unwrap_or((rest, ""));
        let database = if database.is_empty() { 0 } else { database.parse().ok()? };
        let address =
            HostPort::parse(address).or_else(|| HostPort::parse(&format!("{address}:{DEFAULT_PORT}")))?;
        Some(Self { address, tls, database })
    }

    /// Whether nobody can listen on the way.
    pub(in crate::config) fn is_loopback(&self) -> bool {
        let host = self.address.host.as_str();
        host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
    }
}

impl fmt::Display for SharedServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}/{}", if self.tls { "rediss" } else { "redis" }, self.address, self.database)
    }
}

const DEFAULT_PORT: u16 = 6379;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers() {
        for (text, shown) in [
            ("redis://a", "redis://a:6379/0"),
            ("rediss://a.b:1/15", "rediss://a.b:1/15"),
            ("valkeys://[::1]", "rediss://[::1]:6379/0"),
            ("valkey://10.0.0.1:2/", "redis://10.0.0.1:2/0"),
        ] {
            assert_eq!(SharedServer::parse(text).unwrap().to_string(), shown);
        }
        for bad in
            ["", "a:1", "http://a", "redis://", "redis://a:0", "redis://a/x", "redis://u:p@a", "redis://a?x"]
        {
            assert_eq!(SharedServer::parse(bad), None, "{bad}");
        }
    }
}
