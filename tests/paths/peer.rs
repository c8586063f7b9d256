//! The same tables and targets, held against `huskarl-route-guard`: what it refuses, the gate refuses.

use super::*;
use huskarl_route_guard::config::{StructuralChar, StructuralClasses};
use huskarl_route_guard::{CaseSensitivity, DecodeDepth, GuardConfig, PathRegistration, RuleRouter};

/// The same table, read by the other guard at its strictest: a backend that ignores case, decodes twice, and takes overlong and
/// full-width forms for what they resemble. `None` where it can't have such a table, or understands it otherwise: an escape in
/// a literal is a text of three characters there, which then changes when it is decoded.
fn peer(plans: &[Plan]) -> Option<RuleRouter<usize>> {
    if plans.iter().any(|plan| plan.template.contains('%')) {
        return None;
    }
    let classes = StructuralClasses::new()
        .with_backslash()
        .with_overlong([StructuralChar::Slash, StructuralChar::Dot])
        .with_fullwidth_structure();
    let config =
        GuardConfig::new(CaseSensitivity::Insensitive, DecodeDepth::UpToTwo).with_structural_classes(classes);
    let registration = |(index, plan): (usize, &Plan)| {
        let path = match plan.template.strip_suffix("{*rest}") {
            // Its rest is not empty, ours may be.
            Some(before) => PathRegistration::path(before).with_path(plan.template.clone()),
            None => PathRegistration::path(plan.template.clone()),
        };
        path.all(index)
    };
    RuleRouter::from_registrations(usize::MAX, config, plans.iter().enumerate().map(registration)).ok()
}

#[test]
fn what_another_guard_refuses_is_refused() {
    let compared = Cell::new(0_u32);
    let config = ProptestConfig { cases: 8_000, failure_persistence: None, ..ProptestConfig::default() };
    TestRunner::new(config)
        .run(&(prop::collection::vec(plan(), 1..7), target()), |(plans, (which, fills, mutations))| {
            let (table, plans) = build(&plans);
            let start = path_of(&plans[which.index(plans.len())].template, &fills);
            let target = mutations.iter().fold(start, |target, mutation| mutate(&target, mutation));
            let (Some(ours), Some(peer)) = (find(&table, &target), peer(&plans)) else { return Ok(()) };
            let path = target.split('?').next().unwrap();
            // Where a route allows `%2F`, the gate looks at the one path that decoding makes of it, and the other guard at
            // all that are below: it refuses more of them, and none that would take another route.
            if path.to_ascii_lowercase().contains("%2f") {
                return Ok(());
            }
            compared.set(compared.get() + 1);
            let theirs = peer.resolve(path, &Method::GET).map(|found| *found.rule());
            prop_assert_eq!(theirs, Ok(ours), "{} of {:?}", target, plans);
            Ok(())
        })
        .unwrap();
    assert!(compared.get() > 500, "{compared:?}");
}
