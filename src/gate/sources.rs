//! The seams where the world plugs in: where keys come from, and who is asked about opaque tokens.

use bytes::Bytes;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

/// A boxed future, as the seams return it.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Where an issuer's key set comes from.
///
/// The gate calls it once at start, and again when a token names a key that the set lacks: never twice at a time, and never
/// more often than the cool-down allows. It bounds neither time nor size: a source bounds its own.
///
/// ```
/// use bytes::Bytes;
/// use tollgate::gate::{BoxFuture, KeySource, SourceError};
///
/// struct Fixed(&'static str);
///
/// impl KeySource for Fixed {
///     fn fetch(&self) -> BoxFuture<'_, Result<Bytes, SourceError>> {
///         Box::pin(async { Ok(Bytes::from_static(self.0.as_bytes())) })
///     }
/// }
/// ```
pub trait KeySource: Send + Sync + 'static {
    /// Fetches the JWK set document.
    fn fetch(&self) -> BoxFuture<'_, Result<Bytes, SourceError>>;
}

/// Who is asked about opaque tokens: an issuer's introspection endpoint (RFC 7662).
///
/// The gate asks once for each token that it does not remember, however many requests present it at a time.
pub trait Introspect: Send + Sync + 'static {
    /// Asks about a token. The token is a secret, and must not be logged.
    fn introspect<'a>(&'a self, token: &'a str) -> BoxFuture<'a, Result<IntrospectionAnswer, SourceError>>;

    /// The name under which the question is asked: a signed answer's `aud` (RFC 9701 section 5).
    fn client_id(&self) -> &str;
}

/// What came back from an introspection endpoint.
#[derive(Clone, Debug)]
pub enum IntrospectionAnswer {
    /// A JSON document (RFC 7662 section 2.2).
    Json(Bytes),
    /// A signed answer (RFC 9701 section 5), in compact form.
    Signed(String),
    /// The endpoint said that this is no token that it can judge: not active, but no outage either.
    NotJudged,
}

/// Why a source gave nothing usable. It names neither tokens nor secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceError {
    kind: SourceErrorKind,
    message: Box<str>,
    retry_after: Option<Duration>,
}

impl SourceError {
    /// An error of this kind; the message is for the operator.
    pub fn new(kind: SourceErrorKind, message: impl Into<Box<str>>) -> Self {
        Self { kind, message: message.into(), retry_after: None }
    }

    /// The same, with the pause that the source asks for.
    #[must_use]
    pub fn with_retry_after(mut self, pause: Option<Duration>) -> Self {
        self.retry_after = pause;
        self
    }

    /// What kind of error it is.
    pub fn kind(&self) -> SourceErrorKind {
        self.kind
    }

    /// How long the source asks to be left alone (`Retry-After`).
    pub fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }
}

impl fmt::Display for SourceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind.name(), self.message)
    }
}

impl std::error::Error for SourceError {}

/// What kind of trouble a source is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SourceErrorKind {
    /// No connection, or one that broke.
    Connect,
    /// No answer in time.
    Timeout,
    /// A status other than 200.
    Status,
    /// A document beyond the limit.
    TooLarge,
    /// A document that is not what was asked for.
    Malformed,
    /// An answer about one token without a boolean `active`, or with a claim of the wrong type. The issuer is well: about other
    /// tokens it is asked on.
    Claims,
    /// It would not judge one token, and has judged no other of late: something may be wrong with that one, or with all. About others
    /// it is asked on.
    Unjudged,
    /// Refused by our own rules: plain HTTP, a private address, a redirect, another issuer's metadata.
    Forbidden,
    /// Our side of the exchange is not ready: an unreadable secret, for example.
    Local,
}

impl SourceErrorKind {
    /// A stable name, as metrics use it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::Timeout => "timeout",
            Self::Status => "status",
            Self::TooLarge => "too_large",
            Self::Malformed => "malformed",
            Self::Claims => "claims",
            Self::Unjudged => "unjudged",
            Self::Forbidden => "forbidden",
            Self::Local => "local",
        }
    }
}

/// A document that is there already, such as a key set from a file or a test.
///
/// ```
/// use tollgate::gate::StaticKeys;
///
/// let keys = StaticKeys::new(r#"{"keys":[]}"#);
/// ```
#[derive(Clone, Debug)]
pub struct StaticKeys(Bytes);

impl StaticKeys {
    /// A source that always gives this document.
    pub fn new(document: impl Into<Bytes>) -> Self {
        Self(document.into())
    }
}

impl KeySource for StaticKeys {
    fn fetch(&self) -> BoxFuture<'_, Result<Bytes, SourceError>> {
        let document = self.0.clone();
        Box::pin(async { Ok(document) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_tells_its_kind_by_a_stable_name_and_then_what_happened() {
        use SourceErrorKind::{
            Claims, Connect, Forbidden, Local, Malformed, Status, Timeout, TooLarge, Unjudged,
        };
        let kinds = [Connect, Timeout, Status, TooLarge, Malformed, Claims, Unjudged, Forbidden, Local];
        let names = [
            "connect",
            "timeout",
            "status",
            "too_large",
            "malformed",
            "claims",
            "unjudged",
            "forbidden",
            "local",
        ];
        assert_eq!(kinds.map(SourceErrorKind::name), names);
        let error = SourceError::new(Status, "it answered 503");
        assert_eq!((error.kind(), error.retry_after()), (Status, None));
        assert_eq!(error.to_string(), "status: it answered 503");
        let pause = Some(Duration::from_secs(7));
        assert_eq!(error.with_retry_after(pause).retry_after(), pause);
    }

    #[tokio::test]
    async fn static_keys_are_always_there() {
        let keys = StaticKeys::new("{}");
        assert_eq!((keys.fetch().await, keys.fetch().await), (Ok("{}".into()), Ok("{}".into())));
    }
}
