//! The door on pingora: a reverse proxy that carries a request to its upstream only with the gate's permit.
//!
//! 1. `listener` takes a connection and finds out what is spoken on it.
//! 2. `http1` lets no head pass that is not whole, in time, and unambiguous, and `chunks` no body; `frames` watches the time on HTTP/2.
//! 3. `door` vets what was parsed, asks the gate, and finds the upstream.
//! 4. `forward` dresses the request for the upstream: what must not pass is taken out, identity is put in.
//! 5. `respond` writes what the door answers itself, and cleans what upstreams answer.
//!
//! Pingora parses, pools connections and pumps bytes. It judges nothing.

mod access;
mod admin;
mod chunks;
mod commands;
mod connection;
mod door;
mod forward;
mod frames;
mod head;
mod http1;
mod listener;
mod logging;
mod refusal;
mod request_id;
mod respond;
mod server;
mod tls;
mod upstream;
mod vet;

pub use logging::{LogError, LogFormat, init as init_logging};
pub use server::{Handle, Running, Server, Setup, StartError, runtime, stop_signal};
pub use tls::TlsError;

use std::time::Duration;

/// What begins every HTTP/2 connection (RFC 9113 section 3.4).
const HTTP2_PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// How much of a refused request's body is read, so that the connection can go on.
const DRAIN_BYTES: u64 = 64 * 1024;
/// For how long.
const DRAIN_TIME: Duration = Duration::from_secs(1);
/// How long a caller may pause in its body, or in taking its answer.
const CALLER_TIMEOUT: Duration = Duration::from_secs(60);
