//! Asks each address of an upstream, again and again, whether it is well.

use super::{Target, Upstream};
use crate::config::{HealthCheck, HostHeader};
use http::header;
use pingora_core::connectors::ConnectorOptions;
use pingora_core::connectors::http::Connector;
use pingora_http::RequestHeader;
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Weak};

/// Begins to ask, if the upstream's settings say so, and goes on as long as the upstream is in use.
pub(super) fn start(upstream: &Arc<Upstream>) {
    if let Some(check) = upstream.settings.health_check.clone() {
        tokio::spawn(watch(Arc::downgrade(upstream), check));
    }
}

async fn watch(upstream: Weak<Upstream>, check: HealthCheck) {
    // No connection is kept: that a new one can be made is part of the question.
    let connector = Arc::new(Connector::new(Some(ConnectorOptions::new(0))));
    let mut streaks: HashMap<SocketAddr, Streak> = HashMap::new();
    while let Some(upstream) = upstream.upgrade() {
        let targets = upstream.targets.load_full();
        let mut asking = tokio::task::JoinSet::new();
        for target in targets.iter().cloned() {
            let (upstream, connector, check) = (upstream.clone(), connector.clone(), check.clone());
            asking.spawn(async move {
                let asked = ask(&connector, &upstream, &target, &check);
                let good = matches!(tokio::time::timeout(check.timeout, asked).await, Ok(Ok(true)));
                (target, good)
            });
        }
        streaks.retain(|address, _| targets.iter().any(|target| target.address == *address));
        while let Some(Ok((target, good))) = asking.join_next().await {
            let streak = streaks.entry(target.address).or_default();
            if let Some(well) = streak.after(good, target.is_well(), &check) {
                target.set_well(well);
                let (name, address) = (upstream.name(), target.address);
                match well {
                    true => tracing::info!(upstream = name, %address, "an upstream address is well again"),
                    false => tracing::warn!(upstream = name, %address, "an upstream address is not well"),
                }
            }
        }
        drop((upstream, targets));
        tokio::time::sleep(check.interval).await;
    }
}

/// Asks once; whether the answer was a 2xx.
async fn ask(
    connector: &Connector,
    upstream: &Upstream,
    target: &Target,
    check: &HealthCheck,
) -> pingora_core::Result<bool> {
    let (mut session, _) = connector.get_http_session(&target.peer).await?;
    session.set_read_timeout(Some(check.timeout));
    let mut request = RequestHeader::build("GET", check.path.as_bytes(), Some(2))?;
    match &upstream.settings.host {
        HostHeader::Literal(host) => request.insert_header(header::HOST, &**host)?,
        _ => request.insert_header(header::HOST, target.address.to_string())?,
    }
    request.insert_header(header::USER_AGENT, "tollgate-health-check")?;
    if upstream.is_http2() {
        let host = request.remove_header(&header::HOST);
        let authority = host.as_ref().and_then(|host| host.to_str().ok()).unwrap_or_default();
        let scheme = if target.peer.is_tls() { "https" } else { "http" };
        let uri =
            http::Uri::builder().scheme(scheme).authority(authority).path_and_query(&*check.path).build();
        if let Ok(uri) = uri {
            request.set_uri(uri);
        }
        request.set_version(http::Version::HTTP_2);
    }
    session.write_request_header(Box::new(request)).await?;
    session.finish_request_body().await?;
    session.read_response_header().await?;
    Ok(session.response_header().is_some_and(|response| response.status.is_success()))
}

/// Answers of one kind in a row.
#[derive(Debug, Default)]
struct Streak {
    good: bool,
    length: usize,
}

impl Streak {
    /// Counts an answer, and says what to think of the address from now on, if that is something new.
    fn after(&mut self, good: bool, well: bool, check: &HealthCheck) -> Option<bool> {
        self.length = if self.good == good { self.length.saturating_add(1) } else { 1 };
        self.good = good;
        let needed = if good { check.healthy_after } else { check.unhealthy_after };
        (good != well && self.length >= needed).then_some(good)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn it_takes_a_streak_to_change_a_mind() {
        let second = Duration::from_secs(1);
        let check = HealthCheck {
            path: "/".into(),
            interval: second,
            timeout: second,
            healthy_after: 2,
            unhealthy_after: 3,
        };
        let (mut streak, mut well) = (Streak::default(), true);
        let mut thought = Vec::new();
        for good in [true, false, false, true, false, false, false, false, true, false, true, true] {
            well = streak.after(good, well, &check).unwrap_or(well);
            thought.push(well);
        }
        let mut expected = [true; 12];
        expected[6..11].fill(false);
        assert_eq!(thought, expected);
    }
}
