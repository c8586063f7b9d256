//! What the gate tells of its work.

use crate::policy::{Denial, Permit};
use crate::proof::IssuerName;
use std::time::Duration;

/// Hears what happens at the gate: for metrics, logs and tests.
///
/// It is called in the request's path, so it must neither block nor await. No event holds a token.
pub trait Observer: Send + Sync + 'static {
    /// Something happened.
    fn event(&self, event: &Event<'_>);
}

/// Something that happened at the gate.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// A request was permitted.
    Allowed(&'a Permit),
    /// A request was refused.
    Denied(&'a Denial),
    /// A token's facts were remembered, or not.
    Lookup(Lookup),
    /// A key set was fetched, or not.
    KeysFetched {
        /// Whose.
        issuer: &'a IssuerName,
        /// How many keys are in use now, or why nothing came of it.
        outcome: Result<usize, &'a str>,
        /// How long it took.
        took: Duration,
    },
    /// A key left an issuer's key set; tokens that it signed are no longer taken.
    KeyWithdrawn {
        /// Whose.
        issuer: &'a IssuerName,
        /// Its `kid`, if it had one.
        kid: Option<&'a str>,
    },
    /// An issuer was asked about a token.
    Introspected {
        /// Who was asked.
        issuer: &'a IssuerName,
        /// What came of it.
        outcome: IntrospectionOutcome,
        /// How long it took.
        took: Duration,
    },
    /// Other gateways' memory was asked about a token, before its issuer was.
    Recalled {
        /// Whose token it is.
        issuer: &'a IssuerName,
        /// Whether an answer was taken over.
        hit: bool,
        /// How long it took.
        took: Duration,
    },
    /// The memory that gateways share can be reached from now on, or no longer.
    SharedMemory {
        /// Whether it can.
        reachable: bool,
    },
    /// The policy was replaced.
    Reloaded,
}

/// Whether a token's facts were remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lookup {
    /// They were.
    Hit,
    /// They were not.
    Miss,
    /// They were, but the key that signed them has left its key set.
    KeyWithdrawn,
}

/// What came of asking an issuer about a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IntrospectionOutcome {
    /// It is active.
    Active,
    /// It is not.
    Inactive,
    /// The issuer gave no usable answer.
    Failed,
    /// The issuer was not asked: too many questions are open, or it has failed too often just now.
    Refused,
}

/// Hears nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Observer for Silent {
    fn event(&self, _: &Event<'_>) {}
}
