//! Finds the addresses behind an upstream's names, and looks again from time to time.

use super::{Target, Upstream};
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Weak};
use std::time::Duration;

/// Looks for the first time, and goes on looking as long as there is anybody who cares.
pub(super) async fn start(upstream: &Arc<Upstream>) {
    let found = tokio::time::timeout(FIRST_LOOK, look(upstream)).await.unwrap_or(false);
    if !found {
        tracing::warn!(upstream = upstream.name(), "no address is known yet; trying again");
    }
    let fixed = |host: &str| host.parse::<IpAddr>().is_ok();
    if !upstream.settings.addresses.iter().all(|address| fixed(&address.host)) {
        tokio::spawn(look_again(Arc::downgrade(upstream)));
    }
}

async fn look_again(upstream: Weak<Upstream>) {
    loop {
        let known = upstream.upgrade().is_some_and(|upstream| upstream.addresses() > 0);
        tokio::time::sleep(if known { PERIOD } else { PERIOD_UNKNOWN }).await;
        let Some(upstream) = upstream.upgrade() else { return };
        look(&upstream).await;
    }
}

/// Looks once. A name that can't be resolved keeps the addresses that it had. Returns whether any address is known.
async fn look(upstream: &Upstream) -> bool {
    let before = upstream.targets.load_full();
    let mut targets: Vec<Arc<Target>> = Vec::new();
    for written in &upstream.settings.addresses {
        let known = |address: &SocketAddr| before.iter().find(|target| target.address == *address);
        let found: Vec<SocketAddr> = match written.host.parse::<IpAddr>() {
            Ok(ip) => vec![SocketAddr::new(ip, written.port)],
            Err(_) => match tokio::net::lookup_host((written.host.as_str(), written.port)).await {
                Ok(found) => found.collect(),
                Err(error) => {
                    tracing::warn!(upstream = upstream.name(), host = written.host, %error, "can't resolve");
                    before
                        .iter()
                        .filter(|target| target.written == *written)
                        .map(|target| target.address)
                        .collect()
                }
            },
        };
        for address in found {
            if !targets.iter().any(|target| target.address == address) {
                let made = || Arc::new(Target::new(upstream, written, address));
                targets.push(known(&address).cloned().unwrap_or_else(made));
            }
        }
    }
    // The resolver turns the order round at each answer; turns are ours to take.
    targets.sort_by_key(|target| target.address);
    if !targets.is_empty() {
        upstream.targets.store(Arc::new(targets));
    }
    upstream.addresses() > 0
}

/// How long the start waits for a resolver.
const FIRST_LOOK: Duration = Duration::from_secs(5);
/// How long an answer is believed. The resolver's own cache knows lifetimes; the operating system does not tell them.
const PERIOD: Duration = Duration::from_secs(30);
/// While there is no answer.
const PERIOD_UNKNOWN: Duration = Duration::from_secs(2);
