//! Which parts of a file must not be shown: the values of secrets, under every name that looks like one (a mistyped `client_secrt` is a secret too).

use super::node::{Node, Value};
use super::source::Span;
use std::borrow::Cow;

/// The secrets below `node`, a tree of `text`.
pub(super) fn secrets(node: &Node, text: &str) -> Vec<Span> {
    let mut found = Vec::new();
    visit(node, text, &mut found);
    found
}

/// The comment on the line on which something ends.
fn comment_after(end: usize, text: &str) -> Option<Span> {
    let line = text.get(end..)?.lines().next()?;
    line.find('#').map(|start| Span::new(end + start, end + line.trim_end().len()))
}

fn visit(node: &Node, text: &str, found: &mut Vec<Span>) {
    match &node.value {
        Value::Map(entries) => {
            for entry in entries {
                let (key, span) = (entry.key_span, entry.value.span);
                let name = text.get(key.start..key.end).unwrap_or_default();
                if let Some(start) = glued(name) {
                    found.push(Span::new(key.start + start, key.end));
                    continue;
                }
                let written = text.get(span.start..span.end).unwrap_or_default();
                if !names_a_secret(&entry.key) {
                    visit(&entry.value, text, found);
                    continue;
                }
                if !is_reference(written) {
                    found.push(span);
                }
                // Beside a new secret there may be a word about the old one.
                found.extend(comment_after(span.end, text));
            }
        }
        Value::List(items) => items.iter().for_each(|item| visit(item, text, found)),
        Value::Scalar(_) | Value::Refused => {
            let written = text.get(node.span.start..node.span.end).unwrap_or_default();
            for (start, end) in user_info(written).into_iter().chain(parameter(written)) {
                found.push(Span::new(node.span.start + start, node.span.start + end));
            }
        }
        Value::Null => {}
    }
}

/// The secrets in text that could not be parsed: whatever follows a secret's name, up to the next line that is not indented deeper;
/// or, if nothing or only the beginning of a block stands beside the name, up to the next line that begins with a key: such a text may be
/// broken because the secret itself is not indented as it should be.
pub(super) fn secrets_in_text(text: &str) -> Vec<Span> {
    let mut found: Vec<Span> = Vec::new();
    let mut within: Option<Unparsed> = None;
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let indent = line.len() - line.trim_start().len();
        if within.as_ref().is_some_and(|secret| secret.goes_on(line, indent)) {
            found.push(Span::new(at + indent, at + line.trim_end().len()));
        } else {
            within = secret_from(line).map(|start| {
                let value = line.get(start..).unwrap_or_default().trim_end();
                found.push(Span::new(at + start, at + start + value.len()));
                Unparsed { indent, open: value.is_empty() || value.starts_with(['|', '>']) }
            });
            if let (None, Some((start, end))) = (&within, user_info(line)) {
                found.push(Span::new(at + start, at + end));
            }
        }
        at += line.len();
    }
    found
}

/// A secret in text that could not be parsed.
struct Unparsed {
    /// Of the line with its name.
    indent: usize,
    /// Whether its value seems to stand below.
    open: bool,
}

impl Unparsed {
    /// Whether this line may still belong to it.
    fn goes_on(&self, line: &str, indent: usize) -> bool {
        indent > self.indent || line.trim().is_empty() || (self.open && !begins_with_key(line))
    }
}

/// Whether a line begins with `name:`, or with `- name:`.
fn begins_with_key(line: &str) -> bool {
    let line = line.trim_start().trim_start_matches("- ").trim_start();
    line.split_once(':').is_some_and(|(name, rest)| {
        let is_name = |c: char| c.is_alphanumeric() || "_-'\"".contains(c);
        !name.is_empty()
            && name.chars().all(is_name)
            && (rest.is_empty() || rest.starts_with(char::is_whitespace))
    })
}

/// Where the value of a secret may begin in `line`.
fn secret_from(line: &str) -> Option<usize> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
    let mut end = 0;
    while let Some(start) = line.get(end..)?.find(is_word).map(|n| end + n) {
        let word = line.get(start..)?;
        let word = word.split(|c| !is_word(c)).next()?;
        end = start + word.len();
        if names_a_secret(word) {
            let value = line.get(end..)?;
            return Some(end + (value.len() - value.trim_start_matches(['"', '\'', ':', ' ', '\t']).len()));
        }
    }
    None
}

