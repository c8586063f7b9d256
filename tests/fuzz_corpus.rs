//! Replays what fuzzing has kept: every input of `tests/fuzz/corpus` and
//! `tests/fuzz/cases` through its check, without a fuzzer.
//!
//! `tests/fuzz/README.md` says how the inputs came to be, and how to look for more.

#[path = "fuzz/targets/mod.rs"]
mod targets;

use std::cell::Cell;
use std::fs;
use std::panic::{self, AssertUnwindSafe};
use std::path::{Path, PathBuf};

thread_local! {
    /// Panics on this thread, also those that a task of the gateway's kept to itself.
    static PANICS: Cell<usize> = const { Cell::new(0) };
}

/// Replays one target's inputs, and tells all that fail.
fn replay(target: &str, check: fn(&[u8])) {
    let tell = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        PANICS.set(PANICS.get() + 1);
        tell(info);
    }));
    let inputs = inputs(target);
    let fails = |input: &&PathBuf| {
        let data = fs::read(input).unwrap();
        let before = PANICS.get();
        panic::catch_unwind(AssertUnwindSafe(|| check(&data))).is_err() || PANICS.get() > before
    };
    let failed: Vec<String> = inputs.iter().filter(fails).map(|input| input.display().to_string()).collect();
    assert!(failed.is_empty(), "{} of {} fail:\n{}", failed.len(), inputs.len(), failed.join("\n"));
}

macro_rules! replays {
    ($($target:ident: $name:ident,)*) => {
        /// The targets, which are called as their files are.
        const TARGETS: &[&str] = &[$(stringify!($target)),*];

        $(#[test]
        fn $name() {
            replay(stringify!($target), targets::$target::check);
        })*
    };
}

replays! {
    authorization_header: authorization_headers_hold_one_token_or_none,
    claims: claims_say_what_stands_in_them,
    introspection: only_an_active_answer_makes_facts,
    jwks: key_sets_keep_what_may_be_used,
    jws: tokens_have_one_spelling,
    path: paths_have_one_reading,
    whole_request: nothing_gets_through_the_gateway_without_a_token,
    yaml: configurations_mean_one_thing_or_say_what_is_wrong,
}

#[test]
fn every_target_is_complete() {
    let stems = |folder: &str, extension: &str| -> Vec<String> {
        let found = files(folder).into_iter().filter(|file| file.extension().is_some_and(|e| e == extension));
        found.map(|file| file.file_stem().unwrap().to_str().unwrap().to_owned()).collect()
    };
    assert_eq!(stems("bin", "rs"), TARGETS, "each has its entry for the fuzzer");
    assert_eq!(stems("dictionaries", "dict"), TARGETS, "each has its dictionary");
    let manifest = fs::read_to_string(folder("Cargo.toml")).unwrap();
    for name in TARGETS {
        assert!(manifest.contains(&format!("path = \"bin/{name}.rs\"")), "{name} is in the manifest");
        // Enough to say something, and not more than a reader of a diff can bear.
        let found = files(&format!("corpus/{name}")).len();
        assert!((10..=MAX_INPUTS).contains(&found), "{name} has {found} inputs");
        let bytes: u64 = inputs(name).iter().map(|file| file.metadata().unwrap().len()).sum();
        assert!(bytes <= MAX_BYTES, "the inputs of {name} have {bytes} bytes");
    }
}

/// What is kept for a target.
fn inputs(target: &str) -> Vec<PathBuf> {
    [files(&format!("corpus/{target}")), files(&format!("cases/{target}"))].concat()
}

/// The files of a folder, by their names; none if there is no such folder.
fn files(folder_name: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder(folder_name)).into_iter().flatten();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz").join(name)
}

/// Inputs of one target that fuzzing has found.
const MAX_INPUTS: usize = 150;
/// Bytes of all that is kept for one target.
const MAX_BYTES: u64 = 200 * 1024;
