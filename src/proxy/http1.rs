//! One HTTP/1 connection: head after head, each whole and in time before anything else sees it.

use super::CALLER_TIMEOUT;
use super::connection::{Connection, Transport};
use super::head::{Head, HeadScanner};
use super::listener::told;
use super::refusal::Refusal;
use pingora_core::apps::HttpServerApp;
use pingora_core::protocols::http::ServerSession;
use pingora_core::server::ShutdownWatch;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, Sleep};

/// What a caller may take, in bytes, lines and time.
#[derive(Clone, Copy, Debug)]
pub(super) struct HeadLimits {
    /// How long a head may take, from its first byte on.
    pub(super) timeout: Duration,
    /// Field lines.
    pub(super) max_fields: usize,
    /// Bytes.
    pub(super) max_bytes: usize,
}

/// Serves a connection until it ends, is idle for too long, or the server shuts down. If a head must be refused, the
/// connection comes back with the reason. Its first head may have begun before, so long ago as `taken` says.
pub(super) async fn serve<A, S>(
    app: &Arc<A>,
    mut connection: Box<Connection<S>>,
    limits: HeadLimits,
    shutdown: ShutdownWatch,
    taken: Duration,
) -> Option<(Box<Connection<S>>, Refusal)>
where
    A: HttpServerApp + Send + Sync + 'static,
    S: Transport,
{
    let mut leaving = shutdown.clone();
    // Made once: to wait for it is to stand in a queue, and it is waited for between any two requests.
    let mut shut_down = std::pin::pin!(told(&mut leaving));
    let mut idle = IdleWatch::new(limits.timeout);
    let mut left = limits.timeout.saturating_sub(taken);
    loop {
        let limits = HeadLimits { timeout: std::mem::replace(&mut left, limits.timeout), ..limits };
        let head = tokio::select! {
            biased;
            head = read_head(&mut connection, limits, &mut idle) => head,
            () = &mut shut_down => return None,
        };
        match head {
            Ok(Some(head)) => connection.admit(head.bytes, head.body),
            Ok(None) => return None,
            Err(refusal) => return Some((connection, refusal)),
        }
        let mut session = ServerSession::new_http1(connection);
        session.set_read_timeout(Some(CALLER_TIMEOUT));
        let (stream, _) = app.process_new_http(session, &shutdown).await?.consume();
        // What went in comes out.
        connection = stream.into_any().downcast().ok()?;
    }
}

/// Reads until a head is whole. `None` if the caller leaves without a word, or has nothing to say for too long.
///
/// Dropping the future loses nothing but time: what was read stays in the connection.
pub(super) async fn read_head<S: Transport>(
    connection: &mut Connection<S>,
    limits: HeadLimits,
    idle: &mut IdleWatch,
) -> Result<Option<Head>, Refusal> {
    let mut scanner = HeadScanner::new(limits.max_bytes, limits.max_fields);
    if connection.ahead().is_empty() {
        tokio::select! {
            biased;
            read = connection.read_ahead() => if !matches!(read, Ok(1..)) { return Ok(None) },
            () = idle.expired() => return Ok(None),
        }
    }
    idle.busy();
    // Most heads come in one piece, and need no clock.
    if let Some(head) = scanner.scan(connection.ahead())? {
        return Ok(Some(head));
    }
    let rest = async {
        loop {
            if !matches!(connection.read_ahead().await, Ok(1..)) {
                return Ok(None);
            }
            if let Some(head) = scanner.scan(connection.ahead())? {
                return Ok(Some(head));
            }
        }
    };
    tokio::time::timeout(limits.timeout, rest).await.unwrap_or(Err(Refusal::TooSlow))
}

/// Ends connections on which nothing is asked for a while.
///
/// One timer serves all requests of a connection: it is not set anew for each, but looks, when it fires, whether there was
/// one since the last time. So a connection is idle for one period at least, and for two at most.
pub(super) struct IdleWatch {
    timer: Pin<Box<Sleep>>,
    busy: bool,
}

impl IdleWatch {
    /// A watch over a connection that is new: its first request must begin within `first`.
    pub(super) fn new(first: Duration) -> Self {
        Self { timer: Box::pin(tokio::time::sleep(first)), busy: false }
    }

    fn busy(&mut self) {
        self.busy = true;
    }

    async fn expired(&mut self) {
        loop {
            self.timer.as_mut().await;
            if !std::mem::take(&mut self.busy) {
                return;
            }
            self.timer.as_mut().reset(Instant::now() + IDLE_PERIOD);
        }
    }
}

/// How long a connection may be idle at least.
const IDLE_PERIOD: Duration = Duration::from_secs(60);
