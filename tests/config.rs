//! What is said about a faulty configuration, as data: each `tests/config/*.yaml` has its expected rendering beside it in a `.txt`.
//!
//! `BLESS=1 cargo test --test config` writes the renderings anew; read the difference before you keep it.

#![cfg(feature = "config")]
#![expect(clippy::unwrap_used, reason = "tests")]

use std::path::{Path, PathBuf};
use tollgate::config::{self, Advice, Code, Environment, Severity};

/// What the cases may refer to. A rendering never shows `hunter2`.
fn environment() -> Environment {
    let variables = [
        ("SECRET", "hunter2"),
        ("TIMEOUT", "hunter2 minutes"),
        ("EMPTY", ""),
        ("PORT", "8080"),
        ("TRUE", "true"),
    ];
    Environment::from_iter(variables)
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

fn name(path: &Path) -> &str {
    path.file_name().unwrap().to_str().unwrap()
}

/// Compare `actual` with the file beside `path` of another `extension`, or write it there.
fn compare(path: &Path, extension: &str, actual: &str) -> Result<(), String> {
    let expected = path.with_extension(extension);
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&expected, actual).unwrap();
    }
    match std::fs::read_to_string(&expected).unwrap_or_default() == actual {
        true => Ok(()),
        false => Err(format!("--- {} now says:\n{actual}", name(&expected))),
    }
}

#[test]
fn problems_are_told_as_expected() {
    let mut failed = Vec::new();
    for path in files("tests/config") {
        let text = std::fs::read_to_string(&path).unwrap();
        let advice = if name(&path).starts_with("strict") { Advice::Strict } else { Advice::Usual };
        let problems = config::check_text(name(&path), &text, &environment(), advice);
        let rendered = problems.render(false);
        assert!(!rendered.contains("hunter2"), "{} shows a secret:\n{rendered}", path.display());
        assert!(!problems.render(true).contains("hunter2"), "{} shows a secret in colour", path.display());
        assert!(!problems.to_json().contains("hunter2"), "{} shows a secret as JSON", path.display());
        failed.extend(compare(&path, "txt", &rendered).err());
        // What is checked and what is used agree.
        let plan = config::parse(name(&path), &text, &environment());
        assert_eq!(plan.is_err(), problems.has_errors(), "{}", path.display());
    }
    assert!(
        failed.is_empty(),
        "{}\n{} renderings differ; see the head of this file",
        failed.join("\n"),
        failed.len()
    );
}

#[test]
fn every_kind_of_problem_has_a_case() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/config");
    let texts = files("tests/config")
        .into_iter()
        .map(|path| std::fs::read_to_string(path.with_extension("txt")).unwrap());
    let told = texts.collect::<String>();
    // A file that is absent or too large is tested below; what has no reason can't happen.
    let elsewhere = [Code::UnreadableFile, Code::TooLarge, Code::Unexplained];
    for code in Code::ALL.iter().filter(|code| !elsewhere.contains(code)) {
        assert!(told.contains(&format!("[{code}]")), "no case in {} is told `{code}`", folder.display());
    }
}

#[test]
fn problems_are_told_to_programs() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/config/ties.yaml");
    let text = std::fs::read_to_string(&path).unwrap();
    let problems = config::check_text("ties.yaml", &text, &environment(), Advice::Usual);
    compare(&path, "json", &problems.to_json()).unwrap();
}

#[test]
fn the_files_in_config_are_in_order() {
    let environment = Environment::from_iter([("INTROSPECTION_SECRET", "from the environment")]);
    for path in files("config") {
        let text = std::fs::read_to_string(&path).unwrap();
        let plan = config::parse(path.to_str().unwrap(), &text, &environment);
        let plan = plan.unwrap_or_else(|problems| unreachable!("{problems}"));
        // The reference shows everything, also what is advised against.
        let advised = name(&path) == "reference.yaml" || plan.warnings.is_empty();
        assert!(advised, "{}", plan.warnings);
    }
}

#[test]
fn a_file_is_loaded_with_what_it_names() {
    let folder = std::env::temp_dir().join(format!("tollgate-config-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join("gateway.yaml");
    let text = "
issuers:
  main:
    issuer: https://id.example.com
    audiences: [https://api.example.com/orders]
    clients: [app]
    keys: {file: keys.json}
routes: [{path: /, scopes: none}]
";
    std::fs::write(&path, text).unwrap();
    let problems = config::load(&path, &Environment::empty()).unwrap_err();
    assert_eq!(
        problems.iter().map(|p| (p.code().as_str(), p.key())).collect::<Vec<_>>(),
        [("unreadable_file", "issuers.main.keys.file")]
    );
    let checked = config::check(&path, &Environment::empty(), Advice::Usual);
    assert_eq!((checked.count(Severity::Error), checked.count(Severity::Warning)), (0, 1));

    std::fs::write(folder.join("keys.json"), r#"{"keys":[]}"#).unwrap();
    let plan = config::load(&path, &Environment::empty()).unwrap();
    let file = config::KeyLocation::File(folder.join("keys.json"));
    assert_eq!(plan.issuers.first().map(|issuer| &issuer.keys.location), Some(&file));

    for (bytes, message) in [(&b"\xff"[..], "not UTF-8"), (&[b' '; 2 << 20], "1 MiB")] {
        std::fs::write(&path, bytes).unwrap();
        let problems = config::load(&path, &Environment::empty()).unwrap_err();
        assert!(problems.to_string().contains(message), "{problems}");
    }
    let problems = config::load(&folder.join("absent.yaml"), &Environment::empty()).unwrap_err();
    assert!(problems.to_string().contains("absent.yaml"), "{problems}");
    std::fs::remove_dir_all(&folder).unwrap();
}
