//! TLS: whom we trust, and who we are.

use super::SetupError;
use super::watched::{Watched, contents};
use crate::time::Clock;
use rustls::client::{ResolvesClientCert, Resumption};
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, RootCertStore, SignatureScheme};
use rustls_platform_verifier::Verifier;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// A certificate to show to servers that ask for one, in PEM files that are read again when they change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateFiles {
    /// The certificate, and after it those that lead to its root.
    pub certificate_file: PathBuf,
    /// Its private key.
    pub key_file: PathBuf,
}

/// TLS as one client speaks it.
pub(super) struct Tls {
    pub(super) config: ClientConfig,
    /// Whether there is anyone that is trusted.
    pub(super) has_roots: bool,
}

/// What to do on a machine without root certificates, as bare containers are.
pub(super) const NO_ROOTS: &str = "this machine has no root certificates, so no server can be trusted; install them \
    (on Debian: `apt-get install ca-certificates`), or name the issuer's own in `tls: {ca_file: …}`";

impl Tls {
    /// TLS 1.2 and 1.3, with the system's roots and those in `ca_file`. It can't be made to trust just anyone.
    pub(super) fn new(
        ca_file: Option<&Path>,
        certificate: Option<&CertificateFiles>,
        clock: &Arc<dyn Clock>,
    ) -> Result<Self, SetupError> {
        // A program that installs a provider has its reasons; a library can't count on one.
        let installed = CryptoProvider::get_default().cloned();
        let provider = installed.unwrap_or_else(|| Arc::new(aws_lc_rs::default_provider()));
        let extra = ca_file.map(roots).transpose()?.unwrap_or_default();
        let versions = ClientConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()
            .map_err(|error| SetupError::Tls(error.to_string().into()))?;
        let verifier = Verifier::new_with_extra_roots(extra, provider.clone());
        let has_roots = verifier.is_ok();
        let trusting = match verifier {
            Ok(verifier) => versions.dangerous().with_custom_certificate_verifier(Arc::new(verifier)),
            Err(_) => versions.with_root_certificates(RootCertStore::empty()),
        };
        let mut config = match certificate {
            None => trusting.with_no_client_auth(),
            Some(files) => {
                trusting.with_client_cert_resolver(Arc::new(Identity::open(files, provider, clock)?))
            }
        };
        if certificate.is_some() {
            // A resumed session goes on with the certificate that it began with, renewed or not.
            config.resumption = Resumption::disabled();
        }
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Self { config, has_roots })
    }
}

/// Whole bundles of public roots have some 250 KiB.
const MAX_ROOTS_BYTES: usize = 1024 * 1024;

fn roots(path: &Path) -> Result<Vec<CertificateDer<'static>>, SetupError> {
    let pem = contents(path, MAX_ROOTS_BYTES).map_err(|error| SetupError::file(path, error.to_string()))?;
    let roots = certificates(&pem).map_err(|reason| SetupError::file(path, reason))?;
    let mut store = RootCertStore::empty();
    for root in &roots {
        store.add(root.clone()).map_err(|error| SetupError::file(path, error.to_string()))?;
    }
    Ok(roots)
}

fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, Box<str>> {
    match CertificateDer::pem_slice_iter(pem).collect::<Result<Vec<_>, _>>() {
        Ok(certificates) if certificates.is_empty() => Err("it holds no PEM certificate".into()),
        Ok(certificates) => Ok(certificates),
        Err(_) => Err("it is not a sound PEM file".into()),
    }
}

fn private_key(pem: &[u8]) -> Result<PrivateKeyDer<'static>, Box<str>> {
    PrivateKeyDer::from_pem_slice(pem).map_err(|_| "it holds no PEM private key".into())
}

/// Who we are: certificate and key as the files hold them now. While the two do not fit, one of them being written later than the
/// other, the last pair that did stays in use.
struct Identity {
    certificate: Watched<Vec<CertificateDer<'static>>>,
    key: Watched<PrivateKeyDer<'static>>,
    provider: Arc<CryptoProvider>,
    current: Mutex<Pair>,
}

#[derive(Clone)]
struct Pair {
    certificate: Arc<Vec<CertificateDer<'static>>>,
    key: Arc<PrivateKeyDer<'static>>,
    certified: Arc<CertifiedKey>,
}

impl Identity {
    fn open(
        files: &CertificateFiles,
        provider: Arc<CryptoProvider>,
        clock: &Arc<dyn Clock>,
    ) -> Result<Self, SetupError> {
        let certificate = Watched::open(&files.certificate_file, clock.clone(), certificates)?;
        let key = Watched::open(&files.key_file, clock.clone(), private_key)?;
        let pair = Pair::join(certificate.get(), key.get(), &provider)
            .map_err(|reason| SetupError::file(&files.key_file, reason))?;
        Ok(Self { certificate, key, provider, current: Mutex::new(pair) })
    }

    fn certified(&self) -> Arc<CertifiedKey> {
        let (certificate, key) = (self.certificate.get(), self.key.get());
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if !Arc::ptr_eq(&certificate, &current.certificate) || !Arc::ptr_eq(&key, &current.key) {
            match Pair::join(certificate, key, &self.provider) {
                Ok(pair) => *current = pair,
                Err(reason) => {
                    let path = self.key.path().display();
                    tracing::warn!(%path, %reason, "the last client certificate and key stay in use");
                }
            }
        }
        current.certified.clone()
    }
}

impl Pair {
    fn join(
        certificate: Arc<Vec<CertificateDer<'static>>>,
        key: Arc<PrivateKeyDer<'static>>,
        provider: &CryptoProvider,
    ) -> Result<Self, Box<str>> {
        let certified = CertifiedKey::from_der(certificate.to_vec(), key.clone_key(), provider)
            .map_err(|_| "it holds no key that can be used, or not that of the certificate")?;
        Ok(Self { certificate, key, certified: Arc::new(certified) })
    }
}

impl ResolvesClientCert for Identity {
    fn resolve(&self, _: &[&[u8]], schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        let certified = self.certified();
        certified.key.choose_scheme(schemes).map(|_| certified)
    }

    fn has_certs(&self) -> bool {
        true
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity").field("certificate", &self.certificate.path()).finish_non_exhaustive()
    }
}
