//! Holds what a file of vectors expects against what was found, and both against `divergences.json`.

use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// One vector, and what became of it.
pub(crate) struct Outcome {
    /// Its name in its file: the `tcId` of Wycheproof.
    pub(crate) case: String,
    /// Whether it is to verify.
    pub(crate) valid: bool,
    /// Whether it did; if not, why.
    pub(crate) actual: Result<(), String>,
}

/// Vectors that end otherwise than their file expects, and why that is right.
#[derive(Deserialize)]
struct Divergence {
    file: String,
    cases: Vec<String>,
    expected: String,
    actual: String,
    reason: String,
}

/// Compares. Fails if a vector ends otherwise than expected and is not listed, and if it is listed and does not.
pub(crate) fn check(file: &str, outcomes: &[Outcome]) {
    let mut listed = divergences(file);
    let mut wrong = Vec::new();
    for Outcome { case, valid, actual } in outcomes {
        let expected = if *valid { "valid" } else { "invalid" };
        let actual = match actual {
            Ok(()) => "verified".to_owned(),
            Err(reason) => format!("refused: {reason}"),
        };
        let agrees = *valid == (actual == "verified");
        match listed.remove(case) {
            None if agrees => {}
            Some(known) if !agrees && known == (expected.to_owned(), actual.clone()) => {}
            Some(known) => wrong.push(format!("{case}: {expected}, {actual}; listed: {known:?}")),
            None => wrong.push(format!("{case}: {expected}, {actual}; not listed")),
        }
    }
    wrong.extend(listed.into_keys().map(|case| format!("{case}: listed, but there is no such case")));
    assert!(wrong.is_empty(), "{file}, {} of {} cases:\n{}", wrong.len(), outcomes.len(), wrong.join("\n"));
}

fn divergences(file: &str) -> BTreeMap<String, (String, String)> {
    let all: Vec<Divergence> = serde_json::from_value(read("divergences.json")).unwrap();
    let mut cases = BTreeMap::new();
    for divergence in all.into_iter().filter(|divergence| divergence.file == file) {
        assert!(!divergence.reason.is_empty(), "{file}: a divergence needs a reason");
        for case in divergence.cases {
            let before = cases.insert(case.clone(), (divergence.expected.clone(), divergence.actual.clone()));
            assert!(before.is_none(), "{file}: {case} is listed twice");
        }
    }
    cases
}

/// A JSON file below `tests/vectors`.
pub(crate) fn read(file: &str) -> Value {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/vectors").join(file);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// Every test of a Wycheproof file with its group. Fails if they are not as many as the file says.
pub(crate) fn wycheproof(file: &str) -> Vec<(Value, Value)> {
    let document = read(&format!("wycheproof/{file}"));
    let groups = document["testGroups"].as_array().unwrap();
    let of_group = |group: &Value| {
        let tests = group["tests"].as_array().unwrap().clone();
        tests.into_iter().map(|test| (group.clone(), test)).collect::<Vec<_>>()
    };
    let tests: Vec<_> = groups.iter().flat_map(of_group).collect();
    assert_eq!(document["numberOfTests"].as_u64(), Some(tests.len() as u64), "{file}");
    tests
}

/// Whether a Wycheproof test is to verify. What is merely `acceptable` is not: a gate has no use for it.
pub(crate) fn is_valid(test: &Value) -> bool {
    match test["result"].as_str() {
        Some("valid") => true,
        Some("invalid" | "acceptable") => false,
        other => panic!("{other:?}"),
    }
}

/// The public part of a JWK. The vectors come with their private keys, which a gate refuses wherever it finds them.
pub(crate) fn public(jwk: &Value) -> Value {
    let mut jwk = jwk.clone();
    for private in ["d", "p", "q", "dp", "dq", "qi", "oth"] {
        jwk.as_object_mut().unwrap().remove(private);
    }
    jwk
}
