//! Tables of routes, as the tests of paths write them.

use tollgate::policy::{
    Implications, MethodScopes, Requirement, Route, RouteTable, Rules, ScopeRule, Template,
};
use tollgate::token::Scope;

/// What one route is made of.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) template: String,
    /// Which of three requirements it has.
    pub(crate) requirement: usize,
    pub(crate) encoded_slashes: bool,
    pub(crate) non_ascii: bool,
}

pub(crate) fn requirement(which: usize) -> Requirement {
    let rule = |scope| ScopeRule::all(&[Scope::new(scope).unwrap()], &Implications::default());
    match which {
        0 => Requirement::Public,
        1 => Requirement::Token(Rules::new(MethodScopes::Every(ScopeRule::none()))),
        _ => Requirement::Token(Rules::new(MethodScopes::Every(rule("admin")))),
    }
}

/// The table, and the plans that are in it: those that tie with another are left out.
pub(crate) fn build(plans: &[Plan]) -> (RouteTable, Vec<Plan>) {
    let (mut builder, mut taken) = (RouteTable::builder(), Vec::new());
    for plan in plans {
        let mut route = Route::new(Template::parse(&plan.template).unwrap(), requirement(plan.requirement));
        route.encoded_slashes = plan.encoded_slashes;
        route.non_ascii = plan.non_ascii;
        if builder.add(route).is_ok() {
            taken.push(plan.clone());
        }
    }
    (builder.build(), taken)
}
