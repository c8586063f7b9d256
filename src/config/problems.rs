//! All problems of one configuration, in the order of the file.

use super::problem::{Problem, Report, Severity};
use super::render;
use super::source::{Position, Source, Span};
use serde::Serialize;

/// All problems found in one configuration file, in the order of the file.
///
/// As an error it displays as it would in a terminal without colour. Secrets are covered with `***` in every form.
///
/// ```
/// use tollgate::config::{self, Advice, Environment};
///
/// let problems = config::check_text("gateway.yaml", "isuers: {}\n", &Environment::empty(), Advice::Usual);
/// let text = problems.to_string();
/// assert!(text.contains("gateway.yaml:1:1"));
/// assert!(text.contains("did you mean `issuers`?"));
/// ```
#[derive(Clone, Default)]
pub struct Problems {
    source: Source,
    list: Vec<Problem>,
}

impl Problems {
    /// The problems, in the order of the file.
    pub fn iter(&self) -> impl Iterator<Item = &Problem> {
        self.list.iter()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Whether one of them keeps the configuration from being used.
    pub fn has_errors(&self) -> bool {
        self.count(Severity::Error) > 0
    }

    /// How many are as grave as `severity`.
    pub fn count(&self, severity: Severity) -> usize {
        self.list.iter().filter(|problem| problem.severity == severity).count()
    }

    /// The name of the file that they are about.
    pub fn file(&self) -> &str {
        self.source.name()
    }

    /// For people: file, line, caret and hint of each, and a last line that counts them. Empty if there is none.
    pub fn render(&self, color: bool) -> String {
        let mut text = render::text(&self.source, &self.list, color);
        if !self.is_empty() {
            text.push_str(&self.summary());
            text.push('\n');
        }
        text
    }

    /// For programs: one JSON object with a list of `problems`.
    ///
    /// Each has `code`, `severity`, `message`, `hint`, `key`, `file`, `line`, `column`, `end_line`, `end_column` and `also`, a list of other
    /// places (`line`, `column`, `label`) that belong to it. What does not apply is `null`.
    pub fn to_json(&self) -> String {
        let problems =
            self.list.iter().map(|problem| ProblemJson::of(problem, self.file())).collect::<Vec<_>>();
        let whole = ProblemsJson {
            file: self.file(),
            errors: self.count(Severity::Error),
            warnings: self.count(Severity::Warning),
            problems,
        };
        serde_json::to_string_pretty(&whole).unwrap_or_default()
    }

    /// Gather a report: find lines, columns and key paths, and sort by place.
    pub(super) fn gather(source: Source, report: Report, key_at: impl Fn(Span) -> String) -> Self {
        let mut list = report.list;
        for problem in &mut list {
            problem.locate(&source, &key_at);
        }
        list.sort_by_key(|problem| (problem.position, problem.severity));
        list.dedup();
        Self { source, list }
    }

    fn summary(&self) -> String {
        let counted = |n: usize, what: &str| match n {
            0 => None,
            1 => Some(format!("1 {what}")),
            n => Some(format!("{n} {what}s")),
        };
        let parts = [
            counted(self.count(Severity::Error), "error"),
            counted(self.count(Severity::Warning), "warning"),
        ];
        format!("{}: {}", self.file(), parts.into_iter().flatten().collect::<Vec<_>>().join(", "))
    }
}

impl std::fmt::Display for Problems {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.render(false).trim_end())
    }
}

impl std::fmt::Debug for Problems {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self}")
    }
}

impl std::error::Error for Problems {}

#[derive(Serialize)]
struct ProblemsJson<'a> {
    file: &'a str,
    errors: usize,
    warnings: usize,
    problems: Vec<ProblemJson<'a>>,
}

#[derive(Serialize)]
struct ProblemJson<'a> {
    code: &'static str,
    severity: Severity,
    message: &'a str,
    hint: Option<&'a str>,
    key: &'a str,
    file: &'a str,
    line: Option<usize>,
    column: Option<usize>,
    end_line: Option<usize>,
    end_column: Option<usize>,
    also: Vec<AlsoJson<'a>>,
}

#[derive(Serialize)]
struct AlsoJson<'a> {
    #[serde(flatten)]
    position: Option<Position>,
    label: &'a str,
}

impl<'a> ProblemJson<'a> {
    fn of(problem: &'a Problem, file: &'a str) -> Self {
        let also = problem.also.iter();
        Self {
            code: problem.code.as_str(),
            severity: problem.severity,
            message: &problem.message,
            hint: problem.hint.as_deref(),
            key: &problem.key,
            file,
            line: problem.position.map(|place| place.line),
            column: problem.position.map(|place| place.column),
            end_line: problem.end.map(|place| place.line),
            end_column: problem.end.map(|place| place.column),
            also: also.map(|label| AlsoJson { position: label.position, label: &label.text }).collect(),
        }
    }
}
