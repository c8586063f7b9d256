//! Tollgate checks the access token at the gate of an API.

#![warn(missing_docs, unreachable_pub, clippy::disallowed_methods)]
// What the network can cause is an error, never a panic. Tests may fail as they like.
#![cfg_attr(
    not(test),
    warn(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::print_stdout,
        clippy::print_stderr
    )
)]

pub mod time;

pub mod token;

pub mod proof;

pub mod policy;

pub mod gate;

#[cfg(feature = "remote")]
pub mod remote;

#[cfg(feature = "config")]
pub mod config;

#[cfg(all(feature = "remote", feature = "config"))]
pub mod assemble;

#[cfg(feature = "metrics")]
pub mod metrics;

#[cfg(feature = "redis")]
pub mod shared;

#[cfg(any(test, feature = "testing"))]
pub mod testing;

#[cfg(feature = "authority")]
pub mod authority;

#[cfg(feature = "tower")]
pub mod tower;

#[cfg(feature = "gateway")]
pub mod proxy;

#[cfg(feature = "gateway")]
pub mod cli;

pub mod manual;

/// The README's example compiles.
#[cfg(all(doctest, feature = "axum", feature = "config", feature = "remote"))]
#[doc = include_str!("../README.md")]
struct Readme;
