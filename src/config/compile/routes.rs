//! Routes: what each asks, where it goes, and that no two are for the same requests.

use super::issuers::{Compiled, Issuers};
use super::{find, scopes};
use crate::config::code::Code;
use crate::config::problem::Report;
use crate::config::raw::scopes::{Condition, Scopes};
use crate::config::raw::{Raw, Texts, route};
use crate::config::read::Field;
use crate::config::source::{Span, Spanned};
use crate::policy::{
    ClaimCondition, ClaimTest, Handling, HostPattern, Implications, MethodScopes, Methods, Preflight,
    Requirement, Route, RouteTable, Rules, Template,
};
use crate::proof::IssuerName;
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
    table(&compiled, report)
}

/// Put the routes in a table, and report those that tie.
fn table(compiled: &[(&route::Route, Option<Route>)], report: &mut Report) -> Option<RouteTable> {
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
    whole.then(|| builder.build())
}

/// Whether some segment of the two, after equal ones, differs in the case of its letters alone.
fn differ_by_case(one: &Template, other: &Template) -> bool {
    let same = |a: &str, b: &str| a == b || (a.starts_with('{') && b.starts_with('{'));
    let mut pairs = one.as_str().split('/').zip(other.as_str().split('/'));
    pairs.find(|(a, b)| !same(a, b)).is_some_and(|(a, b)| a.eq_ignore_ascii_case(b))
}

struct Compiler<'a> {
    raw: &'a Raw,
    issuers: &'a Issuers<'a>,
    implications: &'a Implications,
}

