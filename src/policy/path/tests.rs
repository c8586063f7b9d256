use super::*;

fn parse(target: &str) -> Result<CanonicalPath<'_>, PathError> {
    CanonicalPath::parse(target.as_bytes())
}

#[test]
fn plain_paths_pass_unchanged() {
    for path in [
        "/",
        "/orders",
        "/orders/",
        "/a/b/c",
        "/a.b/..c/c..",
        "/~user/:id@x",
        "/a+b,c=d&e!$'()*",
        "/a%20b%2B%3A",
        "/%7Bx%7D",
    ] {
        assert_eq!(parse(path).map(|p| p.as_str()), Ok(path), "{path}");
    }
    assert_eq!(parse("/a?").map(|p| p.query()), Ok(Some("")));
    assert_eq!(parse("/a?b?c/../%2e;//").map(|p| p.query()), Ok(Some("b?c/../%2e;//")));
}

#[test]
fn whatever_could_be_read_in_two_ways_is_refused() {
    use PathError::{Character, DotSegment, EmptySegment, Escape, Form};
    let cases = [
        ("", Form),
        ("*", Form),
        ("orders", Form),
        ("http://h/orders", Form),
        ("?a", Form),
        ("\\a", Form),
        ("//", EmptySegment),
        ("//a", EmptySegment),
        ("/a//b", EmptySegment),
        ("/a//", EmptySegment),
        ("/.", DotSegment),
        ("/..", DotSegment),
        ("/a/../b", DotSegment),
        ("/a/./b", DotSegment),
        ("/a/..", DotSegment),
        ("/...", DotSegment),
        ("/.%20./a", DotSegment),
        ("/a;b", Character),
        ("/a\\b", Character),
        ("/a#b", Character),
        ("/a b", Character),
        ("/a\tb", Character),
        ("/a\0", Character),
        ("/a\u{7f}", Character),
        ("/\u{e9}", Character),
        ("/\u{ff0f}", Character),
        ("/a|b", Character),
        ("/a\"b", Character),
        ("/a<b", Character),
        ("/a`b", Character),
        ("/a{b}", Character),
        ("/a^b", Character),
        ("/a[b]", Character),
        ("/%", Escape),
        ("/%2", Escape),
        ("/%zz", Escape),
        ("/%2e", Escape),
        ("/%2E%2e", Escape),
        ("/%5c", Escape),
        ("/%5C", Escape),
        ("/%25", Escape),
        ("/%252f", Escape),
        ("/%3b", Escape),
        ("/%3F", Escape),
        ("/%23", Escape),
        ("/%00", Escape),
        ("/%0a", Escape),
        ("/%7f", Escape),
        ("/%80", Escape),
        ("/%c0%af", Escape),
        ("/%e0%80%af", Escape),
        ("/%c3", Escape),
        ("/%c3a9", Escape),
        ("/%c3%a", Escape),
        ("/%c3%61", Escape),
        ("/%a9%c3", Escape),
        ("/%ed%a0%80", Escape),
        ("/%f5%80%80%80", Escape),
        ("/%ff", Escape),
        ("/a%c2%a0", Escape),
        ("/a%e2%80%ae", Escape),
        ("/a%cd%be", Escape),
        ("/%e2%80%a6", Escape),
        ("/%ef%bc%8f", Escape),
        ("/%ef%bc%8e", Escape),
        ("/%61", Escape),
        ("/%41", Escape),
        ("/%7e", Escape),
        ("/%2d", Escape),
        ("/%5f", Escape),
        ("/%30", Escape),
        ("/%u002f", Escape),
        ("/%20", Escape),
        ("/a%20", Escape),
        ("/%20a/b", Escape),
        ("/a%20/", Escape),
        ("/a?b#c", Character),
        ("/a?b c", Character),
        ("/a?\u{e9}", Character),
        ("/a?\0", Character),
    ];
    for (target, expected) in cases {
        assert_eq!(parse(target), Err(expected), "{target:?}");
    }
    assert_eq!(CanonicalPath::parse(b"/\xff"), Err(Character));
    assert_eq!(parse(&format!("/{}", "a".repeat(8_192))), Err(PathError::TooLong));
    assert!(parse(&format!("/{}", "a".repeat(8_191))).is_ok());
}

