//! Where the program's log goes, and what never gets there.

use std::io;
use tracing::{Dispatch, Level, Metadata};
use tracing_log::LogTracer;
use tracing_subscriber::filter::{FilterExt, filter_fn};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer};

/// How a line of the log is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// A JSON object a line, for machines.
    Json,
}

/// Begins to log to standard error. `filter` has the syntax of `RUST_LOG`: `info`, `warn,tollgate::access=off`.
///
/// Whatever it says, nobody but Tollgate itself logs below `info`: the HTTP and TLS libraries print whole headers there,
/// tokens and all.
///
/// # Errors
/// If the filter can't be read, or if something else in the process has begun to log already.
pub fn init(filter: &str, format: LogFormat) -> Result<(), LogError> {
    subscriber(filter, format)?.try_init().map_err(|_| LogError::Taken)?;
    // Libraries that speak through the older `log` are cut short before a line is even formatted.
    let bridge = LogTracer::builder().with_max_level(tracing_log::log::LevelFilter::Info);
    bridge.init().map_err(|_| LogError::Taken)
}

fn subscriber(filter: &str, format: LogFormat) -> Result<impl SubscriberInitExt + Into<Dispatch>, LogError> {
    let filter = EnvFilter::try_new(filter).map_err(|error| LogError::Filter(error.to_string()))?;
    let colours = std::io::IsTerminal::is_terminal(&io::stderr());
    let lines = tracing_subscriber::fmt::layer().with_writer(io::stderr).with_ansi(colours);
    let lines = match format {
        LogFormat::Text => lines.boxed(),
        LogFormat::Json => {
            lines.json().flatten_event(true).with_current_span(false).with_span_list(false).boxed()
        }
    };
    // One filter, not one around the other: only then does the registry know what nobody listens to.
    let discreet = lines.with_filter(filter.and(filter_fn(may_be_told)));
    Ok(tracing_subscriber::registry().with(discreet))
}

/// Whether a line of this origin and level may be logged at all.
fn may_be_told(metadata: &Metadata<'_>) -> bool {
    *metadata.level() <= Level::INFO || is_ours(metadata.target())
}

fn is_ours(target: &str) -> bool {
    target.strip_prefix("tollgate").is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

/// Why logging can't begin.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The filter can't be read.
    #[error(
        "the log filter can't be read: {0}; write a level such as `info`, or `target=level`, separated by commas"
    )]
    Filter(String),
    /// Something logs already.
    #[error("something in this process logs already")]
    Taken,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_rooms_speak_below_info() {
        assert!(is_ours("tollgate") && is_ours("tollgate::proxy::door"));
        for other in ["pingora_core", "h2::codec", "hyper", "rustls", "tollgatekeeper", "log"] {
            assert!(!is_ours(other), "{other}");
        }
    }

    #[test]
    fn what_nobody_listens_to_is_known_before_it_is_put_together() {
        for (filter, wanted) in [("info", true), ("warn", false), ("info,tollgate::access=off", false)] {
            let subscriber = subscriber(filter, LogFormat::Text).unwrap();
            let told = tracing::dispatcher::with_default(
                &subscriber.into(),
                || tracing::enabled!(target: "tollgate::access", Level::INFO),
            );
            assert_eq!(told, wanted, "{filter}");
        }
    }
}
