//! No path that the gate accepts takes another route in another reader's eyes: whatever a server behind the gate, or a proxy
//! in between, decodes, merges, strips or ignores.
//!
//! Random tables and random hostile targets, held against the readers of `paths/readings.rs` and against another guard of
//! the same kind; and the inputs of known incidents as a table.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by a panic")]

#[path = "paths/agreement.rs"]
mod agreement;
#[path = "paths/incidents.rs"]
mod incidents;
#[path = "paths/peer.rs"]
mod peer;
#[path = "paths/random.rs"]
mod random;
#[path = "paths/readings.rs"]
mod readings;
#[path = "paths/table.rs"]
mod table;

use agreement::agreement;
use http::Method;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::TestRunner;
use random::{WORDS, mutate, path_of, plan, target};
use readings::{decode, slow_find};
use std::cell::Cell;
use table::{Plan, build};
use tollgate::policy::{CanonicalPath, RouteTable};

/// The route that the gate finds for a target.
fn find(table: &RouteTable, target: &str) -> Option<usize> {
    let path = CanonicalPath::parse(target.as_bytes()).ok()?;
    table.find(None, &Method::GET, &path).ok().map(|index| index.get())
}

#[test]
fn no_accepted_path_takes_another_route_in_another_reader_s_eyes() {
    let (accepted, beyond_ascii, tried) = (Cell::new(0_u32), Cell::new(0_u32), Cell::new(0_u32));
    let config = ProptestConfig { cases: 20_000, failure_persistence: None, ..ProptestConfig::default() };
    let inputs = (prop::collection::vec(plan(), 1..7), target());
    TestRunner::new(config)
        .run(&inputs, |(plans, (which, fills, mutations))| {
            let (table, plans) = build(&plans);
            let start = path_of(&plans[which.index(plans.len())].template, &fills);
            let target = mutations.iter().fold(start, |target, mutation| mutate(&target, mutation));
            tried.set(tried.get() + 1);
            let Some(ours) = find(&table, &target) else { return Ok(()) };
            accepted.set(accepted.get() + 1);
            beyond_ascii.set(beyond_ascii.get() + u32::from(!decode(&target).is_ascii()));
            let agreed = agreement(&plans, ours, &target);
            prop_assert!(agreed.is_ok(), "{}", agreed.unwrap_err());
            Ok(())
        })
        .unwrap();
    // The test would prove nothing if next to nothing were accepted.
    assert!(accepted.get() * 10 > tried.get(), "{accepted:?} of {tried:?}");
    assert!(beyond_ascii.get() * 100 > tried.get(), "{beyond_ascii:?} of {tried:?}");
}

#[test]
fn plain_paths_take_the_route_that_the_slow_search_finds_whatever_the_order_of_routes() {
    let config = ProptestConfig { cases: 5_000, failure_persistence: None, ..ProptestConfig::default() };
    let inputs = (prop::collection::vec(plan(), 1..7).prop_shuffle(), target());
    TestRunner::new(config)
        .run(&inputs, |(plans, (which, fills, _))| {
            let (table, plans) = build(&plans);
            let templates: Vec<String> = plans.iter().map(|plan| plan.template.clone()).collect();
            let target = path_of(&templates[which.index(templates.len())], &fills);
            if let Some(ours) = find(&table, &target) {
                prop_assert_eq!(Some(ours), slow_find(&templates, &target, false));
                let mut reversed = plans.clone();
                reversed.reverse();
                let (table, reversed) = build(&reversed);
                // Two that tie may have changed places; all others are there.
                prop_assume!(reversed.len() == plans.len());
                let found = find(&table, &target).map(|index| reversed[index].template.clone());
                prop_assert_eq!(found.as_ref(), Some(&templates[ours]));
            }
            Ok(())
        })
        .unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 20_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_the_bytes_they_are_refused_or_kept(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
        if let Ok(path) = CanonicalPath::parse(&bytes) {
            let text = std::str::from_utf8(&bytes).unwrap();
            prop_assert!(text.is_ascii());
            let (before, query) = text.split_once('?').map_or((text, None), |(path, query)| (path, Some(query)));
            prop_assert_eq!((path.as_str(), path.query()), (before, query));
        }
    }

    #[test]
    fn segments_are_the_decoded_path_in_pieces(fills in prop::collection::vec(select(&WORDS[..]), 1..5)) {
        let target = format!("/{}", fills.join("/"));
        let path = CanonicalPath::parse(target.as_bytes()).unwrap();
        let joined = path.segments().collect::<Vec<_>>().join("/");
        prop_assert_eq!(format!("/{joined}"), decode(&target));
    }
}
