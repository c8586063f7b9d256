//! What is said about a faulty configuration, as data: each `tests/config/*.yaml` has its expected rendering beside it in a `.txt`.
//!
//! `BLESS=1 cargo test --test config` writes the renderings anew; read the difference before you keep it.

#![cfg(feature = "config")]
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::path::{Path, PathBuf};
use tollgate::config::{self, Environment};

/// What the cases may refer to. A rendering never shows `hunter2`.
fn environment() -> Environment {
    Environment::from_iter([
        ("SECRET", "hunter2"),
        ("TIMEOUT", "hunter2 minutes"),
        ("EMPTY", ""),
        ("PORT", "8080"),
        ("TRUE", "true"),
    ])
}

fn files(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "yaml"));
    files.sort();
    assert!(!files.is_empty(), "no cases in {}", folder.display());
    files
}

#[test]
fn problems_are_told_as_expected() {
    let bless = std::env::var_os("BLESS").is_some();
    let mut failed = Vec::new();
    for path in files("tests/config") {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let text = std::fs::read_to_string(&path).unwrap();
        let problems = config::check(&name, &text, &environment());
        let rendered = problems.render(false);
        assert!(!rendered.contains("hunter2"), "{name} shows a secret:\n{rendered}");
        assert!(!problems.to_json().contains("hunter2"), "{name} shows a secret as JSON");
        let expected = path.with_extension("txt");
        if bless {
            std::fs::write(&expected, &rendered).unwrap();
        } else if std::fs::read_to_string(&expected).unwrap_or_default() != rendered {
            failed.push(format!("--- {name} now says:\n{rendered}"));
        }
    }
    assert!(
        failed.is_empty(),
        "{}\n{} renderings differ; see the head of this file",
        failed.join("\n"),
        failed.len()
    );
}
