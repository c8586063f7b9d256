//! Reading a mapping key by key, collecting every problem: the small counterpart of a serde derive, which would stop at the first.

use super::code::Code;
use super::node::{Entry, Node, Value};
use super::problem::Report;
use super::read;
use super::source::{Span, Spanned};
use super::spelling::{self, Section};

/// What became of one key.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) enum Field<T> {
    /// It isn't written.
    #[default]
    Absent,
    /// It is written, or required, but unusable, and that was reported: say no more about it.
    Broken,
    /// It is written.
    Given(T),
}

impl<T> Field<T> {
    /// The value, if it was given.
    pub(crate) fn given(&self) -> Option<&T> {
        match self {
            Field::Given(value) => Some(value),
            Field::Absent | Field::Broken => None,
        }
    }

    pub(crate) fn is_absent(&self) -> bool {
        matches!(self, Field::Absent)
    }
}

impl<T> Field<Field<T>> {
    /// A key inside an optional mapping, as if it stood by itself.
    pub(crate) fn flatten(self) -> Field<T> {
        match self {
            Field::Given(field) => field,
            Field::Absent => Field::Absent,
            Field::Broken => Field::Broken,
        }
    }
}

impl<T> Field<Spanned<T>> {
    /// The value without its place, or `default`.
    pub(crate) fn or(&self, default: T) -> T
    where
        T: Clone,
    {
        self.given().map_or(default, |given| given.value.clone())
    }

    /// The value without its place, if it was given.
    pub(crate) fn value(&self) -> Option<T>
    where
        T: Clone,
    {
        self.given().map(|given| given.value.clone())
    }
}

/// A mapping under its reader's hands.
pub(super) struct Fields<'n> {
    entries: &'n [Entry],
    section: Section,
    asked: Vec<&'static str>,
    missing: Vec<(&'static str, String)>,
    head: Span,
}

impl<'n> Fields<'n> {
    /// The keys of `node`, which must be a mapping.
    pub(super) fn of(node: &'n Node, section: Section, report: &mut Report) -> Option<Self> {
        match &node.value {
            Value::Map(entries) => {
                Some(Self { entries, section, asked: Vec::new(), missing: Vec::new(), head: node.head })
            }
            _ => read::wrong_type(node, "a mapping", None, report),
        }
    }

    /// An optional key.
    pub(super) fn get<T>(
        &mut self,
        name: &'static str,
        report: &mut Report,
        read: impl FnOnce(&'n Node, &mut Report) -> Option<T>,
    ) -> Field<T> {
        self.asked.push(name);
        match self.entries.iter().find(|entry| entry.key == name) {
            None => Field::Absent,
            Some(entry) => read(&entry.value, report).map_or(Field::Broken, Field::Given),
        }
    }

    /// A required key; its absence is reported.
    pub(super) fn need<T>(
        &mut self,
        name: &'static str,
        why: &str,
        report: &mut Report,
        read: impl FnOnce(&'n Node, &mut Report) -> Option<T>,
    ) -> Field<T> {
        let field = self.get(name, report, read);
        if field.is_absent() {
            self.missing(name, why);
            return Field::Broken;
        }
        field
    }

    /// Say that `name` is missing, and why it is needed. It will be reported unless an unknown key was probably meant to be it, which is reported by
    /// itself.
    pub(super) fn missing(&mut self, name: &'static str, why: impl Into<String>) {
        self.missing.push((name, why.into()));
    }

    /// Whether the mapping has no keys at all.
    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Where the mapping begins: what to point at when it is meant as a whole.
    pub(super) fn head(&self) -> Span {
        self.head
    }

    /// Where `name` stands, if it does.
    pub(super) fn place(&self, name: &str) -> Option<Span> {
        self.entries.iter().find(|entry| entry.key == name).map(|entry| entry.key_span)
    }

    /// Report keys of which more than one is given. Returns whether there was at most one.
    pub(super) fn exclusive(&self, names: &[&str], report: &mut Report) -> bool {
        let mut given = names.iter().filter_map(|name| self.place(name).map(|span| (name, span)));
        let Some((first, first_span)) = given.next() else { return true };
        let mut alone = true;
        for (name, span) in given {
            report
                .error(Code::ConflictingKeys, span, format!("`{name}` and `{first}` exclude each other"))
                .also(first_span, format!("`{first}` is given here"))
                .help("keep one of the two");
            alone = false;
        }
        alone
    }

    /// Report every key that is missing, and every one that nobody asked for.
    pub(super) fn finish(self, report: &mut Report) {
        #[cfg(test)]
        report.asked.extend(self.asked.iter().map(|name| (self.section, *name, self.place(name).is_some())));
        let unknown = || self.entries.iter().filter(|entry| !self.asked.contains(&entry.key.as_str()));
        for (name, why) in &self.missing {
            if !unknown().any(|entry| spelling::means(self.section, &entry.key, name)) {
                report.error(Code::MissingKey, self.head, format!("`{name}` is missing")).help(why.as_str());
            }
        }
        for entry in unknown() {
            report
                .error(Code::UnknownKey, entry.key_span, "unknown key")
                .label(format!("not a key of {}", self.section))
                .help(spelling::hint(self.section, &entry.key, &self.asked));
        }
    }
}
