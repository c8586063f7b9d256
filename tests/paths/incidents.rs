//! The inputs of known incidents, each with the table that it broke elsewhere.

use super::*;
use tollgate::policy::{NotFound, PathError, Requirement, Route, Template};

/// A public rest, and places that are not public.
fn table() -> RouteTable {
    let mut builder = RouteTable::builder();
    for (template, encoded_slashes) in [
        ("/{*rest}", false),
        ("/admin", false),
        ("/admin/{*rest}", false),
        ("/api/orders/{id}", false),
        ("/files/{*rest}", true),
        ("/files/private/{*rest}", true),
        ("/orders:batch", false),
    ] {
        let mut route = Route::new(Template::parse(template).unwrap(), requirement(template));
        route.encoded_slashes = encoded_slashes;
        route.non_ascii = encoded_slashes;
        builder.add(route).unwrap();
    }
    builder.build()
}

fn requirement(template: &str) -> Requirement {
    table::requirement(usize::from(template != "/{*rest}"))
}

#[test]
fn inputs_of_known_incidents_are_refused() {
    use PathError::{
        Case, Character, DotAtEnd, DotSegment, EmptySegment, EncodedSlash, Escape, Form, LastSlash, NonAscii,
        Resemblance,
    };
    let cases = [
        ("Oathkeeper CVE-2026-33494: matched raw, forwarded normalised", "/public/../admin", DotSegment),
        ("Oathkeeper CVE-2026-33494, escaped", "/public/%2e%2e/admin", Escape),
        ("oauth2-proxy CVE-2026-41059: a fragment in the rule", "/admin#/public", Character),
        ("oauth2-proxy CVE-2026-41059, escaped", "/admin%23/public", Escape),
        ("Traefik CVE-2025-47952: an escaped dot segment behind a prefix", "/public/%2e%2e%2fadmin", Escape),
        ("Traefik CVE-2025-66490: restricted characters, escaped", "/public%5cadmin", Escape),
        ("Traefik CVE-2025-66490, a NUL", "/admin%00", Escape),
        ("Traefik CVE-2025-66490, a question mark", "/admin%3f", Escape),
        ("Traefik CVE-2023-47106: a fragment in the target", "/#/../admin", Character),
        ("a NUL", "/admin\0", Character),
        ("Envoy CVE-2019-9901: dot segments", "/public/./../admin", DotSegment),
        ("Envoy CVE-2021-29492: an escaped slash", "/public%2fadmin", EncodedSlash),
        ("Envoy CVE-2021-29492: an escaped backslash", "/public%5C..%5Cadmin", Escape),
        ("Istio 2021-005, CVE-2021-31920: two slashes", "//admin", EmptySegment),
        ("Istio CVE-2021-31920: an escaped slash", "/%2fadmin", EncodedSlash),
        ("Istio CVE-2021-39156: a fragment", "/admin#", Character),
        ("Apache CVE-2021-41773: half an escaped dot segment", "/cgi-bin/.%2e/admin", Escape),
        ("Apache CVE-2021-42013: escaped twice", "/cgi-bin/%%32%65%%32%65/admin", Escape),
        ("Apache CVE-2021-42013: escaped twice", "/cgi-bin/%25%32%65%25%32%65/admin", Escape),
        ("Shiro CVE-2020-1957: parameters hide a dot segment", "/public/..;x/admin", Character),
        ("Shiro CVE-2020-1957, escaped", "/public/..%3bx/admin", Escape),
        ("Shiro CVE-2020-11989: a slash escaped twice", "/admin/%252fx", Escape),
        ("Shiro CVE-2020-13933: an escaped parameter", "/admin/%3bx", Escape),
        ("Shiro CVE-2020-17523: a space that is trimmed", "/admin/%20", Escape),
        ("ASP.NET CVE-2023-36899: a session in the path", "/public/(S(x))/admin", Character),
        ("ASP.NET CVE-2023-36899, escaped", "/(A(x)S%28y))/admin", Character),
        ("Shiro CVE-2010-3863: a dot segment in place", "/./admin", DotSegment),
        ("Spring CVE-2016-5007: a space that is trimmed", "/admin%20", Escape),
        ("Express, and Spring before 6: a slash at the end that is ignored", "/api/orders/1/", LastSlash),
        ("Spring CVE-2022-22978: a line feed", "/admin%0a", Escape),
        ("Caddy CVE-2026-27587: another case", "/ADMIN", Case),
        ("Caddy CVE-2026-27587: another case, deeper", "/Api/orders/1", Case),
        ("Tomcat CVE-2007-0450: backslashes", "/public/\\../admin", Character),
        ("Tomcat CVE-2008-2938: overlong UTF-8", "/public/%c0%ae%c0%ae/admin", Escape),
        ("IIS CVE-2000-0884: an overlong slash", "/public/..%c0%af../admin", Escape),
        ("Windows: dots at the end of a name", "/admin.", DotAtEnd),
        ("Windows: dots and a space at the end of a name", "/admin%20..", DotAtEnd),
        ("Windows: dots at the end of a folder's name", "/files/private./x", DotAtEnd),
        ("Windows 95: more dots than two", "/api/orders/...", DotSegment),
        ("dots and a space", "/api/orders/..%20.", DotSegment),
        ("IIS: an escape of UTF-16", "/public%u002fadmin", Escape),
        ("Full-width forms", "/public/\u{ff0e}\u{ff0e}/admin", Character),
        ("Full-width forms, escaped", "/public/%ef%bc%8e%ef%bc%8e/admin", Escape),
        ("PHP CVE-2024-4577: a soft hyphen is a hyphen to Windows", "/files/%c2%ad", Escape),
        ("Windows: the nearest letter of a code page", "/files/priv%c3%a4te/x", Resemblance),
        ("Django CVE-2019-19844: a letter whose upper case is ASCII's", "/files/pr%c4%b1vate/x", Resemblance),
        ("Spotify 2013: letters that are written with ASCII's", "/files/%e1%b5%96rivate/x", Resemblance),
        ("a name that nobody has allowed", "/api/orders/%c3%a9", NonAscii),
        ("a letter that needs no escape", "/%61dmin", Escape),
        ("a literal in a second spelling", "/orders%3Abatch", Escape),
        ("pingora, as it comes: dots behind an escaped slash", "/api/orders/..%2f..%2fadmin", EncodedSlash),
        ("an escaped slash into a route's neighbour", "/files/private%2Fx", EncodedSlash),
        ("an escaped slash into a route's neighbour, in another case", "/files/Private%2Fx", Case),
        ("an escaped slash and a dot segment", "/files/a%2F..%2Fprivate%2Fx", DotSegment),
        ("a sanitiser that takes `../` out once", "/public/....//admin", DotSegment),
        ("a whole URL for a target", "http://other.example/admin", Form),
        ("an authority for a target", "other.example:443", Form),
        ("all of the server", "*", Form),
        ("an authority in a path", "//other.example/admin", EmptySegment),
    ];
    let table = table();
    for (what, target, expected) in cases {
        let error = match CanonicalPath::parse(target.as_bytes()) {
            Err(error) => error,
            Ok(path) => match table.find(None, &Method::GET, &path) {
                Err(NotFound::Path(error)) => error,
                other => panic!("{what}: {target} takes {other:?}"),
            },
        };
        assert_eq!(error, expected, "{what}: {target}");
    }
}

