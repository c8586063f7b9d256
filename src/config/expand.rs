//! Variables in values: `${VAR}`, `${VAR:-default}`, `${VAR:?hint}`, and `$$` for a dollar sign.
//!
//! They are expanded inside scalars after the YAML has been parsed, so a variable can give a value but can never add keys. Keys are not expanded.

use super::code::Code;
use super::node::{Node, Scalar, Value};
use super::problem::{Report, quote};
use super::source::Span;
use std::collections::BTreeMap;

/// Where the variables of a configuration come from.
///
/// ```
/// use tollgate::config::Environment;
///
/// let test = Environment::from_iter([("PORT", "8080")]);
/// let real = Environment::process();
/// ```
#[derive(Clone)]
pub struct Environment(Variables);

#[derive(Clone)]
enum Variables {
    Process,
    Given(BTreeMap<String, String>),
}

impl Environment {
    /// The environment of this process, read when a configuration is.
    pub fn process() -> Self {
        Self(Variables::Process)
    }

    /// No variables at all.
    pub fn empty() -> Self {
        Self(Variables::Given(BTreeMap::new()))
    }

    fn get(&self, name: &str) -> Option<String> {
        match &self.0 {
            Variables::Process => std::env::var(name).ok(),
            Variables::Given(variables) => variables.get(name).cloned(),
        }
    }
}

impl<K: Into<String>, V: Into<String>> FromIterator<(K, V)> for Environment {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(variables: I) -> Self {
        Self(Variables::Given(
            variables.into_iter().map(|(name, value)| (name.into(), value.into())).collect(),
        ))
    }
}

impl std::fmt::Debug for Environment {
    /// Shows no values: they may be secrets.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.0 {
            Variables::Process => f.write_str("Environment::Process"),
            Variables::Given(variables) => f.debug_set().entries(variables.keys()).finish(),
        }
    }
}

/// Expand the variables in every scalar below `node`.
pub(super) fn expand(node: &mut Node, text: &str, environment: &Environment, report: &mut Report) {
    match &mut node.value {
        Value::Scalar(scalar) if scalar.text.contains('$') => {
            let place = Place {
                source: text.get(node.span.start..node.span.end).unwrap_or_default(),
                span: node.span,
            };
            match expanded(&scalar.text, &place, environment, report) {
                Some(text) => {
                    let written = std::mem::take(&mut scalar.text);
                    *scalar = Scalar { text, written: Some(written), plain: scalar.plain };
                }
                None => node.value = Value::Refused,
            }
        }
        Value::List(items) => items.iter_mut().for_each(|item| expand(item, text, environment, report)),
        Value::Map(entries) => {
            entries.iter_mut().for_each(|entry| expand(&mut entry.value, text, environment, report))
        }
        Value::Scalar(_) | Value::Null | Value::Refused => {}
    }
}

/// `text` with its variables filled in; `None` if one of them failed, after all have been tried.
fn expanded(text: &str, place: &Place<'_>, environment: &Environment, report: &mut Report) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let mut whole = true;
    while let Some((before, after)) = rest.split_once('$') {
        out.push_str(before);
        if let Some(after) = after.strip_prefix('$') {
            out.push('$');
            rest = after;
            continue;
        }
        let Some((reference, after)) = after.strip_prefix('{').and_then(|after| after.split_once('}')) else {
            let hint = "write `${NAME}` for a variable and `$$` for a dollar sign";
            let message = if after.starts_with('{') { "`${` is never closed" } else { "a lone `$`" };
            report.error(Code::BadVariable, place.span, message).help(hint);
            return None;
        };
        rest = after;
        match Reference::parse(reference) {
            Some(variable) => match variable.resolve(environment) {
                Ok(value) => out.push_str(&value),
                Err((message, hint)) => {
                    report.error(Code::UnsetVariable, place.of(reference), message).help(hint);
                    whole = false;
                }
            },
            None => {
                let hint = "the forms are `${NAME}`, `${NAME:-default}` and `${NAME:?hint}`; a name has letters, digits and `_`";
                // What stands between the braces may hold a default for a secret: don't repeat it.
                report.error(Code::BadVariable, place.of(reference), "malformed variable").help(hint);
                whole = false;
            }
        }
    }
    out.push_str(rest);
    whole.then_some(out)
}

/// What stands between `${` and `}`.
struct Reference<'a> {
    name: &'a str,
    otherwise: Otherwise<'a>,
}

