//! How the gateway falls over, and that it does not: floods, herds, drips and issuers in trouble, through the real program. Each
//! test counts what its row of the manual's table (`manual::attacks`, "Availability") bounds: fetches, questions, bytes, memory.

mod amplification;
mod callers;
mod client;
mod frames;
mod gateway;
mod http2;
mod issuers;
mod jwks;
mod listening;

use std::time::Duration;

/// What a valid caller may wait while others misbehave. Without optimisation, and with other tests beside it, the gateway takes longer
/// for everything: then it is the counts that are strict.
pub(crate) const PROMPT: Duration = Duration::from_secs(if cfg!(debug_assertions) { 5 } else { 1 });

/// How much larger the process may have become.
pub(crate) const FLAT: u64 = 50 * 1024 * 1024;
