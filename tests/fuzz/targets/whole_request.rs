//! A connection's bytes, through the gateway's own listener on loopback to an API that keeps what arrives.
//!
//! The input is what a caller sends, `{good}`, `{weak}` and `{expired}` standing for tokens. A last request follows it that asks
//! to close the connection: whatever was taken for a part of a request swallows it, and whatever was not is answered before it.

mod api;
mod gateway;

use gateway::{Arrival, HTTP2, House};

thread_local! {
    static HOUSE: House = House::open();
}

/// No request gets through without a good token; those that do are the caller's own, and one reading of them; and there is an
/// answer, in time, that is no fault of the gateway's.
pub fn check(data: &[u8]) {
    HOUSE.with(|house| judge(house, data));
}

fn judge(house: &House, data: &[u8]) {
    let sent = house.fill_in(data);
    // Where the end of the last request is in question, so is whether it is answered.
    let clear = !contains_any(
        &sent,
        &[b"content-length", b"transfer-encoding", b"upgrade", b"connection", b"expect"],
    ) && !sent.starts_with(HTTP2);
    let answers = house.exchange(&sent, clear);
    for status in &answers {
        assert!((100..500).contains(status) || [501, 505].contains(status), "answered {status}");
        assert_ne!(*status, 101, "no route allows another protocol");
    }
    let arrivals = house.arrivals();
    for arrival in &arrivals {
        may_arrive(house, arrival);
    }
    if clear {
        assert!(!answers.is_empty(), "closed without a word");
        let passed = answers.iter().filter(|status| **status == 200).count();
        let arrived = arrivals.iter().filter(|arrival| arrival.current).count();
        assert_eq!(passed, arrived, "the API answers what arrives, and nobody else says 200: {answers:?}");
    }
}

/// Judges a request that the API was sent.
fn may_arrive(house: &House, Arrival { head, sent, .. }: &Arrival) {
    let target = head.split(' ').nth(1).unwrap_or_default();
    let http2 = sent.starts_with(HTTP2);
    assert!(
        http2 || contains(sent, target.as_bytes()),
        "the target that arrives is the one that came:\n{head}"
    );
    let with_token = contains(sent, house.good().as_bytes());
    let is_public = target.starts_with("/public/");
    assert!(is_public || with_token && target.starts_with("/orders/"), "nobody may:\n{head}");
    let normal = |name: &str| name.to_ascii_lowercase().replace(['_', '.'], "-");
    let fields = head.lines().skip(1).filter_map(|line| line.split_once(':'));
    let fields: Vec<(String, &str)> = fields.map(|(name, value)| (normal(name), value.trim())).collect();
    let all =
        |name: &str| fields.iter().filter(|(found, _)| found == name).map(|(_, value)| *value).collect();
    let users: Vec<&str> = all("x-auth-request-user");
    assert_eq!(users, if is_public { vec![] } else { vec!["alice"] }, "the identity is the token's:\n{head}");
    assert_eq!(all("authorization").len(), 0, "the token stops at the gate:\n{head}");
    assert_eq!(all("host").len(), 1, "one host:\n{head}");
    assert!(all("content-length").len() + all("transfer-encoding").len() <= 1, "one length:\n{head}");
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len().max(1)).any(|window| window == part)
}

fn contains_any(bytes: &[u8], words: &[&[u8]]) -> bool {
    let lower = bytes.to_ascii_lowercase();
    words.iter().any(|word| contains(&lower, word))
}
