//! Whether every reader of a path finds the route that the gate finds.

use super::readings::{readings, slow_find, slow_match, toggle_slash};
use super::table::Plan;

/// Holds the route that the gate has found for a target against what others would find for it.
///
/// # Errors
/// The reading that leads elsewhere.
pub(crate) fn agreement(plans: &[Plan], ours: usize, target: &str) -> Result<(), String> {
    let templates: Vec<String> = plans.iter().map(|plan| plan.template.clone()).collect();
    let path = target.split('?').next().unwrap_or_default();
    for reading in readings(path) {
        let theirs = slow_find(&templates, &reading.path, reading.folded);
        // A route for exactly this path is meant, whatever there is with or without a slash at the end, unless that is for less than
        // this one. Of others one that asks for the same does no harm, nor does a wider one, which this path was in anyway.
        let harmless = reading.slash_ignored
            && theirs.is_none_or(|theirs| {
                plans[theirs].requirement == plans[ours].requirement
                    || match templates[ours].contains("{*") {
                        true => slow_match(&templates[theirs], &toggle_slash(&reading.path), reading.folded),
                        false => !is_for_less(&templates[theirs], &templates[ours]),
                    }
            });
        if !harmless && theirs != Some(ours) {
            let (ours, theirs) = (&templates[ours], theirs.map(|theirs| &templates[theirs]));
            return Err(format!("{target} takes {ours} but as {reading:?} {theirs:?}, of {templates:?}"));
        }
    }
    Ok(())
}

/// Whether, where two templates first differ in kind, one has a word and the other a capture, or a capture and the other a rest.
fn is_for_less(one: &str, other: &str) -> bool {
    let kinds = |template: &str| -> Vec<u8> {
        let kind = |part: &str| {
            if part.starts_with("{*") {
                0
            } else if part.starts_with('{') {
                1
            } else {
                2
            }
        };
        template[1..].split('/').map(kind).collect()
    };
    kinds(one)
        .into_iter()
        .zip(kinds(other))
        .find(|(one, other)| one != other)
        .is_some_and(|(one, other)| one > other)
}
