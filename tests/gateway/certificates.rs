//! A certificate authority for an afternoon.

use pingora_core::tls::TlsAcceptor;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::server::WebPkiClientVerifier;
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

/// A root, a server's certificate for `localhost` and 127.0.0.1, and a client's; as files.
pub(crate) struct Certificates {
    directory: PathBuf,
}

impl Drop for Certificates {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.directory);
    }
}

impl Certificates {
    pub(crate) fn make(name: &str) -> Self {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let directory = std::env::temp_dir().join(format!("tollgate-{name}-{}", std::process::id()));
        fs::create_dir_all(&directory).unwrap();
        let made = Self { directory };
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let root = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        made.write("ca.pem", &root.pem());
        for (name, host) in [
            ("server", vec!["localhost".to_owned(), "127.0.0.1".to_owned()]),
            ("client", vec!["us".to_owned()]),
        ] {
            let key = KeyPair::generate().unwrap();
            let certificate = CertificateParams::new(host).unwrap().signed_by(&key, &root).unwrap();
            made.write(&format!("{name}.pem"), &certificate.pem());
            made.write(&format!("{name}-key.pem"), &key.serialize_pem());
        }
        made
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.directory.join(name), text).unwrap();
    }

    pub(crate) fn ca_file(&self) -> PathBuf {
        self.directory.join("ca.pem")
    }

    pub(crate) fn server_files(&self) -> (PathBuf, PathBuf) {
        (self.directory.join("server.pem"), self.directory.join("server-key.pem"))
    }

    pub(crate) fn client_files(&self) -> (PathBuf, PathBuf) {
        (self.directory.join("client.pem"), self.directory.join("client-key.pem"))
    }

    fn roots(&self) -> Arc<RootCertStore> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(self.ca_file()).unwrap()).unwrap();
        Arc::new(roots)
    }

    /// The upstream's side; with a client certificate asked for, or without.
    pub(crate) fn acceptor(&self, ask: Option<()>) -> TlsAcceptor {
        let (certificate, key) = self.server_files();
        let builder = ServerConfig::builder();
        let builder = match ask {
            Some(()) => builder
                .with_client_cert_verifier(WebPkiClientVerifier::builder(self.roots()).build().unwrap()),
            None => builder.with_no_client_auth(),
        };
        let (certificate, key) =
            (CertificateDer::from_pem_file(certificate).unwrap(), PrivateKeyDer::from_pem_file(key).unwrap());
        TlsAcceptor::from(Arc::new(builder.with_single_cert(vec![certificate], key).unwrap()))
    }

    /// A connection to a listener that shows the server's certificate; and what is spoken on it.
    pub(crate) async fn connect(
        &self,
        address: std::net::SocketAddr,
        alpn: &[&str],
    ) -> (pingora_core::tls::ClientTlsStream<tokio::net::TcpStream>, Option<String>) {
        let stream = Self::connect_with(&self.client(alpn), address).await;
        let spoken =
            stream.get_ref().1.alpn_protocol().map(|name| String::from_utf8_lossy(name).into_owned());
        (stream, spoken)
    }

    /// What a caller keeps from one connection to the next.
    pub(crate) fn client(&self, alpn: &[&str]) -> Arc<ClientConfig> {
        let mut config = ClientConfig::builder().with_root_certificates(self.roots()).with_no_client_auth();
        config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
        Arc::new(config)
    }

    pub(crate) async fn connect_with(
        client: &Arc<ClientConfig>,
        address: std::net::SocketAddr,
    ) -> pingora_core::tls::ClientTlsStream<tokio::net::TcpStream> {
        let tcp = tokio::net::TcpStream::connect(address).await.unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        pingora_core::tls::TlsConnector::from(client.clone()).connect(name, tcp).await.unwrap()
    }
}
