//! JSON objects as they stand in the text.

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;
use std::collections::BTreeSet;
use std::fmt;

/// The members of an object in their order, with the text of each value. What comes twice is there twice.
pub(super) struct Members<'a>(pub(super) Vec<(String, &'a RawValue)>);

impl<'a> Members<'a> {
    /// The members of an object whose names are unique, not more than the gate takes, and none of `serde_json`'s own.
    pub(super) fn unique(json: &'a [u8]) -> Option<Self> {
        let members: Self = serde_json::from_str(std::str::from_utf8(json).ok()?).ok()?;
        let names: BTreeSet<&str> = members.0.iter().map(|(name, _)| name.as_str()).collect();
        let of_serde = names.iter().any(|name| name.starts_with("$serde_json::private::"));
        (names.len() == members.0.len() && names.len() <= MAX_MEMBERS && !of_serde).then_some(members)
    }

    /// The same, if the whole of it is JSON that can be decoded, and names are as unique in the objects within it.
    pub(super) fn unique_throughout(json: &'a [u8]) -> Option<Self> {
        serde_json::from_slice::<Value>(json).ok()?;
        Self::unique(json).filter(|members| members.0.iter().all(|(_, value)| is_unique(value.get())))
    }

    /// The text of a member's value.
    pub(super) fn get(&self, name: &str) -> Option<&'a str> {
        self.0.iter().find(|(found, _)| found == name).map(|(_, value)| value.get())
    }

    /// A member that is a string if it is there; `Err` if it is something else.
    pub(super) fn string(&self, name: &str) -> Result<Option<String>, serde_json::Error> {
        self.get(name).map(serde_json::from_str).transpose()
    }
}

fn is_unique(json: &str) -> bool {
    match json.as_bytes().first() {
        Some(b'{') => Members::unique(json.as_bytes())
            .is_some_and(|members| members.0.iter().all(|(_, value)| is_unique(value.get()))),
        Some(b'[') => serde_json::from_str::<Vec<&RawValue>>(json)
            .is_ok_and(|elements| elements.iter().all(|value| is_unique(value.get()))),
        _ => true,
    }
}

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Object)
    }
}

/// What `token::json` takes.
const MAX_MEMBERS: usize = 256;
