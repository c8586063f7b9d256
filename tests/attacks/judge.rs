//! Whether what came of a hostile request is what its case expects.

use crate::case::{Case, Expected, Upstream};

/// What came of a case.
pub struct Outcome {
    /// The status of the answer; `None` if the connection, or the stream, was ended without one.
    pub status: Option<String>,
    /// The answer's head.
    pub told: String,
    /// The requests that reached the API.
    pub arrived: Vec<Vec<u8>>,
}

/// # Errors
/// What differs.
pub fn judge(case: &Case, outcome: &Outcome) -> Result<(), String> {
    let fail = |what: &str| {
        let arrived: Vec<_> = outcome.arrived.iter().map(|bytes| String::from_utf8_lossy(bytes)).collect();
        let mut sent = format!("{:?}", case.send);
        sent.truncate(400);
        Err(format!(
            "{}: {what}\n  sent: {sent}\n  answer: {:?}\n  arrived: {arrived:?}",
            case.attack, outcome.told
        ))
    };
    let status = outcome.status.as_deref().unwrap_or("closed");
    let fine = case.expect.iter().any(|expected| match expected {
        Expected::Status(code) => status == code.to_string(),
        Expected::Word(word) => status == *word,
    });
    if !fine {
        return fail(&format!("answered {status}"));
    }
    if let Some(error) = &case.error
        && !outcome.told.contains(&format!("error=\"{error}\""))
    {
        return fail("the challenge names another error");
    }
    // RFC 6750 section 3: a 401 has a challenge; and whatever has one, has no other.
    let challenges = outcome.told.to_lowercase().matches("www-authenticate").count();
    if challenges > 1 || (status == "401" && challenges == 0) {
        return fail(&format!("it has {challenges} challenges"));
    }
    match &case.upstream {
        None if outcome.arrived.is_empty() => Ok(()),
        None => fail("it reached the API"),
        Some(upstream) if outcome.arrived.is_empty() && !upstream.optional => {
            fail("it did not reach the API")
        }
        Some(_) if outcome.arrived.len() > 1 => fail("more than one request reached the API"),
        Some(upstream) => arrived_well(upstream, outcome).or_else(|what| fail(&what)),
    }
}

fn arrived_well(upstream: &Upstream, outcome: &Outcome) -> Result<(), String> {
    let Some(arrived) = outcome.arrived.first() else { return Ok(()) };
    let text = String::from_utf8_lossy(arrived).to_lowercase();
    let is_there = |word: &&String| text.contains(&word.to_lowercase());
    if let Some(word) = upstream.lacks.iter().find(is_there) {
        return Err(format!("`{word}` reached the API"));
    }
    if let Some(word) = upstream.has.iter().find(|word| !is_there(word)) {
        return Err(format!("`{word}` did not reach the API"));
    }
    match &upstream.once {
        Some(word) if text.matches(&word.to_lowercase()).count() != 1 => {
            Err(format!("`{word}` is not there exactly once"))
        }
        _ => Ok(()),
    }
}
