//! What other readers make of a path, written without a look at how the gate reads it.

use std::collections::BTreeSet;
use unicode_normalization::UnicodeNormalization;

/// A path as some reader takes it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Reading {
    pub(crate) path: String,
    /// Whether that reader takes upper and lower case for the same.
    pub(crate) folded: bool,
    /// Whether that reader takes `/a` and `/a/` for the same.
    pub(crate) slash_ignored: bool,
}

/// Every reading of a path by readers that do up to four of these things, in whatever order: decode it, once or again;
/// take `%2F`, `\`, overlong or full-width forms for what they resemble; take accents away, or drop what is beyond ASCII; strip parameters; merge slashes; remove dot segments;
/// trim spaces, and dots at an end; stop at a NUL, `?` or `#`; ignore case; ignore a slash at the end.
pub(crate) fn readings(path: &str) -> BTreeSet<Reading> {
    let first = Reading { path: path.into(), folded: false, slash_ignored: false };
    let mut all = BTreeSet::from([first.clone()]);
    let mut fresh = vec![first];
    for _ in 0..4 {
        let next: Vec<Reading> =
            fresh.iter().flat_map(steps).filter(|reading| all.insert(reading.clone())).collect();
        fresh = next;
    }
    all
}

fn steps(reading: &Reading) -> Vec<Reading> {
    let path = &reading.path;
    let texts = [
        decode(path),
        path.replace("%2f", "/").replace("%2F", "/"),
        path.replace('\\', "/"),
        resemblances(path),
        each_segment(path, &ascii_of),
        each_segment(path, &|segment| ascii_of(&segment.nfd().collect::<String>())),
        each_segment(path, &|segment| ascii_of(&segment.nfkd().collect::<String>())),
        each_segment(path, &|segment| {
            ascii_of(&segment.chars().flat_map(upper_and_back).collect::<String>())
        }),
        each_segment(path, &|segment| segment.split(';').next().unwrap_or_default().into()),
        each_segment(path, &|segment| segment.trim_matches(' ').into()),
        each_segment(path, &|segment| segment.trim_end_matches(['.', ' ']).into()),
        merge_slashes(path),
        remove_dot_segments(path),
        path.split(['\0', '?', '#']).next().unwrap_or_default().to_owned(),
    ];
    let mut steps: Vec<Reading> = texts.into_iter().map(|path| Reading { path, ..reading.clone() }).collect();
    steps.push(Reading { folded: true, ..reading.clone() });
    steps.push(Reading { path: toggle_slash(path), slash_ignored: true, ..reading.clone() });
    steps
}

/// The path without its last slash, or with one if there is none.
pub(crate) fn toggle_slash(path: &str) -> String {
    match path.strip_suffix('/') {
        Some("") => path.to_owned(),
        Some(without) => without.to_owned(),
        None => format!("{path}/"),
    }
}

/// One pass over the escapes, leaving alone what is none.
pub(crate) fn decode(path: &str) -> String {
    let bytes = path.as_bytes();
    let (mut decoded, mut at) = (Vec::new(), 0);
    while at < bytes.len() {
        let escape = path.get(at + 1..at + 3).filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()));
        match (bytes[at], escape) {
            (b'%', Some(digits)) => {
                decoded.push(u8::from_str_radix(digits, 16).unwrap());
                at += 3;
            }
            (byte, _) => {
                decoded.push(byte);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

/// Overlong UTF-8, full-width characters and `%u` escapes, as lenient decoders take them.
fn resemblances(path: &str) -> String {
    let forms = [
        ("%c0%af", "/"),
        ("%e0%80%af", "/"),
        ("%c0%ae", "."),
        ("%c1%9c", "\\"),
        ("%ef%bc%8f", "/"),
        ("%ef%bc%8e", "."),
        ("%ef%bc%bc", "\\"),
        ("%ef%bc%9b", ";"),
        ("%u002f", "/"),
        ("%u002e", "."),
        ("%u005c", "\\"),
        ("／", "/"),
        ("．", "."),
        ("；", ";"),
    ];
    forms.into_iter().fold(path.to_owned(), |path, (form, meant)| {
        path.replace(form, meant).replace(&form.to_ascii_uppercase(), meant)
    })
}

/// A segment without what is beyond ASCII, unless nothing would be left.
fn ascii_of(segment: &str) -> String {
    let kept: String = segment.chars().filter(char::is_ascii).collect();
    if kept.is_empty() { segment.to_owned() } else { kept }
}

/// What ignoring case does to letters such as U+0131 and U+212A.
fn upper_and_back(c: char) -> Vec<char> {
    if c.is_ascii() { vec![c] } else { c.to_uppercase().flat_map(char::to_lowercase).collect() }
}

fn each_segment(path: &str, change: &dyn Fn(&str) -> String) -> String {
    path.split('/').map(change).collect::<Vec<_>>().join("/")
}

fn merge_slashes(path: &str) -> String {
    let mut merged = String::new();
    for c in path.chars() {
        if !(c == '/' && merged.ends_with('/')) {
            merged.push(c);
        }
    }
    merged
}

/// RFC 3986 section 5.2.4.
fn remove_dot_segments(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let mut segments = path.split('/').skip(1).peekable();
    while let Some(segment) = segments.next() {
        let last = segments.peek().is_none();
        match segment {
            "." => {}
            ".." => {
                kept.pop();
            }
            _ => {
                kept.push(segment);
                continue;
            }
        }
        if last {
            kept.push("");
        }
    }
    format!("/{}", kept.join("/"))
}

/// The template that a path takes, found the slow way: of all that match, the one whose segments are the most specific, from
/// the left. Literals are compared as they are spelled, and decoded.
pub(crate) fn slow_find(templates: &[String], path: &str, folded: bool) -> Option<usize> {
    let segments: Vec<&str> = path.strip_prefix('/')?.split('/').collect();
    let ranks = |template: &String| ranks(template, &segments, folded);
    let matching =
        templates.iter().enumerate().filter_map(|(index, template)| Some((ranks(template)?, index)));
    matching.max().map(|(_, index)| index)
}

/// Whether a template matches a path.
pub(crate) fn slow_match(template: &str, path: &str, folded: bool) -> bool {
    slow_find(&[template.to_owned()], path, folded).is_some()
}

fn ranks(template: &str, segments: &[&str], folded: bool) -> Option<Vec<u8>> {
    let parts: Vec<&str> = template[1..].split('/').collect();
    let mut ranks = Vec::new();
    for (at, part) in parts.iter().enumerate() {
        if part.starts_with("{*") {
            ranks.push(1);
            return (segments.len() > at).then_some(ranks);
        }
        let segment = segments.get(at)?;
        let is = |literal: &str| *segment == literal || folded && segment.eq_ignore_ascii_case(literal);
        if part.starts_with('{') {
            ranks.push(2);
            if segment.is_empty() {
                return None;
            }
        } else if is(part) || is(&decode(part)) {
            ranks.push(3);
        } else {
            return None;
        }
    }
    (parts.len() == segments.len()).then_some(ranks)
}
