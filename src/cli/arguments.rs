//! What can be said on the command line.

use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

/// Checks the access token at the gate of an API.
#[derive(Debug, Parser)]
#[command(name = "tollgate", version, about, disable_help_subcommand = true)]
pub(super) struct Arguments {
    /// How the log on standard error is written.
    #[arg(long, global = true, value_enum, default_value_t, value_name = "FORMAT")]
    pub(super) log_format: LogFormat,
    #[command(subcommand)]
    pub(super) verb: Verb,
}

#[derive(Debug, Subcommand)]
pub(super) enum Verb {
    /// Run the gateway: judge requests, and pass the permitted ones on.
    ///
    /// SIGHUP reads the configuration again; if it has errors, the old one stays in force. SIGTERM and Ctrl-C stop the gateway, and let requests
    /// that are under way end.
    Run(RunArguments),
    /// Say what is wrong with configurations, and what is advised against.
    ///
    /// Exit status: 0 if all can be used, 1 if there is a problem (with --strict: or a warning), 2 if the command line is wrong.
    Check(CheckArguments),
    /// Show a gateway at work: with an authorization server and an API of its own, on this machine alone.
    Demo(DemoArguments),
    /// Print the version.
    Version,
}

#[derive(Debug, Args)]
pub(super) struct RunArguments {
    /// The configuration, in YAML.
    #[arg(short, long, value_name = "FILE")]
    pub(super) config: PathBuf,
}

#[derive(Debug, Args)]
pub(super) struct CheckArguments {
    /// The configurations, in YAML.
    #[arg(required_unless_present = "config", value_name = "FILE")]
    pub(super) files: Vec<PathBuf>,
    /// One more, as `run` is told of it.
    #[arg(short, long, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// Give more advice, and let warnings fail.
    #[arg(long)]
    pub(super) strict: bool,
    /// How the problems are told: `json` is a list with one object for each file.
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    pub(super) format: ReportFormat,
}

#[derive(Debug, Args)]
pub(super) struct DemoArguments {
    /// Check, report and end: exit status 0 if all went as expected, 1 if not.
    #[arg(long)]
    pub(super) exit_after_checks: bool,
    /// Print the gateway's configuration, and do nothing else.
    #[arg(long, conflicts_with = "exit_after_checks")]
    pub(super) print_config: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum LogFormat {
    #[default]
    Text,
    Json,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum ReportFormat {
    #[default]
    Text,
    Json,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }
}
