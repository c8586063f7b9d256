//! A plan becomes a gateway.

use super::Failure;
use crate::assemble;
use crate::config::Plan;
use crate::gate::{Gate, Observer, Silent};
use crate::metrics::Metrics;
use crate::proxy::{Server, Setup};
use crate::time::Clock;
use std::sync::Arc;

/// A gateway whose sockets are bound, and the gate in it. From now on the issuers' keys are fetched.
///
/// # Errors
/// If the configuration is for the library alone, names files that can't be used, or an address that can't be bound.
pub(super) async fn bind(plan: Plan, clock: Arc<dyn Clock>) -> Result<(Server, Arc<Gate>), Failure> {
    require_upstreams(&plan)?;
    // Where nobody can read them, nothing is counted.
    let metrics = plan.gateway.admin.is_some().then(|| Arc::new(Metrics::new()));
    let observer: Arc<dyn Observer> = match &metrics {
        Some(metrics) => metrics.clone(),
        None => Arc::new(Silent),
    };
    let (gateway, upstreams) = (plan.gateway.clone(), plan.upstreams.clone());
    let gate = assemble::start(plan, clock, observer).await?;
    let server = Server::bind(Setup { gateway, upstreams, gate: gate.clone(), metrics }).await?;
    Ok((server, gate))
}

/// # Errors
/// If there is no upstream: such a configuration is for the library.
pub(super) fn require_upstreams(plan: &Plan) -> Result<(), Failure> {
    match plan.upstreams.is_empty() {
        true => Err("the configuration has no `upstreams`: say where admitted requests go".into()),
        false => Ok(()),
    }
}
