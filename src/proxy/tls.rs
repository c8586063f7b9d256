//! The files of TLS: certificates, keys and roots, read and tried before anything depends on them.

use crate::config::{ListenerTls, UpstreamTls};
use pingora_core::protocols::tls::CaType;
use pingora_core::tls::{RootCertStore, ServerConfig, TlsAcceptor};
use pingora_core::utils::tls::{CertKey, WrappedX509, parse_x509};
use rustls::ClientConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::panic::UnwindSafe;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What is wrong with a file, or with what is in it.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// It can't be read, or is no PEM.
    #[error("`{}` can't be read as PEM: {source}", file.display())]
    Pem {
        /// The file.
        file: PathBuf,
        /// Why.
        source: rustls::pki_types::pem::Error,
    },
    /// There is no certificate in it.
    #[error("`{}` holds no certificate; a PEM certificate begins with `-----BEGIN CERTIFICATE-----`", .0.display())]
    NoCertificate(PathBuf),
    /// What is in it can't be used.
    #[error("`{}` can't be used: {source}", file.display())]
    Unusable {
        /// The file.
        file: PathBuf,
        /// Why.
        source: rustls::Error,
    },
    /// A name that no certificate can bear.
    #[error("`{0}` is no name that a certificate can bear; set `tls.server_name` to one without `_`")]
    Name(Box<str>),
}

/// Makes all parts of the program share one implementation of cryptography. To be called first.
pub(super) fn install_provider() {
    // Whoever was first is as good: there is one to choose from.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
}

/// A listener's side of TLS 1.2 and 1.3, with HTTP/2 and HTTP/1.1 to choose from (ALPN), and resumption by tickets.
pub(super) fn acceptor(settings: &ListenerTls) -> Result<TlsAcceptor, TlsError> {
    let chain = certificates(&settings.certificate_file)?;
    let key = private_key(&settings.key_file)?;
    let unusable = |source| TlsError::Unusable { file: settings.certificate_file.clone(), source };
    let builder = ServerConfig::builder().with_no_client_auth();
    let mut config = builder.with_single_cert(chain, key).map_err(unusable)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    config.ticketer = rustls::crypto::aws_lc_rs::Ticketer::new().map_err(unusable)?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// An upstream's side, as connections to it need it.
pub(super) struct Client {
    /// The roots to trust; `None` for the system's.
    pub(super) roots: Option<Arc<CaType>>,
    /// The certificate to show.
    pub(super) identity: Option<Arc<CertKey>>,
}

/// Reads what an upstream's settings name, and tries it: what comes of them later must not fail.
pub(super) fn client(settings: &UpstreamTls) -> Result<Client, TlsError> {
    let roots = match &settings.ca_file {
        Some(file) => Some(roots(certificates(file)?, file)?),
        None => None,
    };
    let identity = match (&settings.certificate_file, &settings.key_file) {
        (Some(file), Some(key_file)) => {
            let (chain, key) = (certificates(file)?, private_key(key_file)?);
            let builder = ClientConfig::builder().with_root_certificates(RootCertStore::empty());
            let tried = builder.with_client_auth_cert(chain.clone(), key.clone_key());
            tried.map_err(|source| TlsError::Unusable { file: file.clone(), source })?;
            let chain = chain.iter().map(|certificate| certificate.to_vec()).collect();
            Some(Arc::new(parsed(file, move || CertKey::new(chain, key.secret_der().to_vec()))?))
        }
        _ => None,
    };
    Ok(Client { roots, identity })
}

/// The system's roots, for an upstream that came after the start, when nobody had needed them yet.
pub(super) fn system_roots() -> Option<Arc<CaType>> {
    let certificates = pingora_core::tls::load_native_certs().ok()?;
    let usable = certificates.into_iter().filter(|root| RootCertStore::empty().add(root.clone()).is_ok());
    Some(usable.filter_map(|root| wrap(root, Path::new("")).ok()).collect())
}

fn roots(certificates: Vec<CertificateDer<'static>>, file: &Path) -> Result<Arc<CaType>, TlsError> {
    let mut store = RootCertStore::empty();
    for certificate in &certificates {
        let unusable = |source| TlsError::Unusable { file: file.to_owned(), source };
        store.add(certificate.clone()).map_err(unusable)?;
    }
    certificates.into_iter().map(|certificate| wrap(certificate, file)).collect()
}

fn wrap(certificate: CertificateDer<'static>, file: &Path) -> Result<WrappedX509, TlsError> {
    parsed(file, move || WrappedX509::new(certificate.to_vec(), parse_x509))
}

/// Pingora's own parser panics at what it can't parse. rustls has parsed it already, but with another parser.
fn parsed<T>(file: &Path, make: impl FnOnce() -> T + UnwindSafe) -> Result<T, TlsError> {
    std::panic::catch_unwind(make).map_err(|_| TlsError::Unusable {
        file: file.to_owned(),
        source: rustls::Error::InvalidCertificate(rustls::CertificateError::BadEncoding),
    })
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let pem = |source| TlsError::Pem { file: file.to_owned(), source };
    let certificates = CertificateDer::pem_file_iter(file).map_err(pem)?;
    let certificates: Vec<_> = certificates.collect::<Result<_, _>>().map_err(pem)?;
    if certificates.is_empty() { Err(TlsError::NoCertificate(file.to_owned())) } else { Ok(certificates) }
}

fn private_key(file: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    PrivateKeyDer::from_pem_file(file).map_err(|source| TlsError::Pem { file: file.to_owned(), source })
}
