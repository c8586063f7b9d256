//! JSON objects read member by member, each name at most once, at whatever depth.
//!
//! RFC 7515 section 4 and RFC 7519 section 4 demand unique member names; `serde_json`'s own maps keep the last of two, other
//! parsers the first, and such a difference between a gate and the API behind it is an attack.

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use std::borrow::Cow;
use std::fmt;

/// Takes the members of one JSON object, one by one.
pub(crate) trait Members<'de> {
    /// Reads the value of the member `name` from `map`: it must take exactly one value.
    fn member<A: MapAccess<'de>>(&mut self, name: &str, map: &mut A) -> Result<(), A::Error>;
}

/// Reads one JSON object into a [`Members`], and refuses names that come twice.
pub(crate) struct UniqueMembers<'a, M>(pub(crate) &'a mut M);

impl<'a, M> UniqueMembers<'a, M> {
    /// Reads `json`, which must be one JSON object and nothing else, and UTF-8 throughout (RFC 7515 section 5.2 step 3,
    /// RFC 8259 section 8.1): also where nothing is read from it.
    pub(crate) fn read<'de>(json: &'de [u8], members: &'a mut M) -> Result<(), serde_json::Error>
    where
        M: Members<'de>,
    {
        let json = std::str::from_utf8(json).map_err(serde_json::Error::custom)?;
        let mut deserializer = serde_json::Deserializer::from_str(json);
        UniqueMembers(members).deserialize(&mut deserializer)?;
        deserializer.end()
    }
}

impl<'de, M: Members<'de>> DeserializeSeed<'de> for UniqueMembers<'_, M> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de, M: Members<'de>> Visitor<'de> for UniqueMembers<'_, M> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut seen: Vec<Cow<'de, str>> = Vec::with_capacity(16);
        while let Some(Name(name)) = map.next_key()? {
            if seen.contains(&name) {
                return Err(A::Error::custom("duplicate member"));
            }
            if name.starts_with(SERDES_OWN) {
                return Err(A::Error::custom("reserved member"));
            }
            if seen.len() == MAX_MEMBERS {
                return Err(A::Error::custom("too many members"));
            }
            self.0.member(&name, &mut map)?;
            seen.push(name);
        }
        Ok(())
    }
}

/// A value that is passed over: whatever it is, but in it, too, no name comes twice.
pub(crate) struct Passed;

impl<'de> serde::Deserialize<'de> for Passed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Self)
    }
}

impl<'de> Members<'de> for Passed {
    fn member<A: MapAccess<'de>>(&mut self, _: &str, map: &mut A) -> Result<(), A::Error> {
        map.next_value::<Self>().map(drop)
    }
}

impl<'de> Visitor<'de> for Passed {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, map: A) -> Result<Self, A::Error> {
        UniqueMembers(&mut self).visit_map(map)?;
        Ok(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self, A::Error> {
        while seq.next_element::<Self>()?.is_some() {}
        Ok(self)
    }

    fn visit_unit<E>(self) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_str<E>(self, _: &str) -> Result<Self, E> {
        Ok(self)
    }
}

/// The most members that an object may have; it bounds the work of finding duplicates.
const MAX_MEMBERS: usize = 256;

/// What `serde_json` calls the members of objects that stand for something else between its own types: `{"$serde_json::private::RawValue":
/// "true"}` would be read as `true` into its `Value`.
const SERDES_OWN: &str = "$serde_json::private::";

/// A member's name, borrowed where it has no escapes.
struct Name<'de>(Cow<'de, str>);

impl<'de> serde::Deserialize<'de> for Name<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NameVisitor;
        impl<'de> Visitor<'de> for NameVisitor {
            type Value = Name<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a member name")
            }

            fn visit_borrowed_str<E>(self, name: &'de str) -> Result<Self::Value, E> {
                Ok(Name(Cow::Borrowed(name)))
            }

            fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
                Ok(Name(Cow::Owned(name.to_owned())))
            }
        }
        deserializer.deserialize_str(NameVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default)]
    struct Names(Vec<String>);

    impl<'de> Members<'de> for Names {
        fn member<A: MapAccess<'de>>(&mut self, name: &str, map: &mut A) -> Result<(), A::Error> {
            self.0.push(name.to_owned());
            map.next_value::<Passed>().map(drop)
        }
    }

    #[test]
    fn one_object_with_unique_names() {
        let mut names = Names::default();
        UniqueMembers::read(
            br#" {"a":1,"\u0062":{"x":[null,true,-1,1.5e300,"\n",{"x":{}},{"x":[]}],"a":1}} "#,
            &mut names,
        )
        .unwrap();
        assert_eq!(names.0, ["a", "b"]);
    }

    #[test]
    fn anything_else_is_refused() {
        let many =
            format!("{{{}}}", (0..=MAX_MEMBERS).map(|i| format!("\"{i}\":0")).collect::<Vec<_>>().join(","));
        let cases = [
            "",
            "[]",
            "1",
            "null",
            r#""a""#,
            "{",
            "{}{}",
            "{} x",
            r#"{"a":1,"a":1}"#,
            r#"{"a":1,"\u0061":2}"#,
            r#"{"a":{"x":1,"x":2}}"#,
            r#"{"a":[0,{"b":[{"x":1,"y":2,"\u0078":2}]}]}"#,
            &many,
            &format!(r#"{{"a":[{many}]}}"#),
        ];
        for case in cases {
            assert!(UniqueMembers::read(case.as_bytes(), &mut Names::default()).is_err(), "{case}");
        }
        for json in [&b"{\"\xff\":1}"[..], b"{\"a\":\"\xff\"}", b"{\"a\":[\"\xff\"]}", b"{}\xff"] {
            assert!(UniqueMembers::read(json, &mut Names::default()).is_err(), "{}", json.escape_ascii());
        }
    }

    #[test]
    fn an_object_may_have_256_members() {
        let members: Vec<_> = (0..MAX_MEMBERS).map(|i| format!("\"{i}\":0")).collect();
        let mut names = Names::default();
        UniqueMembers::read(format!("{{{}}}", members.join(",")).as_bytes(), &mut names).unwrap();
        assert_eq!(names.0.len(), 256);
    }
}
