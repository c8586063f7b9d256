//! The seams to the world over HTTPS: where an issuer's keys are fetched, and where it is asked about tokens.
//!
//! [`Client`] is the one way out. What it refuses, it refuses for all: plain HTTP, addresses inside one's own network, answers
//! that are too long or too late, redirects to somebody else. Everything that an issuer can cause ends as a
//! [`SourceError`](crate::gate::SourceError), which names neither tokens nor secrets.
//!
//! ```
//! use std::sync::Arc;
//! use tollgate::gate::IssuerSources;
//! use tollgate::remote::{Client, ClientSettings, Discovery};
//! use tollgate::time::SystemClock;
//!
//! let client = Client::new(&ClientSettings::default(), Arc::new(SystemClock::new()))?;
//! let keys = Discovery::of_issuer(client, "https://as.example/")?;
//! let sources = IssuerSources::new("https://as.example/", Arc::new(keys));
//! # Ok::<(), tollgate::remote::SetupError>(())
//! ```

mod address;
mod assertion;
mod client;
mod client_auth;
mod discovery;
mod failure;
mod file;
mod form;
mod introspection;
mod jwks;
mod metadata;
mod secret;
mod setup;
mod tls;
mod url;
mod watched;

pub use assertion::{AssertionAudience, AssertionKey};
pub use client::{Client, ClientSettings};
pub use client_auth::ClientAuth;
pub use discovery::Discovery;
pub use file::JwksFile;
pub use introspection::{IntrospectionEndpoint, Location};
pub use jwks::JwksUri;
pub use secret::Secret;
pub use setup::SetupError;
pub use tls::CertificateFiles;
pub use url::UrlError;
