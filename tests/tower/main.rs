//! The door for tower: axum, tonic and bare hyper behind it, what it hands on, and tower's own contract.

mod axum;
mod house;
mod hyper;
mod readiness;
mod require;
mod tonic;
