//! How an endpoint says no: RFC 6749 section 5.2.

use super::endpoints::{Answer, json};
use http::{HeaderValue, StatusCode, header};

/// An error answer of a token, introspection or revocation endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OAuthError {
    InvalidRequest(&'static str),
    InvalidClient,
    InvalidGrant(&'static str),
    UnauthorizedClient,
    UnsupportedGrantType,
    InvalidScope(&'static str),
}

impl OAuthError {
    fn code(self) -> &'static str {
        match self {
            Self::InvalidRequest(_) => "invalid_request",
            Self::InvalidClient => "invalid_client",
            Self::InvalidGrant(_) => "invalid_grant",
            Self::UnauthorizedClient => "unauthorized_client",
            Self::UnsupportedGrantType => "unsupported_grant_type",
            Self::InvalidScope(_) => "invalid_scope",
        }
    }

    fn description(self) -> &'static str {
        match self {
            Self::InvalidRequest(text) | Self::InvalidGrant(text) | Self::InvalidScope(text) => text,
            Self::InvalidClient => "there is no such client, or this is not its secret",
            Self::UnauthorizedClient => "this client is granted nothing at this authorization server",
            Self::UnsupportedGrantType => "the only grant type here is client_credentials",
        }
    }

    pub(super) fn answer(self) -> Answer {
        let status =
            if self == Self::InvalidClient { StatusCode::UNAUTHORIZED } else { StatusCode::BAD_REQUEST };
        let body = serde_json::json!({"error": self.code(), "error_description": self.description()});
        let mut answer = json(status, &body);
        if status == StatusCode::UNAUTHORIZED {
            // RFC 9110 section 15.5.2 wants a challenge in every 401, however the client tried to authenticate.
            let challenge = HeaderValue::from_static("Basic realm=\"authorization server\"");
            answer.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        }
        answer
    }
}
