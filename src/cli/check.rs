//! `tollgate check`: all problems of configurations, told to people or to programs.

use super::arguments::{CheckArguments, ReportFormat};
use super::terminal::{self, Stream};
use crate::config::{self, Advice, Environment, Problems};
use std::process::ExitCode;

/// Checks each file, tells what was found on standard output, and returns 1 if one of them should not be used.
pub(super) fn check(arguments: &CheckArguments) -> ExitCode {
    let advice = if arguments.strict { Advice::Strict } else { Advice::Usual };
    let environment = Environment::process();
    let found: Vec<Problems> = arguments
        .files
        .iter()
        .chain(&arguments.config)
        .map(|file| config::check(file, &environment, advice))
        .collect();
    terminal::print(&match arguments.format {
        ReportFormat::Text => found.iter().map(text).collect(),
        ReportFormat::Json => json(&found),
    });
    let fails = |problems: &Problems| problems.has_errors() || (arguments.strict && !problems.is_empty());
    if found.iter().any(fails) { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// One line for a file in order, so that silence never has to be told from success.
fn text(problems: &Problems) -> String {
    match problems.is_empty() {
        true => format!("{}: ok\n", problems.file()),
        false => problems.render(terminal::has_color(Stream::Output)),
    }
}

fn json(found: &[Problems]) -> String {
    let objects: Vec<String> = found.iter().map(Problems::to_json).collect();
    format!("[{}]\n", objects.join(",\n"))
}
