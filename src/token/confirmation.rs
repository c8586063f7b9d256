//! `cnf`: the key that a token is bound to. RFC 7800, RFC 9449 section 6, RFC 8705 section 3.1.

use super::{Members, Passed, UniqueMembers};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::{DeserializeSeed, MapAccess};

/// What a token is bound to: whoever presents it must show that they hold this.
///
/// A token that is bound and shown as a plain bearer token is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Confirmation {
    /// `jkt`: the SHA-256 thumbprint of the key that signs DPoP proofs (RFC 9449 section 6.1).
    Jkt([u8; 32]),
    /// `x5t#S256`: the SHA-256 thumbprint of the caller's certificate (RFC 8705 section 3.1).
    X5tS256([u8; 32]),
    /// Something that is not understood here, or more than one of these: it can't be shown to hold.
    Unknown,
}

impl<'de> serde::Deserialize<'de> for Confirmation {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut found = Found::default();
        UniqueMembers(&mut found).deserialize(deserializer)?;
        Ok(match (found.jkt, found.x5t, found.other) {
            (Some(jkt), None, false) => Self::Jkt(jkt),
            (None, Some(x5t), false) => Self::X5tS256(x5t),
            _ => Self::Unknown,
        })
    }
}

#[derive(Default)]
struct Found {
    jkt: Option<[u8; 32]>,
    x5t: Option<[u8; 32]>,
    other: bool,
}

impl<'de> Members<'de> for Found {
    fn member<A: MapAccess<'de>>(&mut self, name: &str, map: &mut A) -> Result<(), A::Error> {
        let slot = match name {
            "jkt" => &mut self.jkt,
            "x5t#S256" => &mut self.x5t,
            _ => {
                self.other = true;
                return map.next_value::<Passed>().map(drop);
            }
        };
        *slot = thumbprint(map.next_value()?);
        self.other |= slot.is_none();
        Ok(())
    }
}

fn thumbprint(text: std::borrow::Cow<'_, str>) -> Option<[u8; 32]> {
    URL_SAFE_NO_PAD.decode(&*text).ok()?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_understood_is_unknown() {
        let print = URL_SAFE_NO_PAD.encode([7; 32]);
        let cases = [
            (format!(r#"{{"jkt":"{print}"}}"#), Confirmation::Jkt([7; 32])),
            (format!(r#"{{"x5t#S256":"{print}"}}"#), Confirmation::X5tS256([7; 32])),
            (format!(r#"{{"jkt":"{print}","x5t#S256":"{print}"}}"#), Confirmation::Unknown),
            (format!(r#"{{"jkt":"{print}","kid":"a"}}"#), Confirmation::Unknown),
            (format!(r#"{{"kid":"a","jkt":"AAAA","x5t#S256":"{print}"}}"#), Confirmation::Unknown),
            (format!(r#"{{"jkt":"AAAA","x5t#S256":"{print}"}}"#), Confirmation::Unknown),
            (r#"{"jkt":"AAAA"}"#.into(), Confirmation::Unknown),
            (r#"{"jwk":{}}"#.into(), Confirmation::Unknown),
            ("{}".into(), Confirmation::Unknown),
        ];
        for (json, expected) in cases {
            assert_eq!(serde_json::from_str::<Confirmation>(&json).unwrap(), expected, "{json}");
        }
        assert!(serde_json::from_str::<Confirmation>(r#"{"jkt":"a","jkt":"a"}"#).is_err());
        assert!(serde_json::from_str::<Confirmation>("[]").is_err());
    }
}
