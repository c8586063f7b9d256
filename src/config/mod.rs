//! YAML, as written and as meant, and every problem with it at once.
//!
//! 1. `yaml` parses the text into a tree that knows where everything stands.
//! 2. `expand` fills in `${VARIABLES}` inside values.
//! 3. `raw` reads the tree key by key: what is written, nothing resolved.
//! 4. `compile` resolves names and applies defaults: a [`Plan`].
//! 5. `lint` warns of what works, but goes against advice.
//!
//! No step stops at the first problem. All of them are gathered in [`Problems`], each with its place, a stable [`Code`] and a hint.
//!
//! ```
//! use tollgate::config::{self, Environment};
//!
//! let text = "
//! issuers:
//!   main:
//!     issuer: https://id.example.com/
//!     audiences: [https://api.example.com/orders]
//!     clients: [orders-app]
//! routes:
//!   - path: /orders/{id}
//!     scopes: {GET: [orders:read], POST: [orders:write]}
//! ";
//! let plan = config::parse("gateway.yaml", text, &Environment::empty())?;
//! assert_eq!(plan.policy.routes().len(), 1);
//!
//! let typo = text.replace("audiences", "audience");
//! let problems = config::parse("gateway.yaml", &typo, &Environment::empty()).unwrap_err();
//! assert!(problems.to_string().contains("gateway.yaml:5:5"));
//! # Ok::<(), config::Problems>(())
//! ```

mod code;
mod compile;
mod cover;
mod expand;
mod fields;
mod lint;
mod node;
mod plan;
mod problem;
mod problems;
mod raw;
mod read;
mod render;
mod source;
mod spelling;
mod units;
mod urls;
mod yaml;

pub use code::Code;
pub use expand::Environment;
pub use plan::{
    AdminSettings, CacheSettings, ClientCredentials, GatewaySettings, HealthCheck, HostHeader, HostPort,
    IntrospectionEndpoint, IssuerSettings, KeyLocation, KeySettings, Limits, Listener, ListenerTls, Network,
    Plan, Protocol, SecretSource, SharedMode, SharedServer, SharedSettings, Timeouts, UpstreamSettings,
    UpstreamTls,
};
pub use problem::{Problem, Severity};
pub use problems::Problems;
pub use source::Position;

use compile::Files;
use node::Node;
use problem::Report;
use raw::Raw;
use source::{Source, Span};
use std::path::Path;
use zeroize::Zeroizing;

/// How much advice is given beside errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Advice {
    /// What everyone should look at.
    #[default]
    Usual,
    /// Also what depends on how much is at stake.
    Strict,
}

/// Read a configuration file. Files that it names are found relative to it, and must be readable.
///
/// # Errors
/// All [`Problems`] of the file, warnings included, if one of them is an error.
pub fn load(path: &Path, environment: &Environment) -> Result<Plan, Problems> {
    let name = path.display().to_string();
    match read(path) {
        Ok(text) => {
            Reading::of(&name, &text, environment, Advice::Usual).with_files(Severity::Error).finish()
        }
        Err(report) => Err(Problems::gather(Source::new(name, ""), report, |_| String::new())),
    }
}

/// Read a configuration from text. `name` is what problems call it; files that it names are relative to it, and not looked at.
///
/// # Errors
/// All [`Problems`] of the text, warnings included, if one of them is an error.
pub fn parse(name: &str, text: &str, environment: &Environment) -> Result<Plan, Problems> {
    Reading::of(name, text, environment, Advice::Usual).finish()
}

/// All problems of a configuration file, errors and warnings. That a file that it names can't be read is a warning here: it may be there where the
/// configuration is used.
pub fn check(path: &Path, environment: &Environment, advice: Advice) -> Problems {
    let name = path.display().to_string();
    match read(path) {
        Ok(text) => Reading::of(&name, &text, environment, advice).with_files(Severity::Warning).problems(),
        Err(report) => Problems::gather(Source::new(name, ""), report, |_| String::new()),
    }
}