#[test]
fn encoded_slashes_are_left_for_the_route_to_judge() {
    let path = parse("/files/a%2fb%20c").unwrap();
    assert!(path.has_encoded_slash());
    assert_eq!(path.segments().collect::<Vec<_>>(), ["files", "a%2Fb c"]);
    assert_eq!(path.with_slashes_decoded(), "/files/a/b%20c");
}

#[test]
fn parentheses_are_no_session_of_asp_net() {
    for plain in ["/(a)", "/f(xy(1))", "/f(1(c))", "/((a))", "/f%28x%29", "/S(a)(b)"] {
        assert!(parse(plain).is_ok(), "{plain}");
    }
    for session in ["/(S(x))", "/a/(f(x))/b", "/a(A(x)S(y))b", "/%28S%28x))", "/(S%28x))"] {
        assert_eq!(parse(session), Err(PathError::Character), "{session}");
    }
}

#[test]
fn names_beyond_ascii_are_left_for_the_route_to_judge() {
    let path = parse("/%C3%A9/caf%c3%a9%20%E6%97%A5/a").unwrap();
    assert!(path.has_non_ascii() && !parse("/a%20b").unwrap().has_non_ascii());
    assert_eq!(path.segments().collect::<Vec<_>>(), ["é", "café 日", "a"]);
    // Nothing is left of the first one if it is dropped.
    let seen = path.in_ascii();
    assert_eq!((&*seen[0], &*seen[1]), ("/%C3%A9/caf%20/a", "/e/cafe%20/a"));
    // Whoever takes apart what can be, and drops the rest.
    assert!(parse("/s%C3%A9cret%C3%9F").unwrap().in_ascii().contains(&"/secret".to_owned()));
}

#[test]
fn a_token_in_the_query_is_refused_however_it_is_spelled() {
    for query in [
        "access_token=x",
        "a=1&access_token=x",
        "access_token",
        "a;access_token=x",
        "ACCESS_TOKEN=x",
        "%61ccess_token=x",
        "access%5ftoken=x",
        "access%5Ftoken",
    ] {
        assert_eq!(parse(&format!("/a?{query}")), Err(PathError::TokenInQuery), "{query}");
    }
    for query in ["xaccess_token=x", "access_tokens=x", "a=access_token", "access_token2", "%access=1", "a%"]
    {
        assert!(parse(&format!("/a?{query}")).is_ok(), "{query}");
    }
}

#[test]
fn a_path_is_told_apart_with_and_without_its_last_slash() {
    let toggled = |target: &str| {
        let path = parse(target).unwrap();
        (path.ends_in_slash(), path.segments_with_last_slash_toggled().collect::<Vec<_>>().join("/"))
    };
    assert_eq!(toggled("/a/b"), (false, "a/b/".into()));
    assert_eq!(toggled("/a/b/"), (true, "a/b".into()));
    assert_eq!(toggled("/"), (true, "".into()));
    let path = parse("/a%20b/c").unwrap();
    assert_eq!(path.spelled_segments().collect::<Vec<_>>(), ["a%20b", "c"]);
    assert!(path.is_escaped() && !path.has_encoded_slash());
    assert!(!parse("/a/c").unwrap().is_escaped());
}

#[test]
fn a_percent_sign_that_escapes_nothing_is_kept_where_a_query_is_read_leniently() {
    for (name, expected) in
        [("a%", "a%"), ("%4", "%4"), ("%zz", "%zz"), ("%%61", "%a"), ("%61%6", "a%6"), ("%4A%4a", "JJ")]
    {
        assert_eq!(decode_all(name), expected.as_bytes(), "{name}");
    }
}

#[test]
fn what_is_no_escape_stays_as_it_is() {
    for (segment, expected) in [
        ("", ""),
        ("ab", "ab"),
        ("a%20b", "a b"),
        ("%2F%2f", "%2F%2F"),
        ("%", "%"),
        ("a%2", "a%2"),
        ("%zz%3A", "%zz:"),
    ] {
        assert_eq!(decode(segment), expected, "{segment}");
    }
}
