//! Tollgate checks the access token at the gate of an API.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

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
