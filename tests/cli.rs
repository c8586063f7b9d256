//! The program as a user meets it: what it prints, where, and its exit status.

#![cfg(feature = "gateway")]
#![expect(clippy::unwrap_used, reason = "tests")]

use serde_json::Value;
use std::fs::File;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output};
use std::time::Duration;

/// Runs the program, in a folder of its own and without the environment's wishes.
fn tollgate(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tollgate"));
    command.args(arguments).env_remove("RUST_LOG").output().unwrap()
}

fn out(output: &Output) -> &str {
    std::str::from_utf8(&output.stdout).unwrap()
}

fn err(output: &Output) -> &str {
    std::str::from_utf8(&output.stderr).unwrap()
}

/// A file of this test's own.
fn file(name: &str, text: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&path, text).unwrap();
    path
}

fn minimal() -> String {
    std::fs::read_to_string(config("minimal.yaml")).unwrap()
}

fn config(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("config").join(name)
}

#[test]
fn a_typo_is_shown_with_line_caret_and_suggestion() {
    let path = file("typo.yaml", &minimal().replace("audiences:", "audiencs:"));
    let path = path.to_str().unwrap();
    let output = tollgate(&["check", path]);
    assert_eq!(tollgate(&["check", "--config", path]).stdout, output.stdout);
    let line = minimal().lines().position(|line| line.contains("audiences:")).unwrap() + 1;
    for part in [&format!("{path}:{line}:5"), "audiencs", "^^^^^^^^", "did you mean `audiences`?", "1 error"]
    {
        assert!(out(&output).contains(part), "no {part} in:\n{}", out(&output));
    }
    assert_eq!((output.status.code(), err(&output)), (Some(1), ""));
    assert!(!out(&output).contains('\u{1b}'), "no colour where nobody is looking");
}

