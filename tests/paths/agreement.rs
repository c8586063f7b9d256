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
        // A route for exactly this path is meant, whatever there is with or without a slash at the end. Of others
        // one that asks for the same does no harm, nor does a wider one, which this path was in anyway.
        let harmless = reading.slash_ignored
            && (!templates[ours].contains("{*")
                || theirs.is_none_or(|theirs| {
                    plans[theirs].requirement == plans[ours].requirement
                        || slow_match(&templates[theirs], &toggle_slash(&reading.path), reading.folded)
                }));
        if !harmless && theirs != Some(ours) {
            let (ours, theirs) = (&templates[ours], theirs.map(|theirs| &templates[theirs]));
            return Err(format!("{target} takes {ours} but as {reading:?} {theirs:?}, of {templates:?}"));
        }
    }
    Ok(())
}
