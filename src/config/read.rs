//! Readers of values. Each reports what it can't read, and then gives `None`.

use super::code::Code;
use super::cover;
use super::node::{Entry, Node, Scalar, Value};
use super::problem::{Report, quote};
use super::source::Spanned;
use super::spelling;
use super::units;
use std::ops::RangeInclusive;
use std::time::Duration;

/// The entries of a mapping, of any keys; at least one.
pub(super) fn mapping<'n>(node: &'n Node, report: &mut Report) -> Option<&'n [Entry]> {
    match &node.value {
        Value::Map(entries) if entries.is_empty() => {
            report
                .error(Code::Empty, node.head, "the mapping is empty")
                .help("give it entries, or remove the key");
            None
        }
        Value::Map(entries) => Some(entries),
        _ => wrong_type(node, "a mapping", None, report),
    }
}

/// A mapping of names that the operator chooses, held against `good`, to values. What is unusable is left out: it was reported, so nothing will come of
/// the rest but further problems.
pub(super) fn table<'n, T>(
    node: &'n Node,
    report: &mut Report,
    good: impl Fn(&Spanned<String>, &mut Report) -> bool,
    mut read: impl FnMut(&'n Node, &mut Report) -> Option<T>,
) -> Option<Vec<(Spanned<String>, T)>> {
    let mut table = Vec::new();
    for entry in mapping(node, report)? {
        let name = Spanned::new(entry.key.clone(), entry.key_span);
        let (good, value) = (good(&name, report), read(&entry.value, report));
        table.extend(value.filter(|_| good).map(|value| (name, value)));
    }
    (!table.is_empty()).then_some(table)
}

/// A list with at least one element. What is unusable is left out, as in [`table`].
pub(super) fn list<'n, T>(
    node: &'n Node,
    report: &mut Report,
    mut read: impl FnMut(&'n Node, &mut Report) -> Option<T>,
) -> Option<Spanned<Vec<T>>> {
    let items = match &node.value {
        Value::List(items) if items.is_empty() => {
            report
                .error(Code::Empty, node.head, "the list is empty")
                .help("name at least one, or remove the key");
            return None;
        }
        Value::List(items) => items,
        Value::Scalar(scalar) if !scalar.plain || !scalar.text.contains(',') => {
            return wrong_type(
                node,
                "a list",
                Some(format!("write it in brackets: `[{}]`", scalar.shown())),
                report,
            );
        }
        _ => return wrong_type(node, "a list", None, report),
    };
    let values: Vec<T> = items.iter().filter_map(|item| read(item, report)).collect();
    (!values.is_empty()).then_some(Spanned::new(values, node.span))
}

/// A list of distinct texts.
pub(super) fn texts(node: &Node, report: &mut Report) -> Option<Spanned<Vec<Spanned<String>>>> {
    let list = list(node, report, text)?;
    for (n, item) in list.value.iter().enumerate() {
        if let Some(first) = list.value.iter().take(n).find(|other| other.value == item.value) {
            report
                .error(Code::Duplicate, item.span, format!("{} stands twice in the list", item.quoted()))
                .also(first.span, "first here")
                .help("keep one of the two");
        }
    }
    Some(list)
}

/// Text that is not empty; a number or boolean counts as the text it is written as.
pub(super) fn text(node: &Node, report: &mut Report) -> Option<Spanned<String>> {
    let scalar = scalar(node, "text", report)?;
    if scalar.text.trim().is_empty() {
        report.error(Code::Empty, node.span, "the text is empty").help("give it a value, or remove the key");
        return None;
    }
    Some(Spanned { value: scalar.text.clone(), span: node.span, expanded: scalar.written.is_some() })
}

/// Text that `parse` turns into a value, or into a hint.
pub(super) fn parsed<T>(
    node: &Node,
    what: &str,
    report: &mut Report,
    parse: impl FnOnce(&str) -> Result<T, String>,
) -> Option<Spanned<T>> {
    let scalar = scalar(node, what, report)?;
    match parse(&scalar.text) {
        Ok(value) => Some(Spanned { value, span: node.span, expanded: scalar.written.is_some() }),
        Err(hint) => {
            // A hint may repeat a part of the text: not if it came out of a variable.
            let hint =
                if scalar.written.is_none() { hint } else { "look at what the variable holds".to_owned() };
            report.error(Code::BadValue, node.span, format!("{} is not {what}", scalar.quoted())).help(hint);
            None
        }
    }
}

/// `true` or `false`.
pub(super) fn boolean(node: &Node, report: &mut Report) -> Option<Spanned<bool>> {
    let hint = |scalar: &Scalar| match scalar.text.to_ascii_lowercase().as_str() {
        "yes" | "on" | "true" | "1" => "write `true`, without quotes".to_owned(),
        "no" | "off" | "false" | "0" => "write `false`, without quotes".to_owned(),
        _ => "write `true` or `false`".to_owned(),
    };
    let scalar = scalar(node, "`true` or `false`", report)?;
    match scalar.text.as_str() {
        "true" if scalar.is_typed() => Some(Spanned::new(true, node.span)),
        "false" if scalar.is_typed() => Some(Spanned::new(false, node.span)),
        _ => {
            let message = format!("{} is not `true` or `false`", scalar.quoted());
            report.error(Code::WrongType, node.span, message).help(hint(scalar));
            None
        }
    }
}

