//! What callers get while an issuer is slow, wrong or down; what that costs the issuer, and how long anyone waits.
//!
//! `table.md` is the data. `house.rs` lays out one issuer, three gates and the questions that a row asks of them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may fail")]

mod floods;
mod house;
mod table;
