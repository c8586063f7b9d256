//! Request targets and the routes that they take: RFC 3986 sections 2.1, 3.3 and 6.2.2.
//!
//! The first line of the input is a target, each further one a route: `0` to `2` for what it asks, `%` if it allows `%2F`, `+` if it
//! allows names beyond ASCII, and its template.

#[path = "../../paths/agreement.rs"]
mod agreement;
#[path = "../../paths/readings.rs"]
mod readings;
#[path = "../../paths/table.rs"]
mod table;

use http::Method;
use table::Plan;
use tollgate::policy::{CanonicalPath, Template};

/// A target is refused or can be read in one way only; and takes one route, whoever reads it.
pub fn check(data: &[u8]) {
    let mut lines = data.split(|byte| *byte == b'\n');
    let target = lines.next().unwrap_or_default();
    let Ok(path) = CanonicalPath::parse(target) else { return };
    let target = std::str::from_utf8(target).expect("an accepted target is ASCII");
    is_canonical(target, &path);

    let plans: Vec<Plan> = lines.take(MAX_ROUTES).filter_map(plan).collect();
    let (routes, plans) = table::build(&plans);
    let Ok(ours) = routes.find(None, &Method::GET, &path) else { return };
    let plan = &plans[ours.get()];
    let agreed = agreement::agreement(&plans, ours.get(), target);
    assert!(agreed.is_ok(), "{}", agreed.unwrap_err());
    let escaped_slash = path.as_str().to_ascii_lowercase().contains("%2f");
    assert!(!escaped_slash || plan.encoded_slashes, "`%2F` passes where the route says so");
    let beyond_ascii = !readings::decode(path.as_str()).is_ascii();
    assert!(!beyond_ascii || plan.non_ascii, "so do names beyond ASCII");

    // What the template's captures stand for is what is in the path.
    let template = &routes.get(ours).expect("it was found").template;
    for name in template.captures() {
        let value = template.capture(name, &path).expect("each capture stands for something");
        assert!(path.segments().any(|segment| value.starts_with(&*segment)), "{name}: {value}");
    }
    // The query has no part in it, and neither has the order in which the routes were written.
    assert_eq!(
        routes.find(None, &Method::GET, &CanonicalPath::parse(path.as_str().as_bytes()).unwrap()),
        Ok(ours)
    );
    let reversed: Vec<Plan> = plans.iter().rev().cloned().collect();
    let (routes, reversed) = table::build(&reversed);
    if reversed.len() == plans.len() {
        let found = routes.find(None, &Method::GET, &path).expect("the same table");
        assert_eq!(reversed[found.get()].template, plan.template);
    }
}

fn is_canonical(target: &str, path: &CanonicalPath<'_>) {
    assert_eq!(CanonicalPath::parse(target.as_bytes()).as_ref(), Ok(path), "it is read alike each time");
    let rebuilt = match path.query() {
        Some(query) => format!("{}?{query}", path.as_str()),
        None => path.as_str().to_owned(),
    };
    assert_eq!(rebuilt, target, "nothing is rewritten");
    assert!(
        target.len() <= CanonicalPath::MAX_TARGET_BYTES && target.bytes().all(|byte| byte.is_ascii_graphic())
    );
    let text = path.as_str();
    assert!(text.starts_with('/') && !text.contains("//"), "{text}");
    assert!(
        !text.contains([';', '\\', '#', '?', '|', '"', '<', '>', '^', '`', '{', '}', '[', ']']),
        "{text}"
    );
    for (at, _) in text.match_indices('%') {
        let escaped = u8::from_str_radix(&text[at + 1..at + 3], 16).expect("an escape");
        assert!(
            escaped >= b' ' && escaped != 0x7f && !is_unreserved(escaped),
            "one path, one spelling: {text}"
        );
    }
    for segment in text.split('/').map(readings::decode) {
        assert!(segment != "." && segment != ".." && segment.trim_matches(' ') == segment, "{text}");
    }
    let decoded = readings::decode(text);
    assert!(!decoded.contains(['%', ';', '\\', '#', '?']), "decoded twice, it reads otherwise: {text}");
    assert!(
        !decoded.contains(char::REPLACEMENT_CHARACTER) && !decoded.chars().any(char::is_control),
        "{text}"
    );
    let segments: Vec<_> = path.segments().collect();
    assert_eq!(segments.len() + 1, text.split('/').count());
    let joined = segments.join("/").replace("%2F", "/");
    assert_eq!(format!("/{joined}"), decoded, "the segments are the decoded path");
    for parameter in path.query().unwrap_or_default().split(['&', ';']) {
        let name = readings::decode(parameter.split('=').next().unwrap_or_default());
        assert!(!name.eq_ignore_ascii_case("access_token"), "a token in the query");
    }
}

/// RFC 3986 section 2.3.
fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~".contains(&byte)
}

fn plan(line: &[u8]) -> Option<Plan> {
    let line = std::str::from_utf8(line).ok()?;
    let (which, rest) = line.split_at_checked(1)?;
    let template = rest.trim_start_matches(['%', '+']);
    Template::parse(template).ok()?;
    let requirement = ["0", "1", "2"].iter().position(|digit| *digit == which)?;
    let allows = |sign| rest.strip_suffix(template).is_some_and(|signs| signs.contains(sign));
    Some(Plan {
        template: template.to_owned(),
        requirement,
        encoded_slashes: allows('%'),
        non_ascii: allows('+'),
    })
}

/// More would say nothing new.
const MAX_ROUTES: usize = 8;