#[test]
fn files_in_order_are_said_to_be() {
    let (one, other) = (config("minimal.yaml"), config("okta.yaml"));
    let output = tollgate(&["check", one.to_str().unwrap(), other.to_str().unwrap()]);
    assert_eq!(out(&output), format!("{}: ok\n{}: ok\n", one.display(), other.display()));
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn warnings_fail_only_where_that_is_asked_for() {
    let path = file("advised.yaml", &minimal().replace("clients: [orders-app]", "clients: any"));
    let path = path.to_str().unwrap();
    let output = tollgate(&["check", path]);
    assert!(out(&output).contains("warning["), "{}", out(&output));
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(tollgate(&["check", "--strict", path]).status.code(), Some(1));
}

#[test]
fn programs_are_told_the_same_in_json() {
    let wrong = file("wrong.yaml", "isuers: {}\n");
    let right = config("minimal.yaml");
    let output = tollgate(&["check", "--format", "json", wrong.to_str().unwrap(), right.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    let told: Value = serde_json::from_str(out(&output)).unwrap();
    let problems = told.pointer("/0/problems").and_then(Value::as_array).unwrap();
    let problem = problems.iter().find(|problem| problem.get("code").unwrap() == "unknown_key").unwrap();
    let get = |name| problem.get(name).cloned().unwrap();
    assert_eq!((get("line"), get("column"), get("severity")), (1.into(), 1.into(), "error".into()));
    assert!(get("hint").as_str().unwrap().contains("issuers"));
    assert_eq!(told.pointer("/1/problems").unwrap(), &Value::Array(Vec::new()));
}

#[test]
fn a_wrong_command_line_is_no_problem_with_a_file() {
    for arguments in [&[] as &[&str], &["check"], &["check", "--format", "xml", "a"], &["run"], &["fly"]] {
        let output = tollgate(arguments);
        assert_eq!((output.status.code(), out(&output)), (Some(2), ""), "{arguments:?}");
        assert!(
            err(&output).contains("--help") || err(&output).contains("Usage"),
            "{arguments:?}: {}",
            err(&output)
        );
    }
    let missing = tollgate(&["check", "there/is/no/such/file.yaml"]);
    assert_eq!(missing.status.code(), Some(1));
    assert!(out(&missing).contains("there/is/no/such/file.yaml"));
}

#[test]
fn run_refuses_a_configuration_with_problems() {
    let path = file("refused.yaml", &minimal().replace("audiences:", "audiencs:"));
    let output = tollgate(&["run", "--config", path.to_str().unwrap()]);
    assert_eq!((output.status.code(), out(&output)), (Some(1), ""));
    assert!(err(&output).contains("did you mean `audiences`?"), "{}", err(&output));
}

#[test]
fn the_demo_s_configuration_is_one_that_check_likes() {
    let printed = tollgate(&["demo", "--print-config"]);
    let path = file("demo.yaml", out(&printed));
    let output = tollgate(&["check", path.to_str().unwrap()]);
    assert_eq!((output.status.code(), out(&output)), (Some(0), &*format!("{}: ok\n", path.display())));
}

#[test]
fn the_version_is_the_package_s() {
    let expected = concat!("tollgate ", env!("CARGO_PKG_VERSION"), "\n");
    for arguments in [["version"], ["--version"]] {
        assert_eq!(out(&tollgate(&arguments)), expected);
    }
}

#[test]
fn run_needs_somewhere_to_send_requests() {
    let text = minimal();
    let path = file("library.yaml", text.split("upstreams:").next().unwrap());
    let output = tollgate(&["run", "--config", path.to_str().unwrap()]);
    assert_eq!((output.status.code(), out(&output)), (Some(1), ""));
    assert!(err(&output).contains("no `upstreams`"), "{}", err(&output));
}

#[test]
fn machines_are_told_a_configuration_s_problems_as_events() {
    let path = file("events.yaml", &minimal().replace("audiences:", "audiencs:"));
    let output = tollgate(&["run", "--log-format", "json", "--config", path.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    let events: Vec<Value> = err(&output).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let typo =
        events.iter().find(|event| event.get("code").is_some_and(|code| code == "unknown_key")).unwrap();
    assert!(typo.get("level").unwrap() == "ERROR" && typo.get("line").unwrap().is_u64(), "{typo}");
}

#[test]
fn a_hangup_reads_the_configuration_again() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let with = |path: &str| {
        format!(
            "routes:\n  - {{path: {path}, public: true}}\ngateway:\n  listen: [{{address: '127.0.0.1:{port}'}}]\n\
             upstreams:\n  nowhere: {{addresses: ['127.0.0.1:1']}}\n"
        )
    };
    let path = file("reloaded.yaml", &with("/old"));
    let mut gateway = Gateway::start(&path);
    // 502: admitted, but nobody is there.
    eventually("it serves", || status(port, "/old") == Some(502));
    assert_eq!(status(port, "/new"), Some(404));

    file("reloaded.yaml", &with("/new").replace("public", "pubic"));
    gateway.signal("HUP");
    let why = ["the configuration stays as it was", "did you mean `public`?"];
    eventually("it says why not", || why.iter().all(|part| gateway.log().contains(part)));
    assert_eq!((status(port, "/old"), status(port, "/new")), (Some(502), Some(404)));

    file("reloaded.yaml", &with("/new"));
    gateway.signal("HUP");
    eventually("the new one is in force", || status(port, "/new") == Some(502));
    assert_eq!(status(port, "/old"), Some(404));

    gateway.signal("TERM");
    assert_eq!(gateway.process.wait().unwrap().code(), Some(0));
}

#[test]
fn the_demo_goes_as_expected() {
    let output = tollgate(&["demo", "--exit-after-checks"]);
    assert_eq!((output.status.code(), err(&output)), (Some(0), ""), "{}", out(&output));
    assert!(out(&output).contains(" as expected, ") && !out(&output).contains("FAIL"), "{}", out(&output));
    assert!(!out(&output).contains("eyJ"), "tokens that nobody can use any more are not shown");
    let table = readme_block("text", "no token");
    assert!(out(&output).contains(&table), "the README shows another table than:\n{}", out(&output));
}

#[test]
fn the_readme_shows_what_check_says() {
    let text = readme_block("yaml", "issuers:");
    assert!(minimal().ends_with(&text), "the README's configuration is `config/minimal.yaml`");
    let path = file("tollgate.yaml", &text.replace("audiences:", "audiencs:"));
    let output = tollgate(&["check", path.to_str().unwrap()]);
    let said = out(&output).replace(path.to_str().unwrap(), "tollgate.yaml");
    assert!(
        said.starts_with(&readme_block("text", "audiencs")),
        "the README shows something else than:\n{said}"
    );
}

/// The first block of this kind in the README that has this text in it.
fn readme_block(kind: &str, with: &str) -> String {
    let readme = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    let opening = format!("```{kind}\n");
    let blocks = readme.split(&opening).skip(1).map(|rest| rest.split("```").next().unwrap());
    blocks.into_iter().find(|block| block.contains(with)).unwrap().to_owned()
}

/// `tollgate run`, as a process of its own.
struct Gateway {
    process: Child,
    log: PathBuf,
}

impl Gateway {
    fn start(config: &Path) -> Self {
        let log = config.with_extension("log");
        let mut command = Command::new(env!("CARGO_BIN_EXE_tollgate"));
        command.args(["run", "--config"]).arg(config).env_remove("RUST_LOG");
        let process = command.stderr(File::create(&log).unwrap()).spawn().unwrap();
        Self { process, log }
    }

    fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap()
    }

    fn signal(&self, name: &str) {
        let status =
            Command::new("kill").args(["-s", name, &self.process.id().to_string()]).status().unwrap();
        assert!(status.success());
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        // It may have ended already; `wait` then only collects it.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The status of a GET, if there is an answer.
fn status(port: u16, path: &str) -> Option<u16> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    answer.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok()
}

fn eventually(what: &str, holds: impl Fn() -> bool) {
    for _ in 0..500 {
        if holds() {
            return;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    panic!("waited in vain: {what}");
}
