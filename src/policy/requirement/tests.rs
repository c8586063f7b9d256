use super::*;
use crate::policy::fixtures::{any_token, policy, principal};
use serde_json::json;

fn scopes(list: &[&str]) -> Vec<Scope> {
    list.iter().map(|scope| Scope::new(scope).unwrap()).collect()
}

fn judge(
    template: &str,
    requirement: Requirement,
    caller: Option<Value>,
    method: Method,
    path: &str,
) -> Result<Permit, Denial> {
    let (policy, index) = policy(template, requirement);
    let path = CanonicalPath::parse(path.as_bytes()).unwrap();
    met_by(&policy, index, caller.map(principal), &method, &path)
}

#[test]
fn a_public_route_asks_for_nothing_and_tells_of_nobody() {
    let permit = judge("/a", Requirement::Public, None, Method::GET, "/a").unwrap();
    assert!(permit.principal().is_none());
    let permit = judge("/a", Requirement::Public, Some(json!({"sub": "x"})), Method::GET, "/a").unwrap();
    assert!(permit.principal().is_none());
}

#[test]
fn a_route_that_asks_for_a_token_is_not_met_without() {
    let denial = judge("/a", Requirement::Token(any_token()), None, Method::GET, "/a").unwrap_err();
    assert_eq!(denial.reason(), Reason::TokenMissing);
    assert_eq!(denial.route().map(|route| route.template.as_str()), Some("/a"));
    let caller = Some(json!({"sub": "alice"}));
    let permit = judge("/a", Requirement::Token(any_token()), caller, Method::GET, "/a").unwrap();
    assert_eq!(permit.principal().and_then(Principal::subject), Some("alice"));
}

#[test]
fn scopes_are_those_of_the_method() {
    let rule = |list| ScopeRule::all(&scopes(list), &Implications::default());
    let either = ScopeRule::any(&[scopes(&["write", "audit"]), scopes(&["admin"])], &Implications::default());
    let rules = Rules::new(MethodScopes::PerMethod(vec![
        (Method::GET, rule(&["read"])),
        (Method::POST, either),
        (Method::DELETE, ScopeRule::none()),
    ]));
    let cases = [
        (Method::GET, "read", Ok(())),
        (Method::GET, "read write", Ok(())),
        (Method::HEAD, "read", Ok(())),
        (Method::GET, "", Err((Reason::Scope, Some("read")))),
        (Method::HEAD, "write", Err((Reason::Scope, Some("read")))),
        (Method::POST, "write audit", Ok(())),
        (Method::POST, "admin", Ok(())),
        // The set of which the least is missing is named, as a whole.
        (Method::POST, "write", Err((Reason::Scope, Some("write audit")))),
        (Method::POST, "read", Err((Reason::Scope, Some("admin")))),
        (Method::DELETE, "", Ok(())),
        (Method::PUT, "read write audit admin", Err((Reason::MethodNotAllowed, None))),
    ];
    for (method, scope, expected) in cases {
        let caller = Some(json!({"scope": scope}));
        let found = judge("/a", Requirement::Token(rules.clone()), caller, method.clone(), "/a");
        let found = found.as_ref().map(drop).map_err(|denial| (denial.reason(), denial.scopes()));
        assert_eq!(found, expected, "{method} {scope:?}");
    }
}

