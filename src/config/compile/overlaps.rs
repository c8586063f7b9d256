//! Advice on routes that are for the same paths, or for what many servers take for the same.

use crate::config::code::Code;
use crate::config::plan::HostHeader;
use crate::config::problem::{Report, quote};
use crate::config::raw::{Raw, route};
use crate::policy::{CanonicalPath, HostPattern, Methods, Requirement, Route, RouteTable, Template};
use http::Method;
use std::collections::HashMap;

/// A route as it is written, and what it means.
type Both<'a> = (&'a route::Route, &'a Route);

/// Warns of two routes that only a slash at the end tells apart, and that ask for different things.
pub(super) fn last_slashes(routes: &[Both<'_>], report: &mut Report) {
    let ends_in_slash = |route: &Route| route.template.as_str().ends_with('/');
    let mut places: HashMap<Vec<&str>, Vec<Both<'_>>> = HashMap::new();
    for (written, route) in routes.iter().filter(|(_, route)| !ends_in_slash(route)) {
        places.entry(bare(&route.template)).or_default().push((written, route));
    }
    for (written, route) in routes.iter().filter(|(_, route)| ends_in_slash(route)) {
        let meets = |other: &Route| {
            let all = route.methods == Methods::All || other.methods == Methods::All;
            route.hosts == other.hosts && (all || route.methods == other.methods)
        };
        let others = places.get(&bare(&route.template)).into_iter().flatten();
        for (other_written, _) in
            others.filter(|(_, other)| meets(other) && route.requirement != other.requirement)
        {
            let (Some(path), Some(other)) = (written.path.given(), other_written.path.given()) else {
                continue;
            };
            let message = format!("{} asks for something else than {}", path.quoted(), other.quoted());
            report
                .warning(Code::LastSlash, path.span, message)
                .also(other.span, "this one")
                .help("many servers take the two for one path: let both ask for the same");
        }
    }
}

/// Warns of a route that takes some of the paths of another, which asks for a token and something else, and others as well. One that is for a
/// part of the other's paths, and for no others, is an exception that somebody has made.
pub(super) fn taken(routes: &[Both<'_>], table: &RouteTable, report: &mut Report) {
    let all: Vec<_> =
        routes.iter().map(|(written, route)| (written, route, plain(&route.template))).collect();
    let asking = || all.iter().filter(|(_, route, _)| !is_public(route));
    for (written, route, paths) in &all {
        for (other_written, other, other_paths) in asking() {
            let shared = shared_paths(paths, other_paths).filter(|shared| shared != paths);
            let Some(shared) = shared.filter(|_| route.requirement != other.requirement) else { continue };
            let taken = hosts(route).find(|host| {
                is_at(other, host.as_deref()) && {
                    let takes = |method: &Method| takes(table, route, host.as_deref(), method, &shared);
                    shared_methods(&route.methods, &other.methods).iter().any(takes)
                }
            });
            let Some(((host, path), other_path)) =
                taken.zip(written.path.given()).zip(other_written.path.given())
            else {
                continue;
            };
            let at = host.map(|host| format!(" at `{host}`")).unwrap_or_default();
            let (code, how, label) = match is_public(route) {
                true => (Code::TakenByPublic, "without a token", "this route asks for one"),
                false => (Code::Taken, "and asks for something else", "than this route"),
            };
            let message = format!("{} takes {}{at} {how}", path.quoted(), quote(&shared.join("/")));
            report
                .warning(code, path.span, message)
                .also(other_path.span, label)
                .help("write a route for just these paths, and hosts, that asks for what they need");
        }
    }
}

/// Warns of a public route and one that asks for a token, which only their hosts tell apart, if their upstream is never told the caller's.
pub(super) fn told_apart_by_host_alone(routes: &[Both<'_>], raw: &Raw, report: &mut Report) {
    let is_told = |route: &Route| {
        let mut upstreams = raw.upstreams.given().into_iter().flatten();
        let named = |name: &str| route.handling.upstream.as_deref() == Some(name);
        let host =
            upstreams.find(|(name, _)| named(&name.value)).and_then(|(_, upstream)| upstream.host.given());
        host.is_none_or(|host| host.value == HostHeader::Preserve)
    };
    let bound = || routes.iter().filter(|(_, route)| !route.hosts.is_empty() && !is_told(route));
    for (written, route) in bound().filter(|(_, route)| is_public(route)) {
        let alike = |other: &Route| {
            !is_public(other)
                && other.handling.upstream == route.handling.upstream
                && other.hosts != route.hosts
                && !shared_methods(&other.methods, &route.methods).is_empty()
                && shared_paths(&plain(&other.template), &plain(&route.template)).is_some()
        };
        let other = bound().find(|(_, other)| alike(other)).and_then(|(other, _)| other.path.given());
        if let Some((path, other)) = written.path.given().zip(other) {
            let message = format!("only `hosts` tell {} from what another route protects", path.quoted());
            report.warning(Code::TakenByPublic, path.span, message).also(other.span, "the other one").help(
                "their upstream is told one host for both: `host: preserve` there, or an upstream for each",
            );
        }
    }
}

fn is_public(route: &Route) -> bool {
    matches!(route.requirement, Requirement::Public)
}

/// The hosts that a route is for, each as an example of its pattern; `None` if it is for all.
fn hosts(route: &Route) -> impl Iterator<Item = Option<String>> {
    let example = |pattern: &HostPattern| match pattern {
        HostPattern::Exact(name) => name.to_string(),
        HostPattern::Below(suffix) => format!("any{suffix}"),
    };
    let all = route.hosts.is_empty().then_some(None);
    route.hosts.iter().map(move |pattern| Some(example(pattern))).chain(all)
}

fn is_at(route: &Route, host: Option<&str>) -> bool {
    let matches = |pattern: &HostPattern| match (pattern, host) {
        (_, None) => false,
        (HostPattern::Exact(name), Some(host)) => **name == *host,
        (HostPattern::Below(suffix), Some(host)) => host.ends_with(&**suffix),
    };
    route.hosts.is_empty() || route.hosts.iter().any(matches)
}

fn shared_methods(one: &Methods, other: &Methods) -> Vec<Method> {
    match (one, other) {
        (Methods::All, Methods::All) => vec![Method::GET],
        (Methods::All, Methods::Listed(listed)) | (Methods::Listed(listed), Methods::All) => listed.clone(),
        (Methods::Listed(one), Methods::Listed(other)) => {
            one.iter().filter(|method| other.contains(method)).cloned().collect()
        }
    }
}

/// Whether it is this route that takes an example of such paths.
fn takes(table: &RouteTable, route: &Route, host: Option<&str>, method: &Method, paths: &[&str]) -> bool {
    let example: Vec<&str> =
        paths.iter().map(|segment| if is_capture(segment) { "any" } else { segment }).collect();
    let example = example.join("/");
    let path = CanonicalPath::parse(example.as_bytes());
    let found =
        path.ok().and_then(|path| table.find(host, method, &path).ok()).and_then(|index| table.get(index));
    found
        .is_some_and(|found| found.template.as_str() == route.template.as_str() && found.hosts == route.hosts)
}

/// The segments of the paths that two templates of these segments are both for, if there are any.
fn shared_paths<'t>(one: &[&'t str], other: &[&'t str]) -> Option<Vec<&'t str>> {
    // Of most pairs, the first segments tell them apart.
    let differ = |(one, other): (&&str, &&str)| one != other && !is_capture(one) && !is_capture(other);
    if one.get(1).zip(other.get(1)).is_some_and(differ) {
        return None;
    }
    let mut shared = Vec::new();
    for at in 0.. {
        shared.push(match (one.get(at).copied(), other.get(at).copied()) {
            (None, None) => break,
            (Some(REST), Some(_)) => {
                shared.extend(other.get(at..)?);
                break;
            }
            (Some(_), Some(REST)) => {
                shared.extend(one.get(at..)?);
                break;
            }
            (Some(CAPTURE), Some(segment)) | (Some(segment), Some(CAPTURE)) if !segment.is_empty() => segment,
            (Some(segment), Some(same)) if segment == same => segment,
            _ => return None,
        });
    }
    Some(shared)
}

/// The segments of a template, whatever its captures are called.
fn plain(template: &Template) -> Vec<&str> {
    let name = |segment| match segment {
        _ if str::starts_with(segment, "{*") => REST,
        _ if segment.starts_with('{') => CAPTURE,
        literal => literal,
    };
    template.as_str().split('/').map(name).collect()
}

/// The same, without a slash at the end.
fn bare(template: &Template) -> Vec<&str> {
    let mut segments = plain(template);
    segments.pop_if(|last| last.is_empty());
    segments
}

fn is_capture(segment: &str) -> bool {
    segment == CAPTURE || segment == REST
}

const CAPTURE: &str = "{…}";
const REST: &str = "{*…}";