enum Otherwise<'a> {
    Fail,
    Default(&'a str),
    Hint(&'a str),
}

impl<'a> Reference<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len());
        let (name, rest) = text.split_at_checked(end)?;
        let otherwise = match rest {
            "" => Otherwise::Fail,
            rest => match rest.strip_prefix(":-") {
                Some(default) => Otherwise::Default(default),
                None => Otherwise::Hint(rest.strip_prefix(":?")?),
            },
        };
        let nested =
            matches!(otherwise, Otherwise::Default(text) | Otherwise::Hint(text) if text.contains("${"));
        let named = !name.is_empty() && !name.starts_with(|c: char| c.is_ascii_digit());
        (named && !nested).then_some(Self { name, otherwise })
    }

    /// As in a shell: with `:-` and `:?` an empty variable counts as unset.
    fn resolve(&self, environment: &Environment) -> Result<String, (String, String)> {
        let value = environment.get(self.name);
        let name = quote(self.name);
        match (value, &self.otherwise) {
            (Some(value), Otherwise::Fail) => Ok(value),
            (Some(value), _) if !value.is_empty() => Ok(value),
            (_, Otherwise::Default(default)) => Ok((*default).to_owned()),
            (_, Otherwise::Hint(hint)) if !hint.is_empty() => {
                Err((format!("the variable {name} is not set"), quote(hint).trim_matches('`').to_owned()))
            }
            (_, _) => Err((
                format!("the variable {name} is not set"),
                format!("set it, or give a default: `${{{}:-…}}`", self.name),
            )),
        }
    }
}

/// A scalar in the source.
struct Place<'a> {
    source: &'a str,
    span: Span,
}

impl Place<'_> {
    /// Where `${reference}` stands, if it is written there as it reads (escapes and folding can hide it).
    fn of(&self, reference: &str) -> Span {
        let written = format!("${{{reference}}}");
        match self.source.find(&written) {
            Some(at) => Span::new(self.span.start + at, self.span.start + at + written.len()),
            None => self.span,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(text: &str) -> Result<String, Vec<(Code, String, Option<String>)>> {
        let environment = Environment::from_iter([("A", "1"), ("EMPTY", ""), ("YAML", "x: [1, 2]\ny: ${A}")]);
        let mut report = Report::default();
        let place = Place { source: text, span: Span::new(0, text.len()) };
        let out = expanded(text, &place, &environment, &mut report);
        let problems: Vec<_> = report.list.into_iter().map(|p| (p.code, p.message, p.hint)).collect();
        if problems.is_empty() { Ok(out.unwrap()) } else { Err(problems) }
    }

    #[test]
    fn the_forms() {
        for (text, expected) in [
            ("${A}", "1"),
            ("a${A}b${A}c", "a1b1c"),
            ("${EMPTY}", ""),
            ("${EMPTY:-x}", "x"),
            ("${NONE:-}", ""),
            ("${NONE:-a:b-$c}", "a:b-$c"),
            ("${A:-x}", "1"),
            ("${A:?never}", "1"),
            ("$$", "$"),
            ("$${A}", "${A}"),
            ("$$$${A}", "$${A}"),
            // What a variable holds is a value, whatever it looks like.
            ("${YAML}", "x: [1, 2]\ny: ${A}"),
        ] {
            assert_eq!(run(text).as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_fails() {
        let code = |text: &str| run(text).unwrap_err()[0].0;
        for text in [
            "$A",
            "$",
            "a$",
            "${A",
            "${}",
            "${1A}",
            "${A-x}",
            "${A:x}",
            "${ A }",
            "${NONE:-${A}}",
            "${NONE:=x}",
        ] {
            assert_eq!(code(text), Code::BadVariable, "{text}");
        }
        for text in ["${NONE}", "${NONE:?}", "${EMPTY:?}"] {
            assert_eq!(code(text), Code::UnsetVariable, "{text}");
        }
        let problems = run("${NONE:?export it first} ${OTHER}").unwrap_err();
        assert_eq!(problems.len(), 2);
        assert_eq!(problems[0].2.as_deref(), Some("export it first"));
        assert_eq!(problems[1].1, "the variable `OTHER` is not set");
    }

    #[test]
    fn an_environment_shows_no_values() {
        assert_eq!(format!("{:?}", Environment::from_iter([("A", "hunter2")])), r#"{"A"}"#);
    }
}