#[test]
fn conditions_on_claims() {
    use ClaimTest::{Contains, Equals, OneOf};
    let cases = [
        (json!({"x": "acme"}), "x", Equals(json!("acme")), true),
        (json!({"x": "Acme"}), "x", Equals(json!("acme")), false),
        (json!({"x": "acme "}), "x", Equals(json!("acme")), false),
        (json!({"x": ["acme"]}), "x", Equals(json!("acme")), false),
        (json!({"x": null}), "x", Equals(json!("acme")), false),
        (json!({}), "x", Equals(json!("acme")), false),
        (json!({"x": 1}), "x", Equals(json!(1)), true),
        (json!({"x": 1.0}), "x", Equals(json!(1)), true),
        (json!({"x": 1.5}), "x", Equals(json!(1)), false),
        (json!({"x": "1"}), "x", Equals(json!(1)), false),
        (json!({"x": 1}), "x", Equals(json!("1")), false),
        (json!({"x": true}), "x", Equals(json!(true)), true),
        (json!({"x": "true"}), "x", Equals(json!(true)), false),
        (json!({"x": 1}), "x", Equals(json!(true)), false),
        // Beyond 2^53 a float can't tell neighbours apart.
        (json!({"x": 9_007_199_254_740_993_u64}), "x", Equals(json!(9_007_199_254_740_993_u64)), true),
        (json!({"x": 9_007_199_254_740_992_u64}), "x", Equals(json!(9_007_199_254_740_993_u64)), false),
        (json!({"x": 9_007_199_254_740_992.0}), "x", Equals(json!(9_007_199_254_740_993_u64)), false),
        (json!({"x": -9_007_199_254_740_993_i64}), "x", Equals(json!(-9_007_199_254_740_992_i64)), false),
        (json!({"x": "eu"}), "x", OneOf(vec![json!("us"), json!("eu")]), true),
        (json!({"x": "de"}), "x", OneOf(vec![json!("us"), json!("eu")]), false),
        (json!({"x": ["eu"]}), "x", OneOf(vec![json!("us"), json!("eu")]), false),
        (json!({"x": "eu"}), "x", OneOf(vec![]), false),
        (json!({}), "x", OneOf(vec![json!(null)]), false),
        (json!({"x": ["staff", "it"]}), "x", Contains(json!("it")), true),
        (json!({"x": ["staff", 7]}), "x", Contains(json!(7)), true),
        (json!({"x": ["staffing"]}), "x", Contains(json!("staff")), false),
        (json!({"x": "it"}), "x", Contains(json!("it")), true),
        (json!({"x": "it staff"}), "x", Contains(json!("it")), false),
        (json!({"x": []}), "x", Contains(json!("it")), false),
        (json!({"x": [["it"]]}), "x", Contains(json!("it")), false),
        (json!({"x": {"it": true}}), "x", Contains(json!("it")), false),
        (json!({"a": {"b": ["x"]}}), "/a/b/0", Equals(json!("x")), true),
        (json!({"a": {"b": ["x"]}}), "/a/b", Contains(json!("x")), true),
        (json!({"a": {"b": ["x"]}}), "a", Contains(json!("b")), false),
        (json!({"/a": "x"}), "/a", Equals(json!("x")), false),
    ];
    for (claims, claim, test, met) in cases {
        let mut rules = any_token();
        rules.claims = vec![ClaimCondition { claim: claim.into(), test: test.clone() }];
        let found = judge("/a", Requirement::Token(rules), Some(claims.clone()), Method::GET, "/a");
        let expected = if met { None } else { Some(Reason::Claim) };
        assert_eq!(found.err().map(|denial| denial.reason()), expected, "{claims} {claim} {test:?}");
    }
}

#[test]
fn every_condition_must_hold_and_scopes_come_first() {
    let mut rules =
        Rules::new(MethodScopes::Every(ScopeRule::all(&scopes(&["a"]), &Implications::default())));
    let condition = |claim: &str| ClaimCondition { claim: claim.into(), test: ClaimTest::Equals(json!(1)) };
    rules.claims = vec![condition("x"), condition("y")];
    let cases = [
        (json!({"scope": "a", "x": 1, "y": 1}), None),
        (json!({"scope": "a", "x": 1, "y": 2}), Some(Reason::Claim)),
        (json!({"scope": "a", "y": 1}), Some(Reason::Claim)),
        (json!({"scope": "b", "x": 2}), Some(Reason::Scope)),
    ];
    for (claims, expected) in cases {
        let found = judge("/a", Requirement::Token(rules.clone()), Some(claims.clone()), Method::GET, "/a");
        assert_eq!(found.err().map(|denial| denial.reason()), expected, "{claims}");
    }
}

#[test]
fn a_user_sees_only_their_own() {
    let cases = [
        (json!("00u1"), "/bills/00u1/2026", true),
        (json!("00u1"), "/bills/00u2/2026", false),
        (json!("00u1"), "/bills/00U1/2026", false),
        (json!("00u1"), "/bills/00u11/2026", false),
        (json!("alice@example.com"), "/bills/alice%40example.com/2026", true),
        (json!("alice@example.com"), "/bills/alice@example.com/2026", true),
        (json!("a b"), "/bills/a%20b/2026", true),
        (json!(17), "/bills/17/2026", true),
        (json!(-1), "/bills/-1/2026", true),
        (json!(17), "/bills/017/2026", false),
        (json!(17.0), "/bills/17.0/2026", false),
        (json!(true), "/bills/true/2026", false),
        (json!(["00u1"]), "/bills/00u1/2026", false),
        (json!(null), "/bills/null/2026", false),
        (json!(""), "/bills/00u1/2026", false),
    ];
    let mut rules = any_token();
    let test = |name: &str| ClaimTest::EqualsCapture(name.into());
    rules.claims = vec![ClaimCondition { claim: "uid".into(), test: test("uid") }];
    for (uid, path, met) in cases {
        let requirement = Requirement::Token(rules.clone());
        let found = judge("/bills/{uid}/{year}", requirement, Some(json!({ "uid": uid })), Method::GET, path);
        assert_eq!(found.is_ok(), met, "{uid} {path}");
    }
    // Nor is one that is another name to who takes `%2F` for a slash.
    let names = vec![ClaimCondition { claim: "uid".into(), test: test("uid") }];
    let named = Requirement::Token(Rules { claims: names, ..rules.clone() });
    for (template, uid, path, met) in [
        ("/files/{*uid}", "a/b", "/files/a/b", true),
        ("/files/{*uid}", "a/b", "/files/a%2Fb", false),
        ("/files/{*uid}", "a%2Fb", "/files/a%2Fb", false),
        ("/files/{uid}/{*rest}", "a", "/files/a/b%2Fc", true),
        ("/files/{uid}/{*rest}", "a%2Fb", "/files/a%2Fb/c", false),
        ("/files/{x}/{uid}/{*rest}", "b", "/files/x%2Fy/b/c", false),
    ] {
        let found = judge(template, named.clone(), Some(json!({ "uid": uid })), Method::GET, path);
        assert_eq!(found.is_ok(), met, "{template} {uid} {path}");
    }
    // A capture that the template does not have is met by nobody.
    rules.claims = vec![ClaimCondition { claim: "uid".into(), test: test("other") }];
    let found =
        judge("/bills/{uid}", Requirement::Token(rules), Some(json!({"uid": "x"})), Method::GET, "/bills/x");
    assert_eq!(found.unwrap_err().reason(), Reason::Claim);
}

