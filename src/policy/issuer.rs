//! One issuer's rules, and the judgement whether its facts hold for a request now: RFC 7519 section 4.1, RFC 9068 section 4,
//! RFC 8725 sections 3.8 to 3.12.

use super::profile::Mandatory;
use super::{Principal, Profile, Reason, Rules};
use crate::proof::{AlgorithmSet, IssuerName, Provenance, Verified};
use crate::time::UnixTime;
use crate::token::ClientClaim;
use std::sync::Arc;
use std::time::Duration;

/// What tokens of one issuer must be like.
#[derive(Clone, Debug)]
pub struct IssuerRules {
    /// The issuer identifier, byte for byte as in `iss`.
    pub name: IssuerName,
    /// The shape of its tokens.
    pub profile: Profile,
    /// The algorithms that it may sign with.
    pub algorithms: AlgorithmSet,
    /// The audiences, of which a token must name one. Empty only where the profile's tokens may lack `aud`.
    pub audiences: Box<[Box<str>]>,
    /// The clients whose tokens are taken; `None` for any.
    pub clients: Option<Box<[Box<str>]>>,
    /// The claims that name the client: the first that a token has counts.
    pub client_claims: Box<[ClientClaim]>,
    /// How far clocks may differ when `exp`, `nbf` and `iat` are judged: at most [`MAX_LEEWAY`](Self::MAX_LEEWAY).
    pub leeway: Duration,
    /// How signed tokens are proven.
    pub jwts: JwtMode,
    /// Which opaque tokens are asked about; `None` if the issuer has no introspection endpoint.
    pub opaque: Option<OpaqueRules>,
    /// What introspection answers of this issuer may lack.
    pub missing: Missing,
}

/// How an issuer's signed tokens are proven.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum JwtMode {
    /// By their signature.
    #[default]
    Signature,
    /// By their signature, and by asking the issuer whether they are still active.
    SignatureAndIntrospection,
}

/// Which opaque tokens an issuer is asked about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OpaqueRules {
    /// Shorter tokens are refused without asking, in bytes.
    pub min_length: usize,
    /// Tokens that begin with one of these are this issuer's, whatever the route says.
    pub prefixes: Box<[Box<str>]>,
}

/// What the introspection answers of an issuer may lack although it is asked for. Each of them gives up a check, but not what a route
/// asks for by itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Missing {
    /// `aud`.
    pub audience: bool,
    /// The client's name.
    pub client: bool,
}

impl IssuerRules {
    /// The default leeway: 30 s.
    pub const DEFAULT_LEEWAY: Duration = Duration::from_secs(30);
    /// The longest leeway: 300 s.
    pub const MAX_LEEWAY: Duration = Duration::from_secs(300);

    /// The rules of an issuer with this profile's defaults, which takes tokens of any client for these audiences.
    pub fn new(issuer: &str, profile: Profile, audiences: &[&str]) -> Self {
        Self {
            name: IssuerName::new(issuer),
            profile,
            algorithms: profile.algorithms(),
            audiences: audiences.iter().map(|audience| (*audience).into()).collect(),
            clients: None,
            client_claims: profile.client_claims().into(),
            leeway: Self::DEFAULT_LEEWAY,
            jwts: JwtMode::default(),
            opaque: None,
            missing: Missing::default(),
        }
    }

    /// Whether `issuer`, which no configuration names, is the org authorization server beside this custom one.
    ///
    /// Okta's org authorization server is `https://{domain}`, its custom ones `https://{domain}/oauth2/{id}`. The org server's
    /// access tokens are for Okta alone, and no one else can validate them.
    pub fn is_org_server_of(&self, issuer: &str) -> bool {
        self.profile == Profile::Okta
            && self.name.as_str().strip_prefix(issuer).is_some_and(|rest| rest.starts_with("/oauth2/"))
    }

