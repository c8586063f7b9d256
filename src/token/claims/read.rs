//! How claims are read: member by member, each with its type, strings by their place.

use super::{ClaimsError, Fields, Span};
use crate::time::UnixTime;
use crate::token::{Members, Passed, UniqueMembers};
use serde::de::{Deserialize, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;

/// Reads the fields, and notes why not.
pub(super) struct Reader<'de> {
    json: &'de str,
    /// The strings that have escapes, decoded.
    decoded: String,
    fields: Fields,
    audiences: Vec<Span>,
    scopes: Vec<Span>,
    wrong: Option<ClaimsError>,
}

impl<'de> Reader<'de> {
    pub(super) fn new(json: &'de str) -> Self {
        Self {
            json,
            decoded: String::new(),
            fields: Fields::default(),
            audiences: Vec::new(),
            scopes: Vec::new(),
            wrong: None,
        }
    }

    /// What is wrong with a claim, if that is why reading ended.
    pub(super) fn wrong(&self) -> Option<ClaimsError> {
        self.wrong
    }

    /// The text that the fields are parts of, and the fields.
    pub(super) fn finish(mut self) -> (Box<str>, Fields) {
        // As many as fit into 1 MiB.
        self.fields.audiences = u32::try_from(self.audiences.len()).unwrap_or(u32::MAX);
        self.audiences.append(&mut self.scopes);
        self.fields.lists = self.audiences.into();
        let text = if self.decoded.is_empty() {
            self.json.into()
        } else {
            [self.json, &self.decoded].concat().into()
        };
        (text, self.fields)
    }

    /// The place of a string: in the object, or behind it.
    fn place<E: serde::de::Error>(&mut self, text: Cow<'de, str>) -> Result<Span, E> {
        let span = match text {
            Cow::Borrowed(text) => {
                let start = text.as_ptr().addr().wrapping_sub(self.json.as_ptr().addr());
                Span::new(start, text.len())
            }
            Cow::Owned(text) => {
                let start = self.json.len() + self.decoded.len();
                self.decoded.push_str(&text);
                Span::new(start, text.len())
            }
        };
        span.ok_or_else(|| {
            self.wrong = Some(ClaimsError::TooLong);
            E::custom("too long")
        })
    }

    /// The value of the claim `name`, of the type that it should have.
    fn value<T: Deserialize<'de>, A: MapAccess<'de>>(
        &mut self,
        name: &'static str,
        map: &mut A,
    ) -> Result<T, A::Error> {
        map.next_value().inspect_err(|_| self.wrong = Some(ClaimsError::WrongType(name)))
    }

    fn string<A: MapAccess<'de>>(
        &mut self,
        name: &'static str,
        map: &mut A,
    ) -> Result<Option<Span>, A::Error> {
        let Text(text) = self.value(name, map)?;
        self.place(text).map(Some)
    }

    fn date<A: MapAccess<'de>>(
        &mut self,
        name: &'static str,
        map: &mut A,
    ) -> Result<Option<UnixTime>, A::Error> {
        self.value(name, map).map(|NumericDate(at)| Some(at))
    }

    fn audiences<A: MapAccess<'de>>(&mut self, map: &mut A) -> Result<(), A::Error> {
        let audiences = match self.value("aud", map)? {
            Strings::One(one) => vec![one],
            Strings::Many(many) => many,
        };
        for audience in audiences {
            let span = self.place(audience)?;
            self.audiences.push(span);
        }
        Ok(())
    }

    /// A string is split at spaces, an array's element is one scope.
    fn scopes<A: MapAccess<'de>>(&mut self, name: &'static str, map: &mut A) -> Result<(), A::Error> {
        let listed = match self.value(name, map)? {
            Strings::One(Cow::Borrowed(text)) => text.split(' ').map(Cow::Borrowed).collect(),
            Strings::One(Cow::Owned(text)) => {
                text.split(' ').map(|scope| Cow::Owned(scope.to_owned())).collect()
            }
            Strings::Many(many) => many,
        };
        for scope in listed.into_iter().filter(|scope| !scope.is_empty()) {
            let span = self.place(scope)?;
            self.scopes.push(span);
        }
        Ok(())
    }
}

