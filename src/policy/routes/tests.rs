use super::*;
use crate::policy::{MethodScopes, Rules, ScopeRule};

fn route(path: &str, hosts: &[&str], methods: &[Method]) -> Route {
    let mut route = Route::new(Template::parse(path).unwrap(), Requirement::Public);
    route.hosts = hosts.iter().map(|host| HostPattern::parse(host).unwrap()).collect();
    if !methods.is_empty() {
        route.methods = Methods::Listed(methods.to_vec());
    }
    route
}

fn table(routes: Vec<Route>) -> RouteTable {
    let mut builder = RouteTable::builder();
    for route in routes {
        builder.add(route).unwrap();
    }
    builder.build()
}

fn paths(paths: &[&str]) -> RouteTable {
    table(paths.iter().map(|path| route(path, &[], &[])).collect())
}

fn find(table: &RouteTable, host: &str, method: Method, target: &str) -> Result<usize, NotFound> {
    let path = CanonicalPath::parse(target.as_bytes()).unwrap();
    table.find(Some(host).filter(|host| !host.is_empty()), &method, &path).map(RouteIndex::get)
}

fn get(table: &RouteTable, target: &str) -> Result<usize, NotFound> {
    find(table, "", Method::GET, target)
}

#[test]
fn the_most_specific_path_wins_whatever_the_order() {
    let templates = ["/{*all}", "/a/{x}", "/a/b", "/a/{x}/c", "/a/b/{y}", "/a/{*rest}", "/"];
    let expected = [
        ("/", 6),
        ("/z", 0),
        ("/a", 0),
        ("/a/", 5),
        ("/a/b", 2),
        ("/a/c", 1),
        ("/a/b/c", 4),
        ("/a/z/c", 3),
        ("/a/z/d", 5),
        ("/a/b/c/d", 5),
        ("/a/b/", 5),
        ("/z/y/", 0),
    ];
    let table = paths(&templates);
    for (target, index) in expected {
        assert_eq!(get(&table, target), Ok(index), "{target}");
    }
    let reversed: Vec<_> = templates.iter().rev().copied().collect();
    let table = paths(&reversed);
    for (target, index) in expected {
        assert_eq!(get(&table, target), Ok(templates.len() - 1 - index), "{target}");
    }
}

#[test]
fn nothing_matches_by_prefix() {
    let table = paths(&["/orders/{id}", "/files/{*rest}"]);
    for target in ["/", "/orders", "/orders/", "/orders/1/2", "/ordersx/1", "/files", "/xfiles/a"] {
        assert_eq!(get(&table, target), Err(NotFound::Unmatched), "{target}");
    }
}

#[test]
fn a_literal_is_matched_by_its_own_spelling_alone() {
    let refused = Err(NotFound::Path(PathError::Escape));
    // `+` and `%2B` are the same to who decodes, and different to who does not (RFC 3986 section 2.2).
    let plus = paths(&["/a+b/{x}", "/{*all}"]);
    assert_eq!(get(&plus, "/a+b/1"), Ok(0));
    assert_eq!(get(&plus, "/a%2Bb/1"), refused);
    assert_eq!(get(&plus, "/a%2bb/1"), refused);
    assert_eq!(get(&plus, "/a+b/%2B"), Ok(0), "a capture may be spelled in any way");
    let escaped = paths(&["/a%2Bb", "/a%20b", "/orders:batch", "/{x}"]);
    assert_eq!(get(&escaped, "/a%2Bb"), Ok(0));
    assert_eq!(get(&escaped, "/a+b"), Ok(0), "there is no escape to be read in two ways");
    assert_eq!(get(&escaped, "/a%20b"), Ok(1));
    assert_eq!(get(&escaped, "/orders:batch"), Ok(2));
    assert_eq!(get(&escaped, "/orders%3Abatch"), refused);
    assert_eq!(get(&escaped, "/alice%40example.com"), Ok(3));
    assert_eq!(get(&paths(&["/%40%40%40%40", "/{x}"]), "/%40%40%40%40"), Ok(0), "escapes throughout");
    let mut builder = RouteTable::builder();
    builder.add(route("/a+b", &[], &[])).unwrap();
    assert!(builder.add(route("/a%2Bb", &[], &[])).is_err(), "two routes are not told apart by spelling");
}

