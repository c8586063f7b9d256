//! What keeps a source from being set up: the operator's to mend, before anything is asked.

use super::UrlError;
use std::path::{Path, PathBuf};

/// Why a source can't be set up. It names files and URLs, and never what is secret in them.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SetupError {
    /// A URL that may not be asked.
    #[error("`{url}` can't be used: {reason}")]
    Url {
        /// The URL, without credentials, query and fragment.
        url: Box<str>,
        /// Why.
        reason: UrlError,
    },
    /// A file that can't be read, or does not hold what it should.
    #[error("`{}` can't be used: {reason}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: Box<str>,
    },
    /// A value that can't be used as what it is meant for.
    #[error("{0}")]
    Value(&'static str),
    /// TLS can't be set up, or nothing can be trusted.
    #[error("{0}")]
    Tls(Box<str>),
}

impl SetupError {
    pub(super) fn file(path: &Path, reason: impl Into<Box<str>>) -> Self {
        Self::File { path: path.into(), reason: reason.into() }
    }

    pub(super) fn url(text: &str, reason: UrlError) -> Self {
        // What stands before an `@` may be a password, however the rest is to be read.
        let (hidden, rest) = text.rsplit_once('@').map_or(("", text), |(_, rest)| ("…@", rest));
        let shown = rest.split(['?', '#']).next().unwrap_or_default();
        Self::Url { url: format!("{hidden}{shown}").into(), reason }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_in_urls_are_not_shown() {
        for (text, shown) in [
            ("https://as.example/jwks?key=hunter2", "https://as.example/jwks"),
            ("https://user:hunter2@as.example/jwks#x", "…@as.example/jwks"),
            ("user:hunter2@as.example", "…@as.example"),
            ("https://user:hunter2?#@as.example/", "…@as.example/"),
        ] {
            let error = SetupError::url(text, UrlError::Malformed).to_string();
            assert!(error.starts_with(&format!("`{shown}` can't be used: ")), "{error}");
            assert!(!error.contains("hunter2"));
        }
    }
}
