//! The gate: what it remembers, what it judges afresh, how it fetches keys and asks issuers. On a clock that is turned by hand.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may fail")]

mod house;
mod keys;
mod opaque;
mod remembered;
