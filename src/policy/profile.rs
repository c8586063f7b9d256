//! How the tokens of well-known authorization servers look, as a table.

use crate::proof::{Algorithm, AlgorithmSet};
use crate::token::{ClientClaim, KindClaim};
use std::fmt;

/// The shape of an issuer's access tokens.
///
/// | profile | algorithms | client named by | an access token has, and so is no ID token |
/// |---|---|---|---|
/// | `okta` | RS256 | `cid` | `cid`, no `nonce`, `at_hash`, … |
/// | `rfc9068` | RS256, PS256, ES256, EdDSA | `client_id` | `typ` `at+jwt`; `sub`, `iat`, `jti`, `client_id` |
/// | `entra` | RS256 | `azp`, else `appid` | one of these, no `nonce`, `at_hash`, … |
/// | `auth0` | RS256, PS256 | `azp`, else `client_id` | one of these, no `nonce`, `at_hash`, … |
/// | `keycloak` | RS256, PS256, ES256, EdDSA | `azp`, else `client_id` | one of these, `typ` in the payload: `Bearer`, or `DPoP` beside `cnf`, if any; no `at_hash`, … |
/// | `cognito` | RS256 | `client_id` | `token_use`: `access` |
/// | `generic` | RS256, PS256, ES256, EdDSA | `cid`, else `client_id`, else `azp` | no `nonce`, `at_hash`, … |
///
/// In none of them is a token one whose claim `typ`, `token_type` or `token_use` says that it is an ID, refresh, offline, logout or
/// registration token, however it spells that.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Profile {
    /// Okta's custom authorization servers (API Access Management).
    Okta,
    /// RFC 9068, the JWT profile for access tokens, to the letter.
    Rfc9068,
    /// Microsoft Entra ID, tokens of version 1 and 2.
    Entra,
    /// Auth0.
    Auth0,
    /// Keycloak.
    Keycloak,
    /// Amazon Cognito, whose access tokens have no `aud`: the client takes its place.
    Cognito,
    /// Any other.
    #[default]
    Generic,
}

impl Profile {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Okta, Self::Rfc9068, Self::Entra, Self::Auth0, Self::Keycloak, Self::Cognito, Self::Generic];

    /// The profile of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|profile| profile.name() == name)
    }

    /// Its name in the configuration.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Okta => "okta",
            Self::Rfc9068 => "rfc9068",
            Self::Entra => "entra",
            Self::Auth0 => "auth0",
            Self::Keycloak => "keycloak",
            Self::Cognito => "cognito",
            Self::Generic => "generic",
        }
    }

    /// The algorithms that are allowed where the configuration names none.
    pub fn algorithms(self) -> AlgorithmSet {
        let list: &[Algorithm] = match self {
            Self::Okta | Self::Entra | Self::Cognito => &[Algorithm::RS256],
            Self::Auth0 => &[Algorithm::RS256, Algorithm::PS256],
            Self::Rfc9068 | Self::Keycloak | Self::Generic => {
                &[Algorithm::RS256, Algorithm::PS256, Algorithm::ES256, Algorithm::EdDSA]
            }
        };
        list.iter().copied().collect()
    }

    /// The claims that name the client, where the configuration names none. The first that a token has counts.
    pub const fn client_claims(self) -> &'static [ClientClaim] {
        match self {
            Self::Okta => &[ClientClaim::Cid],
            Self::Rfc9068 | Self::Cognito => &[ClientClaim::ClientId],
            Self::Entra => &[ClientClaim::Azp, ClientClaim::Appid],
            Self::Auth0 | Self::Keycloak => &[ClientClaim::Azp, ClientClaim::ClientId],
            Self::Generic => &[ClientClaim::Cid, ClientClaim::ClientId, ClientClaim::Azp],
        }
    }

    /// Whether the issuer's access tokens may lack `aud`. Then its clients must be listed.
    pub const fn may_lack_audience(self) -> bool {
        matches!(self, Self::Cognito)
    }

    /// Whether `typ` must be `at+jwt` (RFC 9068 section 4).
    pub(super) const fn demands_at_jwt(self) -> bool {
        matches!(self, Self::Rfc9068)
    }

    /// The claims that a token must have beside `iss`, `aud` and `exp`.
    pub(super) const fn mandatory(self) -> &'static [Mandatory] {
        match self {
            Self::Rfc9068 => &[Mandatory::Subject, Mandatory::IssuedAt, Mandatory::Id, Mandatory::Client],
            Self::Okta | Self::Cognito | Self::Entra | Self::Auth0 | Self::Keycloak => &[Mandatory::Client],
            Self::Generic => &[],
        }
    }

    /// The claim by which the issuer tells the kinds of its tokens apart, what it says in an access token, and whether
    /// every access token has it.
    pub(super) const fn kind(self) -> Option<(KindClaim, &'static [&'static str], bool)> {
        match self {
            Self::Keycloak => Some((KindClaim::Typ, &["Bearer", "DPoP"], false)),
            Self::Cognito => Some((KindClaim::TokenUse, &["access"], true)),
            _ => None,
        }
    }

    /// Whether `nonce` gives an ID token away. Keycloak has put it into access tokens too.
    pub(super) const fn nonce_tells(self) -> bool {
        !matches!(self, Self::Keycloak)
    }
}

/// A claim that a profile demands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mandatory {
    Subject,
    IssuedAt,
    Id,
    Client,
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_back() {
        for profile in Profile::ALL {
            assert_eq!(Profile::from_name(profile.name()), Some(profile));
            assert!(!profile.algorithms().is_empty() && !profile.client_claims().is_empty());
        }
        assert_eq!(Profile::from_name("Okta"), None);
    }

    #[test]
    fn each_profile_is_as_its_table_says() {
        let told = |profile: Profile| {
            let names: Vec<_> = profile.algorithms().iter().map(Algorithm::name).collect();
            let clients: Vec<_> = profile.client_claims().iter().map(|claim| claim.name()).collect();
            (profile.to_string(), names.join(" "), clients.join(" "), profile.mandatory().len())
        };
        let modern = "RS256 PS256 ES256 EdDSA";
        let expected = [
            ("okta", "RS256", "cid", 1),
            ("rfc9068", modern, "client_id", 4),
            ("entra", "RS256", "azp appid", 1),
            ("auth0", "RS256 PS256", "azp client_id", 1),
            ("keycloak", modern, "azp client_id", 1),
            ("cognito", "RS256", "client_id", 1),
            ("generic", modern, "cid client_id azp", 0),
        ];
        let expected = expected.map(|(name, algorithms, clients, mandatory)| {
            (name.to_owned(), algorithms.to_owned(), clients.to_owned(), mandatory)
        });
        assert_eq!(Profile::ALL.map(told), expected);
    }
}