#[test]
fn a_slash_at_the_end_leads_to_nothing_that_asks_for_something_else() {
    let asking = |path: &str, which: usize| {
        let rules = Rules::new(MethodScopes::Every(ScopeRule::none()));
        let mut route = route(path, &[], &[]);
        route.requirement = if which == 0 { Requirement::Public } else { Requirement::Token(rules) };
        route
    };
    let refused = Err(NotFound::Path(PathError::LastSlash));
    let strict = table(vec![
        asking("/{*all}", 0),
        asking("/admin", 1),
        asking("/files/{*rest}", 1),
        asking("/open", 0),
        asking("/orders/{id}", 1),
        asking("/both", 0),
        asking("/both/", 1),
    ]);
    let cases = [
        ("/admin", Ok(1)),
        ("/admin/", refused.clone()),
        ("/ADMIN/", refused.clone()),
        ("/admin/x", Ok(0)),
        ("/files/", Ok(2)),
        ("/files", refused.clone()),
        ("/files/a", Ok(2)),
        ("/files/a/", Ok(2)),
        ("/open/", Ok(0)),
        ("/orders/1", Ok(4)),
        ("/orders/1/", refused.clone()),
        ("/orders/", Ok(0)),
        // Who has a route for each means each.
        ("/both", Ok(5)),
        ("/both/", Ok(6)),
        ("/", Ok(0)),
        ("/x/", Ok(0)),
    ];
    for (target, expected) in cases {
        assert_eq!(get(&strict, target), expected, "{target}");
    }
    let captures = table(vec![
        asking("/a/{x}", 0),
        asking("/a/adm/", 1),
        asking("/b/{x}/", 0),
        asking("/b/adm", 1),
        asking("/c/{x}", 0),
        asking("/c/adm/{*rest}", 1),
        asking("/d/{x}/{y}", 0),
        asking("/d/adm/sec/", 1),
        asking("/e/{x}", 0),
        asking("/e/{x}/", 1),
        asking("/f/adm", 0),
        asking("/f/{x}/", 1),
        asking("/g/{x}", 1),
        asking("/g/same/", 1),
        asking("/h/{*rest}", 1),
        asking("/h/{x}/{*rest}", 0),
    ]);
    for (target, expected) in [
        ("/a/adm", refused.clone()),
        ("/a/ADM", refused.clone()),
        ("/a/adm.", Err(NotFound::Path(PathError::LastSlash))),
        ("/a/adm/", Ok(1)),
        ("/a/other", Ok(0)),
        ("/b/adm/", refused.clone()),
        ("/b/adm", Ok(3)),
        ("/b/other/", Ok(2)),
        ("/c/adm", refused.clone()),
        ("/c/other", Ok(4)),
        ("/d/adm/sec", refused.clone()),
        ("/d/adm/other", Ok(6)),
        // One for each, and one that is for more.
        ("/e/1", Ok(8)),
        ("/e/1/", Ok(9)),
        ("/f/adm", Ok(10)),
        ("/f/adm/", refused.clone()),
        ("/g/same", Ok(12)),
        // Each of the wider one's, with a slash, and not one of them that has a name.
        ("/h/1", refused.clone()),
        ("/h/1/", refused.clone()),
        ("/h/1/2", Ok(15)),
        ("/h/", Ok(14)),
    ] {
        assert_eq!(get(&captures, target), expected, "{target}");
    }
    // Whatever else there is.
    for (wide, narrow, target) in
        [("/{x}", "/adm/", "/adm"), ("/{x}/", "/adm", "/adm/"), ("/{x}/{y}/", "/{x}/adm", "/1/adm/")]
    {
        let pair = table(vec![asking(wide, 0), asking(narrow, 1)]);
        assert_eq!(get(&pair, target), refused, "{wide} {narrow}");
    }
    let post = table(vec![route("/{*all}", &[], &[]), route("/a", &[], &[Method::POST])]);
    let found = get(&post, "/a/");
    assert_eq!(found, Err(NotFound::Path(PathError::LastSlash)), "GET /a is not allowed, so GET /a/ is not");
    assert_eq!(find(&post, "", Method::POST, "/a/"), Ok(0), "what asks for the same is the same");
}

