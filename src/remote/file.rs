//! Keys in a file.

use super::SetupError;
use super::client::MAX_BODY;
use super::watched::contents;
use crate::gate::{BoxFuture, KeySource, SourceError, SourceErrorKind};
use crate::proof::KeySet;
use bytes::Bytes;
use std::path::PathBuf;
use std::time::Duration;

/// The key set in a file (RFC 7517 section 5). It is read again at each fetch: when a token names a key that the set lacks, or the
/// set reaches its `max_age`.
#[derive(Clone, Debug)]
pub struct JwksFile {
    path: PathBuf,
}

impl JwksFile {
    /// The key set in this file, of at most 256 KiB.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// The same, if there is a key in it now that can be used.
    ///
    /// # Errors
    /// [`SetupError::File`] if there is none.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, SetupError> {
        let file = Self::new(path);
        let document = contents(&file.path, MAX_BODY)
            .map_err(|error| SetupError::file(&file.path, error.to_string()))?;
        KeySet::from_json(&document).map_err(|error| SetupError::file(&file.path, error.to_string()))?;
        Ok(file)
    }
}

impl KeySource for JwksFile {
    fn fetch(&self) -> BoxFuture<'_, Result<Bytes, SourceError>> {
        let path = self.path.clone();
        let unreadable = |reason: String| {
            let told = format!("`{}` can't be read: {reason}", self.path.display());
            SourceError::new(SourceErrorKind::Local, told)
        };
        Box::pin(async move {
            // A file on a network may hang; then a thread does, and not the runtime.
            let reading = tokio::task::spawn_blocking(move || contents(&path, MAX_BODY));
            match tokio::time::timeout(PATIENCE, reading).await {
                Ok(Ok(Ok(bytes))) => Ok(Bytes::copy_from_slice(&bytes)),
                Ok(Ok(Err(error))) => Err(unreadable(error.to_string())),
                Ok(Err(_)) => Err(unreadable("reading it was broken off".into())),
                Err(_) => Err(unreadable(format!("it took longer than {PATIENCE:?}"))),
            }
        })
    }
}

const PATIENCE: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn each_fetch_reads_the_file() {
        let path = std::env::temp_dir().join(format!("tollgate-jwks-{}", std::process::id()));
        let keys = JwksFile::new(&path);
        assert_eq!(keys.fetch().await.unwrap_err().kind(), SourceErrorKind::Local);
        for document in ["{}", r#"{"keys":[]}"#] {
            std::fs::write(&path, document).unwrap();
            assert_eq!(keys.fetch().await.unwrap(), document);
        }
        std::fs::remove_file(&path).unwrap();
    }
}
