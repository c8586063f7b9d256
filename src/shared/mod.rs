//! What several gateways know together, kept in Redis or Valkey: answers about tokens, and what is forgotten and revoked.
//!
//! ```text
//!   gate ── recall, tell, announce ──► RedisMemory ──► line ──► Redis
//!     ▲                                  │  ▲
//!     └── learn ── keeper ◄── messages ──┘  └ vault: seals and opens all that leaves this process
//!                    └ ledger: which notices are known, and which Redis lacks
//! ```
//!
//! 1. No token and no claim leaves the process in the clear: keys are keyed hashes, values are sealed. Whoever can write to Redis
//!    can make gateways ask their issuers again, and can keep invalidations from those that start later; they can't forge a fact
//!    or an invalidation.
//! 2. Redis is a help, never a need. While it is down or slow, the gate works on with its own memory and the issuers, and says so
//!    once.
//! 3. No invalidation is lost: what can't be told now is told later, and what may have been missed is looked up.
//!
//! ```no_run
//! use std::sync::Arc;
//! use tollgate::gate::{Gate, Silent};
//! use tollgate::policy::{Policy, RouteTable};
//! use tollgate::shared::{RedisMemory, RedisSettings, Secret, Server};
//! use tollgate::time::SystemClock;
//!
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let server = Server::parse("rediss://redis.internal:6379")?;
//! let settings = RedisSettings::new(server, Secret::File("/run/secrets/shared-key".into()));
//! let memory = RedisMemory::new(settings, Arc::new(SystemClock::new()), Arc::new(Silent))?;
//! let policy = Policy::new(RouteTable::builder().build(), []);
//! let gate = Arc::new(Gate::builder(policy).shared(memory.clone()).build());
//! memory.serve(&gate).await;
//! # Ok(())
//! # }
//! ```

mod keeper;
mod ledger;
mod line;
mod memory;
mod settings;
mod vault;
mod wire;

pub use memory::RedisMemory;
pub use settings::{RedisMode, RedisSettings, RedisTls, Secret, Server, SettingsError};
