//! The house's floors: each file imports from its own room and from those below, never from above or beside.

use std::fs;
use std::path::{Path, PathBuf};

/// The rooms, lowest floor first. Rooms of one floor don't know each other, unless `DOORWAYS` says so.
const FLOORS: &[&[&str]] = &[
    &["time"],
    &["token"],
    &["proof"],
    &["policy"],
    &["gate"],
    &["remote", "config", "metrics", "shared", "testing", "authority"],
    &["assemble"],
    &["tower", "proxy"],
    &["cli"],
    &["main"],
];

/// The edges on one floor that are meant: the embedded authorization server signs as the test issuer does.
const DOORWAYS: &[(&str, &str)] = &[("authority", "testing")];

#[test]
fn imports_only_lead_downstairs() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut wrong = Vec::new();
    for file in rust_files(&root).into_iter().filter(|file| !file.ends_with("tests.rs")) {
        let room = room_of(&root, &file);
        let Some(floor) = floor_of(&room) else {
            // The front page and the manual may speak of everything.
            assert!(
                ["lib", "manual"].contains(&room.as_str()),
                "{} is in no room of the house",
                file.display()
            );
            continue;
        };
        let text = fs::read_to_string(&file).unwrap();
        for target in imported_rooms(&text) {
            let fits = target == room
                || floor_of(&target).is_some_and(|below| below < floor)
                || DOORWAYS.contains(&(room.as_str(), target.as_str()));
            if !fits {
                wrong.push(format!("{}: `{room}` imports from `{target}`", file.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_room_says_what_it_is_for() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for file in rust_files(&root).into_iter().filter(|file| file.ends_with("mod.rs")) {
        let text = fs::read_to_string(&file).unwrap();
        assert!(text.starts_with("//! "), "{} begins with a sentence of purpose", file.display());
    }
}

fn floor_of(room: &str) -> Option<usize> {
    FLOORS.iter().position(|floor| floor.contains(&room))
}

fn room_of(root: &Path, file: &Path) -> String {
    let inside = file.strip_prefix(root).unwrap();
    let first = inside.components().next().unwrap().as_os_str().to_str().unwrap();
    first.trim_end_matches(".rs").to_owned()
}

/// The first segments of every path that begins with `crate::` (or, in the program, `tollgate::`), outside of comments and of
/// the tests at a file's end, which may use what they like.
fn imported_rooms(text: &str) -> Vec<String> {
    let code = text.split("\n#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    let code: String =
        code.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
    let mut rooms = Vec::new();
    for marker in ["crate::", "tollgate::"] {
        for (at, _) in code.match_indices(marker) {
            if code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '"' || c == ':') {
                continue;
            }
            let rest = &code[at + marker.len()..];
            let names = match rest.strip_prefix('{') {
                Some(group) => top_level_names(group),
                None => vec![word(rest)],
            };
            rooms.extend(names.into_iter().filter(|name| floor_of(name).is_some()));
        }
    }
    rooms
}

/// `a::{b, c}, d` of `{a::{b, c}, d}` names `a` and `d`.
fn top_level_names(group: &str) -> Vec<String> {
    let (mut depth, mut names, mut start) = (0, Vec::new(), true);
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => start = true,
            c if start && depth == 0 && !c.is_whitespace() => {
                names.push(word(&group[at..]));
                start = false;
            }
            _ => {}
        }
    }
    names
}

fn word(text: &str) -> String {
    text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}

#[test]
fn the_reader_of_imports_sees_what_it_should() {
    let text = "use crate::{gate::{Gate, policy}, token};\nuse crate::proof::x;\n// crate::cli\nlet a = crate::time::now();";
    assert_eq!(imported_rooms(text), ["gate", "token", "proof", "time"]);
}
