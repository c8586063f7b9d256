//! YAML text into a tree. The one file that names `granit_parser`.
//!
//! Only the plain part of YAML is let in: one document of mappings with text keys, lists and scalars. What makes YAML surprising is refused with a
//! reason: anchors, aliases, merge keys, tags, directives, a second document, one key twice. Size and depth are bounded.

use super::code::Code;
use super::node::{Entry, Node, Scalar, Value};
use super::problem::{Report, quote};
use super::source::Span;
use granit_parser::{ErrorKind, Event, Options, Parser, ScalarStyle, StrInput};

/// The tree of `text`, or `None` if that is no single well-formed document, which `report` then tells.
pub(super) fn parse(text: &str, report: &mut Report) -> Option<Node> {
    if text.len() > MAX_BYTES {
        let message = format!("the file has {} bytes; at most {MAX_BYTES} (1 MiB) are read", text.len());
        report.error_of_file(Code::TooLarge, message);
        return None;
    }
    let mut builder = Builder { parser: Parser::new_from_str_with_options(text, options()), report, text };
    builder.document()
}

struct Builder<'t, 'r> {
    parser: Parser<'t, StrInput<'t>>,
    report: &'r mut Report,
    text: &'t str,
}

impl<'t> Builder<'t, '_> {
    fn document(&mut self) -> Option<Node> {
        let mut root = None;
        loop {
            match self.next()? {
                (Event::StreamEnd, _) => break,
                (Event::DocumentStart(..), span) if root.is_some() => {
                    let hint = "keep one document in the file: remove the second `---`";
                    self.report
                        .error(Code::UnsupportedYaml, span, "a second document begins here")
                        .help(hint);
                    break;
                }
                (Event::StreamStart | Event::DocumentStart(..) | Event::DocumentEnd, _) => {}
                (event, span) => root = Some(self.node(event, span, None, 0)?),
            }
        }
        match root {
            None | Some(Node { value: Value::Null, .. }) => {
                let hint = "begin with `issuers:` and `routes:`";
                self.report.error_of_file(Code::EmptyFile, "the file is empty").help(hint);
                None
            }
            root => root,
        }
    }

    /// The node that `event` begins. `head` is the key that leads to it.
    fn node(&mut self, event: Event<'t>, span: Span, head: Option<Span>, depth: usize) -> Option<Node> {
        if depth > MAX_DEPTH {
            self.report.error(Code::TooLarge, span, format!("nested more than {MAX_DEPTH} levels deep"));
            return None;
        }
        if let Event::Scalar(.., Some(_))
        | Event::SequenceStart(.., Some(_))
        | Event::MappingStart(.., Some(_)) = event
        {
            let hint = "write the value without it; quotes make a number or a boolean text";
            self.report
                .error(Code::UnsupportedYaml, head.unwrap_or(span), "tags (`!…`) are not supported")
                .help(hint);
        }
        if let Event::Scalar(_, _, 1.., _)
        | Event::SequenceStart(_, 1.., _)
        | Event::MappingStart(_, 1.., _) = event
        {
            self.report
                .error(Code::UnsupportedYaml, head.unwrap_or(span), "anchors (`&…`) are not supported")
                .help("write the value out where it is needed");
        }
        let (value, span) = match event {
            Event::Scalar(text, style, ..) => (scalar(text.into_owned(), style), self.trimmed(span)),
            Event::Alias(_) | Event::UnresolvedAlias(_) => {
                let hint = "write the value out here; if it is text that begins with `*`, put it in quotes";
                self.report.error(Code::UnsupportedYaml, span, "aliases (`*…`) are not supported").help(hint);
                (Value::Refused, span)
            }
            Event::SequenceStart(..) => self.list(span, depth)?,
            Event::MappingStart(..) => self.map(span, depth)?,
            _ => (Value::Refused, span),
        };
        Some(Node { value, span, head: head.unwrap_or(Span::new(span.start, span.start)) })
    }

    fn list(&mut self, start: Span, depth: usize) -> Option<(Value, Span)> {
        let mut items = Vec::new();
        let mut last = start;
        loop {
            match self.next()? {
                (Event::SequenceEnd, end) => {
                    return Some((Value::List(items), enclosing(self.text, start, last, end)));
                }
                (event, span) => {
                    let mut item = self.node(event, span, None, depth + 1)?;
                    item.head = self.head_of_element(&item);
                    last = item.span;
                    items.push(item);
                }
            }
        }
    }

    fn map(&mut self, start: Span, depth: usize) -> Option<(Value, Span)> {
        let mut entries: Vec<Entry> = Vec::new();
        let mut last = start;
        loop {
            let (event, span) = self.next()?;
            if matches!(event, Event::MappingEnd) {
                let begin = entries.first().map_or(start, |first: &Entry| {
                    Span::new(start.start.min(first.key_span.start), start.end)
                });
                return Some((Value::Map(entries), enclosing(self.text, begin, last, span)));
            }
            let key = self.node(event, span, None, depth + 1)?;
            let (event, span) = self.next()?;
            let value = self.node(event, span, Some(key.span), depth + 1)?;
            last = Span::new(last.start, value.span.end.max(key.span.end));
            if let Some(entry) = self.entry(key, value, &entries) {
                entries.push(entry);
            }
        }
    }

    fn entry(&mut self, key: Node, value: Node, before: &[Entry]) -> Option<Entry> {
        let Value::Scalar(Scalar { text, plain, .. }) = key.value else {
            if !matches!(key.value, Value::Refused) {
                self.report.error(Code::UnsupportedYaml, key.head, "a key must be text");
            }
            return None;
        };
        if text == "<<" && plain {
            let hint = "write the keys out here";
            self.report
                .error(Code::UnsupportedYaml, key.span, "merge keys (`<<`) are not supported")
                .help(hint);
            return None;
        }
        if let Some(first) = before.iter().find(|entry| entry.key == text) {
            self.report
                .error(Code::DuplicateKey, key.span, format!("{} stands twice here", quote(&text)))
                .label("again here")
                .also(first.key_span, "first here")
                .help("keep one of the two");
            return None;
        }
        Some(Entry { key: text, key_span: key.span, value })
    }

    fn next(&mut self) -> Option<(Event<'t>, Span)> {
        match self.parser.next_event()? {
            Ok((event, span)) => Some((event, bytes(&span))),
            Err(error) => {
                let at = error.marker().byte_offset().unwrap_or(0).min(self.text.len());
                // At the end of the text, point at its last line, not behind it.
                let at = if at == self.text.len() { self.text.trim_end().len() } else { at };
                let message = format!("this is not well-formed YAML: {}", error.info());
                let problem = self.report.error(Code::Syntax, Span::new(at, at), message);
                if let Some(hint) = syntax_hint(error.kind()) {
                    problem.help(hint);
                }
                None
            }
        }
    }

    /// From an element's dash or bracket to the end of its first key: never the same as the span of that key.
    fn head_of_element(&self, item: &Node) -> Span {
        let Value::Map(entries) = &item.value else { return item.span };
        let before = self.text.get(..item.span.start).unwrap_or_default().trim_end();
        let start = if before.ends_with('-') { before.len() - 1 } else { item.span.start };
        let end = entries.first().map_or(item.span.end, |entry| entry.key_span.end);
        Span::new(start, end)
    }

    /// A block scalar's span runs to the next token: leave out the blank end.
    fn trimmed(&self, span: Span) -> Span {
        let slice = self.text.get(span.start..span.end).unwrap_or_default();
        Span::new(span.start, span.start + slice.trim_end().len())
    }
}

