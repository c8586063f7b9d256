use super::*;
use crate::token::MAX_TOKEN_BYTES;

fn token(header: &str) -> String {
    format!("{}.e30.AAAA", URL_SAFE_NO_PAD.encode(header))
}

fn error(token: &str) -> Option<JwsError> {
    UnverifiedJws::parse(token).err()
}

#[test]
fn three_canonical_parts() {
    let good = token(r#"{"alg":"ES256"}"#);
    let jws = UnverifiedJws::parse(&good).unwrap();
    assert_eq!(jws.signing_input(), good.strip_suffix(".AAAA").unwrap());
    assert_eq!((jws.alg(), jws.kid(), jws.typ()), ("ES256", None, None));
    assert_eq!((jws.payload(), jws.signature()), (b"{}".as_slice(), &vec![0, 0, 0]));
    let full = token(r#"{"typ":"at+jwt","kid":"k1","alg":"none"}"#);
    let jws = UnverifiedJws::parse(&full).unwrap();
    assert_eq!((jws.alg(), jws.kid(), jws.typ()), ("none", Some("k1"), Some("at+jwt")));
}

#[test]
fn other_forms_are_refused() {
    let head = URL_SAFE_NO_PAD.encode(r#"{"alg":"RS256"}"#);
    let cases = [
        (String::new(), JwsError::Parts),
        ("..".into(), JwsError::Parts),
        (head.clone(), JwsError::Parts),
        (format!("{head}.e30"), JwsError::Parts),
        (format!("{head}..AAAA"), JwsError::Parts),
        (format!("{head}.e30."), JwsError::Parts),
        (format!(".{head}.e30.AAAA"), JwsError::Parts),
        (format!("{head}.e30.AAAA.AAAA"), JwsError::Parts),
        (format!("{head}.e30.AAAA.AAAA.AAAA"), JwsError::Jwe),
        (format!("{head}.e30=.AAAA"), JwsError::Base64),
        (format!("{head}.e30.AAA="), JwsError::Base64),
        (format!("{head}.e30.AAAA\n"), JwsError::Base64),
        (format!("{head}.e30.A+AA"), JwsError::Base64),
        (format!("{head}.e30.AAAB "), JwsError::Base64),
        // The last character carries bits beyond the last byte.
        (format!("{head}.e31.AAAA"), JwsError::Base64),
        (format!("{head}.e30.AAB"), JwsError::Base64),
        (format!("{head}.e30.{}", "A".repeat(MAX_SIGNATURE_CHARS + 1)), JwsError::Signature),
        (format!("{head}.{}.AAAA", "A".repeat(17_000)), JwsError::Parts),
    ];
    for (case, expected) in cases {
        assert_eq!(error(&case), Some(expected), "{case}");
    }
}

#[test]
fn headers_are_read_strictly() {
    let cases = [
        (r#"[]"#, JwsError::Header),
        (r#"{}"#, JwsError::Header),
        (r#"{"alg":null}"#, JwsError::Header),
        (r#"{"alg":["RS256"]}"#, JwsError::Header),
        (r#"{"alg":"RS256","alg":"RS256"}"#, JwsError::Header),
        (r#"{"alg":"RS256","x":1,"x":1}"#, JwsError::Header),
        (r#"{"alg":"RS256"} {}"#, JwsError::Header),
        (r#"{"alg":"RS256","typ":1}"#, JwsError::Header),
        (r#"{"alg":"RS256","crit":[]}"#, JwsError::Critical),
        (r#"{"alg":"RS256","crit":null}"#, JwsError::Critical),
        (r#"{"alg":"RS256","crit":["exp"],"exp":1}"#, JwsError::Critical),
        (r#"{"alg":"RS256","b64":true}"#, JwsError::Critical),
        (r#"{"alg":"RS256","kid":1}"#, JwsError::Kid),
        (r#"{"alg":"RS256","kid":null}"#, JwsError::Kid),
        (r#"{"alg":"RS256","kid":["k"]}"#, JwsError::Kid),
    ];
    for (header, expected) in cases {
        assert_eq!(error(&token(header)), Some(expected), "{header}");
    }
    let long = format!(r#"{{"alg":"RS256","kid":"{}"}}"#, "k".repeat(MAX_KID_BYTES + 1));
    assert_eq!(error(&token(&long)), Some(JwsError::Kid));
}

#[test]
fn shapes_are_told_apart() {
    let jws = token(r#"{"alg":"none"}"#);
    let cases = [
        (jws.clone(), Shape::Jws),
        (format!("{jws}A"), Shape::Jws),
        (token(r#"{"alg":"a","alg":"b"}"#), Shape::Jws),
        (token(r#" {"alg":1}"#), Shape::Jws),
        (token("{ \"alg\":\"a\",\n\"alg\":\"b\"}"), Shape::Jws),
        (token(r#"{ "x":1,"x":1,"alg":"b"}"#), Shape::Jws),
        (format!("{}.AAAA.AAAA", token(r#"{ "enc":"a","enc":"a"}"#)), Shape::Jwe),
        (token(r#"{"kid":"a"}"#), Shape::Opaque),
        (token(r#"{"#), Shape::Opaque),
        (token("[]"), Shape::Opaque),
        (token("{}"), Shape::Opaque),
        (token(r#"{"\u0061lg":"a"}"#), Shape::Jws),
        // Who has seen an `alg` takes it for a JWS, whatever is wrong behind it.
        (token(r#"{"alg":"a"} {}"#), Shape::Jws),
        (token(r#"{"alg":"a""#), Shape::Jws),
        (token(r#"{"alg":"a","x""#), Shape::Jws),
        (token(r#"{"kid":"a""#), Shape::Opaque),
        (jws.replace("AAAA", "-_-_"), Shape::Jws),
        (format!("{}.AAAA.AAAA", token("{}")), Shape::Jwe),
        (format!("{}.AAAA.AAAA", token(r#"{"enc":"a""#)), Shape::Jwe),
        (format!("{}.AAAA.AAAA", token("[]")), Shape::Opaque),
        (format!("{jws}.AAAA.AAAA"), Shape::Jwe),
        ("a.b.c".into(), Shape::Opaque),
        ("a.b.c.d.e".into(), Shape::Opaque),
        ("e.e.e".into(), Shape::Opaque),
        // Whatever stands behind such a header, or in whichever base64 it is.
        (format!("{jws}="), Shape::Jws),
        (format!("{jws}."), Shape::Jws),
        (format!("{jws}.x"), Shape::Jws),
        (format!("{jws}~e30~"), Shape::Jws),
        (format!("{jws}.AAAA.AA=="), Shape::Jwe),
        (jws.replacen('.', "=.", 1), Shape::Jws),
        (jws.split_once('.').unwrap().0.to_owned() + ".", Shape::Jws),
        (jws.split_once('.').unwrap().0.to_owned(), Shape::Opaque),
        ("eyJhbGciOiJhIiwieCI6Ij8+Pz8/In0.e30.AAAA".into(), Shape::Jws),
        ("eyJhbGciOiJhIiwieCI6Ij8/Pz8/In0.e30.AAAA".into(), Shape::Jws),
        ("abc".into(), Shape::Opaque),
        ("".into(), Shape::Opaque),
    ];
    for (case, expected) in cases {
        assert_eq!(Shape::of(&case), expected, "{case}");
        assert!(expected != Shape::Jws || Shape::may_be_jws(case.as_bytes()), "{case}");
    }
    for opaque in ["", "abc"] {
        assert!(!Shape::may_be_jws(opaque.as_bytes()), "{opaque}");
    }
}

#[test]
fn strange_sources_of_keys_are_not_even_read() {
    let header = r#"{"alg":"RS256","jku":1,"x5u":[],"jwk":{"a":1,"a":2},"x5c":null}"#;
    assert!(error(&token(header)).is_none());
}

#[test]
fn what_is_just_within_its_bound_is_read() {
    let head = URL_SAFE_NO_PAD.encode(r#"{"alg":"RS256"}"#);
    // 1366 characters are 1024 bytes and some bits, which are zero.
    let signature = format!("{}A", "A".repeat(MAX_SIGNATURE_CHARS - 1));
    assert_eq!(error(&format!("{head}.e30.{signature}")), None);
    let named = |bytes: usize| token(&format!(r#"{{"alg":"RS256","kid":"{}"}}"#, "k".repeat(bytes)));
    let longest = named(MAX_KID_BYTES);
    assert_eq!(UnverifiedJws::parse(&longest).ok().and_then(|jws| jws.kid().map(str::len)), Some(256));
    let payload = MAX_TOKEN_BYTES - head.len() - ".AAAA".len() - 1;
    // A length of 1 modulo 4 is no base64url.
    let payload = if payload % 4 == 1 { payload - 1 } else { payload };
    let signature = "A".repeat(MAX_TOKEN_BYTES - head.len() - payload - 2);
    let whole = format!("{head}.{}.{signature}", "A".repeat(payload));
    assert_eq!((whole.len(), error(&whole)), (16_384, None));
}
