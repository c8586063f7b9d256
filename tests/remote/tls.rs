//! TLS: whom the client trusts, and the certificate that it shows.

use crate::house::{fetch, patient, temporary};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::aws_lc_rs::default_provider;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig};
use tollgate::gate::SourceErrorKind::Connect;
use tollgate::gate::{KeySource, SourceError};
use tollgate::remote::{CertificateFiles, Client, ClientSettings, JwksUri};
use tollgate::testing::ManualClock;

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/remote/certificates").join(name)
}

fn certificate(name: &str) -> CertificateDer<'static> {
    CertificateDer::from_pem_file(file(name)).unwrap()
}

/// A server that answers `{}` over TLS, and writes down the certificates that it is shown.
struct Server {
    address: SocketAddr,
    shown: Arc<Mutex<Vec<CertificateDer<'static>>>>,
}

impl Server {
    async fn start(asks_for_a_certificate: bool) -> Self {
        let provider = Arc::new(default_provider());
        let config = ServerConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()
            .unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(certificate("root.pem")).unwrap();
        let config = if asks_for_a_certificate {
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
            config.with_client_cert_verifier(verifier.build().unwrap())
        } else {
            config.with_no_client_auth()
        };
        let key = PrivateKeyDer::from_pem_file(file("server.key.pem")).unwrap();
        let config = config.with_single_cert(vec![certificate("server.pem")], key).unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, shown) = (listener.local_addr().unwrap(), Arc::new(Mutex::new(Vec::new())));
        let seen = shown.clone();
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let Ok(mut stream) = acceptor.accept(stream).await else { continue };
                let peer = stream.get_ref().1.peer_certificates().and_then(|chain| chain.first()).cloned();
                seen.lock().unwrap().extend(peer.map(CertificateDer::into_owned));
                let mut request = [0; 4096];
                let _ = stream.read(&mut request).await;
                let answer = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}";
                let _ = stream.write_all(answer.as_bytes()).await;
                let _ = stream.shutdown().await;
            }
        });
        Self { address, shown }
    }

    fn url(&self, host: &str) -> String {
        format!("https://{host}:{}/jwks", self.address.port())
    }
}

async fn ask(url: &str, settings: ClientSettings) -> Result<(), SourceError> {
    let client = Client::new(&settings, Arc::new(ManualClock::new())).unwrap();
    fetch(&JwksUri::new(client, url).unwrap()).await.map(drop)
}

fn trusting(root: &str) -> ClientSettings {
    ClientSettings { ca_file: Some(file(root)), ..patient() }
}

#[tokio::test]
async fn a_root_of_the_operator_s_is_trusted_and_no_other() {
    let server = Server::start(false).await;
    ask(&server.url("localhost"), trusting("root.pem")).await.unwrap();
    let error = ask(&server.url("localhost"), trusting("other.pem")).await.unwrap_err();
    assert_eq!(error.kind(), Connect);
    assert!(error.to_string().contains("name its root in `tls: {ca_file: …}`"), "{error}");
}

#[tokio::test]
async fn the_certificate_must_name_the_host() {
    let server = Server::start(false).await;
    let error = ask(&server.url("127.0.0.1"), trusting("root.pem")).await.unwrap_err();
    assert!(error.kind() == Connect && error.to_string().contains("certificate"), "{error}");
}

#[tokio::test]
async fn our_certificate_is_shown_and_renewed() {
    let (server, clock) = (Server::start(true).await, ManualClock::new());
    assert!(ask(&server.url("localhost"), trusting("root.pem")).await.is_err(), "it asks for one");

    let files =
        CertificateFiles { certificate_file: temporary("mtls.pem"), key_file: temporary("mtls.key.pem") };
    let renew = |certificate: &str, key: &str| {
        std::fs::copy(file(certificate), &files.certificate_file).unwrap();
        std::fs::copy(file(key), &files.key_file).unwrap();
        clock.advance(Duration::from_secs(1));
    };
    renew("client.pem", "client.key.pem");
    let settings = ClientSettings { certificate: Some(files.clone()), ..trusting("root.pem") };
    let client = Client::new(&settings, Arc::new(clock.clone())).unwrap();
    let keys = JwksUri::new(client, &server.url("localhost")).unwrap();
    keys.fetch().await.unwrap();
    renew("renewed.pem", "client.key.pem");
    keys.fetch().await.unwrap();
    renew("renewed.pem", "renewed.key.pem");
    keys.fetch().await.unwrap();
    let expected = ["client.pem", "client.pem", "renewed.pem"].map(certificate);
    assert_eq!(*server.shown.lock().unwrap(), expected, "while the key does not fit, the last pair is shown");

    renew("client.pem", "renewed.key.pem");
    let error = Client::new(&settings, Arc::new(clock.clone())).unwrap_err().to_string();
    assert!(error.ends_with("it holds no key that can be used, or not that of the certificate"), "{error}");
    std::fs::remove_file(&files.certificate_file).unwrap();
    std::fs::remove_file(&files.key_file).unwrap();
}

#[test]
fn a_file_without_roots_is_refused() {
    let path = temporary("no-root.pem");
    std::fs::write(&path, "hunter2").unwrap();
    let settings = ClientSettings { ca_file: Some(path.clone()), ..patient() };
    let error = Client::new(&settings, Arc::new(ManualClock::new())).unwrap_err().to_string();
    assert!(error.ends_with("it holds no PEM certificate"), "{error}");
    std::fs::remove_file(path).unwrap();
}
