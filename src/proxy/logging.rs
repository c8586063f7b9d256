//! Where the program's log goes, and what never gets there.

use std::io;
use tracing::{Level, Metadata, Subscriber};
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::fmt::MakeWriter;
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
    let filter = EnvFilter::try_new(filter).map_err(|error| LogError::Filter(error.to_string()))?;
    let colours = std::io::IsTerminal::is_terminal(&io::stderr());
    subscriber(filter, format, colours, io::stderr).try_init().map_err(|_| LogError::Taken)?;
    log::set_logger(&Bridge).map_err(|_| LogError::Taken)?;
    // What is below is cut short before a line is even formatted.
    log::set_max_level(log::LevelFilter::Info);
    Ok(())
}

/// Hands on the lines of libraries that speak through the older `log`, such as pingora.
struct Bridge;

impl log::Log for Bridge {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        let (library, told) = (record.target(), record.args());
        // An idle connection was being watched when it was wanted, and another is made: nothing that anybody could mend.
        if told.as_str() == Some("failed to acquire reusable stream") {
            return;
        }
        match record.level() {
            log::Level::Error => tracing::error!(target: "library", library, "{told}"),
            log::Level::Warn => tracing::warn!(target: "library", library, "{told}"),
            log::Level::Info => tracing::info!(target: "library", library, "{told}"),
            log::Level::Debug | log::Level::Trace => {}
        }
    }

    fn flush(&self) {}
}

/// What writes the lines that pass both filters.
///
/// The filters stand before everything, and not before the one layer that writes: filters of a layer remember in the thread what they
/// would refuse, and if they are merely asked (`tracing::enabled!`), they refuse the next event of that thread in its place.
fn subscriber(
    filter: EnvFilter,
    format: LogFormat,
    colours: bool,
    to: impl for<'a> MakeWriter<'a> + Send + Sync + 'static,
) -> impl Subscriber + Send + Sync {
    let lines = tracing_subscriber::fmt::layer().with_writer(to).with_ansi(colours);
    let lines = match format {
        LogFormat::Text => lines.boxed(),
        LogFormat::Json => {
            lines.json().flatten_event(true).with_current_span(false).with_span_list(false).boxed()
        }
    };
    tracing_subscriber::registry().with(lines).with(filter).with(filter_fn(may_be_told))
}

/// Whether a line of this origin and level may be logged at all.
fn may_be_told(metadata: &Metadata<'_>) -> bool {
    let most = match metadata.target() {
        target if is_of("tollgate", target) => Level::TRACE,
        // It warns of frames that callers send, each time, and does not say whose they are.
        target if is_of("h2", target) => Level::ERROR,
        _ => Level::INFO,
    };
    *metadata.level() <= most
}

fn is_of(library: &str, target: &str) -> bool {
    target.strip_prefix(library).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
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
    use std::sync::{Arc, Mutex};

    /// What is written while this happens.
    fn written(filter: &str, happens: impl FnOnce()) -> String {
        let lines = Arc::new(Mutex::new(Vec::new()));
        let to = {
            let lines = lines.clone();
            move || Writer(lines.clone())
        };
        let subscriber = subscriber(EnvFilter::new(filter), LogFormat::Text, false, to);
        tracing::subscriber::with_default(subscriber, happens);
        String::from_utf8(lines.lock().unwrap().clone()).unwrap()
    }

    #[test]
    fn to_ask_whether_a_line_is_wanted_costs_no_other_line() {
        let written = written("warn", || {
            for _ in 0..3 {
                // Whether an access log is wanted is asked before each request.
                assert!(!tracing::enabled!(target: "tollgate::access", Level::INFO));
                tracing::warn!("wanted");
                tracing::warn!(target: "h2::proto::ping_pong", "chatter");
                tracing::debug!(target: "h2::codec", "chatter");
            }
        });
        assert_eq!(
            (written.matches("wanted").count(), written.matches("chatter").count()),
            (3, 0),
            "{written}"
        );
    }

    #[test]
    fn libraries_say_who_they_are_and_not_where_they_were_built() {
        let written = written("info", || {
            for (level, told) in [
                (log::Level::Warn, format_args!("wanted")),
                (log::Level::Debug, format_args!("chatter")),
                (log::Level::Error, format_args!("failed to acquire reusable stream")),
            ] {
                let mut record = log::Record::builder();
                let record = record.target("pingora_core::connectors").file(Some("/build/mod.rs"));
                log::Log::log(&Bridge, &record.level(level).args(told).build());
            }
        });
        let line = "WARN library: wanted library=\"pingora_core::connectors\"\n";
        assert!(written.ends_with(line) && written.lines().count() == 1, "{written}");
    }

    struct Writer(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Writer {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn only_our_own_rooms_speak_below_info() {
        assert!(is_of("tollgate", "tollgate") && is_of("tollgate", "tollgate::proxy::door"));
        for other in ["pingora_core", "h2::codec", "hyper", "rustls", "tollgatekeeper", "log"] {
            assert!(!is_of("tollgate", other), "{other}");
        }
    }

    #[test]
    fn what_nobody_listens_to_is_known_before_it_is_put_together() {
        for (filter, wanted) in [("info", true), ("warn", false), ("info,tollgate::access=off", false)] {
            let filter_as_read = EnvFilter::try_new(filter).unwrap();
            let subscriber = subscriber(filter_as_read, LogFormat::Text, false, io::sink);
            let told = tracing::subscriber::with_default(
                subscriber,
                || tracing::enabled!(target: "tollgate::access", Level::INFO),
            );
            assert_eq!(told, wanted, "{filter}");
        }
    }
}