#[test]
fn a_path_that_is_another_route_s_without_case_is_refused() {
    let lower = paths(&["/admin/{x}", "/{*all}"]);
    assert_eq!(get(&lower, "/Admin/1"), Err(NotFound::Path(PathError::Case)));
    assert_eq!(get(&lower, "/admin/ABC"), Ok(0));
    assert_eq!(get(&lower, "/Other/1"), Ok(1));
    let upper = paths(&["/Admin/{x}", "/{*all}"]);
    assert_eq!(get(&upper, "/Admin/1"), Ok(0));
    assert_eq!(get(&upper, "/admin/1"), Err(NotFound::Path(PathError::Case)));
    let mut builder = RouteTable::builder();
    builder.add(route("/Admin", &[], &[])).unwrap();
    assert!(builder.add(route("/admin", &[], &[])).is_err());
    assert!(builder.add(route("/admin/{x}", &[], &[])).is_err());
    assert!(builder.add(route("/Admin/{x}", &[], &[])).is_ok());
}

#[test]
fn encoded_slashes_need_a_route_that_allows_them_and_stay_on_it() {
    let mut files = route("/files/{*rest}", &[], &[]);
    files.encoded_slashes = true;
    let table = table(vec![files, route("/files/secret/{x}", &[], &[]), route("/{*all}", &[], &[])]);
    let refused = Err(NotFound::Path(PathError::EncodedSlash));
    assert_eq!(get(&table, "/files/a%2Fb"), Ok(0));
    assert_eq!(get(&table, "/other/a%2Fb"), refused);
    assert_eq!(get(&table, "/files/secret%2Fx"), refused);
    assert_eq!(get(&table, "/files%2Fa"), refused);
    assert_eq!(get(&table, "/files/a%2F..%2Fb"), Err(NotFound::Path(PathError::DotSegment)));
    assert_eq!(get(&table, "/files/Secret%2Fx"), Err(NotFound::Path(PathError::Case)));
    assert_eq!(get(&table, "/files/a%2f%2Fb"), Err(NotFound::Path(PathError::EmptySegment)));
}

#[test]
fn names_beyond_ascii_need_a_route_that_allows_them_and_stay_on_it() {
    let beyond = |template: &str| Route { non_ascii: true, ..route(template, &[], &[]) };
    let mut files = beyond("/files/{*rest}");
    files.encoded_slashes = true;
    let table = table(vec![
        files,
        route("/files/secret/{x}", &[], &[]),
        beyond("/users/{name}"),
        route("/users/me", &[], &[]),
        route("/users/Strasse", &[], &[]),
        route("/{*all}", &[], &[]),
    ]);
    assert_eq!(get(&table, "/other/caf%C3%A9"), Err(NotFound::Path(PathError::NonAscii)));
    for (target, index) in [
        ("/files/caf%c3%a9", 0),
        ("/files/%E6%97%A5%E6%9C%AC/%E8%AA%9E.txt", 0),
        ("/files/secr%C3%A9te/x", 0),
        ("/files/a%E6%97%A5%2Fx", 0),
        ("/users/jos%C3%A9", 2),
        ("/users/m%C3%AAme", 2),
        ("/users/%F0%9F%98%80", 2),
    ] {
        assert_eq!(get(&table, target), Ok(index), "{target}");
    }
    for (target, expected) in [
        // To who takes accents away, and who drops what has one.
        ("/users/m%C3%A9", PathError::Resemblance),
        ("/users/me%CC%81", PathError::Resemblance),
        ("/users/m%C3%A9%C3%9F", PathError::Resemblance),
        ("/users/m%C3%A9%C5%BF", PathError::Resemblance),
        ("/users/me%E6%97%A5", PathError::Resemblance),
        ("/users/stra%C3%9Fe", PathError::Case),
        ("/files/s%C3%A9cret/x", PathError::Resemblance),
        ("/files/S%C3%A9cret/x", PathError::Case),
        ("/files/s%C3%A9cret%2Fx", PathError::EncodedSlash),
        ("/files/s%C3%A9cret./x", PathError::DotAtEnd),
        ("/files/..%E6%97%A5/x", PathError::DotSegment),
        ("/files/%E6%97%A5%2Fx", PathError::EmptySegment),
    ] {
        assert_eq!(get(&table, target), Err(NotFound::Path(expected)), "{target}");
    }
}

