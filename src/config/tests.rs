//! The whole way from text to plan.

use super::*;
use crate::policy::{IssuerRules, Methods, Requirement};
use crate::proof::KeyPolicy;
use std::collections::BTreeSet;
use std::time::Duration;

const REFERENCE: &str = include_str!("../../config/reference.yaml");

fn environment() -> Environment {
    Environment::from_iter([("INTROSPECTION_SECRET", "hunter2")])
}

fn plan(text: &str) -> Plan {
    parse("folder/gateway.yaml", text, &environment()).unwrap()
}

const ISSUER: &str = "issuers: {main: {issuer: 'https://id.example.com', audiences: [a], clients: [app]}}\n";

#[test]
fn the_reference_has_every_key() {
    let mut report = Report::default();
    let mut root = yaml::parse(REFERENCE, &mut report).unwrap();
    expand::expand(&mut root, REFERENCE, &environment(), &mut report);
    Raw::read(&root, &mut report).unwrap();
    assert!(!report.has_errors());
    let given: BTreeSet<_> =
        report.asked.iter().filter(|(.., given)| *given).map(|(section, key, _)| (*section, *key)).collect();
    // A condition on a claim is read by its own keys alone, so those that exclude each other are spread over several.
    let absent: BTreeSet<_> = report
        .asked
        .iter()
        .map(|(section, key, _)| (*section, *key))
        .filter(|key| !given.contains(key))
        // A secret is in the file or beside it.
        .filter(|(section, key)| {
            !given.iter().any(|(other, twin)| other == section && twin.strip_suffix("_file") == Some(key))
        })
        .collect();
    assert!(absent.is_empty(), "the reference lacks {absent:?}");
}

#[test]
fn the_reference_tells_the_defaults() {
    let told = plan(REFERENCE);
    let default = plan(&format!(
        "{ISSUER}routes: [{{path: /, scopes: none}}]\nupstreams: {{orders: {{addresses: ['127.0.0.1:1']}}}}"
    ));
    assert_eq!(told.gateway.limits, default.gateway.limits);
    assert_eq!(told.gateway.shutdown_grace, default.gateway.shutdown_grace);
    assert_eq!(told.gateway.listen[..1], default.gateway.listen);
    assert_eq!(told.cache.size, default.cache.size);
    let shared = told.shared.as_ref().unwrap();
    assert_eq!(
        (&*shared.prefix, shared.timeout, shared.start_wait, shared.insecure_plaintext),
        (
            SharedSettings::DEFAULT_PREFIX,
            SharedSettings::DEFAULT_TIMEOUT,
            SharedSettings::DEFAULT_START_WAIT,
            false
        )
    );
    let (told, default) = (&told.upstreams[0], &default.upstreams[0]);
    assert_eq!(
        (told.timeouts, told.keepalive, &told.host, told.protocol),
        (default.timeouts, default.keepalive, &default.host, default.protocol)
    );
    let check = told.health_check.as_ref().unwrap();
    assert_eq!(
        (check.interval, check.timeout, check.healthy_after, check.unhealthy_after),
        (
            HealthCheck::DEFAULT_INTERVAL,
            HealthCheck::DEFAULT_TIMEOUT,
            HealthCheck::DEFAULT_HEALTHY_AFTER,
            HealthCheck::DEFAULT_UNHEALTHY_AFTER
        )
    );
}

#[test]
fn the_reference_tells_the_defaults_of_issuers() {
    let plan = plan(REFERENCE);
    let keys = &plan.issuers[0].keys;
    assert_eq!(
        *keys,
        KeySettings {
            policy: KeyPolicy { max_age: Some(Duration::from_secs(600)), ..KeySettings::default().policy },
            ..KeySettings::default()
        }
    );
    assert_eq!(
        plan.policy.issuer("https://example.okta.com/oauth2/default").unwrap().leeway,
        IssuerRules::DEFAULT_LEEWAY
    );
    let asked = |n: usize| plan.issuers[n].introspection.clone().unwrap();
    assert_eq!(
        (&asked(1).settings, &asked(1).token_type_hint),
        (&asked(4).settings, &asked(4).token_type_hint)
    );
    // All but the ceiling, which the cache sets, and the algorithms, which are the issuer's.
    let default = crate::gate::IntrospectionSettings {
        max_lifetime: plan.cache.max_lifetime,
        algorithms: asked(4).settings.algorithms,
        ..Default::default()
    };
    assert_eq!(asked(4).settings, default);
    let opaque = |name: &str| plan.policy.issuer(name).unwrap().opaque.clone().unwrap().min_length;
    assert_eq!(opaque("https://partners.example.com"), opaque("http://127.0.0.1:9999"));
}

#[test]
fn files_are_relative_to_the_configuration() {
    let text = format!("{ISSUER}routes: [{{path: /, scopes: none}}]")
        .replace("clients:", "keys: {file: keys.json}, tls: {ca_file: /etc/ca.pem}, clients:");
    let issuer = &plan(&text).issuers[0];
    assert_eq!(issuer.keys.location, KeyLocation::File("folder/keys.json".into()));
    assert_eq!(issuer.ca_file.as_deref(), Some(Path::new("/etc/ca.pem")));
}

