//! What the demo says, and how it looks.

use super::Addresses;
use super::checks::Outcome;
use super::{SECRET, Tokens};
use crate::cli::terminal::{self, Stream};
use std::fmt::Write;
use std::time::Duration;

/// Texts, with or without colour.
pub(super) struct Report {
    color: bool,
}

impl Report {
    pub(super) fn new() -> Self {
        Self { color: terminal::has_color(Stream::Output) }
    }

    /// Who takes part, and where.
    pub(super) fn cast(&self, at: &Addresses, issuer: &str) -> String {
        let Addresses { gateway, api, .. } = at;
        let title =
            self.bold(concat!("Tollgate ", env!("CARGO_PKG_VERSION"), ", a demo on this machine alone"));
        format!(
            "{title}\n\n  gateway               http://{gateway}\n  API behind it         http://{api}\n  authorization server  {issuer}\n\n"
        )
    }

    /// One line for each check, and one for all of them.
    pub(super) fn checks(&self, outcomes: &[Outcome], took: Duration) -> String {
        let mut text = String::new();
        for Outcome { check, problem } in outcomes {
            let mark = if problem.is_none() { self.green("ok  ") } else { self.red("FAIL") };
            // A token in a query stays out of sight.
            let target =
                check.target.split_once('=').map_or(check.target.clone(), |(name, _)| format!("{name}=…"));
            let (status, method, with) = (check.status, check.method.as_str(), check.with);
            // Writing to a string can't fail.
            let _ = writeln!(text, "  {mark}  {status}  {method:<4} {target:<27} {with}");
            if let Some(problem) = problem {
                let _ = writeln!(text, "        {}", self.red(problem));
            }
        }
        let good = outcomes.iter().filter(|outcome| outcome.problem.is_none()).count();
        let took = took.as_secs_f64();
        let _ = writeln!(text, "\n{good} of {} as expected, {took:.1} s after the start.", outcomes.len());
        text
    }

    /// Lines to copy, and what to expect of them.
    pub(super) fn invitation(&self, at: &Addresses, issuer: &str, tokens: &Tokens) -> String {
        let (gateway, token) = (at.gateway, &tokens.read);
        let lines = [
            ("401, no token:", format!("curl -i http://{gateway}/orders/17")),
            (
                "200, a token for orders:read:",
                format!("curl -i http://{gateway}/orders/17 -H 'Authorization: Bearer {token}'"),
            ),
            (
                "403, the same token may not write:",
                format!("curl -i -X POST http://{gateway}/orders -H 'Authorization: Bearer {token}'"),
            ),
            (
                "A token for writing (orders-partner gets opaque ones):",
                format!(
                    "curl -s -u orders-app:{SECRET} -d grant_type=client_credentials -d scope=orders:write {issuer}/v1/token"
                ),
            ),
        ];
        let mut text = format!("\n{}\n", self.bold("Try it in another terminal"));
        for (what, line) in lines {
            let _ = write!(text, "\n{what}\n{line}\n");
        }
        let _ = write!(
            text,
            "\nThe tokens are good for an hour. `tollgate demo --print-config` shows the gateway's configuration.\nCtrl-C stops the demo.\n"
        );
        text
    }

    fn bold(&self, text: &str) -> String {
        self.paint("1", text)
    }

    fn green(&self, text: &str) -> String {
        self.paint("32", text)
    }

    fn red(&self, text: &str) -> String {
        self.paint("31", text)
    }

    fn paint(&self, code: &str, text: &str) -> String {
        if self.color { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }
}