#[test]
fn hosts_are_told_apart_before_paths() {
    let table = table(vec![
        route("/{*all}", &[], &[]),
        route("/{*all}", &["*.example.com"], &[]),
        route("/{*all}", &["*.eu.example.com"], &[]),
        route("/{*all}", &["api.eu.example.com", "[::1]"], &[]),
        route("/only", &["one.example"], &[]),
    ]);
    let cases = [
        ("", 0),
        ("other", 0),
        ("example.com", 0),
        ("a.example.com", 1),
        ("A.EXAMPLE.com:8443", 1),
        ("a.b.example.com.", 1),
        ("x.eu.example.com", 2),
        ("api.eu.example.com", 3),
        ("API.eu.example.com:80", 3),
        ("xexample.com", 0),
        (".example.com", 0),
        ("example.com.", 0),
        ("[::1]x", 0),
        ("[::1]:80", 3),
        ("[0:0::0001]", 3),
        ("[0:0:0:0:0:0:0:1]:80", 3),
        ("[::1]", 3),
        ("one.example", 0),
    ];
    for (host, index) in cases {
        assert_eq!(find(&table, host, Method::GET, "/x"), Ok(index), "{host}");
    }
    assert_eq!(find(&table, "one.example", Method::GET, "/only"), Ok(4));
}

#[test]
fn a_listed_method_is_more_specific_than_all() {
    let table = table(vec![
        route("/a", &[], &[]),
        route("/a", &[], &[Method::GET]),
        route("/b", &[], &[Method::POST, Method::GET]),
    ]);
    assert_eq!(find(&table, "", Method::GET, "/a"), Ok(1));
    assert_eq!(find(&table, "", Method::HEAD, "/a"), Ok(1), "HEAD follows GET");
    assert_eq!(find(&table, "", Method::PUT, "/a"), Ok(0));
    let allowed = vec![Method::GET, Method::HEAD, Method::POST];
    assert_eq!(find(&table, "", Method::PUT, "/b"), Err(NotFound::Method(allowed)));
    let standard = ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"];
    for never in ["CONNECT", "TRACE", "get"] {
        let Err(NotFound::Method(allowed)) = find(&table, "", never.parse().unwrap(), "/a") else { panic!() };
        assert_eq!(allowed, standard.map(|method| method.parse::<Method>().unwrap()), "{never}");
    }
}