fn scope(text: &str) -> Scope {
    Scope::new(text).unwrap()
}

#[test]
fn any_of_several_sets() {
    let sets = [vec![scope("a")], vec![scope("b"), scope("c")]];
    let rule = ScopeRule::any(&sets, &Implications::default());
    for (granted, met) in
        [("a", true), ("b c", true), ("c b x", true), ("b", false), ("c", false), ("", false)]
    {
        assert_eq!(rule.met_by(&ScopeSet::from_delimited(granted)), met, "{granted}");
    }
    let nearest = |granted: &str| {
        rule.nearest(&ScopeSet::from_delimited(granted)).map(Scope::as_str).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(rule.iter().map(Scope::as_str).collect::<Vec<_>>(), ["a", "b", "c"]);
    assert_eq!(nearest(""), "a");
    assert_eq!(nearest("b"), "a");
    assert!(ScopeRule::none().met_by(&ScopeSet::from_delimited("")));
    assert!(!ScopeRule::any(&[], &Implications::default()).met_by(&ScopeSet::from_delimited("a")));
}

#[test]
fn implications_reach_through() {
    let table = [(scope("admin"), vec![scope("write")]), (scope("write"), vec![scope("read")])];
    let implications = Implications::new(table);
    assert!(implications.cycle().is_none());
    let rule = |name: &str| ScopeRule::all(&[scope(name)], &implications);
    assert!(rule("read").met_by(&ScopeSet::from_delimited("admin")));
    assert!(!rule("admin").met_by(&ScopeSet::from_delimited("write read")));
    let circle = Implications::new([(scope("a"), vec![scope("b")]), (scope("b"), vec![scope("a")])]);
    assert!(circle.cycle().is_some());
    assert!(ScopeRule::all(&[scope("a")], &circle).met_by(&ScopeSet::from_delimited("b")));
}

#[test]
fn head_follows_get() {
    let scopes = MethodScopes::PerMethod(vec![(Method::GET, ScopeRule::none())]);
    assert!(scopes.get(&Method::HEAD).is_some() && scopes.get(&Method::POST).is_none());
}

#[test]
fn a_float_is_an_integer_up_to_where_it_stands_for_one_alone() {
    assert!(same(&json!(9_007_199_254_740_991.0), &json!(9_007_199_254_740_991_u64)));
    assert!(same(&json!(-9_007_199_254_740_991.0), &json!(-9_007_199_254_740_991_i64)));
    assert!(!same(&json!(9_007_199_254_740_992.0), &json!(9_007_199_254_740_992_u64)));
    assert!(!same(&json!(-9_007_199_254_740_992.0), &json!(-9_007_199_254_740_992_i64)));
    let [one, other] =
        ["106123456789012345678", "106123456789012345679"].map(|digits| digits.parse::<Value>().unwrap());
    for (one, other) in [
        (&one, &one),
        (&one, &other),
        (&json!([one]), &json!([other])),
        (&json!({"a": one}), &json!({"a": other})),
    ] {
        assert!(!same(one, other), "{one} {other}");
    }
    assert!(!same(&json!(1.0), &one) && !same(&one, &json!(1.0)));
    assert!(same(&json!([1, {"a": 2}]), &json!([1.0, {"a": 2}])) && !same(&json!([1]), &json!([1, 2])));
    assert!(!same(&json!({"a": 1}), &json!({"b": 1})) && !same(&json!({"a": 1}), &json!({"a": 1, "b": 1})));
}
