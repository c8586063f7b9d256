use super::*;
use crate::policy::fixtures::principal;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{HeaderMap, Method};
use serde_json::json;

#[test]
fn a_bound_token_passes_with_what_it_is_bound_to_and_not_otherwise() {
    let print = |byte: u8| URL_SAFE_NO_PAD.encode([byte; 32]);
    let (ours, refused) = (Some([7; 32]), Err(Reason::Binding));
    let cases = [
        // Not bound: a plain bearer token, whatever the connection.
        (json!({}), Scheme::Bearer, None, Ok(())),
        (json!({}), Scheme::Bearer, ours, Ok(())),
        // RFC 9449 section 7.1: a DPoP scheme needs a bound token, and a proof.
        (json!({}), Scheme::Dpop, None, refused),
        // RFC 8705 section 3: the very certificate.
        (json!({"cnf": {"x5t#S256": print(7)}}), Scheme::Bearer, ours, Ok(())),
        (json!({"cnf": {"x5t#S256": print(8)}}), Scheme::Bearer, ours, refused),
        (json!({"cnf": {"x5t#S256": print(7)}}), Scheme::Bearer, None, refused),
        (json!({"cnf": {"x5t#S256": print(7)}}), Scheme::Dpop, ours, refused),
        (json!({"cnf": {"x5t#S256": ""}}), Scheme::Bearer, ours, refused),
        // RFC 9449 section 7.2: a DPoP-bound token is no bearer token.
        (json!({"cnf": {"jkt": print(7)}}), Scheme::Bearer, None, refused),
        (json!({"cnf": {"jkt": print(7)}}), Scheme::Bearer, ours, refused),
        (json!({"cnf": {"jkt": print(7)}}), Scheme::Dpop, ours, refused),
        // What is not understood, or is more than one thing, can't be shown to hold (RFC 7800 section 3.1).
        (json!({"cnf": {}}), Scheme::Bearer, ours, refused),
        (json!({"cnf": {"jwk": {"kty": "OKP"}}}), Scheme::Bearer, ours, refused),
        (json!({"cnf": {"kid": "a"}}), Scheme::Bearer, ours, refused),
        (json!({"cnf": {"x5t#S256": print(7), "jkt": print(7)}}), Scheme::Bearer, ours, refused),
        (json!({"cnf": {"x5t": print(7)}}), Scheme::Bearer, ours, refused),
    ];
    for (claims, scheme, certificate, expected) in cases {
        let headers = HeaderMap::new();
        let mut head = RequestHead::new(&Method::GET, b"/", &headers);
        head.client_certificate = certificate;
        let found = check(&principal(claims.clone()), scheme, &head);
        assert_eq!(found, expected, "{claims} {scheme:?} {certificate:?}");
    }
}