#[test]
fn their_plain_neighbours_are_not() {
    let table = table();
    for (target, template) in [
        ("/", "/{*rest}"),
        ("/public/admin", "/{*rest}"),
        ("/admin", "/admin"),
        ("/admin/", "/admin/{*rest}"),
        ("/admin/x", "/admin/{*rest}"),
        ("/api/orders/1", "/api/orders/{id}"),
        ("/api/orders/A%201", "/api/orders/{id}"),
        ("/files/a%2Fb", "/files/{*rest}"),
        ("/files/a/B", "/files/{*rest}"),
        ("/files/a.", "/files/{*rest}"),
        ("/api/orders/A%20Jr.", "/api/orders/{id}"),
        ("/files/private/x%2Fy", "/files/private/{*rest}"),
        ("/orders:batch", "/orders:batch"),
        ("/files/caf%C3%A9/%E6%97%A5%E6%9C%AC.txt", "/files/{*rest}"),
        // oauth2-proxy CVE-2025-54576: the query has no say.
        ("/admin?x=/public", "/admin"),
        ("/search?q=/../admin//%2e%2e;x", "/{*rest}"),
    ] {
        let path = CanonicalPath::parse(target.as_bytes()).unwrap();
        let index = table.find(None, &Method::GET, &path).unwrap();
        assert_eq!(table.get(index).unwrap().template.as_str(), template, "{target}");
    }
}
