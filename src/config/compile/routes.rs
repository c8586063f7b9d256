//! Routes: what each asks, where it goes, and that no two are for the same requests.

use super::issuers::Issuers;
use super::{find, overlaps};
use crate::config::code::Code;
use crate::config::fields::Field;
use crate::config::problem::Report;
use crate::config::raw::scopes::Scopes;
use crate::config::raw::{Raw, Texts, route};
use crate::config::source::Spanned;
use crate::policy::{Handling, HostPattern, Implications, Methods, Preflight, Route, RouteTable, Template};
use http::Method;

/// The table of all routes; `None` if one is broken.
pub(super) fn compile(
    raw: &Raw,
    issuers: &Issuers<'_>,
    implications: &Implications,
    report: &mut Report,
) -> Option<RouteTable> {
    let routes = raw.routes.given()?;
    let compiler = Compiler { raw, issuers, implications };
    let compiled: Vec<_> = routes.iter().map(|route| (route, compiler.route(route, report))).collect();
    let asks = |route: &&route::Route| !route.public.or(false);
    if let Some(route) = routes.iter().find(asks).filter(|_| raw.issuers.is_absent()) {
        report
            .error(Code::MissingKey, raw.head, "`issuers` is missing")
            .also(route.head, "this route needs a token")
            .help("say whose tokens are accepted: `issuers: {main: {issuer: https://…, audiences: […], clients: […]}}`");
    }
    table(&compiled, raw, report)
}

/// Put the routes in a table, and report those that tie.
fn table(compiled: &[(&route::Route, Option<Route>)], raw: &Raw, report: &mut Report) -> Option<RouteTable> {
    let mut whole = true;
    let mut added: Vec<(&route::Route, &Route)> = Vec::new();
    let mut builder = RouteTable::builder();
    for (written, route) in compiled {
        let Some(route) = route else {
            whole = false;
            continue;
        };
        let Err(tie) = builder.add(route.clone()) else {
            added.push((written, route));
            continue;
        };
        whole = false;
        let span = |route: &route::Route| route.path.given().map_or(route.head, |path| path.span);
        let first = added.get(tie.first.get());
        let by_case = first.is_some_and(|(_, first)| differ_by_case(&route.template, &first.template));
        let (message, hint) = match by_case {
            true => (
                "another route's path differs from this one in the case of its letters alone",
                "write both in the same case: many servers take the two for the same",
            ),
            false => (
                "another route is for the same requests",
                "tell them apart by path, `hosts` or `methods`, or remove one",
            ),
        };
        let problem = report.error(Code::RouteTie, span(written), message).label("this one").help(hint);
        if let Some((first, _)) = first {
            problem.also(span(first), "the other one");
        }
        // A route that ties on its second host has left traces of its first: begin anew without it.
        builder = RouteTable::builder();
        added.retain(|(_, route)| builder.add((*route).clone()).is_ok());
    }
    overlaps::last_slashes(&added, report);
    let table = builder.build();
    overlaps::taken(&added, &table, report);
    overlaps::told_apart_by_host_alone(&added, raw, report);
    whole.then_some(table)
}

/// Whether some segment of the two, after equal ones, differs in the case of its letters alone.
fn differ_by_case(one: &Template, other: &Template) -> bool {
    let same = |a: &str, b: &str| a == b || (a.starts_with('{') && b.starts_with('{'));
    let mut pairs = one.as_str().split('/').zip(other.as_str().split('/'));
    pairs.find(|(a, b)| !same(a, b)).is_some_and(|(a, b)| a.eq_ignore_ascii_case(b))
}

pub(super) struct Compiler<'a> {
    pub(super) raw: &'a Raw,
    pub(super) issuers: &'a Issuers<'a>,
    pub(super) implications: &'a Implications,
}

