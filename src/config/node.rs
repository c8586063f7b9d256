//! The tree of a configuration file: nodes that know where they stand.

use super::source::Span;

/// A value and where it stands.
pub(super) struct Node {
    pub(super) value: Value,
    /// All of it.
    pub(super) span: Span,
    /// What to point at when the whole is meant: the key that leads to it, the beginning of a list's element, or of the file.
    pub(super) head: Span,
}

pub(super) enum Value {
    /// Nothing is written, or `null` or `~`.
    Null,
    Scalar(Scalar),
    List(Vec<Node>),
    Map(Vec<Entry>),
    /// Something that was reported already; whoever reads it keeps silent.
    Refused,
}

pub(super) struct Scalar {
    /// The value, after variables have been expanded.
    pub(super) text: String,
    /// The value as written, if it had variables: what messages may repeat.
    pub(super) written: Option<String>,
    /// Without quotes, so that it may be a number or a boolean.
    pub(super) plain: bool,
}

/// A key and its value.
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) key_span: Span,
    pub(super) value: Node,
}

impl Node {
    /// The path of keys and indexes that leads to what stands at `span`, such as `routes[2].scopes.GET`.
    pub(super) fn key_at(&self, span: Span) -> String {
        let mut path = String::new();
        if self.head != span {
            self.descend(span, &mut path);
        }
        path
    }

    fn descend(&self, target: Span, path: &mut String) {
        match &self.value {
            Value::Map(entries) => {
                let covers = |entry: &&Entry| entry.key_span.to(entry.value.span).contains(target.start);
                if let Some(entry) = entries.iter().find(covers) {
                    if !path.is_empty() {
                        path.push('.');
                    }
                    path.push_str(&super::cover::key(&entry.key));
                    if entry.key_span != target {
                        entry.value.descend(target, path);
                    }
                }
            }
            Value::List(items) => {
                let covers = |item: &Node| item.head == target || item.span.contains(target.start);
                if let Some((n, item)) = items.iter().enumerate().find(|(_, item)| covers(item)) {
                    path.push_str(&format!("[{n}]"));
                    if item.head != target {
                        item.descend(target, path);
                    }
                }
            }
            Value::Null | Value::Scalar(_) | Value::Refused => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::problem::Report;
    use super::super::yaml;
    use super::*;

    #[test]
    fn key_paths_are_found_by_place() {
        let text = "issuers:\n  main:\n    keys: {wait: 5}\nroutes:\n  - path: /a\n    scopes: [x, y]\n  - path: /b\n";
        let node = yaml::parse(text, &mut Report::default()).unwrap();
        for (needle, path) in [
            ("issuers", "issuers"),
            ("main", "issuers.main"),
            ("5", "issuers.main.keys.wait"),
            ("y]", "routes[0].scopes[1]"),
            ("/b", "routes[1].path"),
        ] {
            let start = text.find(needle).unwrap();
            assert_eq!(node.key_at(Span::new(start, start + needle.trim_end_matches(']').len())), path);
        }
        let Value::Map(entries) = &node.value else { panic!("a mapping") };
        let Value::List(routes) = &entries[1].value.value else { panic!("a list") };
        assert_eq!(node.key_at(routes[1].head), "routes[1]");
    }
}