/// Whether a key's value is a secret by its name.
pub(super) fn names_a_secret(key: &str) -> bool {
    let name: String =
        key.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
    let about_a_file = name.ends_with("file") || name.ends_with("path");
    let contains = SECRET_WORDS.iter().any(|word| name.contains(word));
    let nearly = SECRET_KEYS.iter().any(|key| strsim::osa_distance(key, &name) <= 2);
    !about_a_file && (contains || nearly || SECRET_NAMES.contains(&name.as_str()))
}

/// `text`, the name of a key, without a secret that is glued to it.
pub(super) fn key(text: &str) -> Cow<'_, str> {
    let name = glued(text).and_then(|start| text.get(..start));
    name.map_or(Cow::Borrowed(text), |name| Cow::Owned(format!("{name}***")))
}

/// Where a secret begins that is part of a key: what is written without a space behind the colon, or with another sign.
fn glued(key: &str) -> Option<usize> {
    let (at, sign) = key.char_indices().find(|(_, c)| matches!(c, ':' | '=') || c.is_whitespace())?;
    let start = at + sign.len_utf8();
    (start < key.len() && names_a_secret(key.get(..at)?)).then_some(start)
}

/// The range of the value in `?client_secret=value`.
fn parameter(written: &str) -> Option<(usize, usize)> {
    let query = written.find('?')?;
    let names = written.get(query..)?.match_indices('=').map(|(at, _)| query + at);
    names.into_iter().find_map(|at| {
        let name = written.get(query..at)?.rsplit(['?', '&']).next()?;
        let value = written.get(at + 1..)?;
        let length = value.find(['&', '#', '"', '\'']).unwrap_or(value.len());
        names_a_secret(name).then_some((at + 1, at + 1 + length))
    })
}

/// `${NAME}` or `${NAME:?hint}` and nothing else: shows where a secret comes from, not what it is.
fn is_reference(written: &str) -> bool {
    let inner = written.trim_matches(['"', '\'']).strip_prefix("${").and_then(|rest| rest.strip_suffix('}'));
    inner.is_some_and(|inner| !inner.contains(":-") && !inner.contains(['$', '{', '}']))
}

/// `text` without the user and password of a URL.
pub(super) fn without_user_info(text: &str) -> Cow<'_, str> {
    let around = user_info(text).and_then(|(start, end)| text.get(..start).zip(text.get(end..)));
    around.map_or(Cow::Borrowed(text), |(before, after)| Cow::Owned(format!("{before}***{after}")))
}

/// The range of `user:password` in `https://user:password@host`, or in `user:password@host`.
fn user_info(written: &str) -> Option<(usize, usize)> {
    let start = match written.find("://") {
        Some(at) => at + "://".len(),
        None => {
            let is_word = |c: char| c.is_alphanumeric() || "_-.".contains(c);
            let text = written.trim_start_matches(['"', '\'']);
            let (user, _) = text.split_once('@')?.0.split_once(':')?;
            user.chars().all(is_word).then_some(written.len() - text.len())?
        }
    };
    let authority = written.get(start..)?.split(['/', '?', '#', ' ', '"']).next()?;
    Some((start, start + authority.rfind('@')?))
}

/// The keys whose values are secrets, without separators; what is nearly one of them counts.
const SECRET_KEYS: &[&str] = &["clientsecret", "bearertoken"];

/// A key that is one of these has a secret for a value: what somebody may write for `bearer_token` or `signing_key_file`.
const SECRET_NAMES: &[&str] = &["token", "accesstoken", "signingkey"];

/// A key that contains one of these has a secret for a value.
const SECRET_WORDS: &[&str] =
    &["secret", "passwor", "passwd", "passphrase", "bearertoken", "privatekey", "apikey", "credential"];

#[cfg(test)]
mod tests {
    use super::super::problem::Report;
    use super::super::source::Source;
    use super::super::yaml;
    use super::*;

