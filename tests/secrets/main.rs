//! What the program writes, whatever happens and however finely it logs: no token, no part of a signature, no secret and no key.
//!
//! The real program is run at every level in both formats. All kinds of traffic go through it, its issuers misbehave, its
//! configuration is read again; then everything that it wrote is searched: standard output and error, its answers, its pages.

mod house;
mod leaks;
#[path = "../availability/listening.rs"]
mod listening;
mod process;
mod traffic;

use house::House;
use leaks::Secrets;
use std::process::Command;
use std::time::Duration;

#[test]
fn nothing_that_is_written_for_people_holds_a_token_or_a_secret() {
    at_every_level("text");
}

#[test]
fn nothing_that_is_written_for_machines_holds_a_token_or_a_secret() {
    at_every_level("json");
}

fn at_every_level(format: &str) {
    std::thread::scope(|scope| {
        for level in ["error", "warn", "info", "debug", "trace"] {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            scope.spawn(move || runtime.block_on(run(level, format)));
        }
    });
}

async fn run(level: &str, format: &str) {
    let mut house = House::open(level, format).await;
    let secrets = traffic::everything(&mut house).await;
    let log = house.close().await;
    let lines = log.lines().count();
    match level {
        "error" => assert!(log.contains("the configuration stays as it was"), "{log}"),
        "warn" => assert!(log.contains("introspection failed"), "{log}"),
        _ => {
            assert!(log.contains("tollgate::access") && lines > 40, "{lines} lines");
            // The name of a token in a log is its fingerprint.
            let name = secrets.name_of_the_first();
            assert!(log.contains(&name), "no {name} in:\n{log}");
        }
    }
    if format == "json" {
        let all_json = log.lines().all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok());
        assert!(all_json, "{log}");
    }
    let written = [log.as_bytes(), &house.answers.concat()].concat();
    secrets.are_not_in(&written, &format!("{format} at {level}"));
}

#[tokio::test]
async fn what_check_says_of_a_configuration_holds_no_secret() {
    let house = House::open("error", "text").await;
    let sound = house.config();
    let secrets = Secrets::new(house.own_secrets());
    let spoilt = [
        sound.clone(),
        sound.replace("client_secret:", "client_secrt:"),
        sound.replace("client_secret:", "Client-Secret:"),
        sound.replace("client_secret:", "client_secret: :"),
        sound.replace("client_secret:", "client_secret"),
        sound.replace("client_secret:", "client_secret: ["),
        sound.replace("client_secret:", "password:"),
        sound.replace("bearer_token:", "bearer_tokn:"),
        sound.replace("client_secret: ", "client_secret: ${"),
        sound.replace("client_secret: ", "client_secret: !secret "),
        sound.replace("client_secret: ", "client_secret: &secret "),
        sound.replace("client_secret: ", "client_secret: \"\\q"),
        sound.replace("client_secret: ", "client_secret: '"),
        sound.replace("client_secret: ", "client_secret: |\n "),
        sound.replace("issuers:", "issuers: 1\nissuers:"),
    ];
    let mut said = 0;
    for (number, text) in spoilt.iter().enumerate() {
        let file = house.file(&format!("spoilt-{number}.yaml"), text);
        for arguments in [&["check"][..], &["check", "--strict"], &["check", "--format", "json"]] {
            let output =
                Command::new(env!("CARGO_BIN_EXE_tollgate")).args(arguments).arg(&file).output().unwrap();
            let written = [output.stdout, output.stderr].concat();
            secrets.are_not_in(&written, &format!("`check` of number {number}"));
            said += written.len();
        }
        if number > 0 {
            for format in ["text", "json"] {
                let mut running = Command::new(env!("CARGO_BIN_EXE_tollgate"));
                running.args(["run", "--log-format", format, "--config"]).arg(&file).env("RUST_LOG", "trace");
                let output = output_within(running, Duration::from_secs(10)).await;
                secrets.are_not_in(&output, &format!("`run` of number {number}"));
            }
        }
    }
    assert!(said > 10_000, "there was something to say");
}

/// All that a command writes, which must end by itself.
async fn output_within(mut command: Command, limit: Duration) -> Vec<u8> {
    let mut process = process::Process::start(&mut command);
    let began = std::time::Instant::now();
    while !process.has_ended() {
        assert!(began.elapsed() < limit, "it runs, though its configuration is spoilt");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    process.whole()
}

/// Tries every 20 ms, for at most 20 s, until there is an answer.
pub(crate) async fn eventually<T>(what: &str, mut attempt: impl AsyncFnMut() -> Option<T>) -> T {
    for _ in 0..1000 {
        if let Some(found) = attempt().await {
            return found;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("waited 20 s in vain until {what}");
}
