//! Where Redis is, who we are there, and with which key we seal.

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use std::fmt;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;
use zeroize::Zeroizing;

/// How the memory that gateways share is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedisSettings {
    /// The servers: one in single mode, one or more to begin with in the others.
    pub servers: Vec<Server>,
    /// What the servers are.
    pub mode: RedisMode,
    /// Our name (Redis ACL); `None` for `default`.
    pub username: Option<Box<str>>,
    /// Our password, read anew for each connection.
    pub password: Option<Secret>,
    /// What TLS needs beside the system's roots, for servers with `rediss://`.
    pub tls: RedisTls,
    /// The key that all gateways have in common: 32 bytes in base64, as `openssl rand -base64 32` makes them. Read once.
    pub key: Secret,
    /// A second such key, which opens notices but seals none: while one key replaces another, so that what was revoked under the
    /// old one stays revoked. First every gateway gets the new key here, then the two change places, then the old one goes.
    pub other_key: Option<Secret>,
    /// What our keys in Redis begin with: 1 to 64 letters, digits, `-`, `_`, `.` or `:`. Gateways share what they know if both key
    /// and prefix are the same. Default `tollgate`.
    pub prefix: Box<str>,
    /// How long a request may wait for an answer from Redis: well below the introspection timeout. Default 100 ms.
    pub timeout: Duration,
    /// How long [`RedisMemory::serve`](super::RedisMemory::serve) waits until what is revoked has been read. Default 5 s.
    pub start_wait: Duration,
    /// Whether a server that is not a loopback address may be spoken to without TLS. Then the password, and who asks when, can be
    /// read on the way, and notices held back; sealed values can't be read or forged all the same.
    pub insecure_plaintext: bool,
}

/// What the servers are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum RedisMode {
    /// One server.
    #[default]
    Single,
    /// Nodes of a cluster, which name the others.
    Cluster,
    /// Sentinels, which name the master of this name.
    Sentinel {
        /// The master's name.
        master: Box<str>,
        /// Our name at the sentinels themselves.
        username: Option<Box<str>>,
        /// Our password there.
        password: Option<Secret>,
    },
}

/// What TLS needs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RedisTls {
    /// PEM: the roots to trust, in place of the system's.
    pub ca_file: Option<PathBuf>,
    /// PEM: our certificate with its chain, and its private key.
    pub certificate: Option<(PathBuf, PathBuf)>,
}

impl RedisSettings {
    /// Default: 100 ms.
    pub const DEFAULT_TIMEOUT: Duration = Duration::from_millis(100);
    /// Default: 5 s.
    pub const DEFAULT_START_WAIT: Duration = Duration::from_secs(5);
    /// Default: `tollgate`.
    pub const DEFAULT_PREFIX: &str = "tollgate";

    /// One server, and the defaults.
    pub fn new(server: Server, key: Secret) -> Self {
        Self {
            servers: vec![server],
            mode: RedisMode::default(),
            username: None,
            password: None,
            tls: RedisTls::default(),
            key,
            other_key: None,
            prefix: Self::DEFAULT_PREFIX.into(),
            timeout: Self::DEFAULT_TIMEOUT,
            start_wait: Self::DEFAULT_START_WAIT,
            insecure_plaintext: false,
        }
    }

    /// Whether these settings make sense together. Nothing is read or connected to.
    ///
    /// # Errors
    /// The first [`SettingsError`] that is found.
    pub fn check(&self) -> Result<(), SettingsError> {
        let Some(first) = self.servers.first() else { return Err(SettingsError::NoServer) };
        if self.mode == RedisMode::Single && self.servers.len() > 1 {
            return Err(SettingsError::ManyServers);
        }
        if self.servers.iter().any(|server| server.tls != first.tls || server.database != first.database) {
            return Err(SettingsError::Unlike);
        }
        if self.mode == RedisMode::Cluster && first.database != 0 {
            return Err(SettingsError::ClusterDatabase);
        }
        let open = |server: &&Server| !server.tls && !server.is_loopback();
        if let Some(server) = self.servers.iter().find(open).filter(|_| !self.insecure_plaintext) {
            return Err(SettingsError::Plaintext(server.to_string()));
        }
        let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | ':');
        if !(1..=64).contains(&self.prefix.len()) || !self.prefix.chars().all(fits) {
            return Err(SettingsError::Prefix(self.prefix.to_string()));
        }
        Ok(())
    }
}

