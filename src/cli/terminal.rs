//! Standard output and error: plain text, with colour where somebody is looking.

use std::io::{IsTerminal, Write};

/// Where a text goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stream {
    Output,
    Error,
}

/// Whether colour is welcome there: it is a terminal that knows some, and nobody has set `NO_COLOR` (<https://no-color.org>).
pub(super) fn has_color(stream: Stream) -> bool {
    let terminal = match stream {
        Stream::Output => std::io::stdout().is_terminal(),
        Stream::Error => std::io::stderr().is_terminal(),
    };
    let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    terminal && !set("NO_COLOR") && std::env::var_os("TERM").is_none_or(|value| value != "dumb")
}

/// Writes to standard output at once. Whoever has closed it does not want to know, so an error is none.
pub(super) fn print(text: &str) {
    let mut output = std::io::stdout().lock();
    let _ = output.write_all(text.as_bytes()).and_then(|()| output.flush());
}

/// Writes to standard error.
pub(super) fn complain(text: &str) {
    let _ = std::io::stderr().lock().write_all(text.as_bytes());
}
