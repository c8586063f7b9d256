//! Advice: what works, but goes against what the standards and the issuers' own documents recommend.

use super::Advice;
use super::code::Code;
use super::fields::Field;
use super::plan::{HostHeader, HostPort, SecretSource};
use super::problem::Report;
use super::raw::credentials::Credentials;
use super::raw::issuer::{Clients, Issuer, KeySource, Keys};
use super::raw::route::Route;
use super::raw::scopes::{Asked, Scopes};
use super::raw::upstream::Upstream;
use super::raw::{Raw, Texts};
use super::source::{Span, Spanned};
use super::urls;
use std::collections::BTreeSet;
use std::net::IpAddr;

/// Warn of what is written in `raw`.
pub(super) fn lint(raw: &Raw, advice: Advice, report: &mut Report) {
    for (name, issuer) in raw.issuers.given().into_iter().flatten() {
        plain_http(issuer, report);
        any_client(issuer, report);
        secrets_in_file(issuer, report);
        bare_host_audiences(&issuer.audiences, report);
        if advice == Advice::Strict {
            endless_keys(name, issuer, report);
        }
    }
    for route in routes(raw) {
        bare_host_audiences(&route.audiences, report);
        public_catch_all(route, report);
        unjudged_credentials(route, report);
        for asked in asked(route) {
            generic_scopes(asked, report);
        }
    }
    for (scope, implied) in raw.scope_implications.given().into_iter().flatten() {
        generic_scope(scope, report);
        implied.value.iter().for_each(|scope| generic_scope(scope, report));
    }
    if let Some(shared) = raw.shared.given() {
        let secrets =
            [&shared.password, &shared.sentinel_password, &shared.secret_key, &shared.other_secret_key];
        secrets.into_iter().filter_map(Field::given).for_each(|secret| secret_in_file(secret, report));
    }
    trusted_world(raw, report);
    // Of a file with errors, nobody can say what it leaves unused.
    if !report.has_errors() {
        shared_audiences(raw, report);
        unused_issuers(raw, report);
        unused_upstreams(raw, report);
        shared_addresses(raw, report);
        own_listeners(raw, report);
    }
}

fn routes(raw: &Raw) -> impl Iterator<Item = &Route> {
    raw.routes.given().into_iter().flatten()
}

fn is_public(route: &Route) -> bool {
    route.public.or(false)
}

fn plain_http(issuer: &Issuer, report: &mut Report) {
    if let Some(url) =
        issuer.issuer.given().filter(|url| urls::is_plain(&url.value) && issuer.insecure_http.or(false))
    {
        report
            .warning(Code::InsecureUrl, url.span, "this issuer is asked over plain http")
            .help("who sits on the way can hand us keys of their own; use https wherever tokens matter");
    }
}

fn any_client(issuer: &Issuer, report: &mut Report) {
    if let Some(clients) = issuer
        .clients
        .given()
        .filter(|clients| clients.value == Clients::Any && !issuer.audiences.is_absent())
    {
        report
            .warning(Code::AnyClient, clients.span, "tokens of every client of this issuer are accepted")
            .help("list the client ids: a token that another application obtained is then of no use here");
    }
}

fn secrets_in_file(issuer: &Issuer, report: &mut Report) {
    let Some(
        Credentials::Basic { secret, .. }
        | Credentials::Post { secret, .. }
        | Credentials::Bearer { token: secret },
    ) = issuer.introspection.given().and_then(|written| written.credentials.given())
    else {
        return;
    };
    secret_in_file(secret, report);
}

fn secret_in_file(secret: &Spanned<SecretSource>, report: &mut Report) {
    if matches!(secret.value, SecretSource::Value(_)) && !secret.expanded {
        report
            .warning(Code::SecretInFile, secret.span, "a secret is written into the configuration")
            .help("take it from a file (the same key with `_file`) or the environment (`${NAME}`), and change it: it has been copied along with this file");
    }
}