/// All problems of a configuration in text, errors and warnings.
pub fn check_text(name: &str, text: &str, environment: &Environment, advice: Advice) -> Problems {
    Reading::of(name, text, environment, advice).problems()
}

/// One configuration on its way from text to plan.
struct Reading {
    source: Source,
    report: Report,
    root: Option<Node>,
    plan: Option<Plan>,
    files: Files,
}

impl Reading {
    fn of(name: &str, text: &str, environment: &Environment, advice: Advice) -> Self {
        let mut report = Report::default();
        let mut source = Source::new(name, text);
        let mut files = Files::default();
        let Some(mut root) = yaml::parse(text, &mut report) else {
            source.cover(cover::secrets_in_text(text));
            return Self { source, report, root: None, plan: None, files };
        };
        source.cover(cover::secrets(&root, text));
        if report.has_errors() {
            // What was refused is no part of the tree, but may be shown.
            source.cover(cover::secrets_in_text(text));
        }
        expand::expand(&mut root, text, environment, &mut report);
        let plan = Raw::read(&root, &mut report).and_then(|raw| {
            let base = Path::new(name).parent().unwrap_or(Path::new(""));
            let plan = compile::compile(&raw, base, &mut files, &mut report);
            lint::lint(&raw, advice, &mut report);
            plan
        });
        Self { source, report, root: Some(root), plan, files }
    }

    /// Report the files that the configuration names and that can't be read.
    fn with_files(mut self, severity: Severity) -> Self {
        for file in &self.files.named {
            if let Err(error) = std::fs::File::open(&file.value) {
                let message = format!("this file can't be read: {}", error.kind());
                let shown = problem::quote(&file.value.display().to_string());
                let problem = match severity {
                    Severity::Error => self.report.error(Code::UnreadableFile, file.span, message),
                    Severity::Warning => self.report.warning(Code::UnreadableFile, file.span, message),
                };
                problem.help(match file.expanded {
                    true => "look at what the variable holds".to_owned(),
                    false => format!(
                        "it is looked for as {shown}; paths are relative to the configuration's folder"
                    ),
                });
            }
        }
        self
    }

    fn problems(self) -> Problems {
        self.parts().1
    }

    fn finish(self) -> Result<Plan, Problems> {
        match self.parts() {
            (Some(plan), problems) if !problems.has_errors() => Ok(Plan { warnings: problems, ..plan }),
            (_, problems) => Err(problems),
        }
    }

    fn parts(mut self) -> (Option<Plan>, Problems) {
        if self.plan.is_none() && !self.report.has_errors() {
            // Every refusal gives its reason, so this is a bug of ours; but an error without a reason helps nobody.
            let message = "this configuration can't be used, and we failed to say why";
            self.report
                .error_of_file(Code::Unexplained, message)
                .help("please report it as a bug, with the file");
        }
        let key_at = |span: Span| self.root.as_ref().map(|root| root.key_at(span)).unwrap_or_default();
        (self.plan, Problems::gather(self.source, self.report, key_at))
    }
}

/// The text of a file, of which no more is read than a configuration may have.
fn read(path: &Path) -> Result<Zeroizing<String>, Report> {
    use std::io::Read;
    let limit = yaml::MAX_BYTES as u64 + 1;
    let mut bytes = Vec::new();
    let result = std::fs::File::open(path).and_then(|file| file.take(limit).read_to_end(&mut bytes));
    let mut report = Report::default();
    let (message, hint) = match (result, String::from_utf8(bytes)) {
        (Ok(_), Ok(text)) => return Ok(Zeroizing::new(text)),
        (Ok(_), Err(_)) => ("the file is not UTF-8".to_owned(), "save it as UTF-8"),
        (Err(error), _) => {
            (format!("the file can't be read: {}", error.kind()), "check the path and who may read it")
        }
    };
    report.error_of_file(Code::UnreadableFile, message).help(hint);
    Err(report)
}

#[cfg(test)]
mod tests;
