//! The program: its verbs, wired to the rooms that do the work.
//!
//! | verb | what it does |
//! |---|---|
//! | `tollgate run --config FILE` | the gateway |
//! | `tollgate check FILE…` | says what is wrong with configurations |
//! | `tollgate demo` | a gateway, an authorization server and an API in one process, to look at |
//! | `tollgate version` | the version |

mod arguments;
mod check;
mod demo;
mod gateway;
mod logging;
mod run;
mod terminal;

use crate::time::SystemClock;
use arguments::{Arguments, Verb};
use clap::Parser;
use std::error::Error;
use std::ffi::OsString;
use std::process::ExitCode;

/// Runs the program with these arguments, the first of which is its name. `clock` has counted since it began.
///
/// Exit status: 0 if all went well, 1 if not, 2 if the command line is wrong.
pub fn main(arguments: impl IntoIterator<Item = OsString>, clock: SystemClock) -> ExitCode {
    let arguments = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help and version are no errors, and go to standard output. Where that is closed, nobody reads them.
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    // The demo speaks for itself. Now and then pingora loses a race for a pooled connection, opens another, and calls that an error.
    let usual = if matches!(arguments.verb, Verb::Demo(_)) { "warn,pingora_core=off" } else { "info" };
    if let Err(error) = logging::begin(arguments.log_format, usual) {
        return fail(&error);
    }
    match arguments.verb {
        Verb::Run(run) => run::run(run, arguments.log_format, clock),
        Verb::Check(check) => check::check(&check),
        Verb::Demo(demo) => demo::demo(&demo, clock),
        Verb::Version => {
            terminal::print(concat!("tollgate ", env!("CARGO_PKG_VERSION"), "\n"));
            ExitCode::SUCCESS
        }
    }
}

/// Why a verb can't go on.
type Failure = Box<dyn Error + Send + Sync>;

fn fail(error: impl std::fmt::Display) -> ExitCode {
    terminal::complain(&format!("tollgate: {error}\n"));
    ExitCode::FAILURE
}
