//! The text of one configuration file, positions in it, and the parts of it that must never be shown.

use super::problem::quote;
use std::borrow::Cow;
use std::ops::Range;
use zeroize::Zeroizing;

/// A range of bytes of the file, half open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Hash)]
pub(crate) struct Span {
    pub(crate) start: usize,
    pub(crate) end: usize,
}

impl Span {
    pub(crate) fn new(start: usize, end: usize) -> Self {
        Self { start, end: end.max(start) }
    }

    /// From the start of `self` to the end of `last`.
    pub(crate) fn to(self, last: Span) -> Self {
        Self::new(self.start, last.end)
    }

    pub(crate) fn contains(self, offset: usize) -> bool {
        self.start <= offset && offset < self.end
    }
}

/// A value and where it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Spanned<T> {
    pub(crate) value: T,
    pub(crate) span: Span,
    /// Whether a variable had a part in it, so that no message may repeat it.
    pub(super) expanded: bool,
}

impl<T> Spanned<T> {
    pub(crate) fn new(value: T, span: Span) -> Self {
        Self { value, span, expanded: false }
    }

    pub(crate) fn map<U>(self, f: impl FnOnce(T) -> U) -> Spanned<U> {
        Spanned { value: f(self.value), span: self.span, expanded: self.expanded }
    }
}

impl Spanned<String> {
    /// The text as a message may repeat it.
    pub(crate) fn quoted(&self) -> String {
        if self.expanded { "this value".to_owned() } else { quote(&self.value) }
    }
}

/// A place in a configuration file, as editors count: lines and columns from 1, columns in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
pub struct Position {
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
}

/// The name and text of a configuration file.
///
/// [`Source::excerpt`] is the only way to its lines: it covers secrets with `***`, however long they are.
#[derive(Clone, Default)]
pub(crate) struct Source {
    name: String,
    /// There may be secrets in it: it is wiped from memory when it is dropped.
    text: Zeroizing<String>,
    /// Ranges to cover, in order, without overlaps.
    covered: Vec<Span>,
}

impl Source {
    pub(crate) fn new(name: impl Into<String>, text: impl Into<String>) -> Self {
        Self { name: name.into(), text: Zeroizing::new(text.into()), covered: Vec::new() }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Cover these ranges in everything that is shown from now on.
    pub(crate) fn cover(&mut self, secrets: impl IntoIterator<Item = Span>) {
        self.covered.extend(secrets.into_iter().filter(|span| span.start < span.end));
        self.covered.sort();
        let mut merged: Vec<Span> = Vec::with_capacity(self.covered.len());
        for span in self.covered.drain(..) {
            match merged.last_mut() {
                Some(last) if span.start <= last.end => last.end = last.end.max(span.end),
                _ => merged.push(span),
            }
        }
        self.covered = merged;
    }

    /// Where the byte `offset` is.
    pub(crate) fn position(&self, offset: usize) -> Position {
        let before = self.text.get(..self.floor(offset)).unwrap_or_default();
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Position {
            line: before.bytes().filter(|&byte| byte == b'\n').count() + 1,
            column: before
                .get(line_start..)
                .unwrap_or_default()
                .trim_start_matches('\u{feff}')
                .chars()
                .count()
                + 1,
        }
    }

    /// The lines that `spans` touch, safe to show, and the spans within them.
    pub(crate) fn excerpt(&self, spans: &[Span]) -> Excerpt<'_> {
        let first = spans.iter().map(|span| span.start).min().unwrap_or(0);
        let last = spans.iter().map(|span| span.end).max().unwrap_or(0);
        let (first, last) = (self.floor(first), self.floor(last));
        let start = self.text.get(..first).and_then(|head| head.rfind('\n')).map_or(0, |newline| newline + 1);
        let end =
            self.text.get(last..).and_then(|tail| tail.find('\n')).map_or(self.text.len(), |n| last + n);
        let (lines, moved) = self.covering(start, end);
        Excerpt {
            first_line: self.position(start).line,
            ranges: spans
                .iter()
                .map(|span| moved(self.floor(span.start))..moved(self.floor(span.end)))
                .collect(),
            lines,
        }
    }

