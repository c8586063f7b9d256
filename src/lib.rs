//! Tollgate checks the OAuth 2.0 access token at the gate of an API.
//!
//! It is two things over one pure core: a **tower layer** for Rust services (this library, by default), and a **gateway** for
//! APIs in any language (the program `tollgate`, behind the feature `gateway`). Both are told by one YAML file which token a
//! route and a method ask for, and both decide alike.
//!
//! ```text
//!   Authorization: Bearer …
//!           │
//!   ┌───────▼────────┐    ┌───────────────────────────── gate ──────────────────────────────┐
//!   │ tower ┊ proxy  ├───▶│ token: words  ▸  proof: facts     ▸  policy: judgements ▸ Permit │
//!   │     doors      │◀───┤ what it says     who vouches for it  may it, here and now?       │
//!   └───────┬────────┘    └───────────────────────────┬──────────────────────────────────────┘
//!           ▼                                         ▼ remembered until `exp`, fetched and asked at most once
//!        your API                         issuers' keys, introspection (remote)
//! ```
//!
//! Facts are remembered, judgements are made fresh. What a token says and who vouches for it does not change, so it is kept;
//! whether that is enough for a request is judged each time, under the policy in force. And whatever goes wrong, the gate stays
//! shut: 401 or 403 if it is the token's fault, 503 if it is ours.
//!
//! Begin with [`tower`] for a layer and three lines, with [`config`] for the YAML, or with [`gate::Gate`] for the core by itself.
//! [`policy::Principal`] is who is calling, [`policy::Permit`] the proof that they may. `testing` has an issuer that signs tokens,
//! sound and unsound, for your own tests. The [`manual`] follows a request through the house, explains each default, names each
//! attack with the test that shows its answer, and tells an operator what an outage looks like.
//!
//! # Features
//!
//! | feature | default | what it adds |
//! |---|---|---|
//! | `tower` | yes | the layer |
//! | `remote` | yes | keys, discovery and introspection over HTTPS |
//! | `config` | yes | YAML |
//! | `axum` | | extractors |
//! | `metrics` | | counters for Prometheus |
//! | `testing` | | an issuer that signs, one that is scripted, a clock that is turned by hand |
//! | `authority` | | the embedded authorization server of the demo |
//! | `redis` | | gateways that share answers and revocations |
//! | `gateway` | | the program |

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