#[test]
fn a_route_without_methods_takes_those_of_its_scopes() {
    let routes = "routes: [{path: /a, scopes: none}, {path: /b, scopes: {GET: none, PUT: [w]}}, {path: /c, methods: [GET], scopes: none}, {path: /d, public: true}]";
    let plan = plan(&format!("{ISSUER}{routes}"));
    let methods: Vec<_> = plan.policy.routes().iter().map(|(_, route)| route.methods.clone()).collect();
    let listed = |names: &[http::Method]| Methods::Listed(names.to_vec());
    assert_eq!(
        methods,
        [
            Methods::All,
            listed(&[http::Method::GET, http::Method::PUT]),
            listed(&[http::Method::GET]),
            Methods::All
        ]
    );
    let public =
        plan.policy.routes().iter().map(|(_, route)| matches!(route.requirement, Requirement::Public));
    assert_eq!(public.collect::<Vec<_>>(), [false, false, false, true]);
}

#[test]
fn the_only_upstream_needs_no_name() {
    let routes = "routes: [{path: /a, scopes: none}, {path: /b, public: true, max_body: unlimited}]\n";
    let upstream = |text: &str| {
        let plan = plan(text);
        let routes: Vec<_> = plan.policy.routes().iter().map(|(_, route)| route.handling.clone()).collect();
        assert_eq!(routes[1].max_body, Some(u64::MAX));
        routes[0].upstream.clone()
    };
    assert_eq!(
        upstream(&format!("{ISSUER}{routes}upstreams: {{only: {{addresses: ['a:1']}}}}")).as_deref(),
        Some("only")
    );
    assert_eq!(upstream(&format!("{ISSUER}{routes}")), None);
}

#[test]
fn an_opaque_token_has_one_issuer() {
    let issuer = |name: &str, more: &str| {
        format!(
            "  {name}: {{issuer: 'https://{name}', audiences: [a], clients: [app], introspection: {{client_id: g, client_secret_file: s{more}}}}}\n"
        )
    };
    let asked = |issuers: &[String], route: &str| {
        let plan = plan(&format!("issuers:\n{}routes: [{{path: /, scopes: none{route}}}]", issuers.concat()));
        let route = plan.policy.routes().iter().map(|(_, route)| route.requirement.clone()).next().unwrap();
        let Requirement::Token(rules) = route else { panic!("not public") };
        rules.opaque_issuer.map(|issuer| issuer.as_str().to_owned())
    };
    let (a, b, prefixed) = (issuer("a", ""), issuer("b", ""), issuer("p", ", token_prefixes: [p_]"));
    assert_eq!(asked(std::slice::from_ref(&a), "").as_deref(), Some("https://a"));
    assert_eq!(asked(&[a.clone(), prefixed.clone()], "").as_deref(), Some("https://a"));
    assert_eq!(asked(&[a, b], ", issuers: [b]").as_deref(), Some("https://b"));
    assert_eq!(asked(&[prefixed], ""), None);
}

/// Whatever is done to a file: no panic, no refusal without a reason, no secret shown.
#[test]
fn broken_files_are_refused_with_a_reason() {
    let text = REFERENCE.replace("${INTROSPECTION_SECRET}", "hunter2");
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim_start().starts_with('#')).collect();
    let judge = |text: &str| {
        let result = parse("t", text, &environment());
        let problems = result.map_or_else(|problems| problems, |plan| plan.warnings);
        let shown = problems.render(false) + &problems.to_json();
        assert!(!shown.contains("hunter2"), "{shown}");
        assert!(problems.iter().all(|problem| problem.code() != Code::Unexplained), "{text}");
    };
    for n in 0..lines.len() {
        let without: Vec<&str> =
            lines.iter().enumerate().filter(|(other, _)| *other != n).map(|(_, line)| *line).collect();
        judge(&without.join("\n"));
        // All of them beside secrets, elsewhere some, which keeps the test short.
        let near = lines[n.saturating_sub(1)..].iter().take(3).any(|line| line.contains("hunter2"));
        for (_, insert) in INSERTS.iter().enumerate().filter(|(k, _)| near || (n + k) % 5 == 0) {
            let mut with = lines.clone();
            let indent = with[n].len() - with[n].trim_start().len();
            let broken = format!("{}{insert}{}", &with[n][..indent], &with[n][indent..]);
            with[n] = &broken;
            judge(&with.join("\n"));
        }
    }
}

/// What slips into a file: indentation, YAML's own signs, variables, characters that are none.
const INSERTS: [&str; 14] =
    ["\t", "  ", "- ", "x", "\"", "[", "}", ": ", "&a ", "*a", "!!x ", "${", "\u{0}", "\u{fffd}"];