#[test]
fn ties_are_refused() {
    let cases: [(Route, Route, bool); 7] = [
        (route("/a/{x}", &[], &[]), route("/a/{y}", &[], &[]), true),
        (route("/a", &[], &[Method::GET]), route("/a", &[], &[Method::POST]), false),
        (route("/a", &[], &[Method::GET]), route("/a", &[], &[Method::HEAD]), true),
        (route("/a", &[], &[Method::GET]), route("/a", &[], &[Method::POST, Method::GET]), true),
        (route("/a", &["h"], &[]), route("/a", &[], &[]), false),
        (route("/a", &["h", "i"], &[]), route("/a", &["j", "I"], &[]), true),
        (route("/a/{*x}", &["*.h"], &[]), route("/a/{*y}", &["*.h"], &[]), true),
    ];
    for (one, two, ties) in cases {
        let mut builder = RouteTable::builder();
        let first = builder.add(one.clone()).unwrap();
        assert_eq!(builder.add(two.clone()).err(), ties.then_some(Tie { first }), "{one:?} {two:?}");
    }
}

#[test]
fn a_route_may_name_a_host_twice() {
    let table = table(vec![route("/a", &["h", "H", "*.h", "*.H"], &[])]);
    for host in ["h", "x.h"] {
        assert_eq!(find(&table, host, Method::GET, "/a"), Ok(0), "{host}");
    }
}

#[test]
fn a_route_that_ties_leaves_no_trace() {
    let mut builder = RouteTable::builder();
    builder.add(route("/a", &["two.example"], &[])).unwrap();
    assert!(builder.add(route("/a", &["one.example", "two.example"], &[])).is_err());
    assert!(builder.add(route("/{x}/Admin", &["one.example", "two.example"], &[])).is_ok());
    assert!(builder.add(route("/{y}/admin", &["two.example"], &[])).is_err());
    let other = builder.add(route("/b", &["three.example"], &[])).unwrap();
    let table = builder.build();
    assert_eq!(table.len(), 3);
    assert_eq!(find(&table, "one.example", Method::GET, "/a"), Err(NotFound::Unmatched));
    assert_eq!(find(&table, "three.example", Method::GET, "/b"), Ok(other.get()));

    // The places that it would have had are free, whatever their case.
    let mut builder = RouteTable::builder();
    builder.add(route("/a/b", &["two.example"], &[])).unwrap();
    assert!(builder.add(route("/A/b", &["one.example", "two.example"], &[])).is_err());
    let lower = builder.add(route("/a/b", &["one.example"], &[])).unwrap();
    assert_eq!(find(&builder.build(), "one.example", Method::GET, "/a/b"), Ok(lower.get()));
}

#[test]
fn host_patterns_are_names() {
    for good in ["a", "a.b", "*.a", "A-1.b_c", "127.0.0.1", "[::1]", "[0::1]"] {
        assert!(HostPattern::parse(good).is_ok(), "{good}");
    }
    for bad in ["", "*", "a:80", "a.*.b", "**.a", "a..b", ".a", "a/b", "[::1", "[::1::]", "*.[::1]", "é"] {
        assert!(HostPattern::parse(bad).is_err(), "{bad}");
    }
}

#[test]
fn a_table_tells_its_routes_in_their_order() {
    let table = paths(&["/b", "/a"]);
    let told: Vec<_> = table.iter().map(|(index, route)| (index.get(), route.template.as_str())).collect();
    assert_eq!(told, [(0, "/b"), (1, "/a")]);
    assert!(!table.is_empty() && RouteTable::default().is_empty());
    assert_eq!(table.get(RouteIndex(1)).map(|route| route.template.as_str()), Some("/a"));
    assert!(table.get(RouteIndex(2)).is_none());
}

#[test]
fn options_is_listed_where_it_is_named() {
    assert!(route("/a", &[], &[Method::GET, Method::OPTIONS]).lists_options());
    assert!(!route("/a", &[], &[Method::GET]).lists_options());
    assert!(!route("/a", &[], &[]).lists_options());
}

#[test]
fn the_methods_that_are_told_are_those_that_are_listed() {
    let table = table(vec![route("/a", &[], &[Method::PUT]), route("/a", &[], &[Method::POST])]);
    let allowed = vec![Method::POST, Method::PUT];
    assert_eq!(find(&table, "", Method::GET, "/a"), Err(NotFound::Method(allowed)), "no HEAD without GET");
}