    /// The text from `start` to `end` with its secrets covered, and a function from offsets in the file to offsets in it.
    fn covering(&self, start: usize, end: usize) -> (Cow<'_, str>, impl Fn(usize) -> usize) {
        let hidden: Vec<Span> =
            self.covered.iter().filter(|span| span.start < end && start < span.end).copied().collect();
        let mut shown = String::new();
        let mut at = start;
        for span in &hidden {
            shown.push_str(self.text.get(at..span.start.max(at)).unwrap_or_default());
            shown.push_str(COVER);
            at = span.end.min(end);
        }
        let text = match hidden.is_empty() {
            true => Cow::Borrowed(self.text.get(start..end).unwrap_or_default()),
            false => Cow::Owned(shown + self.text.get(at..end).unwrap_or_default()),
        };
        let moved = move |offset: usize| {
            let (mut from, mut to) = (start, 0);
            for span in &hidden {
                if offset <= span.start {
                    break;
                }
                to += span.start.saturating_sub(from);
                if offset < span.end {
                    return to;
                }
                (from, to) = (span.end, to + COVER.len());
            }
            to + offset.saturating_sub(from)
        };
        (text, moved)
    }

    /// The nearest character boundary at or before `offset`.
    fn floor(&self, offset: usize) -> usize {
        let mut offset = offset.min(self.text.len());
        while !self.text.is_char_boundary(offset) {
            offset -= 1;
        }
        offset
    }
}

/// Lines of a file that may be shown.
pub(crate) struct Excerpt<'a> {
    pub(crate) lines: Cow<'a, str>,
    pub(crate) first_line: usize,
    pub(crate) ranges: Vec<Range<usize>>,
}

/// What stands in the place of a secret: always the same, so that it does not tell the length.
const COVER: &str = "***";

#[cfg(test)]
mod tests {
    use super::*;

    fn span_of(text: &str, part: &str) -> Span {
        let start = text.find(part).unwrap();
        Span::new(start, start + part.len())
    }

    #[test]
    fn positions_count_characters_and_lines_from_one() {
        let source = Source::new("t", "a: é\nbö: c\n");
        assert_eq!(source.position(0), Position { line: 1, column: 1 });
        assert_eq!(source.position(source.text.find('c').unwrap()), Position { line: 2, column: 5 });
        assert_eq!(source.position(999), Position { line: 3, column: 1 });
    }

    #[test]
    fn an_excerpt_has_the_lines_that_its_spans_touch() {
        let text = "one\ntwo\nthree\nfour\n";
        let source = Source::new("t", text);
        let excerpt = source.excerpt(&[span_of(text, "wo"), span_of(text, "hree")]);
        assert_eq!((excerpt.lines.as_ref(), excerpt.first_line), ("two\nthree", 2));
        assert_eq!(excerpt.ranges, [1..3, 5..9]);
    }

    #[test]
    fn a_secret_is_covered_and_what_follows_it_stays_in_place() {
        let text = "auth: {client_secret: hunter2hunter2, authh: basic}\n";
        let mut source = Source::new("t", text);
        source.cover([span_of(text, "hunter2hunter2")]);
        let excerpt =
            source.excerpt(&[span_of(text, "authh"), span_of(text, "hunter2hunter2"), span_of(text, "auth")]);
        assert_eq!(excerpt.lines, "auth: {client_secret: ***, authh: basic}");
        let shown: Vec<&str> = excerpt.ranges.iter().map(|range| &excerpt.lines[range.clone()]).collect();
        assert_eq!(shown, ["authh", "***", "auth"]);
    }

    #[test]
    fn a_secret_that_spans_lines_is_covered_whole() {
        let text = "s: |\n  hun\n  ter\nx: 1\n";
        let mut source = Source::new("t", text);
        source.cover([span_of(text, "|\n  hun\n  ter"), span_of(text, "ter")]);
        let excerpt = source.excerpt(&[span_of(text, "hun"), span_of(text, "x: 1")]);
        assert!(!excerpt.lines.contains("hun") && !excerpt.lines.contains("ter"), "{}", excerpt.lines);
        assert!(excerpt.lines.ends_with("x: 1"));
        assert_eq!(&excerpt.lines[excerpt.ranges[1].clone()], "x: 1");
    }
}
