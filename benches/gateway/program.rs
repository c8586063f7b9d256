//! What the end-to-end bench needs beside the gateway: the proxy that it is measured against, and tokens.
//!
//!   tollgate-bench proxy listen=127.0.0.1:9000 upstream=127.0.0.1:9100 [tls=127.0.0.1:9001 certificate=F key=F] [refuse=1]
//!   tollgate-bench tokens dir=DIR count=10000 storm=100000
//!
//! `benches/gateway/run` starts both. Nothing here is part of the gateway.

mod bare;
mod tokens;

use std::process::ExitCode;

// As the gateway has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let verb = std::env::args().nth(1).unwrap_or_default();
    match verb.as_str() {
        "proxy" => bare::serve(),
        "tokens" => tokens::write(),
        _ => {
            eprintln!("say `proxy` or `tokens`");
            return ExitCode::from(2);
        }
    }
    ExitCode::SUCCESS
}

/// The value of `name=value` on the command line.
fn argument(name: &str) -> Option<String> {
    std::env::args()
        .skip(2)
        .find_map(|argument| Some(argument.strip_prefix(name)?.strip_prefix('=')?.to_owned()))
}

fn required(name: &str) -> String {
    argument(name).unwrap_or_else(|| panic!("`{name}=…` is missing"))
}
