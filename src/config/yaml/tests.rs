//! Where everything stands, and what is refused.

use super::*;

fn parse(text: &str) -> (Option<Node>, Vec<(Code, String)>) {
    let mut report = Report::default();
    let node = super::parse(text, &mut report);
    (node, report.list.into_iter().map(|problem| (problem.code, problem.message)).collect())
}

/// The tree as text, each scalar with its slice of the source.
fn outline(node: &Node, text: &str) -> String {
    let slice = |span: Span| text.get(span.start..span.end).unwrap_or("?");
    match &node.value {
        Value::Null => "null".to_owned(),
        Value::Refused => "refused".to_owned(),
        Value::Scalar(scalar) => format!("{:?}@{:?}", scalar.text, slice(node.span)),
        Value::List(items) => {
            format!("[{}]", items.iter().map(|item| outline(item, text)).collect::<Vec<_>>().join(" "))
        }
        Value::Map(entries) => {
            let entry = |entry: &Entry| format!("{}={}", slice(entry.key_span), outline(&entry.value, text));
            format!("{{{}}}", entries.iter().map(entry).collect::<Vec<_>>().join(" "))
        }
    }
}

#[test]
fn spans_are_those_of_the_source() {
    for (text, expected) in [
        ("a: b\n", r#"{a="b"@"b"}"#),
        ("a: 'b c'  # comment\n", r#"{a="b c"@"'b c'"}"#),
        ("é: [\"ü\", 2]\nx: y\n", r#"{é=["ü"@"\"ü\"" "2"@"2"] x="y"@"y"}"#),
        ("a:\n  - b: 1\n    c: 2\n  - d\n", r#"{a=[{b="1"@"1" c="2"@"2"} "d"@"d"]}"#),
        ("a: |\n  one\n  two\n\nb: c\n", r#"{a="one\ntwo\n"@"one\n  two" b="c"@"c"}"#),
        ("a:\r\n  b: c\r\n", r#"{a={b="c"@"c"}}"#),
        ("\u{feff}a: b\n", r#"{a="b"@"b"}"#),
        ("---\na:\nb: ~\n...\n", "{a=null b=null}"),
    ] {
        let (node, problems) = parse(text);
        assert_eq!(problems, [], "{text:?}");
        assert_eq!(outline(&node.unwrap(), text), expected, "{text:?}");
    }
}

#[test]
fn a_collection_ends_where_its_last_element_ends() {
    let text = "a:\n  b:\n    - c\n    - {d: e}\n\n# comment\nf: [g,\n  h]\n";
    let (node, _) = parse(text);
    let Value::Map(entries) = node.unwrap().value else { panic!("a mapping") };
    let slices: Vec<_> = entries.iter().map(|e| &text[e.value.span.start..e.value.span.end]).collect();
    assert_eq!(slices, ["b:\n    - c\n    - {d: e}", "[g,\n  h]"]);
}

#[test]
fn what_makes_yaml_surprising_is_refused() {
    for (text, message) in [
        ("a: 1\na: 2\n", "`a` stands twice here"),
        ("a: &x 1\n", "anchors (`&…`) are not supported"),
        ("a: *x\n", "aliases (`*…`) are not supported"),
        ("<<: {a: 1}\n", "merge keys (`<<`) are not supported"),
        ("a: !!int 1\n", "tags (`!…`) are not supported"),
        ("[a]: 1\n", "a key must be text"),
        ("a: 1\n---\nb: 1\n", "a second document begins here"),
        ("", "the file is empty"),
        ("# only a comment\n", "the file is empty"),
        ("%YAML 1.2\n---\na: 1\n", "this is not well-formed YAML: "),
        ("a: [1\n", "this is not well-formed YAML: "),
    ] {
        let (_, problems) = parse(text);
        assert_eq!(problems.len(), 1, "{text:?}: {problems:?}");
        assert!(problems[0].1.starts_with(message), "{text:?}: {problems:?}");
    }
}

#[test]
fn size_and_depth_are_bounded() {
    assert_eq!(parse(&"a".repeat(MAX_BYTES + 1)).1[0].0, Code::TooLarge);
    assert_eq!(parse(&format!("a: {}{}", "[".repeat(40), "]".repeat(40))).1[0].0, Code::TooLarge);
    assert_eq!(parse(&"[".repeat(100_000)).1[0].0, Code::Syntax);
    let deep: String = (0..40).map(|n| format!("{}a:\n", " ".repeat(n))).collect();
    assert_eq!(parse(&deep).1[0].0, Code::TooLarge);
    // A comment before every line is no reason to refuse a file.
    let commented: String = (0..2000).map(|n| format!("# comment\nk{n}: 1\n")).collect();
    assert_eq!(parse(&commented).1, []);
}
