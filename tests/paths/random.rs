//! Random tables of routes, and random hostile targets.

use super::table::Plan;
use proptest::prelude::*;
use proptest::sample::{Index, select};

pub(crate) const WORDS: [&str; 12] =
    ["a", "b", "admin", "Admin", "orders", "orders:batch", "a+b", "a%20b", "v1.2", "%22q", "..a", "me@x"];

/// What stands in a path, and in no template.
const OTHERS: [&str; 15] = [
    "5",
    "alice%40x",
    "",
    "a%20.",
    "admin.",
    "a%20b..",
    "%C3%A4",
    "%c3%a1dmin",
    "%c3%a1dmin%c3%9f",
    "%c3%a1%c5%bf",
    "adm%C4%B1n",
    "b%E6%97%A5",
    "%E6%97%A5",
    "v1.2%CC%81",
    ".%C3%A9",
];

fn segment() -> impl Strategy<Value = String> {
    prop_oneof![3 => select(&WORDS[..]).prop_map(str::to_owned), 1 => Just("{x}".to_owned())]
}

pub(crate) fn plan() -> impl Strategy<Value = Plan> {
    let end = prop_oneof![3 => Just(""), 1 => Just("/"), 3 => Just("/{*rest}")];
    let parts = (prop::collection::vec(segment(), 0..4), end, 0..3_usize, any::<(bool, bool)>());
    parts.prop_map(|(segments, end, requirement, (encoded_slashes, non_ascii))| {
        // A template's captures have names of their own.
        let named =
            segments.iter().enumerate().map(|(at, segment)| segment.replace("{x}", &format!("{{x{at}}}")));
        let inner = named.map(|segment| format!("/{segment}")).collect::<String>();
        let template = if inner.is_empty() && end.is_empty() { "/".to_owned() } else { inner + end };
        Plan { template, requirement, encoded_slashes, non_ascii }
    })
}

/// A target that begins as a path of one of the routes.
pub(crate) fn target() -> impl Strategy<Value = (Index, Vec<String>, Vec<Mutation>)> {
    let fill = prop_oneof![3 => select(&WORDS[..]), 1 => select(&OTHERS[..])];
    let fills = prop::collection::vec(fill.prop_map(str::to_owned), 6);
    (any::<Index>(), fills, prop::collection::vec(mutation(), 0..4))
}

#[derive(Clone, Debug)]
pub(crate) enum Mutation {
    Insert(Index, &'static str),
    Escape(Index),
    EscapeTwice(Index),
    FlipCase(Index),
    Delete(Index),
    ReplaceSlash(Index, &'static str),
    ToggleLastSlash,
}

const HOSTILE: [&str; 38] = [
    "/",
    "//",
    "/./",
    "/../",
    "/..",
    "..",
    ".",
    "\\",
    "..\\",
    ";",
    ";x=1",
    "..;/",
    "%2f",
    "%2F",
    "%5c",
    "%2e",
    "%2e%2e",
    "%252f",
    "%252e",
    "%00",
    "%0a",
    "%20",
    "%09",
    "%3b",
    "%23",
    "%3f",
    "%c0%af",
    "%ef%bc%8f",
    "%c3%a9",
    "%e6%97%a5",
    "%e2%84%aa",
    "%e2%80%8b",
    "%u002f",
    "／",
    "?",
    "#",
    "+",
    "%",
];

const SLASHES: [&str; 8] = ["%2f", "%2F", "\\", "%5c", "//", "%252f", "%c0%af", "/./"];

fn mutation() -> impl Strategy<Value = Mutation> {
    let at = || any::<Index>();
    prop_oneof![
        4 => (at(), select(&HOSTILE[..])).prop_map(|(at, text)| Mutation::Insert(at, text)),
        2 => at().prop_map(Mutation::Escape),
        1 => at().prop_map(Mutation::EscapeTwice),
        2 => at().prop_map(Mutation::FlipCase),
        1 => at().prop_map(Mutation::Delete),
        3 => (at(), select(&SLASHES[..])).prop_map(|(at, text)| Mutation::ReplaceSlash(at, text)),
        2 => Just(Mutation::ToggleLastSlash),
    ]
}

pub(crate) fn mutate(target: &str, mutation: &Mutation) -> String {
    let mut chars: Vec<String> = target.chars().map(String::from).collect();
    let of = |at: &Index| at.index(target.chars().count().max(1));
    let escape = |text: &str| text.bytes().map(|byte| format!("%{byte:02x}")).collect::<String>();
    match mutation {
        Mutation::Insert(at, text) => chars.insert(of(at).min(chars.len()), (*text).into()),
        Mutation::ToggleLastSlash if target.ends_with('/') => drop(chars.pop()),
        Mutation::ToggleLastSlash => chars.push("/".into()),
        Mutation::ReplaceSlash(at, text) => {
            let slashes: Vec<usize> = (0..chars.len()).filter(|at| chars[*at] == "/").collect();
            if !slashes.is_empty() {
                chars[slashes[at.index(slashes.len())]] = (*text).into();
            }
        }
        Mutation::Escape(at) | Mutation::EscapeTwice(at) | Mutation::FlipCase(at) | Mutation::Delete(at) => {
            let Some(one) = chars.get_mut(of(at)) else { return target.into() };
            *one = match mutation {
                Mutation::Escape(_) => escape(one),
                Mutation::EscapeTwice(_) => escape(one).replace('%', "%25"),
                Mutation::FlipCase(_) if one.bytes().all(|b| b.is_ascii_uppercase()) => {
                    one.to_ascii_lowercase()
                }
                Mutation::FlipCase(_) => one.to_ascii_uppercase(),
                _ => String::new(),
            };
        }
    }
    chars.concat()
}

/// The path that a template stands for, with these words for its captures.
pub(crate) fn path_of(template: &str, fills: &[String]) -> String {
    let mut fills = fills.iter();
    let mut fill = || fills.next().cloned().unwrap_or_default();
    let segments = template[1..].split('/').map(|part| match part {
        _ if part.starts_with("{*") => format!("{}/{}", fill(), fill()),
        _ if part.starts_with('{') => fill(),
        literal => literal.to_owned(),
    });
    format!("/{}", segments.collect::<Vec<_>>().join("/"))
}
