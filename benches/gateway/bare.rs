//! A reverse proxy with nothing in it but pingora, under the settings of `src/proxy`: the base of every overhead.
//!
//! It passes on what it gets, token and all, asks nothing and changes nothing. With `refuse=1` it answers 401 to everything,
//! as cheaply as pingora can: the floor for a refusal.

use super::{argument, required};
use async_trait::async_trait;
use pingora_core::Result;
use pingora_core::apps::HttpServerOptions;
use pingora_core::listeners::tls::TlsSettings;
use pingora_core::modules::http::HttpModules;
use pingora_core::protocols::http::v2::server::{H2Options, default_h2_options};
use pingora_core::server::{Server, configuration::ServerConf};
use pingora_core::services::listening::Service;
use pingora_core::upstreams::peer::{HttpPeer, HttpUpstreamRequestPolicy};
use pingora_http::ResponseHeader;
use pingora_proxy::{ProxyHttp, Session};
use std::net::SocketAddr;
use std::time::Duration;

struct Bare {
    peer: HttpPeer,
    refuse: bool,
}

#[async_trait]
impl ProxyHttp for Bare {
    type CTX = ();

    fn new_ctx(&self) {}

    fn init_downstream_modules(&self, _: &mut HttpModules) {}

    async fn request_filter(&self, session: &mut Session, _: &mut ()) -> Result<bool> {
        if !self.refuse {
            return Ok(false);
        }
        let mut head = ResponseHeader::build(401, Some(2))?;
        head.insert_header("www-authenticate", "Bearer")?;
        head.insert_header("content-length", "0")?;
        session.write_response_header(Box::new(head), true).await?;
        Ok(true)
    }

    async fn upstream_peer(&self, _: &mut Session, _: &mut ()) -> Result<Box<HttpPeer>> {
        Ok(Box::new(self.peer.clone()))
    }
}

/// Serves until it is told to stop.
pub(super) fn serve() {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let conf = ServerConf {
        threads: 1,
        upstream_keepalive_pool_size: KEEPALIVE,
        ca_file: Some("/dev/null".into()),
        // Nothing is worth waiting for.
        grace_period_seconds: Some(0),
        graceful_shutdown_timeout_seconds: Some(0),
        ..ServerConf::default()
    };
    let mut server = Server::new_with_opt_and_conf(None, conf);
    server.bootstrap();
    let upstream: SocketAddr = required("upstream").parse().expect("an address");
    let bare = Bare { peer: peer(upstream), refuse: argument("refuse").is_some() };
    let mut proxy = pingora_proxy::http_proxy(&server.configuration, bare);
    let mut options = HttpServerOptions::default();
    options.h2c = true;
    options.h2_idle_timeout = Some(Duration::from_secs(60));
    proxy.server_options = Some(options);
    proxy.h2_options = Some(http2_options());
    let mut service = Service::new("bare".into(), proxy);
    service.add_tcp(&required("listen"));
    if let Some(address) = argument("tls") {
        let mut settings = TlsSettings::intermediate(&required("certificate"), &required("key"))
            .expect("a certificate and its key");
        settings.enable_h2();
        service.add_tls_with_settings(&address, None, settings);
    }
    server.add_service(service);
    server.run_forever();
}

/// As `src/proxy/upstream` makes them, with the settings that a configuration has by default.
fn peer(upstream: SocketAddr) -> HttpPeer {
    let mut peer = HttpPeer::new(upstream, false, String::new());
    peer.group_key = 1;
    let options = &mut peer.options;
    options.max_h2_streams = 100;
    options.connection_timeout = Some(Duration::from_secs(2));
    options.total_connection_timeout = Some(Duration::from_secs(2));
    options.read_timeout = Some(Duration::from_secs(60));
    options.write_timeout = Some(Duration::from_secs(60));
    options.idle_timeout = Some(Duration::from_secs(60));
    options.http_upstream_request_policy = HttpUpstreamRequestPolicy::preserve();
    peer
}

fn http2_options() -> H2Options {
    let mut options = default_h2_options();
    options
        .max_concurrent_streams(128)
        .max_header_list_size(32 * 1024)
        .max_concurrent_reset_streams(20)
        .max_pending_accept_reset_streams(20)
        .max_local_error_reset_streams(Some(256));
    options
}

/// Connections to the upstream that are kept, as by default.
const KEEPALIVE: usize = 128;
