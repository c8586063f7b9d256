//! `tollgate run`: the gateway, until it is told to stop; SIGHUP reads its configuration again.

use super::arguments::{LogFormat, RunArguments};
use super::gateway::{self, require_upstreams};
use super::{Failure, fail, logging};
use crate::assemble;
use crate::config::{self, CacheSettings, Environment, GatewaySettings, Plan, SharedSettings};
use crate::proxy;
use crate::time::{Clock, SystemClock};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Runs the gateway. Returns 1 if it can't start.
pub(super) fn run(arguments: RunArguments, format: LogFormat, clock: SystemClock) -> ExitCode {
    let file = File { path: arguments.config, format };
    let Some(plan) = file.load() else { return ExitCode::FAILURE };
    let served = proxy::runtime(plan.gateway.threads)
        .map_err(Failure::from)
        .and_then(|runtime| runtime.block_on(serve(plan, file, Arc::new(clock))));
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if format == LogFormat::Json => {
            tracing::error!(error, "the gateway can't start");
            ExitCode::FAILURE
        }
        Err(error) => fail(error),
    }
}

/// The configuration's file, and how its problems are told.
struct File {
    path: PathBuf,
    format: LogFormat,
}

impl File {
    /// What it means. Warnings are told; so are errors, and then there is no plan.
    fn load(&self) -> Option<Plan> {
        let loaded = config::load(&self.path, &Environment::process());
        logging::tell(loaded.as_ref().map_or_else(|problems| problems, |plan| &plan.warnings), self.format);
        loaded.ok()
    }
}

async fn serve(plan: Plan, file: File, clock: Arc<dyn Clock>) -> Result<(), Failure> {
    // Both before anything listens: a signal that comes early must neither kill nor be lost.
    let (stop, hangup) = (proxy::stop_signal()?, signal(SignalKind::hangup())?);
    let settled =
        Settled { gateway: plan.gateway.clone(), cache: plan.cache.clone(), shared: plan.shared.clone() };
    let (server, _) = gateway::bind(plan, clock.clone()).await?;
    let reloader = Reloader { file, server: server.handle(), settled, clock };
    let reloading = tokio::spawn(reloader.attend(hangup));
    server.run(stop).await;
    reloading.abort();
    Ok(())
}

/// Reads the configuration again when it is told to.
struct Reloader {
    file: File,
    server: proxy::Handle,
    settled: Settled,
    clock: Arc<dyn Clock>,
}

/// What stays as it was at the start.
struct Settled {
    gateway: GatewaySettings,
    cache: CacheSettings,
    shared: Option<SharedSettings>,
}

impl Reloader {
    async fn attend(self, mut hangup: Signal) {
        while hangup.recv().await.is_some() {
            match self.reload().await {
                Ok(()) => tracing::info!(file = %self.file.path.display(), "the configuration is in force"),
                Err(error) => tracing::error!(%error, "the configuration stays as it was"),
            }
        }
    }

    async fn reload(&self) -> Result<(), Failure> {
        let plan = self.file.load().ok_or("the file has errors")?;
        require_upstreams(&plan)?;
        let Settled { gateway, cache, shared } = &self.settled;
        if plan.gateway != *gateway || plan.cache != *cache || plan.shared != *shared {
            tracing::warn!("changes under `gateway`, `cache` and `shared` take effect at the next start");
        }
        let sources = assemble::sources(&plan, &self.clock)?;
        let Plan { policy, upstreams, .. } = plan;
        Ok(self.server.reload(upstreams, policy, sources).await?)
    }
}
