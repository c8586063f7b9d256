//! The gateway over real sockets: what goes through, what is refused, and what never arrives.

mod admin;
mod backend;
mod certificates;
mod client;
mod edges;
mod harness;
mod http2;
mod identity;
mod lifecycle;
mod refusals;
mod through;
mod upstreams;
