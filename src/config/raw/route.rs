//! `routes:`: which requests, what they need, and where they go.

use super::super::code::Code;
use super::super::fields::{Field, Fields};
use super::super::node::Node;
use super::super::problem::Report;
use super::super::read;
use super::super::source::{Span, Spanned};
use super::super::spelling::Section;
use super::scopes::{self, Condition, Scopes};
use super::{Table, Texts, upstream, values};
use crate::policy::Preflight;
use std::time::Duration;

/// One route.
#[derive(Debug)]
pub(crate) struct Route {
    /// Where it begins.
    pub(crate) head: Span,
    pub(crate) path: Field<Spanned<String>>,
    pub(crate) hosts: Field<Texts>,
    pub(crate) methods: Field<Texts>,
    pub(crate) issuers: Field<Texts>,
    pub(crate) audiences: Field<Texts>,
    pub(crate) clients: Field<Texts>,
    pub(crate) scopes: Field<Scopes>,
    pub(crate) claims: Field<Table<Condition>>,
    pub(crate) max_token_lifetime: Field<Spanned<Duration>>,
    pub(crate) public: Field<Spanned<bool>>,
    pub(crate) cors_preflight: Field<Spanned<Preflight>>,
    pub(crate) upstream: Field<Spanned<String>>,
    pub(crate) forward_authorization: Field<Spanned<bool>>,
    pub(crate) upgrade: Field<Spanned<bool>>,
    pub(crate) max_body: Field<Spanned<Option<u64>>>,
    pub(crate) read_timeout: Field<Spanned<Duration>>,
    pub(crate) encoded_slashes: Field<Spanned<bool>>,
    pub(crate) non_ascii: Field<Spanned<bool>>,
    /// Where each of the keys that ask something of a token stands.
    pub(crate) requirements: Vec<(&'static str, Span)>,
}

impl Route {
    pub(super) fn read(node: &Node, report: &mut Report) -> Option<Self> {
        let preflights = [("deny", Preflight::Deny), ("forward", Preflight::Forward)];
        let mut fields = Fields::of(node, Section::Route, report)?;
        let requirements =
            REQUIREMENTS.iter().filter_map(|key| fields.place(key).map(|span| (*key, span))).collect();
        let route = Self {
            head: fields.head(),
            path: fields.need(
                "path",
                "write a template such as `/orders/{id}` or `/files/{*rest}`",
                report,
                path,
            ),
            hosts: fields.get("hosts", report, read::texts),
            methods: fields.get("methods", report, methods),
            issuers: fields.get("issuers", report, read::texts),
            audiences: fields.get("audiences", report, read::texts),
            clients: fields.get("clients", report, read::texts),
            scopes: fields.get("scopes", report, Scopes::read),
            claims: fields.get("claims", report, scopes::claims),
            max_token_lifetime: fields.get("max_token_lifetime", report, |node, report| {
                read::duration(node, Duration::from_secs(1)..=values::YEAR, report)
            }),
            public: fields.get("public", report, read::boolean),
            cors_preflight: fields
                .get("cors_preflight", report, |node, report| read::choice(node, &preflights, report)),
            upstream: fields.get("upstream", report, read::text),
            forward_authorization: fields.get("forward_authorization", report, read::boolean),
            upgrade: fields.get("upgrade", report, read::boolean),
            max_body: fields.get("max_body", report, upstream::body_limit),
            read_timeout: fields.get("read_timeout", report, |node, report| {
                read::duration(node, Duration::from_millis(1)..=values::DAY, report)
            }),
            encoded_slashes: fields.get("encoded_slashes", report, read::boolean),
            non_ascii: fields.get("non_ascii", report, read::boolean),
            requirements,
        };
        fields.finish(report);
        Some(route)
    }
}

/// A template begins with `/`; its other rules are the route table's.
fn path(node: &Node, report: &mut Report) -> Option<Spanned<String>> {
    let path = read::text(node, report)?;
    if !path.value.starts_with('/') {
        let hint = "a path begins with `/`; hosts have a key of their own: `hosts: […]`";
        report.error(Code::BadValue, path.span, format!("{} is not a path", path.quoted())).help(hint);
        return None;
    }
    Some(path)
}

fn methods(node: &Node, report: &mut Report) -> Option<Texts> {
    let list = read::texts(node, report)?;
    list.value.iter().for_each(|method| {
        scopes::is_method_name(method, report);
    });
    Some(list)
}

/// The keys that ask something of a token, and so make no sense on a public route.
const REQUIREMENTS: &[&str] = &["issuers", "audiences", "clients", "scopes", "claims", "max_token_lifetime"];
