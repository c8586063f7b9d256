//! TLS to Redis: whom we trust, and who we are.

use crate::gateway::{Gateway, INACTIVE, active, secs, settings};
use crate::house::Outcome;
use crate::server::RedisServer;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tollgate::shared::{RedisSettings, RedisTls, Server};
use tollgate::testing::ManualClock;

/// A root, and certificates of a server and a client that it has signed, as files.
struct Certificates(PathBuf);

impl Certificates {
    fn new(folder: &Path) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, "root");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let root = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        std::fs::write(folder.join("root.pem"), root.pem()).unwrap();
        for (name, host) in [("server", "127.0.0.1"), ("elsewhere", "10.9.8.7"), ("client", "gateway")] {
            let key = KeyPair::generate().unwrap();
            let mut params = CertificateParams::new(vec![host.to_owned()]).unwrap();
            params.distinguished_name.push(DnType::CommonName, name);
            let certificate = params.signed_by(&key, &root).unwrap();
            std::fs::write(folder.join(format!("{name}.pem")), certificate.pem()).unwrap();
            std::fs::write(folder.join(format!("{name}-key.pem")), key.serialize_pem()).unwrap();
        }
        Self(folder.to_owned())
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// A server that shows this certificate, and insists on one of ours.
    fn server(&self, name: &str) -> RedisServer {
        let path = |file: &str| self.file(file).display().to_string();
        RedisServer::with(&[
            "port 0",
            "tls-port PORT",
            &format!("tls-cert-file {}", path(&format!("{name}.pem"))),
            &format!("tls-key-file {}", path(&format!("{name}-key.pem"))),
            &format!("tls-ca-cert-file {}", path("root.pem")),
            "tls-auth-clients yes",
        ])
    }
}

fn tls(certificates: &Certificates, server: &RedisServer) -> RedisSettings {
    let servers = vec![Server::parse(&server.url().replace("redis:", "rediss:")).unwrap()];
    let certificate = Some((certificates.file("client.pem"), certificates.file("client-key.pem")));
    let tls = RedisTls { ca_file: Some(certificates.file("root.pem")), certificate };
    RedisSettings { servers, tls, start_wait: Duration::from_millis(500), ..settings(server) }
}

#[tokio::test]
async fn gateways_share_over_tls_and_trust_no_one_else() {
    let (home, clock) = (RedisServer::start(), ManualClock::new());
    let certificates = Certificates::new(home.folder());
    let server = certificates.server("server");
    let fine = RedisSettings { start_wait: secs(5), ..tls(&certificates, &server) };
    let first = Gateway::join(&fine, &clock, &active()).await;
    let second = Gateway::join(&fine, &clock, INACTIVE).await;
    assert_eq!(first.get().await, Outcome::Allowed);
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(second.get().await, Outcome::Allowed);
    assert_eq!(second.asked(), 0);

    let elsewhere = certificates.server("elsewhere");
    let fine = tls(&certificates, &server);
    let unknown_root = RedisTls { ca_file: None, ..fine.tls.clone() };
    let no_certificate = RedisTls { certificate: None, ..fine.tls.clone() };
    let no_file = RedisTls { ca_file: Some("/nowhere/root.pem".into()), ..fine.tls.clone() };
    let refused = [
        RedisSettings { tls: unknown_root, ..fine.clone() },
        RedisSettings { tls: no_certificate, ..fine.clone() },
        RedisSettings { tls: no_file, ..fine.clone() },
        RedisSettings { servers: settings(&server).servers, ..fine.clone() },
        tls(&certificates, &elsewhere),
    ];
    for settings in refused {
        let gateway = Gateway::try_join(&settings, &clock, &active()).await;
        assert!(!gateway.read, "{settings:?}");
        assert_eq!(gateway.get().await, Outcome::Allowed, "it works on");
    }
}