    #[test]
    fn names_of_secrets() {
        for name in [
            "client_secret",
            "clientSecret",
            "client-secrt",
            "clent_secret",
            "bearer_token",
            "bearr_token",
            "PASSWORD",
        ] {
            assert!(names_a_secret(name), "{name}");
        }
        for name in [
            "client_secret_file",
            "bearer_token_file",
            "token_prefixes",
            "token_type_hint",
            "client_id",
            "clients",
        ] {
            assert!(!names_a_secret(name), "{name}");
        }
    }

    fn shown(text: &str, spans: Vec<Span>) -> String {
        let mut source = Source::new("t", text);
        source.cover(spans);
        source.excerpt(&[Span::new(0, text.len())]).lines.into_owned()
    }

    #[test]
    fn values_of_secrets_are_covered() {
        for (text, expected) in [
            ("client_secret: hunter3 # was: hunter2\nx: 1 # y\n", "client_secret: *** ***\nx: 1 # y\n"),
            ("a: {client_secret: b, x: 1} # hunter2\n", "a: {client_secret: ***, x: 1} ***\n"),
            ("client_secret: ${SECRET} # was: hunter2\n", "client_secret: ${SECRET} ***\n"),
            ("client_secret: 'hun''ter2'\nx: 1\n", "client_secret: ***\nx: 1\n"),
            ("a: {client_secrt: hunter2, b: 1}\n", "a: {client_secrt: ***, b: 1}\n"),
            ("client_secret: |\n  hun\n  ter2\nx: 1\n", "client_secret: |\n  ***\nx: 1\n"),
            ("client_secret: [hunter, {x: two}]\n", "client_secret: ***\n"),
            ("client_secret: {hunter2}\n", "client_secret: ***\n"),
            ("client_secret:\n  - hun\n  - ter2\nx: 1\n", "client_secret:\n  ***\nx: 1\n"),
            ("client_secret: ${SECRET}\n", "client_secret: ${SECRET}\n"),
            ("client_secret: \"${SECRET:?set it}\"\n", "client_secret: \"${SECRET:?set it}\"\n"),
            ("client_secret: ${SECRET:-hunter2}\n", "client_secret: ***\n"),
            ("client_secret: a${SECRET}\n", "client_secret: ***\n"),
            ("client_secret_file: /run/x\n", "client_secret_file: /run/x\n"),
            ("jwks_uri: https://me:hunter2@host/x@y\n", "jwks_uri: https://***@host/x@y\n"),
            ("a: ['u:hunter2@h:1', /x:a@b]\n", "a: ['***@h:1', /x:a@b]\n"),
            (
                "endpoint: \"https://h/?a=b&client_secret=hunter2&c\"\n",
                "endpoint: \"https://h/?a=b&client_secret=***&c\"\n",
            ),
            (
                "a: {client_secret:hunter2, token=hunter2, b: 1}\n",
                "a: {client_secret:***, token=***, b: 1}\n",
            ),
            ("token: hunter2\nsigning_key: hunter2\n", "token: ***\nsigning_key: ***\n"),
        ] {
            let node = yaml::parse(text, &mut Report::default()).unwrap();
            assert_eq!(shown(text, secrets(&node, text)), expected);
        }
    }

    #[test]
    fn values_of_secrets_are_covered_in_broken_text() {
        for (text, expected) in [
            ("a: [\nclient_secret: hunter2\nb: 1\n", "a: [\nclient_secret: ***\nb: 1\n"),
            ("client_secret hunter2\nb: 1\n", "client_secret ***\nb: 1\n"),
            (
                "  client_secret: |\n    hun\n\n    ter2\n  b: 1\n",
                "  client_secret: ***\n    ***\n\n    ***\n  b: 1\n",
            ),
            ("a: {x: 1, 'client_secret': \"hunter2\"\n", "a: {x: 1, 'client_secret': \"***\n"),
            ("- https://u:hunter2@h/\n", "- https://***@h/\n"),
            ("  client_secret: |\n hun\nter2\n  b: 1\n", "  client_secret: ***\n ***\n***\n  b: 1\n"),
            ("  client_secret:\n hunter2\n  - b: 1\n", "  client_secret:\n ***\n  - b: 1\n"),
            ("  client_secret: hun\nhost: a\n", "  client_secret: ***\nhost: a\n"),
        ] {
            assert_eq!(shown(text, secrets_in_text(text)), expected);
        }
    }
}
