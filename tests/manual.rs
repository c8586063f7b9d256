//! The manual speaks of what there is: each requirement, class, scenario and decision has its line on the page of attacks, and each
//! room, test and table that is named there exists.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

const CLASSES: [&str; 12] = [
    "signature and algorithm",
    "header",
    "structure",
    "time",
    "issuer, audience, client, scope",
    "other tokens",
    "presentation",
    "HTTP",
    "key sets",
    "introspection",
    "configuration",
    "logs",
];
const SCENARIOS: usize = 10;

/// A line of a table: its cells.
type Row = Vec<String>;

#[test]
fn every_requirement_class_scenario_and_decision_has_a_line() {
    let sections = sections();
    let names: BTreeSet<&str> = sections.values().flatten().map(|row| row[0].as_str()).collect();
    for number in 1..=44 {
        assert!(names.contains(format!("R-{number:02}").as_str()), "R-{number:02} has no line");
    }
    for number in 1..=10 {
        assert!(names.contains(format!("D-{number}").as_str()), "D-{number} has no line");
    }
    assert!(CLASSES.iter().all(|class| names.contains(class)), "{names:?}");
    assert_eq!(sections["Classes"].len(), CLASSES.len());
    assert_eq!(sections["Availability"].len(), SCENARIOS);
}

#[test]
fn every_line_names_rooms_and_tests_that_there_are() {
    let tests = test_names();
    assert!(tests.len() > 400, "the tests are found: {}", tests.len());
    let mut wrong = Vec::new();
    for row in sections().into_values().flatten() {
        let (room, shown) = (&row[row.len() - 2], &row[row.len() - 1]);
        for name in code(room).filter(|name| name.contains("::")) {
            if !is_room(name) {
                wrong.push(format!("{}: there is no room `{name}`", row[0]));
            }
        }
        let mut shows = 0;
        for name in code(shown) {
            let is_test = tests.contains(name);
            let is_table = name.ends_with(".yaml") || name.ends_with(".md") || name == "run";
            shows += usize::from(is_test || is_table);
            if !is_test && !is_room(name) && !is_file(name) {
                wrong.push(format!("{}: there is neither a test nor a file `{name}`", row[0]));
            }
        }
        if shows == 0 {
            wrong.push(format!("{}: no test is named", row[0]));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The page's tables by their headings.
fn sections() -> BTreeMap<String, Vec<Row>> {
    let page = std::fs::read_to_string(root().join("src/manual/attacks.rs")).unwrap();
    let (mut sections, mut heading) = (BTreeMap::<_, Vec<Row>>::new(), String::new());
    for line in page.lines().map(|line| line.trim_start_matches("//!").trim()) {
        if let Some(title) = line.strip_prefix("# ") {
            heading = title.to_owned();
        }
        let cells = line.strip_prefix('|').and_then(|line| line.strip_suffix('|'));
        let Some(cells) = cells else { continue };
        let row: Row = cells.split('|').map(|cell| cell.trim().to_owned()).collect();
        let is_data = row.iter().all(|cell| !cell.starts_with("---")) && row.last().unwrap() != "shown by";
        if is_data {
            assert_eq!(row.len(), 4, "{row:?}");
            sections.entry(heading.clone()).or_default().push(row);
        }
    }
    sections
}

/// What stands in back-ticks.
fn code(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2)
}

/// Whether `proof::jwk` is a module, or `proof` a room.
fn is_room(name: &str) -> bool {
    let path = root().join("src").join(name.replace("::", "/"));
    path.is_dir() || path.with_extension("rs").is_file()
}

/// Whether there is such a file, or folder, of tests; `shared/vault` may be a room's own.
fn is_file(name: &str) -> bool {
    let path = root().join("tests").join(name);
    path.exists() || path.with_extension("rs").is_file() || is_room(&name.replace('/', "::")) || is_step(name)
}

/// A step of `tests/run`.
fn is_step(name: &str) -> bool {
    let script = std::fs::read_to_string(root().join("tests/run")).unwrap();
    script.contains(&format!("\nstep_{name}()"))
}

/// The names of all functions that are tests.
fn test_names() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for folder in ["src", "tests"] {
        for file in rust_files(&root().join(folder)) {
            let text = std::fs::read_to_string(file).unwrap();
            let mut marked = false;
            for line in text.lines().map(str::trim) {
                marked |= line == "#[test]" || line.starts_with("#[tokio::test");
                let function = line.strip_prefix("async fn ").or_else(|| line.strip_prefix("fn "));
                if let Some(function) = function.filter(|_| marked) {
                    names.insert(function.split(['(', '<']).next().unwrap().to_owned());
                    marked = false;
                }
            }
        }
    }
    names
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_path_buf()
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.ends_with("node_modules") {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}