fn endless_keys(name: &Spanned<String>, issuer: &Issuer, report: &mut Report) {
    let bounded = |keys: &Keys| {
        let fetched = !matches!(keys.source.given(), Some(KeySource::File(_) | KeySource::None));
        !fetched || !keys.max_age.is_absent()
    };
    if matches!(issuer.keys, Field::Broken) || issuer.keys.given().is_some_and(bounded) {
        return;
    }
    report
        .warning(Code::NoMaxAge, name.span, "`keys` has no `max_age`: a key that the issuer withdraws is trusted until an unknown one is seen")
        .help("write `keys: {max_age: 10m}`, which costs the issuer one request each time");
}

/// An audience that is a whole host names no product of it.
fn bare_host_audiences(audiences: &Field<Texts>, report: &mut Report) {
    for audience in audiences.given().map(|list| &list.value).into_iter().flatten() {
        let text = audience.value.as_str();
        let url = text.starts_with("https://") || text.starts_with("http://");
        if url && matches!(urls::path(text), "" | "/") || !url && is_host(text) {
            let example = if audience.expanded { "https://…" } else { text.trim_end_matches('/') };
            report
                .warning(Code::BroadAudience, audience.span, "this audience is a whole host, not one API of it")
                .help(format!("let each API have its own, such as `{example}/orders`, so that a token for one is not one for all"));
        }
    }
}

/// A host such as `api.example.com`; reversed names such as `com.example.orders` name a product.
fn is_host(text: &str) -> bool {
    let mut labels = text.split('.');
    let first = labels.next().unwrap_or_default();
    let dotted = text.contains('.') && super::plan::is_host_name(text);
    dotted && !REVERSED.contains(&first) && text.parse::<std::net::IpAddr>().is_err()
}

/// One audience that guards several products, which is to say upstreams.
fn shared_audiences(raw: &Raw, report: &mut Report) {
    for (name, issuer) in raw.issuers.given().into_iter().flatten() {
        let [audience] = issuer.audiences.given().map(|list| list.value.as_slice()).unwrap_or_default()
        else {
            continue;
        };
        let guarded = routes(raw).filter(|route| {
            let takes = route
                .issuers
                .given()
                .is_none_or(|list| list.value.iter().any(|other| other.value == name.value));
            !is_public(route) && takes && route.audiences.is_absent()
        });
        let products: BTreeSet<&str> =
            guarded.filter_map(|route| Some(route.upstream.given()?.value.as_str())).collect();
        if products.len() >= MANY_PRODUCTS {
            let names = products.iter().map(|product| format!("`{product}`")).collect::<Vec<_>>().join(", ");
            report
                .warning(Code::BroadAudience, audience.span, format!("one audience for {} products: {names}", products.len()))
                .help("give each its own with the routes' `audiences`, so that a token for one is not one for all");
        }
    }
}

fn public_catch_all(route: &Route, report: &mut Report) {
    let all = |path: &&Spanned<String>| path.value.starts_with("/{*");
    if let Some(path) = route.path.given().filter(all).filter(|_| is_public(route)) {
        let message = "whatever no other route is for goes to the upstream without a token";
        report
            .warning(Code::PublicCatchAll, path.span, message)
            .help("name the public paths one by one; what nobody thought of is then refused");
    }
}

fn unjudged_credentials(route: &Route, report: &mut Report) {
    if let Some(forward) =
        route.forward_authorization.given().filter(|forward| forward.value && is_public(route))
    {
        let message = "on a public route, `Authorization` is whatever a caller writes there";
        report
            .warning(Code::UnjudgedCredentials, forward.span, message)
            .help("let the upstream trust none of it, or ask for a token here");
    }
}

fn asked(route: &Route) -> Vec<&Asked> {
    match route.scopes.given() {
        None => Vec::new(),
        Some(Scopes::Every(asked)) => vec![asked],
        Some(Scopes::PerMethod(table)) => table.iter().map(|(_, asked)| asked).collect(),
    }
}

fn generic_scopes(asked: &Asked, report: &mut Report) {
    let lists = match asked {
        Asked::Nothing => &[][..],
        Asked::All(list) => std::slice::from_ref(list),
        Asked::Any(lists) => lists,
    };
    lists.iter().flat_map(|list| &list.value).for_each(|scope| generic_scope(scope, report));
}

