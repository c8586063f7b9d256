//! The program's entry: cryptography first, and then [`tollgate::cli`].

use std::process::ExitCode;
use tollgate::time::SystemClock;
use tollgate::{cli, proof};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let clock = SystemClock::new();
    // Before anything speaks TLS, so that listeners, upstreams and the issuers' client share one provider. It fails where there is
    // one already, and here nothing has run before.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    match proof::self_test() {
        Ok(()) => cli::main(std::env::args_os(), clock),
        Err(error) => {
            use std::io::Write;
            let _ = writeln!(std::io::stderr(), "the cryptography does not work as it should: {error}");
            ExitCode::FAILURE
        }
    }
}