/// A server's address, with or without TLS, and the number of the database to use.
///
/// ```
/// use tollgate::shared::Server;
///
/// let server = Server::parse("rediss://redis.internal/2")?;
/// assert_eq!((server.host(), server.port(), server.tls()), ("redis.internal", 6379, true));
/// assert!(Server::parse("redis://:secret@redis.internal").is_err());
/// # Ok::<(), tollgate::shared::SettingsError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    host: Box<str>,
    port: u16,
    tls: bool,
    database: u16,
}

impl Server {
    /// Reads `redis://host:port/database`, or `rediss://` for TLS; `valkey://` and `valkeys://` mean the same. Port (6379) and
    /// database (0) may be left out. Credentials don't belong here.
    ///
    /// # Errors
    /// [`SettingsError::Server`] if it is none.
    pub fn parse(text: &str) -> Result<Self, SettingsError> {
        let read = || {
            let (scheme, rest) = text.split_once("://")?;
            let tls = match scheme {
                "redis" | "valkey" => false,
                "rediss" | "valkeys" => true,
                _ => return None,
            };
            let (authority, database) = rest.split_once('/').unwrap_or((rest, ""));
            let database = if database.is_empty() { 0 } else { database.parse().ok()? };
            let authority: http::uri::Authority = authority.parse().ok()?;
            let port = match authority.as_str().contains('@') {
                true => return None,
                false if authority.port().is_none() => {
                    (authority.host() == authority.as_str()).then_some(6379)?
                }
                false => authority.port_u16().filter(|port| *port != 0)?,
            };
            let host = authority.host();
            let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
            Some(Self { host: bare.into(), port, tls, database }).filter(|_| !bare.is_empty())
        };
        read()
            .ok_or_else(|| SettingsError::Server(text.split('@').next_back().unwrap_or_default().to_owned()))
    }

    /// The name or address, without brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Whether it is spoken to with TLS.
    pub fn tls(&self) -> bool {
        self.tls
    }

    /// The number of the database.
    pub fn database(&self) -> u16 {
        self.database
    }

    fn is_loopback(&self) -> bool {
        &*self.host == "localhost" || self.host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.tls { "rediss" } else { "redis" };
        let (open, close) = if self.host.contains(':') { ("[", "]") } else { ("", "") };
        write!(f, "{scheme}://{open}{}{close}:{}", self.host, self.port)
    }
}

/// A secret, or the file that holds it. A newline at its end is no part of it.
#[derive(Clone, PartialEq, Eq)]
pub enum Secret {
    /// The secret itself; wiped from memory when dropped.
    Value(Zeroizing<String>),
    /// Where it is.
    File(PathBuf),
}

impl Secret {
    pub(super) fn read(&self) -> Result<Zeroizing<String>, SettingsError> {
        match self {
            Self::Value(value) => Ok(value.clone()),
            Self::File(path) => {
                let text = std::fs::read_to_string(path).map(Zeroizing::new);
                let text = text.map_err(|error| SettingsError::unreadable(path, &error))?;
                Ok(Zeroizing::new(text.trim_end_matches(['\r', '\n']).to_owned()))
            }
        }
    }

    /// The 32 bytes that it is in base64, of either alphabet, padded or not.
    pub(crate) fn read_key(&self) -> Result<Zeroizing<[u8; 32]>, SettingsError> {
        let config = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
        let text = self.read()?;
        let alphabets = [alphabet::STANDARD, alphabet::URL_SAFE].iter();
        let mut decoded =
            alphabets.filter_map(|alphabet| GeneralPurpose::new(alphabet, config).decode(text.as_str()).ok());
        let bytes = Zeroizing::new(decoded.next().ok_or(SettingsError::Key)?);
        bytes.as_slice().try_into().map(Zeroizing::new).map_err(|_| SettingsError::Key)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Value(_) => f.write_str("Value(***)"),
            Self::File(path) => f.debug_tuple("File").field(path).finish(),
        }
    }
}

