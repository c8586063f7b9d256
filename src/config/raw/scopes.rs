//! What a route asks of a token: `scopes:` and `claims:`.

use super::super::code::Code;
use super::super::fields::Fields;
use super::super::node::{Node, Value};
use super::super::problem::Report;
use super::super::read;
use super::super::source::Spanned;
use super::super::spelling::Section;
use super::{Table, Texts, values};
use crate::policy::is_exact;

/// The scopes that a route asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Scopes {
    /// The same for every method.
    Every(Asked),
    /// For each method its own.
    PerMethod(Table<Asked>),
}

/// The scopes that a request must have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Asked {
    /// `none`: a valid token suffices.
    Nothing,
    /// All of a list.
    All(Texts),
    /// All of at least one list.
    Any(Vec<Texts>),
}

/// A condition on one claim.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Condition {
    Equals(Spanned<serde_json::Value>),
    OneOf(Vec<Spanned<serde_json::Value>>),
    Contains(Spanned<serde_json::Value>),
    EqualsCapture(Spanned<String>),
}

impl Scopes {
    pub(super) fn read(node: &Node, report: &mut Report) -> Option<Self> {
        let Value::Map(entries) = &node.value else {
            return Asked::read(node, report).map(Scopes::Every);
        };
        let is_method = |key: &str| key.bytes().all(|b| b.is_ascii_uppercase() || b == b'-');
        let per_method = entries
            .iter()
            .any(|entry| is_method(&entry.key) || is_known_method(&entry.key) || entry.key == "*");
        if !per_method {
            return Asked::read(node, report).map(Scopes::Every);
        }
        read::table(node, report, is_method_name, Asked::read).map(Scopes::PerMethod)
    }
}

impl Asked {
    fn read(node: &Node, report: &mut Report) -> Option<Self> {
        match &node.value {
            Value::Scalar(scalar) if scalar.text == "none" => Some(Asked::Nothing),
            Value::Scalar(scalar) => {
                let list = scalar
                    .shown()
                    .split([' ', ','])
                    .filter(|part| !part.is_empty())
                    .collect::<Vec<_>>()
                    .join(", ");
                let hint = format!("write `[{list}]`, or `none` if a valid token suffices");
                read::wrong_type(node, "a list of scopes", Some(hint), report)
            }
            Value::List(items) if items.is_empty() => {
                report
                    .error(Code::Empty, node.head, "the list is empty")
                    .help("write `none` if a valid token suffices");
                None
            }
            Value::Map(_) => {
                let mut fields = Fields::of(node, Section::Scopes, report)?;
                let hint = "scopes are a list, `none`, `{any: [[a], [b, c]]}`, or one of these per method: `{GET: [a]}`";
                let any = fields.get("any", report, |node, report| read::list(node, report, alternative));
                if fields.is_empty() {
                    fields.missing("any", hint);
                }
                fields.finish(report);
                any.given().map(|list| Asked::Any(list.value.clone()))
            }
            _ => values::scopes(node, report).map(Asked::All),
        }
    }
}

fn alternative(node: &Node, report: &mut Report) -> Option<Texts> {
    match &node.value {
        Value::Scalar(scalar) => {
            let hint = format!("each alternative is a list of its own: `[{}]`", scalar.shown());
            read::wrong_type(node, "a list of scopes", Some(hint), report)
        }
        _ => values::scopes(node, report),
    }
}

/// The conditions of a route; all must hold.
pub(super) fn claims(node: &Node, report: &mut Report) -> Option<Table<Condition>> {
    read::table(node, report, values::is_claim, Condition::read)
}

