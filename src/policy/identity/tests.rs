use super::*;
use crate::policy::fixtures::{permit, principal, spelled};
use serde_json::json;

fn fields(identity: &IdentityHeaders, permit: &Permit) -> Vec<(String, String)> {
    let text = |value: HeaderValue| value.to_str().unwrap().to_owned();
    identity.fields(permit).map(|(name, value)| (name.to_string(), text(value))).collect()
}

fn pairs(list: &[(&str, &str)]) -> Vec<(String, String)> {
    list.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect()
}

/// Longer than one line of a request may be. Whether it is passed on is not for the policy to say; but never is it left out.
const LONG: &str = match std::str::from_utf8(&[b'x'; 9_000]) {
    Ok(text) => text,
    Err(_) => "",
};

#[test]
fn presets_tell_user_client_scopes_and_issuer() {
    let alice = permit(Some(principal(json!({"sub": "alice", "client_id": "shop", "scope": "a b"}))));
    let expected = |prefix: &str| {
        pairs(&[
            ("user", "alice"),
            ("client-id", "shop"),
            ("scopes", "a b"),
            ("issuer", "https://as.example/"),
        ])
        .into_iter()
        .map(|(name, value)| (format!("{prefix}-{name}"), value))
        .collect::<Vec<_>>()
    };
    assert_eq!(fields(&IdentityHeaders::x_auth_request(), &alice), expected("x-auth-request"));
    assert_eq!(fields(&IdentityHeaders::x_forwarded(), &alice), expected("x-forwarded"));
    assert_eq!(fields(&IdentityHeaders::default(), &alice), expected("x-auth-request"));
    assert_eq!(fields(&IdentityHeaders::none(), &alice), []);
}

#[test]
fn what_is_absent_is_left_out() {
    let nobody = permit(Some(principal(json!({}))));
    let expected = pairs(&[("x-auth-request-issuer", "https://as.example/")]);
    assert_eq!(fields(&IdentityHeaders::default(), &nobody), expected);
    assert_eq!(fields(&IdentityHeaders::default(), &permit(None)), [], "a public route tells nothing");
}

#[test]
fn claims_are_told_as_texts_and_lists_of_texts() {
    let claims = json!({
        "text": "x", "number": 7, "fraction": 1.5, "flag": true, "null": null, "object": {"a": 1}, "empty": "",
        "list": ["a b", 1, false], "none": [], "nested": [["a"]], "mixed": ["a", null], "a": {"b": ["deep"]},
        "line": "a\r\nx-admin: 1", "long": LONG,
    });
    let permit = permit(Some(principal(claims)));
    let cases = [
        ("text", Some("x")),
        ("number", Some("7")),
        ("fraction", Some("1.5")),
        ("flag", Some("true")),
        ("null", None),
        ("object", None),
        ("empty", None),
        ("list", Some("a%20b 1 false")),
        ("none", None),
        ("nested", None),
        ("mixed", None),
        ("/a/b/0", Some("deep")),
        ("/a/c", None),
        ("a/b", None),
        ("absent", None),
        ("line", Some("a%0D%0Ax-admin:%201")),
        ("long", Some(LONG)),
    ];
    for (claim, expected) in cases {
        let identity = IdentityHeaders::none().with("x-claim", IdentitySource::Claim(claim.into())).unwrap();
        let expected: Vec<_> =
            expected.into_iter().map(|value| ("x-claim".to_owned(), value.to_owned())).collect();
        assert_eq!(fields(&identity, &permit), expected, "{claim}");
    }
}