impl<'de> Members<'de> for Reader<'de> {
    fn member<A: MapAccess<'de>>(&mut self, name: &str, map: &mut A) -> Result<(), A::Error> {
        match name {
            "iss" => self.fields.issuer = self.string("iss", map)?,
            "sub" => self.fields.subject = self.string("sub", map)?,
            "aud" => self.audiences(map)?,
            "exp" => self.fields.expires = self.date("exp", map)?,
            "nbf" => self.fields.not_before = self.date("nbf", map)?,
            "iat" => self.fields.issued_at = self.date("iat", map)?,
            "jti" => self.fields.id = self.string("jti", map)?,
            "sid" => self.fields.session = self.string("sid", map)?,
            "cid" => self.fields.cid = self.string("cid", map)?,
            "client_id" => self.fields.client_id = self.string("client_id", map)?,
            "azp" => self.fields.azp = self.string("azp", map)?,
            "appid" => self.fields.appid = self.string("appid", map)?,
            "scope" => self.scopes("scope", map)?,
            "scp" => self.scopes("scp", map)?,
            "cnf" => self.fields.confirmation = Some(self.value("cnf", map)?),
            "token_use" => self.fields.token_use = self.string("token_use", map)?,
            "token_type" => self.fields.token_type = self.string("token_type", map)?,
            "typ" => self.fields.typ = self.string("typ", map)?,
            other => {
                self.fields.nonce |= other == "nonce";
                self.fields.id_token_hash |= matches!(other, "at_hash" | "c_hash" | "s_hash");
                self.fields.events |= other == "events";
                map.next_value::<Passed>()?;
            }
        }
        Ok(())
    }
}

/// The first `iss`, and nothing behind it.
pub(super) fn issuer(json: &[u8]) -> Result<Option<Cow<'_, str>>, ClaimsError> {
    let mut peek = Peek::default();
    match (UniqueMembers::read(json, &mut peek), peek.wrong, peek.issuer) {
        (_, true, _) => Err(ClaimsError::WrongType("iss")),
        // It was found: that ended the reading.
        (_, false, Some(issuer)) => Ok(Some(issuer)),
        (Ok(()), false, None) => Ok(None),
        (Err(_), false, None) => Err(ClaimsError::NotAnObject),
    }
}

#[derive(Default)]
struct Peek<'de> {
    issuer: Option<Cow<'de, str>>,
    wrong: bool,
}

impl<'de> Members<'de> for Peek<'de> {
    fn member<A: MapAccess<'de>>(&mut self, name: &str, map: &mut A) -> Result<(), A::Error> {
        if name != "iss" {
            return map.next_value::<IgnoredAny>().map(drop);
        }
        let issuer: Result<Text<'de>, _> = map.next_value();
        self.wrong = issuer.is_err();
        self.issuer = Some(issuer?.0);
        Err(A::Error::custom("found"))
    }
}

/// The member of an object, or the element of an array (RFC 6901 section 4).
pub(super) fn within<'de>(json: &'de str, name: &str) -> Option<&'de RawValue> {
    if json.trim_ascii_start().starts_with('{') {
        let mut only = Only { name, value: None };
        UniqueMembers::read(json.as_bytes(), &mut only).ok()?;
        return only.value;
    }
    let is_index = name == "0" || !name.starts_with('0') && name.bytes().all(|byte| byte.is_ascii_digit());
    let index: usize = Some(name).filter(|_| is_index)?.parse().ok()?;
    serde_json::from_str::<Vec<&RawValue>>(json).ok()?.get(index).copied()
}

/// Keeps one member, as JSON.
struct Only<'a, 'de> {
    name: &'a str,
    value: Option<&'de RawValue>,
}

impl<'de> Members<'de> for Only<'_, 'de> {
    fn member<A: MapAccess<'de>>(&mut self, name: &str, map: &mut A) -> Result<(), A::Error> {
        if name == self.name {
            self.value = Some(map.next_value()?);
            return Ok(());
        }
        map.next_value::<IgnoredAny>().map(drop)
    }
}

/// A string, borrowed where it has no escapes.
#[derive(serde::Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// RFC 7519 section 2: a JSON number, fractions allowed; never a string.
struct NumericDate(UnixTime);

impl<'de> Deserialize<'de> for NumericDate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let secs = f64::deserialize(deserializer)?;
        UnixTime::from_numeric_date(secs)
            .map(Self)
            .ok_or_else(|| D::Error::custom("no instant after the epoch"))
    }
}

/// A string, or an array of strings (RFC 7519 section 4.1.3).
enum Strings<'a> {
    One(Cow<'a, str>),
    Many(Vec<Cow<'a, str>>),
}

impl<'de> Deserialize<'de> for Strings<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(OneOrMany)
    }
}

struct OneOrMany;

impl<'de> Visitor<'de> for OneOrMany {
    type Value = Strings<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string or an array of strings")
    }

    fn visit_borrowed_str<E>(self, one: &'de str) -> Result<Self::Value, E> {
        Ok(Strings::One(Cow::Borrowed(one)))
    }

    fn visit_str<E>(self, one: &str) -> Result<Self::Value, E> {
        Ok(Strings::One(Cow::Owned(one.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut many = Vec::new();
        while let Some(Text(one)) = seq.next_element()? {
            many.push(one);
        }
        Ok(Strings::Many(many))
    }
}
