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

/// Sends every case that can be said at this door, and there must be so many at least.
fn through(door: &str, at_least: usize, mut send: impl FnMut(&Case) -> Outcome) {
    let tables = Table::all().into_iter().filter(|table| table.doors.iter().any(|name| name == door));
    let cases: Vec<Case> = tables.flat_map(|table| table.cases).filter_map(|case| case.at(door)).collect();
    let failures: Vec<String> = cases.iter().filter_map(|case| judge(case, &send(case)).err()).collect();
    assert!(failures.is_empty(), "{} of {}:\n\n{}", failures.len(), cases.len(), failures.join("\n\n"));
    assert!(cases.len() >= at_least, "{} cases: the tables are read as a whole", cases.len());
}
