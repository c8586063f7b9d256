//! The configuration. The input is the YAML.

use serde_json::Value;
use tollgate::config::{self, Advice, Environment};

/// Whatever the text, every problem with it has a place in it, no secret is shown, and what loads means one thing.
pub fn check(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let usual = problems(text, Advice::Usual);
    problems(text, Advice::Strict);
    let plan = config::parse(NAME, text, &environment());
    assert_eq!(plan.is_err(), usual.has_errors(), "what is checked and what is used agree");
    let Ok(plan) = plan else { return };
    assert_eq!(plan.warnings.to_json(), usual.to_json());
    let again = config::parse(NAME, text, &environment()).expect("it was taken before");
    assert_eq!(meaning(&again), meaning(&plan), "it means the same each time");
}

fn problems(text: &str, advice: Advice) -> config::Problems {
    let problems = config::check_text(NAME, text, &environment(), advice);
    let shown = [problems.render(false), problems.render(true), problems.to_json()];
    for shown in &shown {
        assert!(text.contains(FROM_OUTSIDE) || !shown.contains(FROM_OUTSIDE), "a variable's value is shown");
        assert!(!shown.contains(WRITTEN) || !is_secret_everywhere(text), "a secret is shown:\n{shown}");
    }
    let json: Value = serde_json::from_str(&shown[2]).expect("JSON for programs");
    let list = json["problems"].as_array().expect("a list");
    assert_eq!(list.len(), problems.len());
    for problem in list {
        assert!(problem["message"].as_str().is_some_and(|message| !message.is_empty()));
        let begin = place(text, &problem["line"], &problem["column"]);
        let end = place(text, &problem["end_line"], &problem["end_column"]);
        assert!(begin <= end, "{problem}");
        for also in problem["also"].as_array().expect("a list") {
            place(text, &also["line"], &also["column"]);
        }
    }
    problems
}

/// A place that is in the text, or just behind the end of one of its lines.
fn place(text: &str, line: &Value, column: &Value) -> Option<(u64, u64)> {
    let (line, column) = (line.as_u64()?, column.as_u64()?);
    let index = usize::try_from(line).ok().and_then(|line| line.checked_sub(1)).expect("from 1 on");
    let there = text.split('\n').nth(index).expect("a line of the file");
    assert!((1..=there.chars().count() as u64 + 1).contains(&column), "{line}:{column} is not in the file");
    Some((line, column))
}

/// Whether the word that stands for a secret here is nothing but one, wherever it is: in a line of its own, under the name of
/// a secret.
fn is_secret_everywhere(text: &str) -> bool {
    let with_it = text.split('\n').filter(|line| line.contains(WRITTEN));
    with_it.into_iter().all(|line| line.trim_start().strip_prefix("client_secret: ") == Some(WRITTEN))
}

/// What a plan says, in words without an order: its maps have none.
fn meaning(plan: &config::Plan) -> Vec<String> {
    let mut words: Vec<String> =
        format!("{plan:?}").split(|c: char| !c.is_alphanumeric()).map(str::to_owned).collect();
    words.sort_unstable();
    words
}

fn environment() -> Environment {
    Environment::from_iter([("SECRET", FROM_OUTSIDE), ("EMPTY", ""), ("PORT", "8080"), ("TRUE", "true")])
}

const NAME: &str = "tollgate.yaml";
/// What only the environment knows.
const FROM_OUTSIDE: &str = "hunter2";
/// A secret that stands in the file.
const WRITTEN: &str = "correcthorse";
