//! Keys and endpoints as the issuer's own metadata names them.

use super::jwks::fetch_keys;
use super::metadata::{Metadata, MetadataError, places};
use super::url::EndpointUrl;
use super::{Client, SetupError, failure};
use crate::gate::{BoxFuture, KeySource, SourceError, SourceErrorKind};
use bytes::Bytes;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// An issuer's metadata: OpenID Connect Discovery 1.0 section 4, RFC 8414 section 3.
///
/// 1. Each place is tried in turn: OpenID Connect's below the issuer's path, then RFC 8414's before it, then RFC 8414's below it. A
///    place that answers another status than 200, or with something else than metadata, is passed over.
/// 2. The document's `issuer` must be the configured one, byte for byte (RFC 8414 section 3.3).
/// 3. The URLs in it are held to the same rules as configured ones. Only an issuer on this machine may name URLs on this machine.
/// 4. The metadata is fetched again with each key set, at the same time, so that a `jwks_uri` that moves is followed. While the
///    metadata can't be had, the last known `jwks_uri` serves. Metadata that says something wrong stops both.
pub struct Discovery {
    client: Client,
    issuer: Box<str>,
    places: Vec<EndpointUrl>,
    known: Mutex<Known>,
    /// Held by the one who looks for the introspection endpoint.
    looking: tokio::sync::Mutex<()>,
}

/// What was found so far.
#[derive(Default)]
struct Known {
    /// The place that had metadata last; it is tried first.
    place: usize,
    jwks_uri: Option<Named>,
    introspection: Option<Named>,
    mtls_introspection: Option<Named>,
    /// The introspection endpoint seems to have moved.
    doubted: bool,
    /// When the introspection endpoint was looked for last, and in vain with what trouble.
    looked: Option<Duration>,
    trouble: Option<SourceError>,
}

/// A URL in the metadata, and where that was.
#[derive(Clone, PartialEq, Eq)]
struct Named {
    origin: EndpointUrl,
    url: Box<str>,
}

impl Discovery {
    /// The metadata at one of the issuer's well-known places.
    ///
    /// # Errors
    /// [`SetupError::Url`] if the client may not ask the issuer, [`SetupError::Tls`] if it could trust nobody there.
    pub fn of_issuer(client: Client, issuer: &str) -> Result<Self, SetupError> {
        client.configured(issuer)?;
        let places = places(issuer).iter().map(|place| client.configured(place)).collect::<Result<_, _>>()?;
        Ok(Self::new(client, issuer, places))
    }

    /// The metadata at this URL.
    ///
    /// # Errors
    /// As [`Discovery::of_issuer`].
    pub fn at(client: Client, issuer: &str, url: &str) -> Result<Self, SetupError> {
        let places = vec![client.configured(url)?];
        Ok(Self::new(client, issuer, places))
    }

    fn new(client: Client, issuer: &str, places: Vec<EndpointUrl>) -> Self {
        let (known, looking) = (Mutex::default(), tokio::sync::Mutex::default());
        Self { client, issuer: issuer.into(), places, known, looking }
    }

    /// The introspection endpoint, for a client that shows a certificate or not. It is remembered; while it is not known, it is looked
    /// for at most once in 5 s.
    pub(super) async fn introspection_endpoint(
        &self,
        asking: &Client,
        mtls: bool,
    ) -> Result<EndpointUrl, SourceError> {
        if self.known().doubted || self.known().endpoint(mtls).is_none() {
            let _looking = self.looking.lock().await;
            let now = self.client.clock().elapsed();
            if self.known().may_look(now) {
                let found = self.look(Need::Introspection).await;
                let mut known = self.known();
                known.doubted = false;
                known.trouble = found.err().map(|(_, error)| error);
            }
        }
        let known = self.known();
        match (known.endpoint(mtls), &known.trouble) {
            (Some(endpoint), _) => asking.named_by(&endpoint.origin, &endpoint.url),
            (None, Some(trouble)) => Err(trouble.clone()),
            (None, None) => {
                let told = format!("the metadata of `{}` is being looked for", self.issuer);
                Err(SourceError::new(SourceErrorKind::Timeout, told))
            }
        }
    }

    /// Tells that the introspection endpoint seems to have moved.
    pub(super) fn doubt(&self) {
        self.known().doubted = true;
    }

    async fn keys(&self) -> Result<Bytes, SourceError> {
        let last = self.known().jwks_uri.clone();
        let Some(last) = last else {
            let named = self.look(Need::Keys).await.map_err(|(_, error)| error)?;
            return self.fetch(&named).await;
        };
        // In time for the keys to be of use although the metadata hangs.
        let looking = tokio::time::timeout(self.client.timeout() / 2, self.look(Need::Keys));
        let (found, keys) = tokio::join!(looking, self.fetch(&last));
        match found {
            Ok(Ok(named)) if named != last => self.fetch(&named).await,
            Ok(Err((Trouble::Wrong, error))) => Err(error),
            Ok(Ok(_)) => keys,
            Ok(Err((_, error))) => {
                tracing::warn!(issuer = %self.issuer, %error, "the metadata can't be had; the last known `jwks_uri` serves");
                keys
            }
            Err(_) => {
                tracing::warn!(issuer = %self.issuer, "the metadata is slow; the last known `jwks_uri` serves");
                keys
            }
        }
    }

