//! YAML, as written and as meant, and every problem with it at once.
//!
//! 1. [`node`] parses the text into a tree that knows where everything stands.
//! 2. [`expand`] fills in `${VARIABLES}` inside values.
//! 3. [`raw`] reads the tree key by key: what is written, nothing resolved.

mod code;
mod cover;
mod expand;
mod node;
mod problem;
mod problems;
mod raw;
mod read;
mod render;
mod source;
mod spelling;
mod units;

pub use code::Code;
pub use expand::Environment;
pub use problem::{Problem, Severity};
pub use problems::Problems;
pub use source::Position;

/// All problems of `text`, errors and warnings.
pub fn check(name: &str, text: &str, environment: &Environment) -> Problems {
    let mut report = problem::Report::default();
    let mut source = source::Source::new(name, text);
    let Some(mut root) = node::Node::parse(text, &mut report) else {
        source.cover(cover::secrets_in_text(text));
        return Problems::gather(source, report, |_| String::new());
    };
    source.cover(cover::secrets(&root, text));
    expand::expand(&mut root, text, environment, &mut report);
    raw::Raw::read(&root, &mut report);
    Problems::gather(source, report, |span| root.key_at(span))
}
