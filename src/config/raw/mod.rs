//! The configuration as written: every key with its place, nothing resolved, no defaults.
//!
//! Each file reads one section. A reader asks its [`Fields`] for every key that exists, so the keys are listed once, where they are read.

pub(crate) mod credentials;
pub(crate) mod gateway;
pub(crate) mod introspection;
pub(crate) mod issuer;
pub(crate) mod route;
pub(crate) mod scopes;
pub(crate) mod shared;
pub(crate) mod upstream;
pub(crate) mod values;

use super::fields::{Field, Fields};
use super::node::Node;
use super::problem::Report;
use super::read;
use super::source::{Span, Spanned};
use super::spelling::Section;
use gateway::Gateway;
use issuer::Issuer;
use route::Route;
use shared::Shared;
use std::time::Duration;
use upstream::Upstream;

/// A list of texts, each with its place.
pub(crate) type Texts = Spanned<Vec<Spanned<String>>>;

/// A mapping of names that the operator chose.
pub(crate) type Table<T> = Vec<(Spanned<String>, T)>;

/// The whole file.
#[derive(Debug)]
pub(crate) struct Raw {
    pub(crate) head: Span,
    pub(crate) realm: Field<Spanned<String>>,
    pub(crate) issuers: Field<Table<Issuer>>,
    pub(crate) cache: Field<Cache>,
    pub(crate) shared: Field<Shared>,
    pub(crate) scope_implications: Field<Table<Texts>>,
    pub(crate) routes: Field<Vec<Route>>,
    pub(crate) identity: Field<Identity>,
    pub(crate) gateway: Field<Gateway>,
    pub(crate) upstreams: Field<Table<Upstream>>,
}

/// What is remembered, and how long.
#[derive(Debug)]
pub(crate) struct Cache {
    pub(crate) size: Field<Spanned<u64>>,
    pub(crate) max_lifetime: Field<Spanned<Duration>>,
    pub(crate) max_revocations: Field<Spanned<u64>>,
    pub(crate) keep_revocations: Field<Spanned<Duration>>,
}

/// Headers that tell the upstream who calls.
#[derive(Debug)]
pub(crate) struct Identity {
    pub(crate) preset: Field<Spanned<Preset>>,
    /// Header names, as written, and claims.
    pub(crate) headers: Field<Table<Spanned<String>>>,
    pub(crate) allow_underscores: Field<Texts>,
}

/// A family of header names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Preset {
    XAuthRequest,
    XForwarded,
    None,
}

impl Raw {
    pub(crate) fn read(root: &Node, report: &mut Report) -> Option<Self> {
        let mut fields = Fields::of(root, Section::Root, report)?;
        let raw = Self {
            head: fields.head(),
            realm: fields.get("realm", report, values::realm),
            issuers: fields.get("issuers", report, |node, report| values::named(node, report, Issuer::read)),
            cache: fields.get("cache", report, Cache::read),
            shared: fields.get("shared", report, Shared::read),
            scope_implications: fields.get("scope_implications", report, implications),
            routes: fields.need(
                "routes",
                "without routes every request is refused: `routes: [{path: /…}]`",
                report,
                |node, report| read::list(node, report, Route::read).map(|list| list.value),
            ),
            identity: fields.get("identity", report, Identity::read),
            gateway: fields.get("gateway", report, Gateway::read),
            upstreams: fields
                .get("upstreams", report, |node, report| values::named(node, report, Upstream::read)),
        };
        fields.finish(report);
        Some(raw)
    }
}

impl Cache {
    fn read(node: &Node, report: &mut Report) -> Option<Self> {
        let mut fields = Fields::of(node, Section::Cache, report)?;
        let cache = Self {
            size: fields.get("size", report, |node, report| read::size(node, MIN_CACHE..=MAX_CACHE, report)),
            max_lifetime: fields.get("max_lifetime", report, |node, report| {
                read::duration(node, Duration::from_secs(1)..=values::YEAR, report)
            }),
            max_revocations: fields
                .get("max_revocations", report, |node, report| read::integer(node, 1..=10_000_000, report)),
            keep_revocations: fields.get("keep_revocations", report, |node, report| {
                read::duration(node, Duration::from_secs(60)..=values::YEAR, report)
            }),
        };
        fields.finish(report);
        Some(cache)
    }
}

impl Identity {
    fn read(node: &Node, report: &mut Report) -> Option<Self> {
        let presets = [
            ("x-auth-request", Preset::XAuthRequest),
            ("x-forwarded", Preset::XForwarded),
            ("none", Preset::None),
        ];
        let mut fields = Fields::of(node, Section::Identity, report)?;
        let identity = Self {
            preset: fields.get("preset", report, |node, report| read::choice(node, &presets, report)),
            headers: fields.get("headers", report, |node, report| {
                read::table(node, report, values::header_name, values::claim)
            }),
            allow_underscores: fields.get("allow_underscores", report, read::texts),
        };
        fields.finish(report);
        Some(identity)
    }
}

fn implications(node: &Node, report: &mut Report) -> Option<Table<Texts>> {
    read::table(node, report, values::is_scope, values::scopes)
}

/// Bytes of memory for facts: below this nothing stays.
const MIN_CACHE: u64 = 1024 * 1024;

/// Bytes of memory for facts: above this it is a slip of the pen.
const MAX_CACHE: u64 = 64 * 1024 * 1024 * 1024;
