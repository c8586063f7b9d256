//! What a server says of itself: RFC 8414 section 2, OpenID Connect Discovery 3.

use super::server::Server;
use serde_json::{Value, json};

/// One document serves at both well-known places. As at Okta, it does not list the scopes that somebody added.
pub(super) fn document(server: &Server) -> Value {
    let issuer = server.issuer();
    let authentication = ["client_secret_basic", "client_secret_post"];
    json!({
        "issuer": issuer,
        "jwks_uri": format!("{issuer}/v1/keys"),
        "token_endpoint": format!("{issuer}/v1/token"),
        "introspection_endpoint": format!("{issuer}/v1/introspect"),
        "revocation_endpoint": format!("{issuer}/v1/revoke"),
        "grant_types_supported": ["client_credentials"],
        "response_types_supported": [],
        "token_endpoint_auth_methods_supported": authentication,
        "introspection_endpoint_auth_methods_supported": authentication,
        "revocation_endpoint_auth_methods_supported": authentication,
    })
}