fn generic_scope(scope: &Spanned<String>, report: &mut Report) {
    if GENERIC_SCOPES.contains(&scope.value.to_ascii_lowercase().as_str()) {
        report
            .warning(
                Code::GenericScope,
                scope.span,
                format!("{} says nothing about what it grants", scope.quoted()),
            )
            .help("name the product and the action, such as `orders:write` or `com.example.orders.admin`");
    }
}

fn unused_issuers(raw: &Raw, report: &mut Report) {
    for (name, issuer) in raw.issuers.given().into_iter().flatten() {
        let takes = |route: &Route| match &route.issuers {
            Field::Given(list) => list.value.iter().any(|other| other.value == name.value),
            Field::Absent | Field::Broken => true,
        };
        if !routes(raw).any(|route| !is_public(route) && takes(route)) && !matches!(raw.routes, Field::Broken)
        {
            unused(name.span, "no route takes tokens of this issuer", report);
        }
        unused_clients(raw, name, issuer, report);
    }
}

/// A client that a route lists must be one of the issuer's too.
fn unused_clients(raw: &Raw, name: &Spanned<String>, issuer: &Issuer, report: &mut Report) {
    let Some(Clients::These(known)) = issuer.clients.given().map(|clients| &clients.value) else { return };
    let only = raw.issuers.given().is_some_and(|issuers| issuers.len() == 1);
    for route in routes(raw) {
        let names: &[Spanned<String>] =
            route.issuers.given().map(|list| list.value.as_slice()).unwrap_or_default();
        let alone = matches!(names, [single] if single.value == name.value) || (names.is_empty() && only);
        for client in route.clients.given().map(|list| &list.value).into_iter().flatten().filter(|_| alone) {
            if !known.iter().any(|other| other.value == client.value) {
                let message =
                    format!("{} is no client of the route's issuer, so it can never call", client.quoted());
                report
                    .warning(Code::Unused, client.span, message)
                    .also(name.span, "its `clients` lack it")
                    .help("a route narrows its issuer's clients down: list it there too, or remove it here");
            }
        }
    }
}

fn unused_upstreams(raw: &Raw, report: &mut Report) {
    let upstreams = raw.upstreams.given().map(Vec::as_slice).unwrap_or_default();
    let named =
        |name: &str| routes(raw).any(|route| route.upstream.given().is_some_and(|other| other.value == name));
    for (name, _) in upstreams.iter().filter(|(name, _)| upstreams.len() > 1 && !named(&name.value)) {
        unused(name.span, "no route goes to this upstream", report);
    }
}

/// Two upstreams at one address that rewrite paths in different ways: what a route protects may be reached by another name.
fn shared_addresses(raw: &Raw, report: &mut Report) {
    let upstreams = raw.upstreams.given().map(Vec::as_slice).unwrap_or_default();
    // Another `Host` may be another server.
    let seen_as = |upstream: &Upstream| {
        let text = |field: &Field<Spanned<String>>| field.given().map(|prefix| prefix.value.clone());
        let host = match upstream.host.given().map(|host| &host.value) {
            Some(HostHeader::Literal(name)) => Some(name.to_ascii_lowercase()),
            _ => None,
        };
        (host, [text(&upstream.strip_prefix), text(&upstream.add_prefix)])
    };
    for (at, (name, upstream)) in upstreams.iter().enumerate() {
        let (host, rewrite) = seen_as(upstream);
        for address in upstream.addresses.given().into_iter().flat_map(|list| &list.value) {
            let same = |other: &Upstream| {
                let listed = other.addresses.given().into_iter().flat_map(|list| &list.value);
                let (other_host, other_rewrite) = seen_as(other);
                host == other_host
                    && rewrite != other_rewrite
                    && listed.into_iter().any(|other| is_same_place(&other.value, &address.value))
            };
            let Some((earlier, _)) = upstreams.iter().take(at).find(|(_, other)| same(other)) else {
                continue;
            };
            report
                .warning(Code::SharedAddress, address.span, format!("{} leads here too, and rewrites paths otherwise", earlier.quoted()))
                .also(earlier.span, "this upstream")
                .help(format!("one resource then has two paths, and needs a route for each: look whether what {} protects can be had through {}", earlier.quoted(), name.quoted()));
        }
    }
}

