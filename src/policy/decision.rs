//! What becomes of a request: a permit, or a denial with its reason.

use super::{PathError, Policy, Principal, Requirement, Route, RouteIndex};
use crate::token::Fingerprint;
use http::{Method, StatusCode};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// What becomes of a request.
#[derive(Debug)]
pub enum Decision {
    /// It may pass.
    Allow(Permit),
    /// It is refused.
    Deny(Denial),
}

impl Decision {
    /// The permit, if there is one.
    pub fn permit(&self) -> Option<&Permit> {
        match self {
            Self::Allow(permit) => Some(permit),
            Self::Deny(_) => None,
        }
    }

    /// The denial, if there is one.
    pub fn denial(&self) -> Option<&Denial> {
        match self {
            Self::Allow(_) => None,
            Self::Deny(denial) => Some(denial),
        }
    }
}

/// Proof that a request meets what its route asks. Cloning it is cheap.
///
/// It is made where that is judged, and nowhere else; a door can't forward a request without one.
#[derive(Clone)]
pub struct Permit {
    policy: Arc<Policy>,
    route: RouteIndex,
    principal: Option<Principal>,
    token: Option<Fingerprint>,
    degraded: bool,
}

impl Permit {
    /// The one constructor. Whoever calls it asserts that the route's requirement is met.
    pub(super) fn assertion(policy: &Arc<Policy>, route: RouteIndex, principal: Option<Principal>) -> Self {
        Self { policy: policy.clone(), route, principal, token: None, degraded: false }
    }

    /// For a CORS preflight on a route that forwards them: nobody in particular may pass.
    pub(crate) fn preflight(policy: &Arc<Policy>, route: RouteIndex) -> Self {
        Self::assertion(policy, route, None)
    }

    /// The caller; `None` on a public route, and for a CORS preflight.
    pub fn principal(&self) -> Option<&Principal> {
        self.principal.as_ref()
    }

    /// The route that permits it.
    pub fn route(&self) -> Option<&Route> {
        self.policy.routes().get(self.route)
    }

    /// Whether `Authorization` is passed on: where the route says so, and what is in it was judged; or the route is public, and says so of
    /// whatever a caller puts there. Never with a preflight, of which Fetch knows no credentials.
    #[inline]
    pub fn forwards_authorization(&self) -> bool {
        self.route().is_some_and(|route| {
            let judged = self.principal.is_some() || matches!(route.requirement, Requirement::Public);
            route.handling.forward_authorization && judged
        })
    }

    /// That route's place in the table.
    pub fn route_index(&self) -> RouteIndex {
        self.route
    }

    /// The policy in whose name it is permitted.
    pub fn policy(&self) -> &Arc<Policy> {
        &self.policy
    }

    /// Whether the caller's token was taken on an older word of its issuer, because the issuer can't be reached and its
    /// configuration grants a grace.
    pub fn degraded(&self) -> bool {
        self.degraded
    }

    pub(crate) fn mark_degraded(mut self) -> Self {
        self.degraded = true;
        self
    }

    pub(crate) fn about(mut self, token: Fingerprint) -> Self {
        self.token = Some(token);
        self
    }

    /// The name by which logs speak of the caller's token; `None` where none was looked at.
    pub fn token(&self) -> Option<Fingerprint> {
        self.token
    }
}

impl fmt::Debug for Permit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut permit = f.debug_struct("Permit");
        permit.field("route", &self.route().map(|route| &route.template)).field("principal", &self.principal);
        permit.finish_non_exhaustive()
    }
}

/// A refusal: its reason, and what the answer needs to explain it.
#[derive(Clone)]
pub struct Denial {
    reason: Reason,
    policy: Arc<Policy>,
    route: Option<RouteIndex>,
    token: Option<Fingerprint>,
    detail: Detail,
}

/// What one reason or another needs beside its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Detail {
    None,
    Methods(Vec<Method>),
    Scopes(Box<str>),
    RetryAfter(Duration),
    Path(PathError),
}

impl Denial {
    pub(crate) fn new(reason: Reason, policy: &Arc<Policy>) -> Self {
        Self { reason, policy: policy.clone(), route: None, token: None, detail: Detail::None }
    }

    pub(crate) fn on(mut self, route: RouteIndex) -> Self {
        self.route = Some(route);
        self
    }

    pub(crate) fn about(mut self, token: Fingerprint) -> Self {
        self.token = Some(token);
        self
    }

