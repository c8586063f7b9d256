//! Settings that tell sources apart, and settings that can't be used.

use super::*;
use crate::config::{self, Environment};
use crate::testing::ManualClock;

fn plan(issuer: &str) -> Plan {
    let text = format!(
        "issuers:\n  main: {{issuer: 'https://as.example/', audiences: [a], clients: any, {issuer}}}\n\
         routes:\n  - {{path: /orders, scopes: [orders:read]}}\n"
    );
    config::parse("gateway.yaml", &text, &Environment::empty())
        .unwrap_or_else(|problems| panic!("{problems}"))
}

fn only(issuer: &str) -> Result<IssuerSources, AssembleError> {
    let clock: Arc<dyn Clock> = Arc::new(ManualClock::new());
    sources(&plan(issuer), &clock).map(|mut sources| sources.remove(0))
}

const INTROSPECTION: &str = "introspection: {client_id: gateway, client_secret: hunter2}";

#[test]
fn tags_tell_settings_apart() {
    let base = only(INTROSPECTION).unwrap();
    let same = only(INTROSPECTION).unwrap();
    assert_eq!((&base.tag, &base.keys_tag), (&same.tag, &same.keys_tag));
    assert!(!format!("{}{}", base.tag, base.keys_tag).contains("hunter2"));
    for (other, same_place) in [
        ("introspection: {client_id: gateway, client_secret: hunter3}", true),
        ("introspection: {client_id: gateway, client_secret: hunter2, timeout: 1s}", true),
        ("introspection: {client_id: gateway, client_secret: hunter2}, keys: {wait: 1s}", true),
        ("introspection: {client_id: gateway, client_secret: hunter2}, keys: {cool_down: 60s}", true),
        ("introspection: {client_id: gateway, client_secret: hunter2}, algorithms: [ES256]", true),
        ("profile: auth0", true),
        ("keys: {discovery: 'https://as.example/meta'}", false),
        ("keys: {jwks_uri: 'https://as.example/jwks'}", false),
        ("allow_private_addresses: true", false),
    ] {
        let other_sources = only(other).unwrap();
        assert_ne!(base.tag, other_sources.tag, "{other}");
        assert_eq!(base.keys_tag == other_sources.keys_tag, same_place, "{other}");
    }
}

#[test]
fn answers_are_told_apart_by_who_gives_them_and_how() {
    let base = only(INTROSPECTION).unwrap().answers_tag;
    for (other, same) in [
        ("introspection: {client_id: gateway, client_secret: hunter3, timeout: 1s, grace: 1h}", true),
        ("introspection: {client_id: gateway, client_secret: hunter2}, keys: {wait: 1s}", true),
        ("introspection: {client_id: another, client_secret: hunter2}", false),
        ("introspection: {client_id: gateway, client_secret: hunter2, signed: true}", false),
        (
            "introspection: {client_id: gateway, client_secret: hunter2, endpoint: 'https://as.example/ask'}",
            false,
        ),
        (
            "introspection: {client_id: gateway, client_secret: hunter2}, keys: {discovery: 'https://as.example/m'}",
            false,
        ),
        ("profile: auth0", false),
    ] {
        assert_eq!(base == only(other).unwrap().answers_tag, same, "{other}");
    }
}

#[test]
fn a_file_of_keys_that_changes_is_another_place() {
    let path = std::env::temp_dir().join(format!("tollgate-assemble-{}.json", std::process::id()));
    let tag = |keys: &str| {
        std::fs::write(&path, keys).unwrap();
        only(&format!("keys: {{file: '{}'}}", path.display())).unwrap().keys_tag
    };
    let issuer = crate::testing::Issuer::new("https://as.example/");
    let before = issuer.jwks();
    issuer.rotate();
    let (one, other, again) = (tag(&before), tag(&issuer.jwks()), tag(&before));
    assert!(one != other && one == again);
    // Of a file without keys, nothing is put in force.
    for broken in ["", "[]", r#"{"keys":[]}"#, &before[..99]] {
        std::fs::write(&path, broken).unwrap();
        let error = only(&format!("keys: {{file: '{}'}}", path.display())).map(|_| ()).unwrap_err();
        assert!(error.to_string().contains(&*path.to_string_lossy()), "{error}");
    }
    std::fs::remove_file(path).unwrap();
}

#[test]
fn all_problems_are_told_and_no_secret() {
    let text = "
issuers:
  one: {issuer: 'https://10.0.0.1/', audiences: [a], clients: any}
  two: {issuer: 'https://two.example/', audiences: [a], clients: any, introspection: {client_id: me, client_secret_file: /nowhere/secret}}
  three: {issuer: 'https://three.example/', audiences: [a], clients: any, introspection: {auth: bearer, bearer_token: hunter2, signed: true}}
  four: {issuer: 'https://four.example/', audiences: [a], clients: any}
routes:
  - {path: /orders, scopes: [orders:read], issuers: [two]}
";
    let plan = config::parse("gateway.yaml", text, &Environment::empty())
        .unwrap_or_else(|problems| panic!("{problems}"));
    let error = gate(plan, Arc::new(ManualClock::new()), Arc::new(crate::gate::Silent)).unwrap_err();
    assert_eq!(error.problems().map(|(issuer, _)| issuer).collect::<Vec<_>>(), ["one", "two", "three"]);
    let told = error.to_string();
    assert!(told.contains("issuer `one`: `https://10.0.0.1/` can't be used: "), "{told}");
    assert!(told.contains("\nissuer `two`: `/nowhere/secret` can't be used: "), "{told}");
    assert!(told.contains("\nissuer `three`: signed answers are meant for a client id"), "{told}");
    assert!(!format!("{told} {error:?}").contains("hunter2"));
}