/// A whole number within `range`.
pub(super) fn integer(node: &Node, range: RangeInclusive<u64>, report: &mut Report) -> Option<Spanned<u64>> {
    let number = parsed(node, "a whole number", report, |text| {
        text.parse::<u64>().map_err(|_| "write digits only".to_owned())
    })?;
    within(number, range, u64::to_string, report)
}

/// A duration within `range`.
pub(super) fn duration(
    node: &Node,
    range: RangeInclusive<Duration>,
    report: &mut Report,
) -> Option<Spanned<Duration>> {
    let duration = parsed(node, "a duration", report, units::duration)?;
    within(duration, range, |duration| units::show_duration(*duration), report)
}

/// A size in bytes within `range`.
pub(super) fn size(node: &Node, range: RangeInclusive<u64>, report: &mut Report) -> Option<Spanned<u64>> {
    let size = parsed(node, "a size", report, units::size)?;
    within(size, range, |size| units::show_size(*size), report)
}

/// One of the names in `choices`.
pub(super) fn choice<T: Clone>(
    node: &Node,
    choices: &[(&str, T)],
    report: &mut Report,
) -> Option<Spanned<T>> {
    let scalar = scalar(node, "text", report)?;
    if let Some((_, value)) = choices.iter().find(|(name, _)| *name == scalar.text) {
        return Some(Spanned::new(value.clone(), node.span));
    }
    let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
    let nearest =
        scalar.written.is_none().then(|| spelling::nearest(&scalar.text, names.iter().copied())).flatten();
    let all = names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    let hint = match nearest {
        Some(name) => format!("did you mean `{name}`? The choices are {all}"),
        None => format!("the choices are {all}"),
    };
    report
        .error(Code::UnknownValue, node.span, format!("{} is none of the choices", scalar.quoted()))
        .help(hint);
    None
}

/// The scalar at `node`; `what` says what it should be.
pub(super) fn scalar<'n>(node: &'n Node, what: &str, report: &mut Report) -> Option<&'n Scalar> {
    match &node.value {
        Value::Scalar(scalar) => Some(scalar),
        _ => wrong_type(node, what, None, report),
    }
}

/// Report that `node` isn't `what`, unless it was reported already.
pub(super) fn wrong_type<T>(node: &Node, what: &str, hint: Option<String>, report: &mut Report) -> Option<T> {
    let found = match &node.value {
        Value::Refused => return None,
        Value::Null => "nothing",
        Value::Scalar(_) => "text",
        Value::List(_) => "a list",
        Value::Map(_) => "a mapping",
    };
    let at = if matches!(node.value, Value::Scalar(_)) { node.span } else { node.head };
    let problem = report.error(Code::WrongType, at, format!("expected {what}, found {found}"));
    match (hint, &node.value) {
        (Some(hint), _) => problem.help(hint),
        (None, Value::Null) => problem.help("give it a value, or remove the key"),
        (None, Value::List(_)) => problem.help("write it without brackets and dashes"),
        (None, Value::Scalar(_)) if what == "a mapping" => {
            problem.help("write its keys on the lines below, indented, or in braces: `{key: value}`")
        }
        (None, _) => problem,
    };
    None
}

fn within<T: PartialOrd>(
    value: Spanned<T>,
    range: RangeInclusive<T>,
    show: impl Fn(&T) -> String,
    report: &mut Report,
) -> Option<Spanned<T>> {
    if range.contains(&value.value) {
        return Some(value);
    }
    let (low, high) = (show(range.start()), show(range.end()));
    let (message, label) = match value.value < *range.start() {
        true => ("too small", format!("at least {low}")),
        false => ("too large", format!("at most {high}")),
    };
    report
        .error(Code::OutOfRange, value.span, message)
        .label(label)
        .help(format!("choose from {low} to {high}"));
    None
}

impl Scalar {
    /// The value as a message may repeat it: as written, before variables were expanded.
    pub(super) fn shown(&self) -> &str {
        self.written.as_deref().unwrap_or(&self.text)
    }

    /// [`Scalar::shown`] in back-ticks, saying if the text that failed isn't quite this.
    pub(super) fn quoted(&self) -> String {
        match &self.written {
            Some(written) => format!("the value of {}", quote(&cover::without_user_info(written))),
            None => quote(&cover::without_user_info(&self.text)),
        }
    }

    /// Whether the text may be a number or a boolean: not in quotes, or made by a variable.
    pub(super) fn is_typed(&self) -> bool {
        self.plain || self.written.is_some()
    }
}