    async fn fetch(&self, named: &Named) -> Result<Bytes, SourceError> {
        fetch_keys(&self.client, &self.client.named_by(&named.origin, &named.url)?).await
    }

    /// Looks for metadata that names what is needed, and keeps what it names.
    async fn look(&self, need: Need) -> Result<Named, (Trouble, SourceError)> {
        let first = {
            let mut known = self.known();
            if need == Need::Introspection {
                known.looked = Some(self.client.clock().elapsed());
            }
            known.place
        };
        let others = (0..self.places.len()).filter(|place| *place != first);
        let mut worst: Option<(Trouble, SourceError)> = None;
        for index in std::iter::once(first).chain(others) {
            let Some(place) = self.places.get(index) else { continue };
            let trouble = match self.read(place).await {
                Ok(metadata) => match self.keep(index, place, &metadata, need) {
                    Some(named) => return Ok(named),
                    None => (Trouble::Lacking, failure::malformed(place, need.lacking())),
                },
                Err(trouble) => trouble,
            };
            // The other places are on the same host.
            let unreachable = matches!(trouble.1.kind(), SourceErrorKind::Connect | SourceErrorKind::Timeout);
            if worst.as_ref().is_none_or(|(worst, _)| *worst < trouble.0) {
                worst = Some(trouble);
            }
            if unreachable {
                break;
            }
        }
        Err(worst.unwrap_or_else(|| {
            (Trouble::Miss, SourceError::new(SourceErrorKind::Local, "there is no place for the metadata"))
        }))
    }

    /// Reads the metadata at one place.
    async fn read(&self, place: &EndpointUrl) -> Result<Metadata, (Trouble, SourceError)> {
        let answer = self.client.get(place, "application/json").await;
        let answer = answer.map_err(|error| (Trouble::Outage, error))?;
        let busy = answer.status.is_server_error() || answer.status.as_u16() == 429;
        let document = answer.document(place, self.client.now()).map_err(|error| {
            let trouble = if busy { Trouble::Outage } else { Trouble::Miss };
            (trouble, error)
        })?;
        let metadata = Metadata::read(&document).map_err(|error| match error {
            MetadataError::NotMetadata => {
                (Trouble::Miss, failure::malformed(place, "there is no metadata there"))
            }
            MetadataError::Malformed => {
                let told = "members of the metadata come twice, or are not what they should be";
                (Trouble::Wrong, failure::malformed(place, told))
            }
        })?;
        match metadata.issuer.as_deref() {
            Some(issuer) if *issuer == *self.issuer => Ok(metadata),
            other => {
                let (other, ours) = (other.unwrap_or_default(), &self.issuer);
                let told = format!(
                    "`{place}` is the metadata of `{}`, and not of `{ours}`; an issuer is written byte for byte as it writes itself",
                    failure::printable(other)
                );
                Err((Trouble::Wrong, SourceError::new(SourceErrorKind::Forbidden, told)))
            }
        }
    }

    /// Keeps what the metadata names. Returns what is needed of it.
    fn keep(&self, index: usize, place: &EndpointUrl, metadata: &Metadata, need: Need) -> Option<Named> {
        let named = |url: &Option<Box<str>>| Some(Named { origin: place.clone(), url: url.clone()? });
        let mut known = self.known();
        if let Some(endpoint) = named(&metadata.introspection_endpoint) {
            known.introspection = Some(endpoint);
            known.mtls_introspection = named(&metadata.mtls_introspection_endpoint);
            known.doubted = false;
        }
        if let Some(jwks_uri) = named(&metadata.jwks_uri) {
            known.jwks_uri = Some(jwks_uri);
            known.place = index;
        }
        named(match need {
            Need::Keys => &metadata.jwks_uri,
            Need::Introspection => &metadata.introspection_endpoint,
        })
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    fn endpoint(&self, mtls: bool) -> Option<&Named> {
        self.mtls_introspection.as_ref().filter(|_| mtls).or(self.introspection.as_ref())
    }

    /// Whether the introspection endpoint should be looked for: not if someone else has found it meanwhile, or has just tried.
    fn may_look(&self, now: Duration) -> bool {
        let wanted = self.doubted || self.introspection.is_none();
        wanted && self.looked.is_none_or(|looked| now.saturating_sub(looked) >= LOOK_EVERY)
    }
}

impl KeySource for Discovery {
    fn fetch(&self) -> BoxFuture<'_, Result<Bytes, SourceError>> {
        Box::pin(self.client.within(self.keys()))
    }
}

impl fmt::Debug for Discovery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Discovery")
            .field("issuer", &self.issuer)
            .field("places", &self.places)
            .finish_non_exhaustive()
    }
}

/// What the metadata is wanted for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Need {
    Keys,
    Introspection,
}

impl Need {
    fn lacking(self) -> &'static str {
        match self {
            Self::Keys => "the metadata names no `jwks_uri`; name it in `keys: {jwks_uri: …}`",
            Self::Introspection => {
                "the metadata names no `introspection_endpoint`; name it in `introspection: {endpoint: …}`"
            }
        }
    }
}

/// Why a place gave nothing, the least telling first: of several, the most telling is reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Trouble {
    /// There is no metadata there.
    Miss,
    /// There is, but it lacks what is needed.
    Lacking,
    /// Whether there is, can't be told now.
    Outage,
    /// There is metadata that must not be used.
    Wrong,
}

const LOOK_EVERY: Duration = Duration::from_secs(5);