impl Condition {
    fn read(node: &Node, report: &mut Report) -> Option<Self> {
        if matches!(node.value, Value::Scalar(_) | Value::List(_)) {
            let hint = "say how to compare: `{equals: …}`, `{one_of: […]}`, `{contains: …}` or `{equals_capture: …}`";
            return read::wrong_type(node, "a condition", Some(hint.to_owned()), report);
        }
        let mut fields = Fields::of(node, Section::Claim, report)?;
        let equals = fields.get("equals", report, claim_value);
        let one_of = fields.get("one_of", report, |node, report| read::list(node, report, claim_value));
        let contains = fields.get("contains", report, claim_value);
        let capture = fields.get("equals_capture", report, read::text);
        let names = ["equals", "one_of", "contains", "equals_capture"];
        let alone = fields.exclusive(&names, report);
        if fields.is_empty() {
            let hint = "write `equals`, `one_of`, `contains` or `equals_capture`";
            report.error(Code::MissingKey, fields.head(), "the condition says nothing").help(hint);
        }
        fields.finish(report);
        let condition = equals.given().cloned().map(Condition::Equals);
        let condition = condition.or(one_of.given().map(|list| Condition::OneOf(list.value.clone())));
        let condition = condition.or(contains.given().cloned().map(Condition::Contains));
        condition.or(capture.given().cloned().map(Condition::EqualsCapture)).filter(|_| alone)
    }
}

/// Text, a number or a boolean. Quotes make text of what looks like a number.
fn claim_value(node: &Node, report: &mut Report) -> Option<Spanned<serde_json::Value>> {
    let scalar = read::scalar(node, "text, a number or a boolean", report)?;
    let text = || serde_json::Value::String(scalar.text.clone());
    let value = match (scalar.plain, scalar.text.as_str()) {
        (true, "true") => serde_json::Value::Bool(true),
        (true, "false") => serde_json::Value::Bool(false),
        // What JSON writes as a number is one; `007`, `1_000` and the like are text.
        (true, digits) => {
            digits.parse::<serde_json::Number>().map_or_else(|_| text(), serde_json::Value::Number)
        }
        (false, _) => text(),
    };
    if let serde_json::Value::Number(number) = &value
        && !is_exact(number)
    {
        let hint = "claims are compared with numbers of 64 bits; if the claim is a text, put this in quotes";
        report.error(Code::OutOfRange, node.span, "this number can't be told from its neighbours").help(hint);
        return None;
    }
    Some(Spanned::new(value, node.span))
}

/// Whether `method` is a method's name in upper case; reported if not.
pub(super) fn is_method_name(method: &Spanned<String>, report: &mut Report) -> bool {
    let name = method.value.as_str();
    let (message, hint) = match http::Method::from_bytes(name.as_bytes()) {
        _ if matches!(name, "*" | "ANY" | "ALL") => (
            format!("`{name}` is no method"),
            "name each method; for all of them leave `methods` out, and write one list of scopes".to_owned(),
        ),
        _ if name == "any" => (
            "`any` is no method".to_owned(),
            "it stands for one list: `{GET: {any: [[a], [b, c]]}}`".to_owned(),
        ),
        Ok(_) if matches!(name, "CONNECT" | "TRACE") => {
            (format!("`{name}` is always refused"), "remove it".to_owned())
        }
        Ok(_) if is_known_method(name) && name.bytes().any(|b| b.is_ascii_lowercase()) => (
            format!("{} is not in upper case", method.quoted()),
            format!("write `{}`", name.to_ascii_uppercase()),
        ),
        Ok(_) if is_known_method(name) || name.bytes().all(|b| b.is_ascii_uppercase() || b == b'-') => {
            return true;
        }
        _ => (
            format!("{} is no method", method.quoted()),
            "write a method's name in upper case, such as `GET`".to_owned(),
        ),
    };
    report.error(Code::BadValue, method.span, message).help(hint);
    false
}

fn is_known_method(name: &str) -> bool {
    METHODS.iter().any(|method| method.eq_ignore_ascii_case(name))
}

/// RFC 9110 9.3 and RFC 5789.
const METHODS: &[&str] = &["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT", "TRACE"];
