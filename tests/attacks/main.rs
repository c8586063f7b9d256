//! Hostile requests, byte for byte, through the gateway's real sockets: `requests.yaml` says what is sent, how it may be
//! answered, and what the API may see of it.

mod case;
mod house;

use case::{Case, Expected};
use house::House;

#[test]
fn no_hostile_request_gets_past_the_gateway() {
    let text = std::fs::read_to_string("tests/attacks/requests.yaml").unwrap();
    let cases: Vec<Case> = serde_saphyr::from_str(&text).unwrap();
    let house = House::open();
    let failures: Vec<String> = cases.iter().filter_map(|case| judge(&house, case).err()).collect();
    assert!(failures.is_empty(), "{} of {}:\n\n{}", failures.len(), cases.len(), failures.join("\n\n"));
    assert!(cases.len() > 90, "the table is read as a whole");
    house.still_serves();
}

/// Sends a case, and holds answer and arrivals against what it expects.
fn judge(house: &House, case: &Case) -> Result<(), String> {
    house.forget_arrivals();
    let answer = house.exchange(&case.bytes(house));
    let status = answer.as_deref().map_or("closed".to_owned(), |answer| status_of(answer).to_owned());
    let arrived = house.arrivals();
    let fail = |what: &str| {
        let arrived: Vec<_> = arrived.iter().map(|bytes| String::from_utf8_lossy(bytes)).collect();
        let answer = answer.as_deref().unwrap_or("(closed)");
        Err(format!(
            "{}: {what}\n  sent: {:?}\n  answer: {answer:?}\n  arrived: {arrived:?}",
            case.attack, case.send
        ))
    };
    let fine = case.expect.iter().any(|expected| match expected {
        Expected::Status(code) => status == code.to_string(),
        Expected::Word(word) => status == *word,
    });
    if !fine {
        return fail(&format!("answered {status}"));
    }
    if let Some(error) = &case.error {
        let challenge = format!("error=\"{error}\"");
        if !answer.as_deref().is_some_and(|answer| answer.contains(&challenge)) {
            return fail("the challenge names another error");
        }
    }
    match &case.upstream {
        None if arrived.is_empty() => Ok(()),
        None => fail("it reached the API"),
        Some(upstream) if arrived.is_empty() && !upstream.optional => fail("it did not reach the API"),
        Some(_) if arrived.len() > 1 => fail("more than one request reached the API"),
        Some(upstream) => {
            let text = arrived
                .first()
                .map(|bytes| String::from_utf8_lossy(bytes).to_lowercase())
                .unwrap_or_default();
            let wrong = |word: &&String| text.contains(&word.to_lowercase());
            if let Some(word) = upstream.lacks.iter().find(wrong) {
                return fail(&format!("`{word}` reached the API"));
            }
            if let Some(word) = upstream.has.iter().find(|word| !wrong(word)) {
                return fail(&format!("`{word}` did not reach the API"));
            }
            match &upstream.once {
                Some(word) if !text.is_empty() && text.matches(&word.to_lowercase()).count() != 1 => {
                    fail(&format!("`{word}` is not there exactly once"))
                }
                _ => Ok(()),
            }
        }
    }
}

/// The status of a raw HTTP/1 answer.
fn status_of(answer: &str) -> &str {
    answer.split(' ').nth(1).unwrap_or("?")
}