fn scalar(text: String, style: ScalarStyle) -> Value {
    let plain = style == ScalarStyle::Plain;
    match text.as_str() {
        "" | "~" | "null" | "Null" | "NULL" if plain => Value::Null,
        _ => Value::Scalar(Scalar { text, written: None, plain }),
    }
}

/// The span of a collection: to the closing bracket if it has one, otherwise to the end of its last element.
fn enclosing(text: &str, start: Span, last: Span, end: Span) -> Span {
    let bracket = text.get(start.start..).is_some_and(|rest| rest.starts_with(['[', '{']));
    Span::new(start.start, if bracket { end.end } else { last.end })
}

fn bytes(span: &granit_parser::Span) -> Span {
    Span::new(span.start.byte_offset().unwrap_or(0), span.end.byte_offset().unwrap_or(0))
}

fn options() -> Options {
    let mut options = granit_parser::options! {
        disallow_directives: true,
        emit_unresolved_aliases: true,
        flow_nesting_limit: 2 * MAX_DEPTH,
        block_nesting_limit: 2 * MAX_DEPTH,
    };
    options.set_emit_comments(false);
    options
}

/// What to do about the mistakes that people make most.
fn syntax_hint(kind: &ErrorKind) -> Option<&'static str> {
    Some(match kind {
        ErrorKind::TabNotAllowed
        | ErrorKind::TabInBlockIndentation
        | ErrorKind::TabInIndentation
        | ErrorKind::TabInPlainScalar => "indent with spaces, not with tabs",
        ErrorKind::SimpleKeyExpected => "is a `:` missing after the key?",
        ErrorKind::MappingValueNotAllowed | ErrorKind::InvalidColonPlacement => {
            "check the indentation of this line, and whether quotes and brackets before it are closed; a value with `: ` in it needs quotes"
        }
        ErrorKind::ExpectedBlockMappingKey
        | ErrorKind::ExpectedBlockSequenceEntry
        | ErrorKind::InvalidIndentation => {
            "check the indentation: keys of one mapping begin in the same column"
        }
        ErrorKind::UnclosedQuotedScalar | ErrorKind::InvalidQuotedScalarIndent => "close the quotes",
        ErrorKind::UnclosedFlowCollection { .. }
        | ErrorKind::UnexpectedEofFlowSequence
        | ErrorKind::UnexpectedEofFlowMapping
        | ErrorKind::ExpectedFlowMappingSeparator
        | ErrorKind::ExpectedFlowSequenceSeparator => {
            "close the bracket, or add the missing comma; in brackets, a value with `{`, `}` or `,` in it needs quotes"
        }
        ErrorKind::UnexpectedCharacter { .. } => "put the value in quotes",
        ErrorKind::DirectiveDisallowed => "remove the line that begins with `%`",
        _ => return None,
    })
}

/// Bytes of one file. A gateway with a thousand routes needs a fifth of it.
pub(super) const MAX_BYTES: usize = 1024 * 1024;

/// Levels of nesting. The deepest key that exists is at level 8; the rest is room for what is wrong, so that it gets a good message.
const MAX_DEPTH: usize = 24;

#[cfg(test)]
mod tests;