    pub(crate) fn allowing(mut self, methods: Vec<Method>) -> Self {
        self.detail = Detail::Methods(methods);
        self
    }

    pub(crate) fn wanting(mut self, scopes: &str) -> Self {
        self.detail = Detail::Scopes(scopes.into());
        self
    }

    pub(crate) fn retry_after(mut self, after: Duration) -> Self {
        self.detail = Detail::RetryAfter(after);
        self
    }

    pub(crate) fn because(mut self, error: PathError) -> Self {
        self.detail = Detail::Path(error);
        self
    }

    /// Why.
    pub fn reason(&self) -> Reason {
        self.reason
    }

    /// What is wrong with the request target, if that is why: for whoever runs the gate, as the caller is told the reason alone.
    pub fn path_error(&self) -> Option<PathError> {
        match self.detail {
            Detail::Path(error) => Some(error),
            _ => None,
        }
    }

    /// The route that the request would have taken, if that was found out.
    pub fn route(&self) -> Option<&Route> {
        self.policy.routes().get(self.route?)
    }

    /// The name by which logs speak of the caller's token; `None` where none was looked at.
    pub fn token(&self) -> Option<Fingerprint> {
        self.token
    }

    /// The scopes that would have been enough, space-delimited, where scopes are what is missing.
    pub fn scopes(&self) -> Option<&str> {
        match &self.detail {
            Detail::Scopes(scopes) => Some(scopes),
            _ => None,
        }
    }

    pub(super) fn policy(&self) -> &Policy {
        &self.policy
    }

    pub(super) fn detail(&self) -> &Detail {
        &self.detail
    }
}

impl fmt::Debug for Denial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut denial = f.debug_struct("Denial");
        denial.field("reason", &self.reason).field("route", &self.route().map(|route| &route.template));
        denial.field("detail", &self.detail).finish_non_exhaustive()
    }
}

/// Whose fault a refusal is, which decides its status and challenge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The request can't be judged: 400.
    Request,
    /// No credentials came: 401, without an error code (RFC 6750 section 3.1).
    NoCredentials,
    /// The credentials are malformed: 400 `invalid_request`.
    Credentials,
    /// The token is not valid here: 401 `invalid_token`.
    Token,
    /// The token lacks a scope: 403 `insufficient_scope`.
    Scope,
    /// The token is valid, but not for this: 403 `insufficient_scope`, the one error that RFC 6750 section 3.1 has for it. No scope is
    /// named, for none would help.
    Forbidden,
    /// There is nothing at this place: 404.
    Place,
    /// There is, but not by this method: 405.
    Method,
    /// Not the caller's fault: 503.
    Ours,
}

macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $fault:ident, $text:literal;)*) => {
        /// Why a request is refused. Its [`code`](Self::code) is stable: logs, metrics and answers name it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Reason {
            $($(#[$doc])* $name,)*
        }

        impl Reason {
            /// Every reason.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The stable code.
            pub const fn code(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }

            /// Whose fault it is.
            pub const fn fault(self) -> Fault {
                match self { $(Self::$name => Fault::$fault,)* }
            }

            /// A sentence for the caller, in ASCII without `"` and `\` (RFC 6750 section 3, `error_description`).
            pub const fn description(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }
    };
}

reasons! {
    /// The target is no canonical path.
    PathAmbiguous = "path_ambiguous", Request, "the request target can be read in more than one way";
    /// The target is longer than 8 KiB.
    TargetTooLong = "target_too_long", Request, "the request target is too long";
    /// The query has an `access_token`.
    TokenInQuery = "token_in_query", Credentials, "a token belongs in the Authorization header, not in the query";
    /// No route is for this place.
    NoRoute = "no_route", Place, "there is nothing here";
    /// Routes for this place are for other methods.
    MethodNotAllowed = "method_not_allowed", Method, "this method is not allowed here";
    /// No credentials.
    TokenMissing = "token_missing", NoCredentials, "an access token is needed";
    /// An `Authorization` scheme that carries no access token.
    SchemeUnsupported = "scheme_unsupported", NoCredentials, "an access token is needed, as Bearer";
    /// More than one `Authorization` field.
    AuthorizationRepeated = "authorization_repeated", Credentials, "there is more than one Authorization field";
    /// An `Authorization` field that is not a scheme, a space and a token.
    AuthorizationMalformed = "authorization_malformed", Credentials, "the Authorization field is malformed";
    /// A token of more than 16 KiB.
    TokenTooLong = "token_too_long", Credentials, "the token is too long";
    /// A JWE.
    TokenEncrypted = "token_encrypted", Token, "encrypted tokens (JWE) are not taken here";
    /// Not a well-formed compact JWS.
    TokenMalformed = "token_malformed", Token, "the token is malformed";
    /// A JOSE header with `crit` or `b64`.
    TokenCritical = "token_critical", Token, "the token demands an extension that is not known here";
    /// An algorithm that its issuer is not allowed, or that its key is not for.
    AlgorithmNotAllowed = "algorithm_not_allowed", Token, "the token's algorithm is not allowed";
    /// `iss` is no configured issuer, missing, or not a string.
    IssuerUnknown = "issuer_unknown", Token, "the token's issuer is not known here";
    /// A token of Okta's org authorization server.
    OrgAuthorizationServer = "org_authorization_server", Token,
        "tokens of the org authorization server are for Okta alone; ask a custom authorization server for one";
    /// An issuer whose tokens this route does not take.
    IssuerNotForRoute = "issuer_not_for_route", Token, "tokens of this issuer are not taken here";
    /// A key that the issuer's key set lacks.
    KeyUnknown = "key_unknown", Token, "the key that signed the token is not known";
    /// The signature does not verify.
    Signature = "signature_invalid", Token, "the token's signature does not verify";
    /// The claims are not one JSON object, or one has the wrong type.
    ClaimsMalformed = "claims_malformed", Token, "the token's claims are malformed";
    /// Not an access token, by its `typ` or another mark of its kind.
    TypeNotAccess = "type_not_access", Token, "the token is not an access token";
    /// An ID token.
    IdToken = "id_token", Token, "an ID token is no access token";
    /// A claim that the profile demands is missing.
    ClaimMissing = "claim_missing", Token, "the token lacks a mandatory claim";
    /// No `exp`.
    ExpiryMissing = "expiry_missing", Token, "the token does not say when it expires";
    /// Past `exp`.
    Expired = "token_expired", Token, "the token has expired";
    /// Before `nbf`.
    NotYetValid = "token_not_yet_valid", Token, "the token is not yet valid";
    /// `iat` lies in the future.
    IssuedInFuture = "token_issued_in_future", Token, "the token was issued in the future";
    /// No audience of this route.
    Audience = "audience_mismatch", Token, "the token is not meant for this API";
    /// A client whose tokens are not taken.
    Client = "client_not_allowed", Token, "the token was issued to a client that is not allowed here";
    /// A lifetime beyond the route's cap.
    LifetimeTooLong = "lifetime_too_long", Token, "the token lives longer than is allowed here";
    /// Bound to a key or certificate that the caller did not show.
    Binding = "binding_not_shown", Token, "the token is bound to a key that was not shown";
    /// Revoked here.
    Revoked = "token_revoked", Token, "the token has been revoked";
    /// The issuer says that it is not active.
    Inactive = "token_inactive", Token, "the token is not active";
    /// An opaque token, and no issuer to ask.
    OpaqueNotTaken = "opaque_not_taken", Token, "opaque tokens are not taken here";
    /// A required scope is missing.
    Scope = "insufficient_scope", Scope, "the token lacks a scope";
    /// A condition on the claims does not hold.
    Claim = "claim_mismatch", Forbidden, "the token does not allow this";
    /// No key set was ever loaded.
    KeysUnavailable = "keys_unavailable", Ours, "the issuer's keys are not available";
    /// The introspection endpoint gave no usable answer.
    IntrospectionUnavailable = "introspection_unavailable", Ours, "the issuer can't be asked about the token";
}

impl Reason {
    /// The status of the answer (RFC 6750 section 3.1).
    pub const fn status(self) -> StatusCode {
        match self.fault() {
            Fault::Request => match self {
                Self::TargetTooLong => StatusCode::URI_TOO_LONG,
                _ => StatusCode::BAD_REQUEST,
            },
            Fault::Credentials => StatusCode::BAD_REQUEST,
            Fault::NoCredentials | Fault::Token => StatusCode::UNAUTHORIZED,
            Fault::Scope | Fault::Forbidden => StatusCode::FORBIDDEN,
            Fault::Place => StatusCode::NOT_FOUND,
            Fault::Method => StatusCode::METHOD_NOT_ALLOWED,
            Fault::Ours => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// The error code of the challenge (RFC 6750 section 3.1), if there is one.
    pub const fn error(self) -> Option<&'static str> {
        match self.fault() {
            Fault::Credentials => Some("invalid_request"),
            Fault::Token => Some("invalid_token"),
            Fault::Scope | Fault::Forbidden => Some("insufficient_scope"),
            _ => None,
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::fixtures::{any_token, permit, policy, principal};
    use crate::policy::{RouteTable, Template};
    use serde_json::json;

    #[test]
    fn codes_are_unique_and_descriptions_fit_a_challenge() {
        for (i, reason) in Reason::ALL.iter().enumerate() {
            assert!(Reason::ALL.iter().skip(i + 1).all(|other| other.code() != reason.code()), "{reason}");
            let plain = |c: char| (' '..='~').contains(&c) && c != '"' && c != '\\';
            assert!(reason.description().chars().all(plain), "{reason}");
            assert_eq!(reason.to_string(), reason.code());
        }
    }

    #[test]
    fn a_decision_is_a_permit_or_a_denial() {
        let (policy, index) = policy("/a", Requirement::Public);
        let permit = permit(Some(principal(json!({"sub": "alice"}))));
        assert_eq!(permit.principal().and_then(Principal::subject), Some("alice"));
        assert_eq!(permit.route().map(|route| route.template.as_str()), Some("/a"));
        assert_eq!(permit.policy().routes().len(), 1);
        assert!(!permit.degraded() && permit.clone().mark_degraded().degraded());
        let print = Fingerprint::of("token");
        assert_eq!((permit.token(), permit.clone().about(print).token()), (None, Some(print)));
        let denial = Denial::new(Reason::Expired, &policy);
        assert_eq!((denial.token(), denial.about(print).token()), (None, Some(print)));
        let allowed = Decision::Allow(permit);
        assert!(allowed.permit().is_some() && allowed.denial().is_none());
        let refused = Decision::Deny(Denial::new(Reason::Expired, &policy).on(index));
        assert!(refused.permit().is_none());
        assert_eq!(refused.denial().map(Denial::reason), Some(Reason::Expired));
    }

    #[test]
    fn credentials_that_nobody_has_judged_leave_from_public_routes_alone() {
        let alice = || Some(principal(json!({"sub": "alice"})));
        for (says_so, requirement, caller, expected) in [
            (true, Requirement::Token(any_token()), alice(), true),
            (true, Requirement::Public, None, true),
            (true, Requirement::Token(any_token()), None, false),
            (false, Requirement::Token(any_token()), alice(), false),
            (false, Requirement::Public, None, false),
        ] {
            let mut routes = RouteTable::builder();
            let mut route = Route::new(Template::parse("/a").unwrap(), requirement);
            route.handling.forward_authorization = says_so;
            let index = routes.add(route).unwrap();
            let permit = Permit::assertion(&Arc::new(Policy::new(routes.build(), [])), index, caller);
            assert_eq!(permit.forwards_authorization(), expected, "{permit:?}");
        }
    }

    #[test]
    fn a_denial_says_what_it_is_about() {
        let (policy, index) = policy("/a", Requirement::Public);
        let bare = Denial::new(Reason::Scope, &policy);
        assert!(bare.route().is_none() && bare.scopes().is_none());
        let full = bare.clone().on(index).wanting("a b");
        assert_eq!(full.route().map(|route| route.template.as_str()), Some("/a"));
        assert_eq!(full.scopes(), Some("a b"));
        assert_eq!(bare.clone().allowing(vec![Method::GET]).detail(), &Detail::Methods(vec![Method::GET]));
        let path = bare.clone().because(PathError::Case);
        assert_eq!((path.path_error(), bare.path_error()), (Some(PathError::Case), None));
        let shown = format!("{full:?}");
        assert!(shown.contains("Scope") && shown.contains("/a") && shown.contains("a b"), "{shown}");
    }

    #[test]
    fn what_is_shown_of_a_permit_tells_the_route_and_no_claims() {
        let shown = format!("{:?}", permit(Some(principal(json!({"sub": "alice", "tenant": "acme"})))));
        assert!(shown.starts_with("Permit") && shown.contains("/a"), "{shown}");
        assert!(!shown.contains("alice") && !shown.contains("acme"), "{shown}");
    }
}
