//! Scopes: which implies which, and what a route asks for.

use crate::config::code::Code;
use crate::config::problem::Report;
use crate::config::raw::scopes::Asked;
use crate::config::raw::{Raw, Table, Texts};
use crate::policy::{Implications, ScopeRule};
use crate::token::Scope;
use std::collections::HashMap;

/// The table of implications, without those that go in circles, which are reported.
pub(super) fn implications(raw: &Raw, report: &mut Report) -> Implications {
    let Some(table) = raw.scope_implications.given() else { return Implications::default() };
    refuse_cycles(table, report);
    let entry = |(scope, implied): &(_, Texts)| Some((scope_of(scope)?, scopes_of(implied)));
    Implications::new(table.iter().filter_map(entry))
}

/// What `asked` means.
pub(super) fn rule(asked: &Asked, implications: &Implications) -> ScopeRule {
    match asked {
        Asked::Nothing => ScopeRule::none(),
        Asked::All(list) => ScopeRule::all(&scopes_of(list), implications),
        Asked::Any(lists) => ScopeRule::any(&lists.iter().map(scopes_of).collect::<Vec<_>>(), implications),
    }
}

fn scopes_of(list: &Texts) -> Vec<Scope> {
    list.value.iter().filter_map(scope_of).collect()
}

/// The reading stage has made sure that it is one.
fn scope_of(text: &crate::config::source::Spanned<String>) -> Option<Scope> {
    Scope::new(&text.value).ok()
}

/// Report each circle once, at the scope of it that stands first.
fn refuse_cycles(table: &Table<Texts>, report: &mut Report) {
    let implied: HashMap<&str, &Texts> =
        table.iter().map(|(scope, list)| (scope.value.as_str(), list)).collect();
    let mut told: Vec<&str> = Vec::new();
    for (scope, _) in table {
        let Some(circle) = circle(&scope.value, &implied) else { continue };
        if !told.iter().any(|scope| circle.contains(scope)) {
            let way =
                circle.iter().chain(circle.first()).map(|scope| format!("`{scope}`")).collect::<Vec<_>>();
            report
                .error(
                    Code::ImplicationCycle,
                    scope.span,
                    format!("this scope implies itself: {}", way.join(" > ")),
                )
                .help("remove one of the steps; scopes that imply each other are one scope");
        }
        told.extend(circle);
    }
}

/// The shortest way from `start` back to it.
fn circle<'a>(start: &'a str, implied: &HashMap<&'a str, &'a Texts>) -> Option<Vec<&'a str>> {
    let mut came_from: HashMap<&str, &str> = HashMap::new();
    let mut queue = std::collections::VecDeque::from([start]);
    while let Some(scope) = queue.pop_front() {
        for next in implied.get(scope).into_iter().flat_map(|list| &list.value) {
            if next.value == start {
                let mut way = vec![scope];
                while let Some(before) = way.last().and_then(|scope| came_from.get(scope)) {
                    way.push(before);
                }
                way.reverse();
                return Some(way);
            }
            if !came_from.contains_key(next.value.as_str()) {
                came_from.insert(&next.value, scope);
                queue.push_back(&next.value);
            }
        }
    }
    None
}
