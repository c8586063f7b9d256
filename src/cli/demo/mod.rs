//! `tollgate demo`: an authorization server, an API and the gateway between them, in one process, on loopback addresses.
//!
//! 1. It takes three ports: 8080, 8081 and 8082, or others where they are taken.
//! 2. It starts authorization server, API and gateway. The gateway's configuration is `tollgate.yaml` in this folder, with the ports that it got.
//! 3. It fetches tokens, as any client does, and checks the gateway over HTTP.
//! 4. It prints what came of it, and lines to try by hand, and waits for Ctrl-C.

mod api;
mod checks;
mod client;
mod report;
mod stage;

use super::arguments::DemoArguments;
use super::{Failure, fail, terminal};
use crate::proxy;
use crate::time::{Clock, SystemClock};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use client::Call;
use http::{HeaderValue, Method, header};
use report::Report;
use serde_json::Value;
use stage::{Addresses, Stage};
use std::process::ExitCode;
use std::sync::Arc;

/// Runs the demo. `clock` has counted since the program began. Returns 1 if something is not as expected.
pub(super) fn demo(arguments: &DemoArguments, clock: SystemClock) -> ExitCode {
    if arguments.print_config {
        terminal::print(stage::CONFIGURATION);
        return ExitCode::SUCCESS;
    }
    let shown = proxy::runtime(None)
        .map_err(Failure::from)
        .and_then(|runtime| runtime.block_on(show(arguments.exit_after_checks, clock)));
    match shown {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => fail(format!("the demo can't go on: {error}")),
    }
}

/// Whether all checks went as expected.
async fn show(exit_after_checks: bool, clock: SystemClock) -> Result<bool, Failure> {
    let stop = proxy::stop_signal()?;
    let report = Report::new();
    let stage = Stage::set(Arc::new(clock)).await?;
    let (at, issuer) = (stage.addresses(), stage.issuer());
    terminal::print(&report.cast(at, issuer));
    let tokens = Tokens::fetch(at, issuer).await?;
    let mut outcomes = Vec::new();
    for check in checks::all(&tokens) {
        outcomes.push(checks::run(check, at.gateway).await);
    }
    terminal::print(&report.checks(&outcomes, clock.elapsed()));
    if !exit_after_checks {
        terminal::print(&report.invitation(at, issuer, &tokens));
        stop.await;
        // After the terminal's own `^C`.
        terminal::print("\nStopped.\n");
    }
    stage.clear().await;
    Ok(outcomes.iter().all(|outcome| outcome.problem.is_none()))
}

/// Live tokens of the demo's authorization server.
struct Tokens {
    /// A JWT for `orders:read`.
    read: String,
    /// An opaque token for `orders:read`.
    opaque: String,
}

impl Tokens {
    async fn fetch(at: &Addresses, issuer: &str) -> Result<Self, Failure> {
        let read = token(at, issuer, checks::ORDERS_APP).await?;
        let opaque = token(at, issuer, checks::ORDERS_PARTNER).await?;
        Ok(Self { read, opaque })
    }

    /// The JWT with another letter in its signature. In the middle, so that its form stays right.
    fn forged(&self) -> String {
        let signature = self.read.rfind('.').map_or(0, |dot| dot + 1);
        let middle = signature + (self.read.len() - signature) / 2;
        let other = |letter| if letter == 'A' { 'B' } else { 'A' };
        self.read
            .chars()
            .enumerate()
            .map(|(at, letter)| if at == middle { other(letter) } else { letter })
            .collect()
    }
}

/// What a client does: RFC 6749 section 4.4.
async fn token(at: &Addresses, issuer: &str, client: &str) -> Result<String, Failure> {
    let path = issuer.strip_prefix(&format!("http://{}", at.authority)).unwrap_or_default();
    let credentials = STANDARD.encode(format!("{client}:{SECRET}"));
    let answer = Call::new(Method::POST, at.authority, &format!("{path}/v1/token"))?
        .with(header::AUTHORIZATION, HeaderValue::from_str(&format!("Basic {credentials}"))?)
        .form("grant_type=client_credentials&scope=orders:read".to_owned())
        .send()
        .await?;
    let document: Value = serde_json::from_slice(&answer.body)?;
    let token = document.get("access_token").and_then(Value::as_str);
    Ok(token
        .ok_or_else(|| format!("the authorization server gave no token, but {}", answer.status))?
        .to_owned())
}

/// The secret of all clients here. It opens nothing but this demo.
const SECRET: &str = "demo-secret";
