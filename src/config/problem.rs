//! One problem with a configuration: what, where, and what to do about it.

use super::code::Code;
use super::source::{Position, Source, Span};

/// How grave a [`Problem`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The configuration can't be used.
    Error,
    /// The configuration can be used, but goes against advice.
    Warning,
}

/// One problem with a configuration.
///
/// It never holds the value of a secret or what a `${VARIABLE}` stood for: only what is written in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    pub(super) code: Code,
    pub(super) severity: Severity,
    pub(super) message: String,
    pub(super) hint: Option<String>,
    /// The key path, such as `issuers.main.keys.wait`; filled in when the problems are gathered.
    pub(super) key: String,
    pub(super) position: Option<Position>,
    pub(super) end: Option<Position>,
    pub(super) primary: Option<Label>,
    pub(super) also: Vec<Label>,
}

/// A place in the file and what to say about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Label {
    pub(super) span: Span,
    pub(super) text: String,
    pub(super) position: Option<Position>,
}

impl Problem {
    /// What kind of problem it is: stable across versions, for programs to rely on.
    pub fn code(&self) -> Code {
        self.code
    }

    /// Whether it keeps the configuration from being used.
    pub fn severity(&self) -> Severity {
        self.severity
    }

    /// What is wrong, in one sentence.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// What to do about it.
    pub fn hint(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    /// The path of the key that it is about, such as `routes[2].scopes.GET`; empty if it concerns the whole file.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Where it begins; `None` if it concerns no place in the file (which may not even be readable).
    pub fn position(&self) -> Option<Position> {
        self.position
    }

    pub(super) fn new(
        code: Code,
        severity: Severity,
        span: Option<Span>,
        message: impl Into<String>,
    ) -> Self {
        Self {
            code,
            severity,
            message: message.into(),
            hint: None,
            key: String::new(),
            position: None,
            end: None,
            primary: span.map(|span| Label::new(span, "")),
            also: Vec::new(),
        }
    }

    /// Say what to do.
    pub(crate) fn help(&mut self, hint: impl Into<String>) -> &mut Self {
        self.hint = Some(hint.into());
        self
    }

    /// Say something beside the caret.
    pub(crate) fn label(&mut self, text: impl Into<String>) -> &mut Self {
        if let Some(primary) = &mut self.primary {
            primary.text = text.into();
        }
        self
    }

    /// Show another place that belongs to it.
    pub(crate) fn also(&mut self, span: Span, text: impl Into<String>) -> &mut Self {
        self.also.push(Label::new(span, text));
        self
    }

    /// Fill in lines, columns and the key path.
    pub(super) fn locate(&mut self, source: &Source, key_at: impl FnOnce(Span) -> String) {
        for label in &mut self.also {
            label.position = Some(source.position(label.span.start));
        }
        if let Some(primary) = &self.primary {
            self.position = Some(source.position(primary.span.start));
            self.end = Some(source.position(primary.span.end));
            self.key = key_at(primary.span);
        }
    }
}

impl Label {
    fn new(span: Span, text: impl Into<String>) -> Self {
        Self { span, text: text.into(), position: None }
    }
}

/// Problems on their way to being [`Problems`](super::Problems): reading never stops at the first.
#[derive(Debug, Default)]
pub(crate) struct Report {
    pub(super) list: Vec<Problem>,
    /// Each key that was asked for, and whether it stood there: tests see so that the reference has them all.
    #[cfg(test)]
    pub(super) asked: Vec<(super::spelling::Section, &'static str, bool)>,
}

impl Report {
    /// Note an error at `span`.
    pub(crate) fn error(&mut self, code: Code, span: Span, message: impl Into<String>) -> &mut Problem {
        self.push(Problem::new(code, Severity::Error, Some(span), message))
    }

    /// Note a warning at `span`.
    pub(crate) fn warning(&mut self, code: Code, span: Span, message: impl Into<String>) -> &mut Problem {
        self.push(Problem::new(code, Severity::Warning, Some(span), message))
    }

    /// Note an error about the file as a whole.
    pub(crate) fn error_of_file(&mut self, code: Code, message: impl Into<String>) -> &mut Problem {
        self.push(Problem::new(code, Severity::Error, None, message))
    }

    /// Whether an error was noted.
    pub(super) fn has_errors(&self) -> bool {
        self.list.iter().any(|problem| problem.severity == Severity::Error)
    }

    fn push(&mut self, problem: Problem) -> &mut Problem {
        let at = self.list.len();
        self.list.push(problem);
        #[expect(clippy::indexing_slicing, reason = "the element at `at` was pushed on the line above")]
        &mut self.list[at]
    }
}

/// `text` in back-ticks on one line, cut if long, with control characters escaped: safe to print.
pub(crate) fn quote(text: &str) -> String {
    let mut quoted = String::from("`");
    for (n, c) in text.chars().enumerate() {
        if n == QUOTED_CHARACTERS {
            quoted.push('…');
            break;
        }
        match c {
            // Those that change the direction of the text would let a line read as something else.
            '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
                quoted.extend(c.escape_unicode())
            }
            c if c.is_control() => quoted.extend(c.escape_default()),
            c => quoted.push(c),
        }
    }
    quoted.push('`');
    quoted
}

/// Characters of user input that a message repeats: enough for any name or URL, too few to flood a terminal.
const QUOTED_CHARACTERS: usize = 120;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoting_makes_one_safe_short_line() {
        assert_eq!(quote("a b"), "`a b`");
        assert_eq!(quote("a\n\u{1b}[31m\u{202e}"), "`a\\n\\u{1b}[31m\\u{202e}`");
        assert_eq!(quote(&"x".repeat(500)).chars().count(), QUOTED_CHARACTERS + 3);
    }
}
