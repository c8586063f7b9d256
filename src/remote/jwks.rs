//! Keys at a fixed URL.

use super::url::EndpointUrl;
use super::{Client, SetupError};
use crate::gate::{BoxFuture, KeySource, SourceError};
use bytes::Bytes;

/// The key set at a configured `jwks_uri` (RFC 7517 section 5).
#[derive(Clone, Debug)]
pub struct JwksUri {
    client: Client,
    url: EndpointUrl,
}

impl JwksUri {
    /// The key set at this URL.
    ///
    /// # Errors
    /// [`SetupError::Url`] if the client may not ask it, [`SetupError::Tls`] if it could trust nobody there.
    pub fn new(client: Client, url: &str) -> Result<Self, SetupError> {
        Ok(Self { url: client.configured(url)?, client })
    }
}

impl KeySource for JwksUri {
    fn fetch(&self) -> BoxFuture<'_, Result<Bytes, SourceError>> {
        Box::pin(self.client.within(fetch_keys(&self.client, &self.url)))
    }
}

/// Fetches a key set. What is in it is judged by whoever reads it, not by what it is said to be: object stores and the like
/// serve it under all kinds of names.
pub(super) async fn fetch_keys(client: &Client, url: &EndpointUrl) -> Result<Bytes, SourceError> {
    let answer = client.get(url, "application/jwk-set+json, application/json").await?;
    answer.document(url, client.now())
}
