//! Introspection answers: RFC 7662 section 2.2, and signed ones, RFC 9701 section 5.
//!
//! The input is an answer; or the texts of header and payload with a line `---` between them, which the issuer then signs:
//! so what stands in a signed answer is judged too, and not its signature alone.

use super::json::Members;
use std::sync::LazyLock;
use tollgate::proof::{
    Algorithm, Introspected, IntrospectionError, IssuerName, KeySet, Provenance, SignedIntrospection,
    read_introspection, read_signed_introspection,
};
use tollgate::testing::Issuer;
use tollgate::time::UnixTime;
use tollgate::token::Claims;

/// There are facts only where the issuer says `"active": true`; if that is to be signed, in a sound answer of its own, to us.
pub fn check(data: &[u8]) {
    match super::parts(data)[..] {
        [answer] => {
            plain(answer);
            if let Ok(token) = std::str::from_utf8(answer) {
                assert!(signed(token).is_err(), "nobody signed that");
            }
        }
        [header, payload] => {
            let Ok(header) = std::str::from_utf8(header) else { return };
            let token = ISSUER.token().raw_header(header).raw_payload(payload);
            if let Ok(read) = signed(&token.sign()) {
                is_for_us(header, payload);
                let payload = Members::unique(payload).expect("an object");
                judge(payload.get("token_introspection").expect("an answer").as_bytes(), Ok(read));
            }
            assert!(signed(&token.tampered().sign()).is_err(), "a signature of another text");
        }
        _ => {}
    }
}

fn plain(answer: &[u8]) {
    judge(answer, read_introspection(answer, &name(), AT));
}

fn judge(answer: &[u8], read: Result<Introspected, IntrospectionError>) {
    let active = Members::unique(answer).and_then(|members| members.get("active"));
    match read {
        Ok(Introspected::Active(facts)) => {
            assert_eq!(active, Some("true"), "only the JSON boolean");
            assert_eq!(facts.claims().as_json().as_bytes(), answer, "what it said is kept");
            assert_eq!(*facts.provenance(), Provenance::Introspected { issuer: name(), at: AT });
            assert_eq!(facts.typ(), None);
        }
        Ok(Introspected::Inactive) => assert_eq!(active, Some("false"), "only the JSON boolean"),
        Err(IntrospectionError::Claims(error)) => {
            assert_eq!(active, Some("true"));
            assert_eq!(Claims::parse(answer).err(), Some(error));
        }
        Err(error) => assert!(!matches!(active, Some("true" | "false")), "{error}"),
    }
}

fn signed(token: &str) -> Result<Introspected, IntrospectionError> {
    let expected = SignedIntrospection {
        issuer: &name(),
        keys: &KEYS,
        algorithms: Algorithm::ALL.into_iter().collect(),
        client_id: "gate",
        at: AT,
    };
    read_signed_introspection(token, &expected)
}

/// RFC 9701 section 5: `typ`, `iss` and `aud` of an answer that is taken.
fn is_for_us(header: &str, payload: &[u8]) {
    let header = Members::unique(header.as_bytes()).expect("an object");
    let typ = header.string("typ").expect("a string").expect("it is there").to_ascii_lowercase();
    assert!(["token-introspection+jwt", "application/token-introspection+jwt"].contains(&&*typ), "{typ}");
    assert!(header.get("crit").is_none() && header.get("b64").is_none());
    let algorithm = header.string("alg").expect("a string").expect("it is there");
    assert!(["EdDSA", "Ed25519"].contains(&&*algorithm), "{algorithm}");
    let payload = Members::unique(payload).expect("an object");
    assert_eq!(payload.string("iss").expect("a string").as_deref(), Some(ISSUER.name()));
    let audience = payload.get("aud").expect("it is there");
    let one: Option<String> = serde_json::from_str(audience).ok();
    let many: Option<Vec<String>> = serde_json::from_str(audience).ok();
    assert!(one.into_iter().chain(many.into_iter().flatten()).any(|audience| audience == "gate"));
}

fn name() -> IssuerName {
    IssuerName::new(ISSUER.name())
}

static ISSUER: LazyLock<Issuer> =
    LazyLock::new(|| Issuer::with_algorithm("https://as.test/", Algorithm::EdDSA));
static KEYS: LazyLock<KeySet> = LazyLock::new(|| ISSUER.key_set());

const AT: UnixTime = UnixTime::from_secs(1_767_225_600);
