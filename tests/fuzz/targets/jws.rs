//! The compact serialisation: RFC 7515 sections 4, 5.2 and 7.1.
//!
//! The input is a token, or the texts of header, payload and signature with a line `---` between them, which are then encoded:
//! so the fuzzer needs no base64url to get at the header.

use super::json::Members;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use std::borrow::Cow;
use tollgate::token::{JwsError, MAX_KID_BYTES, MAX_TOKEN_BYTES, Shape, UnverifiedJws};

/// What is taken is exactly what the rules allow, it says what it says, and it can be spelled in no other way.
pub fn check(data: &[u8]) {
    let Some(token) = token(data) else { return };
    let expected = Expected::of(&token);
    let (jws, expected) = match (UnverifiedJws::parse(&token), expected) {
        (Ok(jws), Some(expected)) => (jws, expected),
        (Err(error), None) => {
            let jwe = token.bytes().filter(|byte| *byte == b'.').count() == 4;
            return assert_eq!(error == JwsError::Jwe, jwe && token.len() <= MAX_TOKEN_BYTES, "{token}");
        }
        (Ok(_), None) => panic!("taken against the rules: {token}"),
        (Err(error), Some(_)) => panic!("refused against the rules, {error}: {token}"),
    };
    assert_eq!(jws.alg(), expected.alg);
    assert_eq!(jws.kid(), expected.kid.as_deref());
    assert_eq!(jws.typ(), expected.typ.as_deref());
    let encoded = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let (input, signature) = token.rsplit_once('.').expect("three parts");
    let (_, payload) = input.split_once('.').expect("three parts");
    assert_eq!(jws.signing_input(), input, "what is verified is what came");
    assert_eq!(encoded(jws.payload()), payload, "one spelling");
    assert_eq!(encoded(jws.signature()), signature, "one spelling");
    // What is a signed token is never shown to an issuer as an opaque one.
    assert_eq!(Shape::of(&token), Shape::Jws);
}

fn token(data: &[u8]) -> Option<Cow<'_, str>> {
    match super::parts(data)[..] {
        [token] => std::str::from_utf8(token).ok().map(Cow::Borrowed),
        [header, payload, signature] => {
            let parts = [header, payload, signature].map(|part| URL_SAFE_NO_PAD.encode(part));
            Some(Cow::Owned(parts.join(".")))
        }
        _ => None,
    }
}

/// What an acceptable token says.
struct Expected {
    alg: String,
    kid: Option<String>,
    typ: Option<String>,
}

impl Expected {
    fn of(token: &str) -> Option<Self> {
        let parts: Vec<Vec<u8>> = token.split('.').map(canonical).collect::<Option<_>>()?;
        let [header, payload, signature] = &parts[..] else { return None };
        let sizes = token.len() <= MAX_TOKEN_BYTES && signature.len() <= 1024;
        if !sizes || payload.is_empty() || signature.is_empty() {
            return None;
        }
        let header = Members::unique(header)?;
        let kid = header.string("kid").ok()?;
        let fits = kid.as_ref().is_none_or(|kid| kid.len() <= MAX_KID_BYTES);
        // No extension is understood.
        let plain = header.get("crit").is_none() && header.get("b64").is_none();
        let (alg, typ) = (header.string("alg").ok()??, header.string("typ").ok()?);
        (fits && plain).then_some(Self { alg, kid, typ })
    }
}

/// The bytes of a part that is spelled as an encoder spells it.
fn canonical(part: &str) -> Option<Vec<u8>> {
    let bytes = URL_SAFE_NO_PAD.decode(part).ok()?;
    (URL_SAFE_NO_PAD.encode(&bytes) == part).then_some(bytes)
}
