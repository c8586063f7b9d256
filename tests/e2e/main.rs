//! The gateway as its users run it (the binary, a YAML file, real sockets) against an authorization server that nobody here wrote:
//! the certified `oidc-provider`, which `tests/issuer` starts on loopback.

mod harness;
mod jwt;
mod opaque;
mod outage;
