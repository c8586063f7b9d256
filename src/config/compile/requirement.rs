//! What a route asks of a token.

use super::issuers::Compiled;
use super::routes::{self, Compiler};
use super::{find, scopes};
use crate::config::code::Code;
use crate::config::fields::Field;
use crate::config::problem::Report;
use crate::config::raw::scopes::{Condition, Scopes};
use crate::config::raw::{Texts, route};
use crate::config::source::{Span, Spanned};
use crate::policy::{ClaimCondition, ClaimTest, MethodScopes, Requirement, Rules, Template};
use crate::proof::IssuerName;

impl Compiler<'_> {
    pub(super) fn requirement(
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
                let entry = |(name, asked): &(_, _)| {
                    Some((routes::method(name)?, scopes::rule(asked, self.implications)))
                };
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
