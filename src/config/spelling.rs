//! Hints for keys that don't exist: near misses, spellings that other gateways use, and keys that belong elsewhere.

mod foreign;

use foreign::{FOREIGN, Foreign};

/// A kind of mapping in the file; each has its own keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Section {
    Root,
    Issuer,
    Keys,
    IssuerTls,
    Introspection,
    Cache,
    Shared,
    SharedTls,
    Route,
    Scopes,
    Claim,
    Identity,
    Gateway,
    Listen,
    ListenTls,
    Admin,
    Limits,
    Upstream,
    UpstreamTls,
    HealthCheck,
    Timeouts,
}

impl std::fmt::Display for Section {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Section::Root => "the file's top level",
            Section::Issuer => "an issuer",
            Section::Keys => "an issuer's `keys`",
            Section::IssuerTls => "an issuer's `tls`",
            Section::Introspection => "`introspection`",
            Section::Cache => "`cache`",
            Section::Shared => "`shared`",
            Section::SharedTls => "`tls` of `shared`",
            Section::Route => "a route",
            Section::Scopes => "`scopes`",
            Section::Claim => "a condition on a claim",
            Section::Identity => "`identity`",
            Section::Gateway => "`gateway`",
            Section::Listen => "a listener",
            Section::ListenTls => "a listener's `tls`",
            Section::Admin => "`admin`",
            Section::Limits => "`limits`",
            Section::Upstream => "an upstream",
            Section::UpstreamTls => "an upstream's `tls`",
            Section::HealthCheck => "`health_check`",
            Section::Timeouts => "`timeouts`",
        })
    }
}

/// What to do about the unknown `key` of a `section` whose keys are `known`.
pub(super) fn hint(section: Section, key: &str, known: &[&str]) -> String {
    if let Some(advice) = foreign(section, key).map(advice) {
        return advice;
    }
    if let Some(name) = nearest(key, known.iter().copied()) {
        return format!("did you mean `{name}`?");
    }
    if let Some(advice) = nearly_foreign(section, key).map(advice) {
        return advice;
    }
    let all = known.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    format!("the keys of {section} are {all}")
}

/// Whether `key`, which `section` doesn't know, was probably meant to be `name`.
pub(super) fn means(section: Section, key: &str, name: &str) -> bool {
    key != name
        && (foreign(section, key).is_some_and(|(_, _, ours, _)| *ours == name)
            || nearest(key, [name]).is_some())
}

/// The one of `names` that `text` is nearly.
pub(super) fn nearest<'a>(text: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let text = plain(text);
    let allowed = (text.chars().count() / 3).clamp(1, 3);
    let distance = |name: &str| {
        let name = plain(name);
        // A plural, or the beginning of a longer name, is nearer than its letters say.
        let begins =
            text.len() >= 4 && (name.starts_with(&text) || text.starts_with(&name) && name.len() >= 4);
        if begins { 1 } else { strsim::osa_distance(&text, &name) }
    };
    let ranked = names.into_iter().map(|name| (distance(name), name));
    ranked
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

/// What another gateway's spelling means here.
fn foreign(section: Section, key: &str) -> Option<&'static Foreign> {
    let key = plain(key);
    FOREIGN
        .iter()
        .find(|(sections, spellings, ..)| sections.contains(&section) && spellings.contains(&key.as_str()))
}

/// What another gateway's spelling, itself misspelt, means here.
fn nearly_foreign(section: Section, key: &str) -> Option<&'static Foreign> {
    let ours = FOREIGN.iter().filter(|(sections, ..)| sections.contains(&section));
    let spelling = nearest(key, ours.flat_map(|(_, spellings, ..)| spellings.iter().copied()))?;
    foreign(section, spelling)
}

fn advice((_, _, ours, advice): &Foreign) -> String {
    if advice.is_empty() { format!("did you mean `{ours}`?") } else { (*advice).to_owned() }
}

/// Lower case letters and digits only, so that `jwksUri`, `jwks-uri` and `JWKS_URI` are one spelling.
fn plain(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::Section::{Issuer, Route, Upstream};
    use super::*;

    const ISSUER: &[&str] = &["issuer", "profile", "audiences", "clients", "algorithms", "leeway", "keys"];

    #[test]
    fn near_misses() {
        for (text, expected) in [
            ("audience", Some("audiences")),
            ("audeinces", Some("audiences")),
            ("Profile", Some("profile")),
            ("lee-way", Some("leeway")),
            ("algos", None),
            ("x", None),
            ("colour", None),
        ] {
            assert_eq!(nearest(text, ISSUER.iter().copied()), expected, "{text}");
        }
        assert_eq!(nearest("RS257", ["RS256", "ES256", "EdDSA"]), Some("RS256"));
    }

    #[test]
    fn spellings_of_others() {
        for (section, key, part) in [
            (Issuer, "jwksUri", "keys: {jwks_uri:"),
            (Issuer, "jwks_url", "keys: {jwks_uri:"),
            (Issuer, "audience", "`audiences: […]`"),
            (Issuer, "issuer_uri", "`issuer`"),
            (Issuer, "from_headers", "`Authorization` header only"),
            (Issuer, "client_ids", "clients"),
            (Route, "required_scopes", "`scopes`"),
            (Route, "forward", "forward_authorization"),
            (Route, "target", "upstream"),
            (Upstream, "upstream_url", "addresses"),
            (Issuer, "colour", "the keys of an issuer are `issuer`, `profile`"),
        ] {
            assert!(hint(section, key, ISSUER).contains(part), "{key}: {}", hint(section, key, ISSUER));
        }
    }

    #[test]
    fn a_misspelt_key_is_not_missing_too() {
        assert!(means(Issuer, "audience", "audiences"));
        assert!(means(Route, "uri", "path"));
        assert!(!means(Issuer, "audiences", "audiences"));
        assert!(!means(Issuer, "profile", "audiences"));
    }

    #[test]
    fn spellings_are_plain_and_said_once() {
        for (n, (sections, spellings, ..)) in FOREIGN.iter().enumerate() {
            for spelling in *spellings {
                assert_eq!(plain(spelling), *spelling);
                for (others, theirs, ..) in FOREIGN.iter().skip(n + 1) {
                    let shared = sections.iter().any(|section| others.contains(section));
                    assert!(!(shared && theirs.contains(spelling)), "{spelling} stands twice");
                }
            }
        }
    }
}
