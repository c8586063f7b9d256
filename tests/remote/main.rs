//! The sources over HTTP, against an issuer on this machine that behaves as it is told.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may fail")]

mod assembled;
mod client;
mod discovery;
mod house;
mod introspection;
mod tls;