    /// Judges facts for a route at an instant.
    ///
    /// In this order, the first that does not hold is the answer:
    /// 1. the route takes tokens of this issuer, and `iss` is it;
    /// 2. its algorithm is allowed, and it is an access token: `typ`, no ID token, no event, no other kind;
    /// 3. `nbf`, `iat` and `exp`, give or take the leeway; `exp` is mandatory for a signed token;
    /// 4. the profile's mandatory claims;
    /// 5. `aud` names one of the route's audiences, or the issuer's where the route has none of its own;
    /// 6. the client is one of the issuer's, and one of the route's;
    /// 7. the lifetime, `exp - iat`, is within the route's cap.
    ///
    /// # Errors
    /// The [`Reason`] to refuse the token.
    pub fn admit(&self, facts: Arc<Verified>, rules: &Rules, now: UnixTime) -> Result<Principal, Reason> {
        self.check_issuer(&facts, rules)?;
        self.check_kind(&facts)?;
        self.check_times(&facts, now)?;
        let client_claim = self.client_claim(&facts);
        let client = client_claim.and_then(|claim| facts.claims().client(claim));
        self.check_mandatory(&facts, client)?;
        self.check_audience(&facts, rules)?;
        self.check_client(&facts, client, rules)?;
        check_lifetime(&facts, rules)?;
        Ok(Principal::assertion(facts, client_claim))
    }

    fn check_issuer(&self, facts: &Verified, rules: &Rules) -> Result<(), Reason> {
        let same = match (facts.claims().issuer(), facts.provenance()) {
            (Some(issuer), _) => issuer == self.name.as_str(),
            // RFC 7662 section 2.2: `iss` is optional in an answer, which comes from the issuer itself.
            (None, Provenance::Introspected { .. }) => true,
            (None, Provenance::Signed { .. }) => false,
        };
        if !same || facts.issuer() != &self.name {
            return Err(Reason::IssuerUnknown);
        }
        match &rules.issuers {
            Some(issuers) if !issuers.contains(&self.name) => Err(Reason::IssuerNotForRoute),
            _ => Ok(()),
        }
    }

    fn check_kind(&self, facts: &Verified) -> Result<(), Reason> {
        use crate::token::KindClaim;
        let claims = facts.claims();
        if let Provenance::Signed { algorithm, .. } = facts.provenance() {
            if !self.algorithms.contains(*algorithm) {
                return Err(Reason::AlgorithmNotAllowed);
            }
            let typ = facts.typ().map(strip_application);
            let at_jwt = typ.is_some_and(|typ| typ.eq_ignore_ascii_case("at+jwt"));
            let jwt = typ.is_none_or(|typ| typ.eq_ignore_ascii_case("jwt"));
            if !at_jwt && (!jwt || self.profile.demands_at_jwt()) {
                return Err(Reason::TypeNotAccess);
            }
        } else if claims.kind(KindClaim::TokenType).is_some_and(|kind| !is_access_token_type(kind)) {
            return Err(Reason::TypeNotAccess);
        }
        let dpop = |claim| claims.kind(claim).is_some_and(|kind: &str| kind.eq_ignore_ascii_case("dpop"));
        if (dpop(KindClaim::TokenType) || dpop(KindClaim::Typ)) && claims.confirmation().is_none() {
            // Its issuer says that it is bound, but not to what: nobody can show that.
            return Err(Reason::Binding);
        }
        if let Some((claim, access, mandatory)) = self.profile.kind() {
            let fits = claims.kind(claim).map_or(!mandatory, |kind| access.contains(&kind));
            if !fits {
                return Err(Reason::TypeNotAccess);
            }
        }
        let kinds = [KindClaim::TokenUse, KindClaim::TokenType, KindClaim::Typ];
        if claims.has_events() || kinds.into_iter().filter_map(|claim| claims.kind(claim)).any(is_other_kind)
        {
            return Err(Reason::TypeNotAccess);
        }
        if claims.has_id_token_hash() || self.profile.nonce_tells() && claims.has_nonce() {
            return Err(Reason::IdToken);
        }
        Ok(())
    }

    fn check_times(&self, facts: &Verified, now: UnixTime) -> Result<(), Reason> {
        let claims = facts.claims();
        match (claims.expires(), facts.provenance()) {
            (Some(expires), _) if now >= expires + self.leeway => return Err(Reason::Expired),
            (None, Provenance::Signed { .. }) => return Err(Reason::ExpiryMissing),
            _ => {}
        }
        if claims.not_before().is_some_and(|not_before| now + self.leeway < not_before) {
            return Err(Reason::NotYetValid);
        }
        if claims.issued_at().is_some_and(|issued_at| now + self.leeway < issued_at) {
            return Err(Reason::IssuedInFuture);
        }
        Ok(())
    }