impl Compiler<'_> {
    fn route(&self, written: &route::Route, report: &mut Report) -> Option<Route> {
        let template = written.path.given().and_then(|path| template(path, report));
        let hosts = hosts(&written.hosts, report);
        let methods = methods(written, report);
        let upstream = self.upstream(written, report);
        if let (Some(path), Some(Some(upstream))) = (written.path.given(), &upstream) {
            self.has_prefix(path, upstream, report);
        }
        let requirement = self.requirement(written, template.as_ref(), report);
        let mut route = Route::new(template?, requirement?);
        route.hosts = hosts?;
        route.methods = methods?;
        route.preflight = written.cors_preflight.or(Preflight::Deny);
        route.encoded_slashes = written.encoded_slashes.or(false);
        route.non_ascii = written.non_ascii.or(false);
        route.handling = Handling {
            upstream: upstream?.map(Into::into),
            forward_authorization: written.forward_authorization.or(false),
            upgrade: written.upgrade.or(false),
            // A route without a limit is one whose limit is out of reach.
            max_body: written.max_body.value().map(|limit| limit.unwrap_or(u64::MAX)),
            read_timeout: written.read_timeout.value(),
        };
        Some(route)
    }

    /// An upstream that cuts a prefix off takes only routes that begin with it. Otherwise `/api/admin`, once cut, would be what
    /// another route passes on as `/admin`, and whichever asks for less would be the one that counts.
    fn has_prefix(&self, path: &Spanned<String>, upstream: &str, report: &mut Report) {
        let mut upstreams = self.raw.upstreams.given().into_iter().flatten();
        let settings = upstreams.find(|(name, _)| name.value == upstream).map(|(_, settings)| settings);
        let Some(prefix) = settings.and_then(|settings| settings.strip_prefix.given()) else { return };
        let rest = path.value.strip_prefix(prefix.value.as_str());
        if rest.is_none_or(|rest| !rest.is_empty() && !rest.starts_with('/')) {
            let message = format!("{} doesn't begin with {}", path.quoted(), prefix.quoted());
            report
                .error(Code::PrefixMissing, path.span, message)
                .label("would be passed on uncut")
                .also(prefix.span, "its upstream cuts this off")
                .help(format!(
                    "begin it with the prefix, or send it to an upstream at another address: what callers reach by way of \
                     `{}{}` must not be reached in a second way",
                    prefix.value, path.value
                ));
        }
    }

    /// The upstream that the route goes to; `Some(None)` if there are none at all.
    fn upstream(&self, written: &route::Route, report: &mut Report) -> Option<Option<String>> {
        let upstreams = match &self.raw.upstreams {
            Field::Broken => return None,
            Field::Absent => &[][..],
            Field::Given(upstreams) => upstreams.as_slice(),
        };
        let known = upstreams.iter().map(|(name, _)| (name.value.as_str(), name));
        match (&written.upstream, upstreams) {
            (Field::Given(name), _) => {
                find(name, known, ("upstream", "upstreams"), report).map(|name| Some(name.value.clone()))
            }
            (Field::Broken, _) => None,
            (Field::Absent, []) => Some(None),
            (Field::Absent, [(only, _)]) => Some(Some(only.value.clone())),
            (Field::Absent, _) => {
                let names = known.map(|(name, _)| format!("`{name}`")).collect::<Vec<_>>().join(", ");
                report
                    .error(Code::MissingKey, written.head, "`upstream` is missing")
                    .help(format!("there are several to choose from: {names}"));
                None
            }
        }
    }
}

fn template(path: &Spanned<String>, report: &mut Report) -> Option<Template> {
    let help = match Template::parse(&path.value) {
        Ok(template) => match wildcard(&path.value) {
            None => return Some(template),
            Some(meant) => meant.to_owned(),
        },
        Err(error) => error.to_string(),
    };
    report
        .error(Code::BadValue, path.span, format!("{} is not a path template", path.quoted()))
        .help(if path.expanded { "look at what the variable holds".to_owned() } else { help });
    None
}

/// What to write instead of what other routers take for a wildcard, and would be a literal here: it might leave open what it was to
/// protect.
fn wildcard(path: &str) -> Option<&'static str> {
    path.split('/').find_map(|segment| match segment {
        _ if segment.contains('*') && !segment.starts_with('{') => {
            Some("`*` is no wildcard: write `{*rest}` for whatever follows, `{name}` for one segment")
        }
        _ if segment.len() > 1 && segment.starts_with(':') => {
            Some("`:` begins no capture: write `{name}` for one segment")
        }
        _ => None,
    })
}

fn hosts(written: &Field<Texts>, report: &mut Report) -> Option<Vec<HostPattern>> {
    let list = match written {
        Field::Absent => return Some(Vec::new()),
        Field::Broken => return None,
        Field::Given(list) => &list.value,
    };
    let parsed: Vec<_> = list
        .iter()
        .map(|host| {
            HostPattern::parse(&host.value)
                .map_err(|error| {
                    report
                        .error(Code::BadValue, host.span, format!("{} is not a host", host.quoted()))
                        .help(error.to_string());
                })
                .ok()
        })
        .collect();
    parsed.into_iter().collect()
}

/// The methods of a route: those that it lists, or those of its scopes, or all. If it lists some and has scopes per method, the two agree.
fn methods(written: &route::Route, report: &mut Report) -> Option<Methods> {
    let per_method: Option<Vec<&Spanned<String>>> = match written.scopes.given() {
        Some(Scopes::PerMethod(table)) => Some(table.iter().map(|(name, _)| name).collect()),
        _ => None,
    };
    let listed: Option<Vec<&Spanned<String>>> = match &written.methods {
        Field::Broken => return None,
        Field::Absent => None,
        Field::Given(list) => Some(list.value.iter().collect()),
    };
    let all = |names: &[&Spanned<String>]| {
        names.iter().map(|name| method(name)).collect::<Option<_>>().map(Methods::Listed)
    };
    match (listed, per_method) {
        (None, None) => Some(Methods::All),
        (Some(names), None) | (None, Some(names)) => all(&names),
        (Some(names), Some(scoped)) => {
            let has = |list: &[&Spanned<String>], name: &str| {
                list.iter().any(|other| other.value == name || (name == "HEAD" && other.value == "GET"))
            };
            let mut agree = true;
            for name in names.iter().filter(|name| !has(&scoped, &name.value)) {
                let message = format!("`scopes` says nothing of {}", name.quoted());
                report
                    .error(Code::MissingKey, name.span, message)
                    .help("give it scopes, or `none` if a valid token suffices");
                agree = false;
            }
            for name in scoped.iter().filter(|name| !has(&names, &name.value)) {
                let message = format!("`methods` does not list {}", name.quoted());
                report
                    .error(Code::ConflictingKeys, name.span, message)
                    .help("list it, or remove `methods`: scopes per method list them too");
                agree = false;
            }
            if agree { all(&names) } else { None }
        }
    }
}

/// The reading stage has made sure that it is one.
pub(super) fn method(name: &Spanned<String>) -> Option<Method> {
    Method::from_bytes(name.value.as_bytes()).ok()
}
