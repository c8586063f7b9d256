//! The line to Redis: the one file that names `redis`.

use super::settings::{RedisMode, RedisSettings, Server, SettingsError};
use futures_util::StreamExt;
use redis::aio::{MultiplexedConnection, PubSub, PubSubSink, PubSubStream};
use redis::cluster::ClusterClient;
use redis::cluster_async::ClusterConnection;
use redis::sentinel::{SentinelClientBuilder, SentinelServerType};
use redis::{
    AsyncConnectionConfig, Client, ClientTlsConfig, Cmd, ConnectionAddr, FromRedisValue, IntoConnectionInfo,
    RedisConnectionInfo, RedisError, RedisResult, TlsCertificates, TlsMode,
};
use std::future::Future;
use std::time::Duration;

/// Commands on one connection, and messages on another.
pub(super) struct Line {
    pub(super) commands: Commands,
    pub(super) messages: Messages,
}

/// The few commands that are used. Cloning it makes another handle to the same connection.
#[derive(Clone)]
pub(super) enum Commands {
    /// To one server, or to the master that sentinels named.
    One(MultiplexedConnection),
    /// To whichever node has the key.
    Cluster(ClusterConnection),
}

/// What others publish.
pub(super) struct Messages {
    sink: PubSubSink,
    stream: PubSubStream,
}

