//! `introspection:`: asking the issuer about opaque tokens (RFC 7662), and who we are when we ask.

use super::super::fields::{Field, Fields};
use super::super::node::Node;
use super::super::problem::Report;
use super::super::read;
use super::super::source::Spanned;
use super::super::spelling::Section;
use super::credentials::Credentials;
use super::{Texts, issuer, values};
use crate::policy::JwtMode;
use std::time::Duration;

/// How an issuer is asked about tokens.
#[derive(Debug)]
pub(crate) struct Introspection {
    pub(crate) endpoint: Field<Spanned<String>>,
    pub(crate) mode: Field<Spanned<JwtMode>>,
    pub(crate) credentials: Field<Credentials>,
    /// `None` sends no hint.
    pub(crate) token_type_hint: Field<Spanned<Option<String>>>,
    pub(crate) timeout: Field<Spanned<Duration>>,
    pub(crate) max_in_flight: Field<Spanned<u64>>,
    pub(crate) min_token_length: Field<Spanned<u64>>,
    pub(crate) token_prefixes: Field<Texts>,
    pub(crate) accept_missing: Field<Spanned<Vec<Spanned<Missing>>>>,
    pub(crate) cache_without_exp: Field<Spanned<Duration>>,
    pub(crate) remember_inactive: Field<Spanned<Duration>>,
    pub(crate) grace: Field<Spanned<Duration>>,
    pub(crate) signed: Field<Spanned<bool>>,
}

/// What an answer may lack although it is required.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Missing {
    Audience,
    Client,
}

impl Introspection {
    pub(super) fn read(node: &Node, report: &mut Report) -> Option<Self> {
        let modes = [("opaque", JwtMode::Signature), ("always", JwtMode::SignatureAndIntrospection)];
        let lacks = [("audience", Missing::Audience), ("client", Missing::Client)];
        let mut fields = Fields::of(node, Section::Introspection, report)?;
        let introspection = Self {
            endpoint: fields.get("endpoint", report, values::url),
            mode: fields.get("mode", report, |node, report| read::choice(node, &modes, report)),
            credentials: Credentials::read(&mut fields, report),
            token_type_hint: fields.get("token_type_hint", report, |node, report| {
                let hint = read::text(node, report)?;
                Some(hint.map(|hint| (hint != "none").then_some(hint)))
            }),
            timeout: fields.get("timeout", report, issuer::fetch_timeout),
            max_in_flight: fields
                .get("max_in_flight", report, |node, report| read::integer(node, 1..=10_000, report)),
            min_token_length: fields
                .get("min_token_length", report, |node, report| read::integer(node, 1..=1024, report)),
            token_prefixes: fields.get("token_prefixes", report, read::texts),
            accept_missing: fields.get("accept_missing", report, |node, report| {
                read::list(node, report, |node, report| read::choice(node, &lacks, report))
            }),
            cache_without_exp: fields.get("cache_without_exp", report, up_to_a_day),
            remember_inactive: fields.get("remember_inactive", report, up_to_a_day),
            grace: fields.get("grace", report, up_to_a_day),
            signed: fields.get("signed", report, read::boolean),
        };
        fields.finish(report);
        Some(introspection)
    }
}

fn up_to_a_day(node: &Node, report: &mut Report) -> Option<Spanned<Duration>> {
    read::duration(node, Duration::ZERO..=values::DAY, report)
}