/// An upstream that is one of our own listeners.
fn own_listeners(raw: &Raw, report: &mut Report) {
    let Some(gateway) = raw.gateway.given() else { return };
    let admin = gateway.admin.given().and_then(|admin| admin.address.given()).map(|address| {
        (
            address,
            "this is the gateway's own admin listener",
            "whoever may call the route may revoke every token; let operators reach it directly",
        )
    });
    let callers = gateway.listen.given().into_iter().flatten().filter_map(|listener| {
        let help = "a request that goes round in circles takes connections until there are none left";
        Some((listener.address.given()?, "this is the gateway itself", help))
    });
    let ours: Vec<_> = admin.into_iter().chain(callers).collect();
    let upstreams = raw.upstreams.given().into_iter().flatten().map(|(_, upstream)| upstream);
    for address in upstreams.filter_map(|upstream| upstream.addresses.given()).flat_map(|list| &list.value) {
        for (own, message, help) in &ours {
            let place = HostPort { host: own.value.ip().to_string(), port: own.value.port() };
            if is_same_place(&address.value, &place) {
                report
                    .warning(Code::SharedAddress, address.span, *message)
                    .also(own.span, "here")
                    .help(*help);
            }
        }
    }
}

/// Whether two addresses lead to one place, as far as their texts tell: this machine has many names.
fn is_same_place(one: &HostPort, other: &HostPort) -> bool {
    let place = |host: &str| {
        let host = host.to_ascii_lowercase();
        let address = host.parse::<IpAddr>().map(|address| address.to_canonical());
        let here = match address {
            Ok(address) => address.is_loopback() || address.is_unspecified(),
            // Libraries take `127.1` for an address.
            Err(_) => host == "localhost" || host.starts_with("127."),
        };
        if here { "localhost".to_owned() } else { address.map_or(host, |address| address.to_string()) }
    };
    one.port == other.port && place(&one.host) == place(&other.host)
}

fn unused(span: Span, message: &str, report: &mut Report) {
    report.warning(Code::Unused, span, message).help("remove it, or name it in a route");
}

fn trusted_world(raw: &Raw, report: &mut Report) {
    let networks = raw.gateway.given().and_then(|gateway| gateway.trusted_proxies.given());
    for network in networks.into_iter().flatten().filter(|network| network.value.is_everyone()) {
        report
            .warning(Code::TrustsEveryone, network.span, "every caller may say where its request comes from")
            .help("name the networks of your own proxies, such as `10.0.0.0/8`");
    }
}

/// Products behind one audience from which on it is a global one.
const MANY_PRODUCTS: usize = 3;

/// Scopes that name neither a product nor an action.
const GENERIC_SCOPES: &[&str] =
    &["*", "admin", "administrator", "all", "any", "everything", "full", "full_access", "root", "superuser"];

/// First labels of names in reverse order.
const REVERSED: &[&str] = &["app", "com", "dev", "io", "net", "org"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_has_many_names() {
        let same = |one: &str, other: &str| {
            is_same_place(&HostPort::parse(one).unwrap(), &HostPort::parse(other).unwrap())
        };
        for name in [
            "localhost:1",
            "LOCALHOST:1",
            "127.0.0.2:1",
            "127.1:1",
            "0.0.0.0:1",
            "[::1]:1",
            "[::ffff:127.0.0.1]:1",
            "[::]:1",
        ] {
            assert!(same("127.0.0.1:1", name), "{name}");
        }
        assert!(same("orders:1", "ORDERS:1") && same("[::ffff:10.0.0.1]:1", "10.0.0.1:1"));
        for (one, other) in
            [("127.0.0.1:1", "127.0.0.1:2"), ("orders:1", "bills:1"), ("10.0.0.1:1", "127.0.0.1:1")]
        {
            assert!(!same(one, other), "{one} {other}");
        }
    }
}
