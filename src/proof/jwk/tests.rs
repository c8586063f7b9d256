use super::*;

const ED: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";

fn error(json: &str) -> Option<JwkError> {
    VerifyingKey::from_jwk(json.as_bytes()).err()
}

fn okp(more: &str) -> String {
    format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{ED}"{more}}}"#)
}

fn rsa(bytes: usize, e: &[u8]) -> String {
    let b64 = |b: &[u8]| URL_SAFE_NO_PAD.encode(b);
    format!(r#"{{"kty":"RSA","n":"{}","e":"{}"}}"#, b64(&vec![0xff; bytes]), b64(e))
}

#[test]
fn thumbprints_are_those_of_rfc_8037() {
    let key = VerifyingKey::from_jwk(okp("").as_bytes()).unwrap();
    assert_eq!(key.id().to_string(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    let other = VerifyingKey::from_jwk(okp(r#","kid":"a","alg":"EdDSA","use":"sig""#).as_bytes()).unwrap();
    assert_eq!(key.id(), other.id());
}

#[test]
fn what_the_members_say_is_kept_to() {
    for fine in
        [r#","use":"sig""#, r#","key_ops":["sign","verify"]"#, r#","alg":"Ed25519""#, r#","x5c":[1],"z":{}"#]
    {
        assert_eq!(error(&okp(fine)), None, "{fine}");
    }
    let cases = [
        (r#","use":"enc""#, JwkError::NotForSignatures),
        (r#","key_ops":["sign"]"#, JwkError::NotForSignatures),
        (r#","key_ops":[]"#, JwkError::NotForSignatures),
        (r#","alg":"RS256""#, JwkError::Algorithm),
        (r#","alg":"none""#, JwkError::Algorithm),
        (r#","d":"AA""#, JwkError::Private),
        (r#","kid":1"#, JwkError::Malformed),
        (r#","kid":null"#, JwkError::Malformed),
        (r#","kty":"OKP""#, JwkError::Malformed),
    ];
    for (more, expected) in cases {
        assert_eq!(error(&okp(more)), Some(expected), "{more}");
    }
    assert_eq!(error(&okp(&format!(r#","kid":"{}""#, "k".repeat(257)))), Some(JwkError::Kid));
}

#[test]
fn rsa_keys_have_a_sound_size_and_exponent() {
    let f4 = [1, 0, 1];
    assert_eq!(error(&rsa(256, &f4)), None);
    assert_eq!(error(&rsa(256, &[0, 1, 0, 1])), None, "leading zeros are taken off");
    assert_eq!(error(&rsa(1024, &f4)), None);
    assert_eq!(error(&rsa(256, &[1, 0xff, 0xff, 0xff, 0xff])), None, "33 bits");
    for (bytes, e, expected) in [
        (255, f4.as_slice(), JwkError::Modulus),
        (1025, &f4, JwkError::Modulus),
        (0, &f4, JwkError::Modulus),
        (256, &[1], JwkError::Exponent),
        (256, &[3], JwkError::Exponent),
        (256, &[1, 0, 0], JwkError::Exponent),
        (256, &[], JwkError::Exponent),
        (256, &[3, 0, 0, 0, 1], JwkError::Exponent),
        (256, &[1, 0, 2], JwkError::Exponent),
        (256, &[0xff, 0xff], JwkError::Exponent),
        (256, &[2, 0, 0, 0, 1], JwkError::Exponent),
        (256, &[1, 0, 0, 0, 0, 1], JwkError::Exponent),
    ] {
        assert_eq!(error(&rsa(bytes, e)), Some(expected), "{bytes} {e:?}");
    }
}

#[test]
fn points_lie_on_the_curve_and_are_not_of_small_order() {
    let zeros = URL_SAFE_NO_PAD.encode([0; 32]);
    let ec = format!(r#"{{"kty":"EC","crv":"P-256","x":"{zeros}","y":"{zeros}"}}"#);
    assert_eq!(error(&ec), Some(JwkError::Point));
    assert_eq!(error(&ec.replace("P-256", "P-384")), Some(JwkError::Point), "wrong length");
    for y in SMALL_ORDER_Y {
        let mut signed = y;
        signed[31] |= 0x80;
        for point in [y, signed] {
            let jwk = format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{}"}}"#, URL_SAFE_NO_PAD.encode(point));
            assert_eq!(error(&jwk), Some(JwkError::Point), "{point:?}");
        }
    }
}

#[test]
fn other_types_are_named() {
    assert_eq!(error(r#"{"kty":"oct","k":"AAAA"}"#), Some(JwkError::Symmetric));
    for other in [
        r#"{"kty":"EC","crv":"P-521"}"#,
        r#"{"kty":"EC","crv":"secp256k1"}"#,
        r#"{"kty":"AKP"}"#,
        r#"{"kty":"OKP","crv":"Ed448"}"#,
    ] {
        assert_eq!(error(other), Some(JwkError::Type), "{other}");
    }
    for bad in ["{}", "[]", "1", r#"{"kty":1}"#, r#"{"kty":"RSA"}"#, r#"{"kty":"RSA","n":"+","e":"AQAB"}"#] {
        assert_eq!(error(bad), Some(JwkError::Malformed), "{bad}");
    }
}

#[test]
fn a_modulus_is_odd_has_2048_bits_and_is_not_marked_as_weak() {
    let modulus = |first: u8, last: u8| {
        let mut n = vec![0xff; 256];
        (n[0], n[255]) = (first, last);
        format!(r#"{{"kty":"RSA","n":"{}","e":"AQAB"}}"#, URL_SAFE_NO_PAD.encode(n))
    };
    assert_eq!(error(&modulus(0x80, 1)), None);
    assert_eq!(error(&modulus(0x7f, 1)), Some(JwkError::Modulus), "2047 bits");
    assert_eq!(error(&modulus(0x80, 2)), Some(JwkError::Modulus), "even");
    // One more than a multiple of every small prime is a power of 65537 modulo each of them.
    let multiple: u128 =
        [11, 13, 17, 19, 37, 53, 61, 71, 73, 79, 97, 103, 107, 109, 127, 151, 157].iter().product();
    let marked = [multiple.to_be_bytes().as_slice(), &[0; 255], &[1]].concat();
    let jwk = format!(r#"{{"kty":"RSA","n":"{}","e":"AQAB"}}"#, URL_SAFE_NO_PAD.encode(marked));
    assert_eq!(error(&jwk), Some(JwkError::Weak));
}

#[test]
fn a_published_private_key_is_refused_whichever_part_of_it_is_there() {
    for member in ["d", "p", "q", "dp", "dq", "qi", "oth"] {
        assert_eq!(error(&okp(&format!(r#","{member}":null"#))), Some(JwkError::Private), "{member}");
    }
}

#[test]
fn a_key_tells_what_it_is() {
    let key = VerifyingKey::from_jwk(okp(r#","kid":"a""#).as_bytes()).unwrap();
    assert_eq!((key.kid(), key.key_type()), (Some("a"), KeyType::Ed25519));
    assert_eq!(key.algorithms().iter().collect::<Vec<_>>(), [Algorithm::EdDSA]);
    let shown = format!("{key:?}");
    assert!(
        shown.contains("kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k") && shown.contains("EdDSA"),
        "{shown}"
    );
    let longest = "k".repeat(256);
    assert_eq!(error(&okp(&format!(r#","kid":"{longest}""#))), None);
    // RFC 7638 section 3.1.
    let n = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";
    let key = VerifyingKey::from_jwk(format!(r#"{{"kty":"RSA","n":"{n}","e":"AQAB"}}"#).as_bytes()).unwrap();
    assert_eq!(key.id().to_string(), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
    assert_eq!(key.algorithms().iter().count(), 6);
}

#[test]
fn the_points_whose_order_divides_four_are_refused_by_their_bytes() {
    // 0 (order 4), 1 (the neutral element) and -1 (order 2), and what is the same modulo p = 2^255 - 19.
    let ends =
        [(0x00, 0x00, 0x00), (0x01, 0x00, 0x00), (0xec, 0xff, 0x7f), (0xed, 0xff, 0x7f), (0xee, 0xff, 0x7f)];
    for (first, middle, last) in ends {
        let y = [&[first], [middle; 30].as_slice(), &[last]].concat();
        let jwk = format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{}"}}"#, URL_SAFE_NO_PAD.encode(y));
        assert_eq!(error(&jwk), Some(JwkError::Point), "{first:x}");
    }
}