impl Compiler<'_> {
    fn route(&self, written: &route::Route, report: &mut Report) -> Option<Route> {
        let template = written.path.given().and_then(|path| template(path, report));
        let hosts = hosts(&written.hosts, report);
        let methods = methods(written, report);
        let upstream = self.upstream(written, report);
        let requirement = self.requirement(written, template.as_ref(), report);
        let mut route = Route::new(template?, requirement?);
        route.hosts = hosts?;
        route.methods = methods?;
        route.preflight = written.cors_preflight.or(Preflight::Deny);
        route.encoded_slashes = written.encoded_slashes.or(false);
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

    fn requirement(
        &self,
        written: &route::Route,
        template: Option<&Template>,
        report: &mut Report,
    ) -> Option<Requirement> {
        if written.public.or(false) {
            for (key, span) in &written.requirements {
                let problem = report.error(
                    Code::PublicRequirement,
                    *span,
                    format!("a public route asks for nothing, so `{key}` would never be checked"),
                );
                problem.help("remove it, or `public: true`");
                if let Some(public) = written.public.given() {
                    problem.also(public.span, "public");
                }
            }
            return written.requirements.is_empty().then_some(Requirement::Public);
        }
        if written.scopes.is_absent() && !matches!(written.public, Field::Broken) {
            report
                .error(Code::UndecidedRoute, written.head, "this route says neither `scopes` nor `public`")
                .help("write `scopes: […]`, `scopes: none` if a valid token suffices, or `public: true` if anyone may call");
        }
        let claims = claims(written, template, report);
        let issuers = self.route_issuers(&written.issuers, report);
        let scopes = self.scopes(written.scopes.given()?);
        let issuers = issuers?;
        let mut rules = Rules::new(scopes);
        rules.audiences = texts(&written.audiences);
        rules.clients = texts(&written.clients);
        rules.claims = claims?;
        rules.max_token_lifetime = written.max_token_lifetime.value();
        rules.opaque_issuer = self.opaque_issuer(written, issuers.as_deref(), report)?;
        rules.issuers = match issuers {
            Some(issuers) => Some(issuers.iter().map(|issuer| issuer.issuer()).collect::<Option<_>>()?),
            None => None,
        };
        Some(Requirement::Token(rules))
    }

    fn scopes(&self, written: &Scopes) -> MethodScopes {
        match written {
            Scopes::Every(asked) => MethodScopes::Every(scopes::rule(asked, self.implications)),
            Scopes::PerMethod(table) => {
                let entry =
                    |(name, asked): &(_, _)| Some((method(name)?, scopes::rule(asked, self.implications)));
                MethodScopes::PerMethod(table.iter().filter_map(entry).collect())
            }
        }
    }

    /// The issuers that the route names; `Some(None)` if it names none, `None` if one is unknown.
    fn route_issuers(
        &self,
        written: &Field<Texts>,
        report: &mut Report,
    ) -> Option<Option<Vec<&Compiled<'_>>>> {
        let names = match written {
            Field::Absent => return Some(None),
            Field::Broken => return None,
            Field::Given(names) => names,
        };
        if self.issuers.partial {
            return None;
        }
        let known = self.issuers.iter().map(|issuer| (issuer.name.value.as_str(), issuer));
        let found: Vec<_> =
            names.value.iter().map(|name| find(name, known.clone(), ("issuer", "issuers"), report)).collect();
        found.into_iter().collect::<Option<Vec<_>>>().map(Some)
    }

    /// Who is asked about opaque tokens without a known prefix: the only one of the route's issuers that can be.
    fn opaque_issuer(
        &self,
        written: &route::Route,
        issuers: Option<&[&Compiled<'_>]>,
        report: &mut Report,
    ) -> Option<Option<IssuerName>> {
        let all: Vec<&Compiled<'_>> = match issuers {
            Some(issuers) => issuers.to_vec(),
            None => self.issuers.iter().collect(),
        };
        let without_prefix = |issuer: &&&Compiled<'_>| {
            issuer
                .raw
                .introspection
                .given()
                .is_some_and(|introspection| introspection.token_prefixes.is_absent())
        };
        let candidates: Vec<_> = all.iter().filter(without_prefix).collect();
        match candidates.as_slice() {
            [] => Some(None),
            [only] => only.issuer().map(Some),
            [first, second, ..] => {
                let message = "an opaque token on this route could be of several issuers";
                report
                    .error(Code::AmbiguousIssuer, written.head, message)
                    .also(first.name.span, "one")
                    .also(second.name.span, "another")
                    .help("give them `token_prefixes`, or name one of them in the route's `issuers`");
                None
            }
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
    Template::parse(&path.value)
        .map_err(|error| {
            let problem =
                report.error(Code::BadValue, path.span, format!("{} is not a path template", path.quoted()));
            problem.help(if path.expanded {
                "look at what the variable holds".to_owned()
            } else {
                error.to_string()
            });
        })
        .ok()
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
fn method(name: &Spanned<String>) -> Option<Method> {
    Method::from_bytes(name.value.as_bytes()).ok()
}

fn claims(
    written: &route::Route,
    template: Option<&Template>,
    report: &mut Report,
) -> Option<Vec<ClaimCondition>> {
    let table = match &written.claims {
        Field::Absent => return Some(Vec::new()),
        Field::Broken => return None,
        Field::Given(table) => table,
    };
    let condition = |(claim, condition): &(Spanned<String>, Condition), report: &mut Report| {
        let test = match condition {
            Condition::Equals(value) => ClaimTest::Equals(value.value.clone()),
            Condition::OneOf(values) => {
                ClaimTest::OneOf(values.iter().map(|value| value.value.clone()).collect())
            }
            Condition::Contains(value) => ClaimTest::Contains(value.value.clone()),
            Condition::EqualsCapture(name) => {
                has_capture(name, template?, written.path.given().map(|path| path.span), report)
                    .then(|| ClaimTest::EqualsCapture(name.value.as_str().into()))?
            }
        };
        Some(ClaimCondition { claim: claim.value.as_str().into(), test })
    };
    let compiled: Vec<_> = table.iter().map(|entry| condition(entry, report)).collect();
    compiled.into_iter().collect()
}

fn has_capture(name: &Spanned<String>, template: &Template, path: Option<Span>, report: &mut Report) -> bool {
    let captures: Vec<&str> = template.captures().collect();
    if captures.contains(&name.value.as_str()) {
        return true;
    }
    let hint = match captures.as_slice() {
        [] => "the path has no captures; write one as `{name}`".to_owned(),
        names => format!(
            "the path has {}",
            names.iter().map(|name| format!("`{{{name}}}`")).collect::<Vec<_>>().join(", ")
        ),
    };
    let problem =
        report.error(Code::UnknownCapture, name.span, format!("{} is no capture of the path", name.quoted()));
    problem.help(hint);
    if let Some(path) = path {
        problem.also(path, "the path");
    }
    false
}

fn texts(written: &Field<Texts>) -> Option<Box<[Box<str>]>> {
    written.given().map(|list| list.value.iter().map(|text| text.value.as_str().into()).collect())
}