#[test]
fn numbers_keep_the_digits_that_the_token_has() {
    let told = |number: &str| {
        let claims = format!(r#"{{"active":true,"n":{number},"deep":{{"list":[1,{number}]}}}}"#);
        let permit = permit(Some(spelled(&claims)));
        let named = |name: &str| {
            let identity = IdentityHeaders::none().with("x-n", IdentitySource::Claim(name.into())).unwrap();
            fields(&identity, &permit).pop().map(|(_, value)| value)
        };
        assert_eq!(named("/deep/list"), Some(format!("1 {number}")));
        assert_eq!(named("/deep/list/1"), named("n"));
        named("n")
    };
    for number in
        ["106123456789012345678", "106123456789012345679", "-1e3", "123456789.123456789123", "1.50", "0"]
    {
        assert_eq!(told(number).as_deref(), Some(number));
    }
}

#[test]
fn a_permit_of_an_outage_says_so() {
    let degraded = permit(Some(principal(json!({"sub": "alice"})))).mark_degraded();
    let told = fields(&IdentityHeaders::none(), &degraded);
    assert_eq!(told, pairs(&[("x-auth-degraded", "introspection")]));
    assert!(IdentityHeaders::none().rules().strips("X-Auth-Degraded"), "and nobody else does");
}

#[test]
fn fields_that_override_the_method_are_taken_out() {
    for name in ["X-HTTP-Method-Override", "x-http-method", "X-Method-Override", "x.http.method.override"] {
        assert!(IdentityHeaders::none().rules().strips(name), "{name}");
    }
}

#[test]
fn a_preset_covers_the_family_that_apis_have_read_before() {
    for (identity, strips) in [
        (IdentityHeaders::x_auth_request(), true),
        (IdentityHeaders::x_forwarded(), true),
        (IdentityHeaders::none(), false),
    ] {
        assert!(identity.rules().strips("X-Auth_Request-Email"), "an underscore");
        assert_eq!(identity.rules().strips("X-Auth-Request-Email"), strips);
        assert_eq!(identity.rules().strips("X-Auth-Request-User"), strips);
        assert_eq!(identity.rules().strips("X-Forwarded-Groups"), strips);
        assert!(!identity.rules().strips("X-Forwarded-For"));
    }
}

#[test]
fn no_spelling_of_a_protected_name_passes() {
    let identity =
        IdentityHeaders::x_auth_request().with("X-Tenant", IdentitySource::Claim("tenant".into())).unwrap();
    for name in [
        "x-tenant",
        "X-TENANT",
        "x_tenant",
        "x.tenant",
        "X_Auth_Request-User",
        "x.auth.request.scopes",
        "x-auth-degraded",
        "x_auth_degraded",
        "X~Tenant",
        "x!auth'request|user",
        "x-auth-request-users",
        "X-Auth-Request-Email",
        "x_auth~request_groups",
    ] {
        assert!(identity.rules().strips(name), "{name}");
    }
    for name in ["x-tenants", "xtenant", "x-auth-request", "x-auth-requests-user", "accept", "x-tenand"] {
        assert!(!identity.rules().strips(name), "{name}");
    }
    assert!(
        !IdentityHeaders::none().rules().strips("X-Auth-Request-Email"),
        "who sets none of them leaves them alone"
    );
    let allowing = identity.allowing_underscores(&["api_key", "x_tenant"]);
    assert!(!allowing.rules().strips("API_KEY") && allowing.rules().strips("api_keys"));
    assert!(allowing.rules().strips("x_tenant"), "a protected name is protected, whatever is allowed");
}

#[test]
fn http_s_own_headers_carry_no_identity() {
    for name in [
        "Host",
        "authorization",
        "Connection",
        "proxy-authorization",
        "",
        "a b",
        "x-auth-request-user",
        "X-Auth.Request-User",
    ] {
        assert!(IdentityHeaders::default().with(name, IdentitySource::Subject).is_err(), "{name}");
    }
    let error = |name| IdentityHeaders::default().with(name, IdentitySource::Subject).err();
    assert_eq!(error("a b"), Some(InvalidIdentityHeader::Name));
    assert_eq!(error("Proxy-Anything"), Some(InvalidIdentityHeader::Reserved));
    assert_eq!(error("X.Auth-Request-User"), Some(InvalidIdentityHeader::Twice));
    assert_eq!(error("x-user"), None);
}

#[test]
fn values_can_t_break_out_of_their_field() {
    let encoded = |text: &str| encode(text).map(|value| value.to_str().unwrap().to_owned());
    assert_eq!(encoded("alice@example.com").as_deref(), Some("alice@example.com"));
    assert_eq!(encoded("a b").as_deref(), Some("a b"));
    assert_eq!(encoded("a\r\nx: y").as_deref(), Some("a%0D%0Ax:%20y"));
    assert_eq!(encoded("ü%").as_deref(), Some("%C3%BC%25"));
    assert_eq!(encoded(" a").as_deref(), Some("%20a"));
    assert_eq!(encoded(""), None);
    assert_eq!(encoded("a ").as_deref(), Some("a%20"));
    assert_eq!(encoded(LONG).as_deref(), Some(LONG));
    assert_eq!(encode_list(std::iter::once(LONG)).unwrap(), LONG);
    let list = encode_list(["a b", "c", "", "é"].into_iter()).unwrap();
    assert_eq!(list, "a%20b c %C3%A9");
    assert_eq!(encode_list(std::iter::once("a%20b")).unwrap(), "a%2520b", "no escape is smuggled in");
}
