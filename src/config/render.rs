//! Problems as text for people. The one file that names `annotate_snippets`.

use super::problem::{Problem, Severity};
use super::source::{Source, Span};
use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};

/// Each problem with its place in the file, a caret and a hint, followed by an empty line.
pub(super) fn text(source: &Source, problems: &[Problem], color: bool) -> String {
    let renderer = if color { Renderer::styled() } else { Renderer::plain() };
    let renderer = renderer.decor_style(DecorStyle::Ascii).term_width(TERMINAL_COLUMNS);
    let mut text = String::new();
    for problem in problems {
        text.push_str(&renderer.render(&[group(source, problem)]));
        text.push_str("\n\n");
    }
    text
}

fn group<'a>(source: &'a Source, problem: &'a Problem) -> Group<'a> {
    let level = match problem.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let title = level.primary_title(title(problem)).id(problem.code.as_str());
    let group = match &problem.primary {
        Some(primary) => {
            let spans: Vec<Span> =
                std::iter::once(primary).chain(&problem.also).map(|label| label.span).collect();
            let excerpt = source.excerpt(&spans);
            let labels = std::iter::once(primary).chain(&problem.also).map(|label| label.text.as_str());
            let annotations =
                excerpt.ranges.into_iter().zip(labels).enumerate().map(|(n, (range, label))| {
                    let kind = if n == 0 { AnnotationKind::Primary } else { AnnotationKind::Context };
                    let annotation = kind.span(range);
                    if label.is_empty() { annotation } else { annotation.label(label) }
                });
            let snippet = Snippet::source(excerpt.lines).path(source.name()).line_start(excerpt.first_line);
            title.element(snippet.annotations(annotations))
        }
        None => title.element(Origin::path(source.name())),
    };
    match &problem.hint {
        Some(hint) => group.element(Level::HELP.message(hint.as_str())),
        None => group,
    }
}

/// The key path before the message, so that a line found by `grep` says where it belongs.
fn title(problem: &Problem) -> String {
    match problem.key.as_str() {
        "" => problem.message.clone(),
        key => format!("{key}: {}", problem.message),
    }
}

/// Wide enough for the lines of a configuration; longer ones are cut around the caret.
const TERMINAL_COLUMNS: usize = 140;
