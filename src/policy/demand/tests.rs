use super::*;
use crate::policy::Implications;
use crate::policy::fixtures::{permit, principal};
use serde_json::json;

fn alice() -> Permit {
    permit(Some(principal(json!({"sub": "alice", "scope": "read", "tenant": "acme"}))))
}

fn rule(sets: &[&[&str]]) -> ScopeRule {
    let scopes = |set: &&[&str]| set.iter().map(|scope| Scope::new(scope).unwrap()).collect();
    ScopeRule::any(&sets.iter().map(scopes).collect::<Vec<_>>(), &Implications::default())
}

/// What came of it: who may, or why nobody may and which scopes are wanted.
fn told<'a>(found: &'a Result<&Principal, Denial>) -> Result<Option<&'a str>, (Reason, Option<&'a str>)> {
    match found {
        Ok(principal) => Ok(principal.subject()),
        Err(denial) => Err((denial.reason(), denial.scopes())),
    }
}

#[test]
fn a_handler_may_ask_for_further_scopes() {
    let cases = [
        (rule(&[&["read"]]), Ok(Some("alice"))),
        (rule(&[&["write"], &["read"]]), Ok(Some("alice"))),
        (rule(&[&["write"]]), Err((Reason::Scope, Some("write")))),
        (rule(&[&["read", "write"], &["a", "b"]]), Err((Reason::Scope, Some("read write")))),
    ];
    for (rule, expected) in cases {
        let permit = alice();
        assert_eq!(told(&permit.require_scopes(&rule)), expected, "{rule:?}");
    }
}

#[test]
fn a_handler_may_judge_the_caller_itself() {
    let permit = alice();
    assert_eq!(told(&permit.require(|caller| caller.subject() == Some("alice"))), Ok(Some("alice")));
    assert_eq!(told(&permit.require(|caller| caller.subject() == Some("bob"))), Err((Reason::Claim, None)));
    assert_eq!(told(&permit.require_principal()), Ok(Some("alice")));
}

#[test]
fn a_handler_may_ask_for_claims_of_a_type() {
    #[derive(Debug, serde::Deserialize)]
    struct Tenant {
        tenant: String,
    }
    #[derive(Debug, serde::Deserialize)]
    struct Member {
        #[expect(dead_code, reason = "only whether it is there counts")]
        groups: Vec<String>,
    }
    assert_eq!(alice().require_claims::<Tenant>().map(|claims| claims.tenant).ok().as_deref(), Some("acme"));
    let denial = alice().require_claims::<Member>().unwrap_err();
    assert_eq!(denial.reason(), Reason::Claim);
    assert_eq!(denial.route().map(|route| route.template.as_str()), Some("/a"), "it says where");
}

#[test]
fn on_a_public_route_nobody_is_known() {
    let missing = Err((Reason::TokenMissing, None));
    let public = permit(None);
    assert_eq!(told(&public.require_scopes(&ScopeRule::none())), missing);
    assert_eq!(told(&public.require(|_| true)), missing);
    assert_eq!(told(&public.require_principal()), missing);
    assert_eq!(public.require_claims::<serde_json::Value>().unwrap_err().reason(), Reason::TokenMissing);
}