    /// The claim that names the client. An introspection answer names it `client_id` (RFC 7662 section 2.2), whatever the
    /// issuer's JWTs call it.
    fn client_claim(&self, facts: &Verified) -> Option<ClientClaim> {
        let answered =
            matches!(facts.provenance(), Provenance::Introspected { .. }).then_some(ClientClaim::ClientId);
        let mut claims = self.client_claims.iter().copied().chain(answered);
        claims.find(|claim| facts.claims().client(*claim).is_some())
    }

    fn check_mandatory(&self, facts: &Verified, client: Option<&str>) -> Result<(), Reason> {
        if let Provenance::Introspected { .. } = facts.provenance() {
            return Ok(());
        }
        let claims = facts.claims();
        let there = |mandatory: &Mandatory| match mandatory {
            Mandatory::Subject => claims.subject().is_some(),
            Mandatory::IssuedAt => claims.issued_at().is_some(),
            Mandatory::Id => claims.id().is_some(),
            Mandatory::Client => client.is_some(),
        };
        if self.profile.mandatory().iter().all(there) { Ok(()) } else { Err(Reason::ClaimMissing) }
    }

    fn check_audience(&self, facts: &Verified, rules: &Rules) -> Result<(), Reason> {
        let accepted = rules.audiences.as_deref().unwrap_or(&self.audiences);
        let mut audiences = facts.claims().audiences().peekable();
        if audiences.peek().is_none() {
            let introspected = matches!(facts.provenance(), Provenance::Introspected { .. });
            let may_lack = self.profile.may_lack_audience() && self.audiences.is_empty()
                || introspected && self.missing.audience;
            return if may_lack && rules.audiences.is_none() { Ok(()) } else { Err(Reason::Audience) };
        }
        if audiences.any(|audience| accepted.iter().any(|ours| **ours == *audience)) {
            return Ok(());
        }
        Err(Reason::Audience)
    }

    fn check_client(&self, facts: &Verified, client: Option<&str>, rules: &Rules) -> Result<(), Reason> {
        let introspected = matches!(facts.provenance(), Provenance::Introspected { .. });
        let lists = [(&self.clients, introspected && self.missing.client), (&rules.clients, false)];
        let fits = lists.into_iter().all(|(accepted, may_lack)| match (accepted, client) {
            (None, _) => true,
            (Some(accepted), Some(client)) => accepted.iter().any(|ours| **ours == *client),
            (Some(_), None) => may_lack,
        });
        if fits { Ok(()) } else { Err(Reason::Client) }
    }
}

fn check_lifetime(facts: &Verified, rules: &Rules) -> Result<(), Reason> {
    let Some(cap) = rules.max_token_lifetime else { return Ok(()) };
    match (facts.claims().issued_at(), facts.claims().expires()) {
        (Some(issued_at), Some(expires)) if expires.since(issued_at) <= cap => Ok(()),
        _ => Err(Reason::LifetimeTooLong),
    }
}

/// RFC 7515 section 4.1.9: `application/` may be left out of `typ`.
fn strip_application(typ: &str) -> &str {
    match typ.split_at_checked("application/".len()) {
        Some((prefix, rest)) if prefix.eq_ignore_ascii_case("application/") => rest,
        _ => typ,
    }
}

/// Whether a token says of itself that it is no access token, in the words of Keycloak (`ID`, `Refresh`, …), Cognito, RFC 8693 section 2.2.1
/// (`N_A`), or of libraries that sign all kinds with one key (`refresh_token`).
fn is_other_kind(kind: &str) -> bool {
    OTHER_KINDS.iter().any(|other| {
        let mut letters =
            kind.bytes().filter(u8::is_ascii_alphanumeric).map(|byte| byte.to_ascii_lowercase());
        let begins = other.bytes().all(|byte| letters.next() == Some(byte));
        begins && ["", "token", "jwt", "tokenjwt"].iter().any(|end| letters.clone().eq(end.bytes()))
    })
}

const OTHER_KINDS: [&str; 8] =
    ["id", "refresh", "offline", "logout", "na", "registrationaccess", "initialaccess", "executeactions"];

/// Whether `token_type` of an introspection answer (RFC 7662 section 2.2) is that of an access token. Some issuers answer for
/// refresh and ID tokens as well, and say so here.
fn is_access_token_type(kind: &str) -> bool {
    ["bearer", "dpop", "access_token", "urn:ietf:params:oauth:token-type:access_token"]
        .iter()
        .any(|access| kind.eq_ignore_ascii_case(access))
}

#[cfg(test)]
mod tests;
