//! Hostile requests, byte for byte, at every door: the tables `*.yaml` say what is sent, how it may be answered, and what the
//! API may see of it. `README.md` says how a table is written.

mod api;
mod case;
mod gate;
mod house;
mod http1;
mod http2;
mod judge;
mod keys;

use case::{Case, Table};
use house::House;
use judge::{Outcome, judge};

#[test]
fn no_hostile_request_gets_past_the_gateway() {
    let house = House::open();
    through("http1", 130, |case| {
        house.forget_arrivals();
        http1::send(&house, case)
    });
    house.still_serves();
}

#[test]
fn nor_does_one_over_http2() {
    let house = House::open();
    through("http2", 130, |case| {
        house.forget_arrivals();
        http2::send(&house, case)
    });
    house.still_serves();
}

#[test]
fn nor_past_the_gate_itself() {
    let house = House::open();
    // The keys are handed to it: where the configuration finds them does not matter here.
    let gate = gate::open(&house.config(), house.issuer().jwks());
    through("core", 70, |case| gate::ask(&house, &gate, case));
}

/// What the parser behind would answer itself, there is no code for, no log and no request id.
#[test]
fn whatever_a_target_holds_the_answer_is_ours() {
    let house = House::open();
    for byte in (0..=u8::MAX).filter(|byte| !matches!(byte, b'\r' | b'\n')) {
        for place in [&b"/orders/1"[..], b"/public/x?a=b"] {
            let request = [&b"GET "[..], place, &[byte], b"c HTTP/1.1\r\nHost: api.test\r\n\r\n"].concat();
            let answer = http1::exchange(&house, &request).unwrap_or_default().to_lowercase();
            let expected = ["http/1.1 200", "http/1.1 400", "http/1.1 401", "http/1.1 404", "http/1.1 505"];
            assert!(expected.iter().any(|status| answer.starts_with(status)), "{byte:#04x}: {answer:?}");
            assert!(!answer.contains("server: pingora"), "{byte:#04x}: {answer:?}");
        }
    }
    http1::exchange(&house, b"GET /public/caf%C3%A9 HTTP/1.1\r\nHost: api.test\r\n\r\n");
    let why = "why=\"the path has a character beyond ASCII, which this route does not allow\"";
    house.says(why);
    for fields in [
        "",
        "Host: a\r\nHost: a\r\n",
        "Host: a\r\nhOsT: b\r\n",
        "Host: user@a\r\n",
        "Host: a, b\r\n",
        "Host:\r\n",
    ] {
        let request = format!("GET /public/x HTTP/1.1\r\n{fields}\r\n");
        let answer = http1::exchange(&house, request.as_bytes()).unwrap_or_default();
        assert!(answer.starts_with("HTTP/1.1 400") && !answer.contains("Pingora"), "{fields:?}: {answer}");
    }
    house.still_serves();
}

/// Sends every case that can be said at this door, and there must be so many at least.
fn through(door: &str, at_least: usize, mut send: impl FnMut(&Case) -> Outcome) {
    let tables = Table::all().into_iter().filter(|table| table.doors.iter().any(|name| name == door));
    let cases: Vec<Case> = tables.flat_map(|table| table.cases).filter_map(|case| case.at(door)).collect();
    let failures: Vec<String> = cases.iter().filter_map(|case| judge(case, &send(case)).err()).collect();
    assert!(failures.is_empty(), "{} of {}:\n\n{}", failures.len(), cases.len(), failures.join("\n\n"));
    assert!(cases.len() >= at_least, "{} cases: the tables are read as a whole", cases.len());
}
