//! Hints for keys that don't exist: near misses, spellings that other gateways use, and keys that belong elsewhere.

/// A kind of mapping in the file; each has its own keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Section {
    Root,
    Issuer,
    Keys,
    IssuerTls,
    Introspection,
    Cache,
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

use Section::{
    Admin, Gateway, HealthCheck, Identity, Introspection, Issuer, Keys, Limits, Listen, ListenTls, Root,
    Route, Scopes, Timeouts, Upstream, UpstreamTls,
};

/// Sections, spellings (see [`plain`]), our key, and what to say if "did you mean `key`?" is not enough.
type Foreign = (&'static [Section], &'static [&'static str], &'static str, &'static str);

/// Spellings of Envoy, Istio, Kong, Oathkeeper, heimdall, APISIX, Traefik, KrakenD, Spring and NGINX, and keys put one level too high.
const FOREIGN: &[Foreign] = &[
    (&[Root], &["providers", "jwtproviders", "authorizationservers", "idps", "oauth2", "jwt"], "issuers", ""),
    (&[Root], &["rules", "paths", "endpoints", "accessrules", "locations"], "routes", ""),
    (&[Root], &["backends", "clusters", "services", "targets"], "upstreams", ""),
    (
        &[Root],
        &["listen", "listeners", "server", "servers", "entrypoints", "admin", "limits", "trustedproxies"],
        "gateway",
        "this belongs under `gateway:`",
    ),
    (
        &[Root],
        &["headers", "forwardheaders", "claimstoheaders"],
        "identity",
        "this belongs under `identity:`",
    ),
    (
        &[Root],
        &["audiences", "audience", "clients"],
        "issuers",
        "this belongs to an issuer: `issuers: {main: {…}}`",
    ),
    (&[Root], &["scopehierarchy", "rolehierarchy", "implies"], "scope_implications", ""),
    (&[Issuer], &["iss", "issueruri", "issuerurl", "url", "authority", "uri"], "issuer", ""),
    (
        &[Issuer],
        &["aud", "audience", "allowedaudiences", "acceptaudiences", "targetaudience"],
        "audiences",
        "write a list: `audiences: […]`",
    ),
    (
        &[Issuer, Route],
        &["client", "clientids", "allowedclients", "consumers", "authorizedparties", "cid", "azp"],
        "clients",
        "write a list: `clients: […]`",
    ),
    (
        &[Issuer],
        &["alg", "algs", "algorithm", "allowedalgorithms", "signingalgorithms", "jwsalgorithms"],
        "algorithms",
        "write a list: `algorithms: [RS256]`",
    ),
    (
        &[Issuer],
        &["jwksuri", "jwksurl", "jwks", "jwkseturi", "jwkurl", "remotejwks", "authjwtkeyrequest"],
        "keys",
        "this belongs under `keys:`: write `keys: {jwks_uri: https://…}`",
    ),
    (
        &[Issuer],
        &["localjwks", "jwksfile", "keyfile", "publickey", "authjwtkeyfile"],
        "keys",
        "write `keys: {file: keys.json}`, a JWK set",
    ),
    (
        &[Issuer],
        &[
            "discovery",
            "discoveryurl",
            "metadataurl",
            "wellknown",
            "openidconfiguration",
            "cooldown",
            "maxage",
        ],
        "keys",
        "this belongs under `keys:`",
    ),
    (
        &[Issuer],
        &["introspectionurl", "introspectionendpoint", "introspectionuri", "opaquetoken"],
        "introspection",
        "write `introspection: {endpoint: https://…, client_id: …, client_secret_file: …}`",
    ),
    (
        &[Issuer],
        &["clientid", "clientsecret", "clientsecretfile"],
        "introspection",
        "the gateway's own credentials belong under `introspection:`; the callers' client ids are `clients:`",
    ),
    (
        &[Issuer],
        &["clockskew", "clockskewseconds", "maxclockskew", "acceptableskew", "skew", "authjwtleeway"],
        "leeway",
        "",
    ),
    (
        &[Issuer],
        &["cafile", "ca", "cabundle", "certificateauthority"],
        "tls",
        "this belongs under `tls:`: write `tls: {ca_file: …}`",
    ),
    (
        &[Issuer],
        &[
            "fromheaders",
            "fromparams",
            "tokenfrom",
            "tokensource",
            "bearertokenresolver",
            "authheadername",
            "cookiekey",
        ],
        "",
        "remove it: a token is taken from the `Authorization` header only (RFC 6750 2.1)",
    ),
    (
        &[Issuer],
        &["insecure", "insecureskipverify", "sslverify", "tlsskipverify"],
        "insecure_http",
        "certificates are always checked; add your own roots with `tls: {ca_file: …}`. Plain http is `insecure_http: true`",
    ),
    (&[Keys], &["url", "uri", "jwksurl", "jwkseturi", "jwks"], "jwks_uri", ""),
    (&[Keys], &["jwksfile", "path", "filename", "localjwks"], "file", ""),
    (&[Keys], &["discoveryurl", "metadataurl", "wellknown"], "discovery", ""),
    (&[Keys], &["cooldownduration", "mininterval", "minrefreshinterval", "jwkscooldown"], "cool_down", ""),
    (
        &[Keys],
        &["cacheduration", "cachettl", "ttl", "refreshinterval", "cachemaxage", "jwkexpiresin"],
        "max_age",
        "keys are fetched again when a token names an unknown one; `max_age` sets a ceiling",
    ),
    (&[Introspection], &["url", "uri", "introspectionurl", "introspectionendpoint"], "endpoint", ""),
    (
        &[Introspection],
        &["authmethod", "authentication", "tokenendpointauthmethod", "endpointauthmethod"],
        "auth",
        "",
    ),
    (
        &[Introspection],
        &["secret", "password"],
        "client_secret",
        "write `client_secret` or `client_secret_file`",
    ),
    (&[Introspection], &["clientid", "username"], "client_id", ""),
    (
        &[Introspection],
        &["cachettl", "ttl", "cachemaxttl"],
        "cache_without_exp",
        "answers are kept until their `exp`; see `cache_without_exp` and `cache: {max_lifetime: …}`",
    ),
    (&[Introspection], &["negativettl", "cachenegttl", "inactivettl"], "remember_inactive", ""),
    (
        &[Route],
        &["uri", "url", "match", "prefix", "pathprefix", "location", "pattern", "template"],
        "path",
        "",
    ),
    (&[Route], &["host", "hostnames", "domains", "domain"], "hosts", "write a list: `hosts: […]`"),
    (&[Route], &["method", "verbs", "httpmethods"], "methods", "write a list: `methods: [GET]`"),
    (
        &[Route],
        &["scope", "requiredscopes", "requiredscope", "scopesrequired", "requirescopes"],
        "scopes",
        "",
    ),
    (&[Route], &["aud", "audience", "requiredaudience"], "audiences", "write a list: `audiences: […]`"),
    (
        &[Route],
        &["issuer", "provider", "providername", "providers", "authenticators"],
        "issuers",
        "write a list of names: `issuers: [main]`",
    ),
    (&[Route], &["claim", "requiredclaims", "conditions", "when"], "claims", ""),
    (
        &[Route],
        &[
            "anonymous",
            "noauth",
            "skipauth",
            "unauthenticated",
            "allowanonymous",
            "allowmissing",
            "permitall",
        ],
        "public",
        "write `public: true`",
    ),
    (
        &[Route],
        &["target", "backend", "upstreamurl", "proxypass", "service", "cluster", "destination", "forwardto"],
        "upstream",
        "write `upstream:` with a name from `upstreams:`",
    ),
    (
        &[Route],
        &["forward", "forwardtoken", "forwardpayloadheader", "passtoken", "forwardbearer"],
        "forward_authorization",
        "write `forward_authorization: true` to pass the token on",
    ),
    (&[Route], &["websocket", "websockets", "upgrades"], "upgrade", "write `upgrade: true`"),
    (
        &[Route],
        &["cors", "corspolicy", "bypasscorspreflight", "preflight", "runonpreflight"],
        "cors_preflight",
        "write `cors_preflight: forward` to let preflights through",
    ),
    (
        &[Route],
        &["roles", "groups", "permissions"],
        "claims",
        "write it as a claim: `claims: {groups: {contains: staff}}`",
    ),
    (
        &[Route],
        &["stripprefix", "stripuri", "rewrite", "addprefix"],
        "upstream",
        "this belongs to the upstream: `upstreams: {name: {strip_prefix: …}}`",
    ),
    (&[Route], &["maxbodysize", "clientmaxbodysize", "bodylimit"], "max_body", ""),
    (
        &[Scopes],
        &["all", "allof", "required"],
        "",
        "write the list itself: `scopes: [a, b]` asks for all of them",
    ),
    (&[Scopes], &["anyof", "oneof"], "any", ""),
    (&[Identity], &["claimstoheaders", "outputclaimtoheaders", "headermap"], "headers", ""),
    (
        &[Gateway],
        &["address", "bind", "port", "listeners", "addresses"],
        "listen",
        "write `listen: [{address: 127.0.0.1:8080}]`",
    ),
    (&[Gateway], &["workers", "workerprocesses", "concurrency"], "threads", ""),
    (
        &[Gateway],
        &["headertimeout", "maxheaders", "maxheaderbytes", "maxbody", "http2streams", "requestidheader"],
        "limits",
        "this belongs under `limits:`",
    ),
    (&[Gateway], &["realipfrom", "setrealipfrom", "xfftrustedhops", "trustedips"], "trusted_proxies", ""),
    (
        &[Gateway],
        &["gracefultimeout", "graceperiod", "shutdowntimeout", "draintimeout"],
        "shutdown_grace",
        "",
    ),
    (&[Listen, Admin], &["bind", "listen", "addr", "port"], "address", "write `address: 127.0.0.1:8080`"),
    (
        &[ListenTls, UpstreamTls],
        &["cert", "certfile", "certificate", "certificatechain", "crt"],
        "certificate_file",
        "",
    ),
    (&[ListenTls, UpstreamTls], &["key", "privatekey", "privatekeyfile", "certificatekey"], "key_file", ""),
    (&[UpstreamTls], &["sni", "servername", "hostname"], "server_name", ""),
    (&[UpstreamTls], &["ca", "cacert", "cabundle", "rootca"], "ca_file", ""),
    (
        &[UpstreamTls],
        &["insecure", "insecureskipverify", "verify", "sslverify"],
        "ca_file",
        "certificates are always checked; add your own roots with `ca_file`",
    ),
    (
        &[Upstream],
        &["url", "target", "targets", "hosts", "nodes", "endpoints", "servers", "address", "upstreamurl"],
        "addresses",
        "write a list of `host:port`: `addresses: [127.0.0.1:9000]`",
    ),
    (
        &[Upstream],
        &["scheme", "https"],
        "tls",
        "write `tls: {}`'s keys to speak TLS to it, for instance `tls: {server_name: api.internal}`",
    ),
    (&[Upstream], &["healthcheck", "healthchecks", "activehealthcheck", "probe"], "health_check", ""),
    (&[Upstream], &["stripuri", "removeprefix"], "strip_prefix", ""),
    (
        &[Upstream],
        &["preservehost", "passhostheader", "hostrewrite"],
        "host",
        "write `host: preserve`, `upstream` or a name",
    ),
    (
        &[Upstream],
        &["connecttimeout", "readtimeout", "writetimeout", "timeout", "idletimeout"],
        "timeouts",
        "this belongs under `timeouts:`",
    ),
    (&[HealthCheck], &["uri", "url", "endpoint"], "path", ""),
    (&[HealthCheck], &["rise", "healthythreshold"], "healthy_after", ""),
    (&[HealthCheck], &["fall", "unhealthythreshold"], "unhealthy_after", ""),
    (&[Timeouts], &["request", "response"], "read", "the timeouts are `connect`, `read`, `write` and `idle`"),
    (&[Limits], &["maxbodysize", "clientmaxbodysize", "bodylimit"], "max_body", ""),
    (&[Limits], &["maxconcurrentstreams", "http2maxconcurrentstreams"], "http2_streams", ""),
];

#[cfg(test)]
mod tests {
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