/// What is wrong with settings.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// Not a server.
    #[error("`{0}` is no server: write `rediss://host:port`, and credentials apart")]
    Server(String),
    /// No server.
    #[error("no server is named")]
    NoServer,
    /// Several servers, though not a cluster's and no sentinels.
    #[error("several servers are named: that takes the mode `cluster` or `sentinel`")]
    ManyServers,
    /// Servers with and without TLS, or with several databases.
    #[error("the servers differ in TLS or database: let them be alike")]
    Unlike,
    /// A database other than 0.
    #[error("a cluster has the database 0 alone: leave the number out")]
    ClusterDatabase,
    /// No TLS.
    #[error("`{0}` is spoken to without TLS: write `rediss://`, or allow it with `insecure_plaintext: true`")]
    Plaintext(String),
    /// Not a prefix.
    #[error("`{0}` is no prefix: take 1 to 64 letters, digits, `-`, `_`, `.` or `:`")]
    Prefix(String),
    /// Not a key.
    #[error("the key is not 32 bytes in base64: make one with `openssl rand -base64 32`")]
    Key,
    /// A file that can't be read.
    #[error("can't read `{0}`: {1}")]
    Unreadable(PathBuf, String),
}

impl SettingsError {
    pub(super) fn unreadable(path: &Path, error: &std::io::Error) -> Self {
        Self::Unreadable(path.to_owned(), error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(servers: &[&str]) -> RedisSettings {
        let servers: Vec<_> = servers.iter().map(|text| Server::parse(text).unwrap()).collect();
        let first = Server::parse("redis://localhost").unwrap();
        RedisSettings { servers, ..RedisSettings::new(first, Secret::File("key".into())) }
    }

    #[test]
    fn servers() {
        for (text, shown) in [
            ("redis://a", "redis://a:6379"),
            ("redis://a/", "redis://a:6379"),
            ("rediss://a.b:1/15", "rediss://a.b:1"),
            ("valkeys://[::1]:2", "rediss://[::1]:2"),
            ("valkey://10.0.0.1", "redis://10.0.0.1:6379"),
        ] {
            assert_eq!(Server::parse(text).unwrap().to_string(), shown);
        }
        let bad = [
            "",
            "a",
            "a:1",
            "http://a",
            "redis://",
            "redis:///0",
            "redis://a:0",
            "redis://a:65536",
            "redis://a:",
            "redis://a/x",
            "redis://a/0/1",
            "redis://a b",
            "redis://a#insecure",
            "redis://a?x=1",
            "redis://a/0#x",
        ];
        for text in bad {
            assert!(Server::parse(text).is_err(), "{text}");
        }
        let error = Server::parse("redis://user:hunter2@a").unwrap_err();
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }

    #[test]
    fn plaintext_is_for_loopback_unless_allowed_in_words() {
        for fine in ["redis://127.0.0.1", "redis://[::1]", "redis://localhost", "rediss://a"] {
            assert_eq!(settings(&[fine]).check(), Ok(()), "{fine}");
        }
        let mut open = settings(&["redis://10.0.0.1"]);
        assert!(matches!(open.check(), Err(SettingsError::Plaintext(_))));
        open.insecure_plaintext = true;
        assert_eq!(open.check(), Ok(()));
    }

    #[test]
    fn servers_fit_the_mode() {
        assert_eq!(settings(&[]).check(), Err(SettingsError::NoServer));
        let two = settings(&["rediss://a", "rediss://b"]);
        assert_eq!(two.check(), Err(SettingsError::ManyServers));
        assert_eq!(RedisSettings { mode: RedisMode::Cluster, ..two }.check(), Ok(()));
        let cluster = |servers| RedisSettings { mode: RedisMode::Cluster, ..settings(servers) };
        assert_eq!(cluster(&["rediss://a", "redis://localhost"]).check(), Err(SettingsError::Unlike));
        assert_eq!(cluster(&["rediss://a/1"]).check(), Err(SettingsError::ClusterDatabase));
        for prefix in ["", "a b", "a{b}", &"a".repeat(65)] {
            let settings = RedisSettings { prefix: prefix.into(), ..settings(&["rediss://a"]) };
            assert!(matches!(settings.check(), Err(SettingsError::Prefix(_))), "{prefix}");
        }
    }

    #[test]
    fn keys_are_32_bytes_in_base64() {
        let key = |text: &str| Secret::Value(Zeroizing::new(text.to_owned())).read_key().map(|key| *key);
        assert_eq!(key("//////////////////////////////////////////8="), Ok([255; 32]));
        assert_eq!(key("__________________________________________8"), Ok([255; 32]));
        for bad in ["", "secret", "AAAA", "//////////////////////////////////////////////8="] {
            assert_eq!(key(bad), Err(SettingsError::Key), "{bad}");
        }
        assert!(matches!(Secret::File("/nowhere".into()).read(), Err(SettingsError::Unreadable(..))));
    }
}
