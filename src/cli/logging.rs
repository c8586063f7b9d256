//! The program's log, and what a panic may say.

use super::arguments::LogFormat;
use super::terminal::{self, Stream};
use crate::config::{Problems, Severity};
use crate::proxy;
use std::any::Any;
use std::panic::PanicHookInfo;

/// Begins to log to standard error: as `RUST_LOG` says, or as is `usual`. From then on, a panic goes into the log too.
pub(super) fn begin(format: LogFormat, usual: &str) -> Result<(), proxy::LogError> {
    let wish = std::env::var("RUST_LOG").ok().filter(|wish| !wish.trim().is_empty());
    let format = match format {
        LogFormat::Text => proxy::LogFormat::Text,
        LogFormat::Json => proxy::LogFormat::Json,
    };
    std::panic::set_hook(Box::new(report_panic));
    proxy::init_logging(wish.as_deref().unwrap_or(usual), format)
}

/// Tells where it happened, and what is safe to tell.
fn report_panic(panic: &PanicHookInfo<'_>) {
    let place = panic.location().map(ToString::to_string).unwrap_or_default();
    let message = written_in_the_source(panic.payload());
    tracing::error!(place, "panic: {message}");
    if !tracing::event_enabled!(tracing::Level::ERROR) {
        // Whatever the log leaves out, a panic is not to be overlooked.
        terminal::complain(&format!("panic at {place}: {message}\n"));
    }
}

/// The message, if it stands in the source as it is. One that was put together at run time may hold anything, a token too.
fn written_in_the_source(payload: &dyn Any) -> &'static str {
    payload.downcast_ref::<&'static str>().copied().unwrap_or("(message withheld)")
}

/// Tells the problems of a configuration: to people as they are read best, to machines as one event each.
pub(super) fn tell(problems: &Problems, format: LogFormat) {
    if format == LogFormat::Text {
        return terminal::complain(&problems.render(terminal::has_color(Stream::Error)));
    }
    for problem in problems.iter() {
        let (code, key, message) = (problem.code().as_str(), problem.key(), problem.message());
        let line = problem.position().map(|position| position.line);
        let (file, hint) = (problems.file(), problem.hint());
        match problem.severity() {
            Severity::Error => tracing::error!(code, file, line, key, hint, "{message}"),
            Severity::Warning => tracing::warn!(code, file, line, key, hint, "{message}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_put_together_at_run_time_is_withheld() {
        let token = String::from("eyJhbGciOiJSUzI1NiJ9.e30.c2ln");
        let told = |panics: Box<dyn FnOnce() + Send>| {
            written_in_the_source(&*std::thread::spawn(panics).join().unwrap_err())
        };
        assert_eq!(told(Box::new(|| panic!("a room is on fire"))), "a room is on fire");
        assert_eq!(told(Box::new(move || panic!("{token}"))), "(message withheld)");
        assert_eq!(told(Box::new(|| drop(std::fs::File::open("a secret").unwrap()))), "(message withheld)");
    }
}