/// Why something came to nothing. It names no secret.
#[derive(Debug, thiserror::Error)]
pub(super) enum LineError {
    #[error("{0}")]
    Redis(#[from] RedisError),
    #[error(transparent)]
    Settings(#[from] SettingsError),
    #[error("no answer within {0:?}")]
    Timeout(Duration),
    #[error("the connection was closed")]
    Closed,
    #[error("several commands in a row failed")]
    Failing,
}

impl LineError {
    /// Whether the connection is of no use any more.
    pub(super) fn is_fatal(&self) -> bool {
        match self {
            Self::Redis(error) => error.is_io_error() || error.is_connection_dropped(),
            Self::Closed => true,
            Self::Timeout(_) | Self::Settings(_) | Self::Failing => false,
        }
    }
}

impl Line {
    /// Connects, and subscribes to `channel`.
    pub(super) async fn connect(settings: &RedisSettings, channel: &str) -> Result<Self, LineError> {
        // One server after the other may be tried.
        let patience = CONNECT.saturating_mul(1 + u32::try_from(settings.servers.len()).unwrap_or(u32::MAX));
        within(patience, async {
            let place = Place::of(settings)?;
            let (commands, mut messages) = match &settings.mode {
                RedisMode::Single => one(place.client(settings.servers.first())?).await?,
                RedisMode::Sentinel { .. } => one(place.master(settings).await?).await?,
                RedisMode::Cluster => place.cluster(settings).await?,
            };
            messages.subscribe(channel).await?;
            let (sink, stream) = messages.split();
            Ok(Self { commands, messages: Messages { sink, stream } })
        })
        .await
    }
}

impl Messages {
    /// The next message.
    pub(super) async fn next(&mut self) -> Result<Vec<u8>, LineError> {
        self.stream.next().await.map(|message| message.get_payload_bytes().to_vec()).ok_or(LineError::Closed)
    }

    /// Whether the other side is still there.
    pub(super) async fn ping(&mut self) -> Result<(), LineError> {
        within(PING, async { Ok(self.sink.ping::<redis::Value>().await.map(drop)?) }).await
    }
}

impl Commands {
    /// At most `limit` bytes of a value; none if there is no such key, or something else under it.
    pub(super) async fn get(&self, key: &str, limit: usize) -> Result<Vec<u8>, LineError> {
        match self.run(redis::cmd("GETRANGE").arg(key).arg(0).arg(limit.saturating_sub(1))).await {
            Err(LineError::Redis(error)) if error.code() == Some("WRONGTYPE") => Ok(Vec::new()),
            got => got,
        }
    }

    pub(super) async fn set(&self, key: &str, value: &[u8], keep: Duration) -> Result<(), LineError> {
        self.run(redis::cmd("SET").arg(key).arg(value).arg("PX").arg(millis(keep))).await
    }

    /// Adds to a sorted set.
    pub(super) async fn add(
        &self,
        key: &str,
        entries: impl Iterator<Item = (u64, &[u8])>,
    ) -> Result<(), LineError> {
        let mut add = redis::cmd("ZADD");
        add.arg(key);
        for (score, member) in entries {
            add.arg(score).arg(member);
        }
        within(LISTS, self.run(&add)).await
    }

    /// Lets all of a key end after this time.
    pub(super) async fn expire(&self, key: &str, keep: Duration) -> Result<(), LineError> {
        within(LISTS, self.run(redis::cmd("PEXPIRE").arg(key).arg(millis(keep)))).await
    }

    /// A page of a sorted set, from the score `from` on.
    pub(super) async fn page(
        &self,
        key: &str,
        from: u64,
        offset: usize,
        count: usize,
    ) -> Result<Vec<Vec<u8>>, LineError> {
        let mut page = redis::cmd("ZRANGEBYSCORE");
        within(LISTS, self.run(page.arg(key).arg(from).arg("+inf").arg("LIMIT").arg(offset).arg(count))).await
    }

    /// How many members of a sorted set have at least the score `from`.
    pub(super) async fn count(&self, key: &str, from: u64) -> Result<usize, LineError> {
        within(LISTS, self.run(redis::cmd("ZCOUNT").arg(key).arg(from).arg("+inf"))).await
    }

    /// Removes what has a score of at most `to` from a sorted set.
    pub(super) async fn remove(&self, key: &str, to: u64) -> Result<(), LineError> {
        within(LISTS, self.run(redis::cmd("ZREMRANGEBYSCORE").arg(key).arg("-inf").arg(to))).await
    }

    pub(super) async fn publish(&self, channel: &str, message: &[u8]) -> Result<(), LineError> {
        within(LISTS, self.run(redis::cmd("PUBLISH").arg(channel).arg(message))).await
    }

    async fn run<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, LineError> {
        Ok(match self {
            Self::One(connection) => command.query_async(&mut connection.clone()).await?,
            Self::Cluster(connection) => command.query_async(&mut connection.clone()).await?,
        })
    }
}

/// Who we are, and whom we trust: read anew for each connection.
struct Place {
    login: RedisConnectionInfo,
    certificates: TlsCertificates,
}

impl Place {
    fn of(settings: &RedisSettings) -> Result<Self, LineError> {
        let database = settings.servers.first().map_or(0, Server::database);
        // What the library is called is nobody's business, and one command less.
        let login = RedisConnectionInfo::default().set_db(database.into()).set_skip_set_lib_name();
        let login = settings.username.iter().fold(login, |login, name| login.set_username(name));
        let password = settings.password.as_ref().map(|password| password.read()).transpose()?;
        let login = password.iter().fold(login, |login, password| login.set_password(password.as_str()));
        let read =
            |path: &std::path::PathBuf| std::fs::read(path).map_err(|e| SettingsError::unreadable(path, &e));
        let client_tls = match &settings.tls.certificate {
            Some((certificate, key)) => {
                Some(ClientTlsConfig { client_cert: read(certificate)?, client_key: read(key)? })
            }
            None => None,
        };
        let root_cert = settings.tls.ca_file.as_ref().map(read).transpose()?;
        if settings.servers.iter().any(Server::tls) {
            choose_cryptography();
        }
        Ok(Self { login, certificates: TlsCertificates { client_tls, root_cert } })
    }

    fn client(&self, server: Option<&Server>) -> Result<Client, LineError> {
        let server = server.ok_or(SettingsError::NoServer)?;
        let info = address(server).into_connection_info()?.set_redis_settings(self.login.clone());
        Ok(match server.tls() {
            true => Client::build_with_tls(info, self.certificates.clone())?,
            false => Client::open(info)?,
        })
    }

    /// The master that the sentinels name.
    async fn master(&self, settings: &RedisSettings) -> Result<Client, LineError> {
        let RedisMode::Sentinel { master, username, password } = &settings.mode else {
            return self.client(settings.servers.first());
        };
        let sentinels = settings.servers.iter().map(address);
        let mut builder = SentinelClientBuilder::new(sentinels, master, SentinelServerType::Master)?
            .set_client_to_redis_db(self.login.db());
        if let Some(name) = self.login.username() {
            builder = builder.set_client_to_redis_username(name);
        }
        if let Some(password) = self.login.password() {
            builder = builder.set_client_to_redis_password(password);
        }
        if let Some(name) = username {
            builder = builder.set_client_to_sentinel_username(name);
        }
        if let Some(password) = password {
            builder = builder.set_client_to_sentinel_password(password.read()?.as_str());
        }
        if settings.servers.iter().any(Server::tls) {
            builder = builder
                .set_client_to_redis_tls_mode(TlsMode::Secure)
                .set_client_to_redis_certificates(self.certificates.clone())
                .set_client_to_sentinel_certificates(self.certificates.clone());
        }
        Ok(builder.build()?.async_get_client().await?)
    }

    /// Commands to all nodes, and messages from whichever lets us subscribe first: each node passes on what any is told.
    async fn cluster(&self, settings: &RedisSettings) -> Result<(Commands, PubSub), LineError> {
        let nodes = settings
            .servers
            .iter()
            .map(|server| Ok(address(server).into_connection_info()?.set_redis_settings(self.login.clone())));
        let nodes = nodes.collect::<RedisResult<Vec<_>>>()?;
        // We have our own patience: `recall` gives up first, and the keeper begins anew.
        let mut builder =
            ClusterClient::builder(nodes).connection_timeout(CONNECT).response_timeout(LISTS).retries(1);
        if settings.servers.iter().any(Server::tls) {
            builder = builder.certs(self.certificates.clone());
        }
        let commands = Commands::Cluster(builder.build()?.get_async_connection().await?);
        let mut refused = LineError::Closed;
        for server in &settings.servers {
            let client = self.client(Some(server))?;
            match within(CONNECT, async { Ok(client.get_async_pubsub().await?) }).await {
                Ok(messages) => return Ok((commands, messages)),
                Err(error) => refused = error,
            }
        }
        Err(refused)
    }
}

async fn one(client: Client) -> Result<(Commands, PubSub), LineError> {
    // Each use of the connection bounds its own time.
    let config =
        AsyncConnectionConfig::new().set_connection_timeout(Some(CONNECT)).set_response_timeout(None);
    let commands = client.get_multiplexed_async_connection_with_config(&config).await?;
    Ok((Commands::One(commands), client.get_async_pubsub().await?))
}

fn address(server: &Server) -> ConnectionAddr {
    let (host, port) = (server.host().to_owned(), server.port());
    match server.tls() {
        true => ConnectionAddr::TcpTls { host, port, insecure: false, tls_params: None },
        false => ConnectionAddr::Tcp(host, port),
    }
}

/// `redis` takes the process's default cryptography, and panics if there is none. Whoever has chosen one keeps it.
fn choose_cryptography() {
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        // Somebody else may just have chosen.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    }
}

async fn within<T>(
    limit: Duration,
    work: impl Future<Output = Result<T, LineError>>,
) -> Result<T, LineError> {
    tokio::time::timeout(limit, work).await.unwrap_or(Err(LineError::Timeout(limit)))
}

fn millis(keep: Duration) -> u64 {
    u64::try_from(keep.as_millis()).unwrap_or(u64::MAX).clamp(1, LONGEST)
}

/// How long it may take to connect to a server.
const CONNECT: Duration = Duration::from_secs(2);
/// How long a command about lists may take. No request waits for it.
const LISTS: Duration = Duration::from_secs(2);
/// How long the answer to a ping may take.
const PING: Duration = Duration::from_secs(1);
/// The longest time that Redis is told to keep something, in milliseconds: 100 years.
const LONGEST: u64 = 100 * 366 * 24 * 3_600_000;
