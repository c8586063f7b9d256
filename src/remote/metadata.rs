//! An authorization server's metadata: where it may be, and what it says. OpenID Connect Discovery 1.0 sections 3 and 4, RFC 8414
//! sections 2 and 3.

use crate::token::{Members, UniqueMembers};
use serde::de::{Error as _, IgnoredAny, MapAccess};
use serde_json::value::RawValue;

/// The members of a metadata document that matter here, unchecked.
#[derive(Debug, Default)]
pub(super) struct Metadata {
    pub(super) issuer: Option<Box<str>>,
    pub(super) jwks_uri: Option<Box<str>>,
    pub(super) introspection_endpoint: Option<Box<str>>,
    /// The introspection endpoint for those who show a certificate (RFC 8705 section 5).
    pub(super) mtls_introspection_endpoint: Option<Box<str>>,
}

/// Why a document is no metadata.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MetadataError {
    /// Something else altogether, such as a page for people: there is no metadata at this place.
    NotMetadata,
    /// A JSON object, but members come twice, or are not what they should be.
    Malformed,
}

impl Metadata {
    /// Reads a metadata document. Members of the value `null` count as missing.
    pub(super) fn read(json: &[u8]) -> Result<Self, MetadataError> {
        let mut metadata = Self::default();
        let read = UniqueMembers::read(json, &mut metadata);
        match read {
            Ok(()) if metadata.issuer.is_some() => Ok(metadata),
            Ok(()) => Err(MetadataError::NotMetadata),
            Err(_) if serde_json::from_slice::<Object>(json).is_ok() => Err(MetadataError::Malformed),
            Err(_) => Err(MetadataError::NotMetadata),
        }
    }
}

/// Any JSON object.
type Object = std::collections::HashMap<String, IgnoredAny>;

impl<'de> Members<'de> for Metadata {
    fn member<A: MapAccess<'de>>(&mut self, name: &str, map: &mut A) -> Result<(), A::Error> {
        match name {
            "issuer" => self.issuer = map.next_value()?,
            "jwks_uri" => self.jwks_uri = map.next_value()?,
            "introspection_endpoint" => self.introspection_endpoint = map.next_value()?,
            "mtls_endpoint_aliases" => {
                let aliases: Option<&RawValue> = map.next_value()?;
                if let Some(aliases) = aliases {
                    let mut found = Aliases::default();
                    UniqueMembers::read(aliases.get().as_bytes(), &mut found).map_err(A::Error::custom)?;
                    self.mtls_introspection_endpoint = found.0;
                }
            }
            _ => map.next_value::<IgnoredAny>().map(drop)?,
        }
        Ok(())
    }
}

#[derive(Default)]
struct Aliases(Option<Box<str>>);

impl<'de> Members<'de> for Aliases {
    fn member<A: MapAccess<'de>>(&mut self, name: &str, map: &mut A) -> Result<(), A::Error> {
        if name == "introspection_endpoint" {
            self.0 = map.next_value()?;
            return Ok(());
        }
        map.next_value::<IgnoredAny>().map(drop)
    }
}

/// Where an issuer's metadata may be, in the order in which the places are tried:
/// 1. below the issuer's path, as OpenID Connect has it: nearly all have that;
/// 2. with the well-known part before the issuer's path, as RFC 8414 section 3.1 has it;
/// 3. with that of RFC 8414 below the issuer's path, as some have it.
///
/// A slash at the issuer's end is left out, in these places alone. The issuer must be an absolute URL.
pub(super) fn places(issuer: &str) -> Vec<String> {
    let bare = issuer.strip_suffix('/').unwrap_or(issuer);
    let authority = bare.find("://").map_or(0, |scheme| scheme + 3);
    let path_at = bare.get(authority..).and_then(|rest| rest.find('/')).map(|path| authority + path);
    let (origin, path) = path_at.and_then(|at| bare.split_at_checked(at)).unwrap_or((bare, ""));
    let mut places = vec![
        format!("{bare}/.well-known/openid-configuration"),
        format!("{origin}/.well-known/oauth-authorization-server{path}"),
    ];
    if !path.is_empty() {
        places.push(format!("{bare}/.well-known/oauth-authorization-server"));
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_of_issuers_with_and_without_a_path() {
        let origin = [
            "https://as.example/.well-known/openid-configuration",
            "https://as.example/.well-known/oauth-authorization-server",
        ];
        assert_eq!(places("https://as.example"), origin);
        assert_eq!(places("https://as.example/"), origin);
        let below = [
            "https://as.example:8/a/b/.well-known/openid-configuration",
            "https://as.example:8/.well-known/oauth-authorization-server/a/b",
            "https://as.example:8/a/b/.well-known/oauth-authorization-server",
        ];
        assert_eq!(places("https://as.example:8/a/b"), below);
        assert_eq!(places("https://as.example:8/a/b/"), below);
    }

    #[test]
    fn what_matters_is_read_and_the_rest_skipped() {
        let json = br#"{"issuer":"https://as/","jwks_uri":"https://as/jwks","introspection_endpoint":null,
            "scopes_supported":["a",{"a":1,"a":2}],"mtls_endpoint_aliases":{"introspection_endpoint":"https://m.as/i","x":1}}"#;
        let read = Metadata::read(json).unwrap();
        assert_eq!(
            (read.issuer.as_deref(), read.jwks_uri.as_deref()),
            (Some("https://as/"), Some("https://as/jwks"))
        );
        assert_eq!(read.introspection_endpoint, None);
        assert_eq!(read.mtls_introspection_endpoint.as_deref(), Some("https://m.as/i"));
    }

    #[test]
    fn what_is_no_metadata_is_told_from_what_is_malformed() {
        use MetadataError::{Malformed, NotMetadata};
        for (json, expected) in [
            ("", NotMetadata),
            ("<html>", NotMetadata),
            ("[]", NotMetadata),
            ("{}", NotMetadata),
            (r#"{"error":"not_found"}"#, NotMetadata),
            (r#"{"issuer":"a""#, NotMetadata),
            (r#"{"issuer":1}"#, Malformed),
            (r#"{"issuer":"a","issuer":"a"}"#, Malformed),
            (r#"{"issuer":"a","jwks_uri":["https://as/"]}"#, Malformed),
            (r#"{"issuer":"a","\u006awks_uri":"x","jwks_uri":"y"}"#, Malformed),
            (r#"{"issuer":"a","mtls_endpoint_aliases":[]}"#, Malformed),
        ] {
            assert_eq!(Metadata::read(json.as_bytes()).unwrap_err(), expected, "{json}");
        }
    }
}
