//! Answers and notices as bytes, before they are sealed and after they are opened.

use crate::gate::{Notice, NoticeKind, Selector, SharedAnswer, TokenName, What};
use crate::proof::IssuerName;
use crate::time::UnixTime;
use crate::token::Fingerprint;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

/// The longest answer that is shared, in bytes. Whoever sends a longer one is asked by each gateway.
pub(super) const MAX_ANSWER: usize = 64 * 1024;

/// The instant of the question in milliseconds (8 bytes, big-endian), then the JSON object; nothing if the token is not active.
pub(super) fn write_answer(answer: &SharedAnswer) -> Option<Vec<u8>> {
    let json = answer.active.as_deref().unwrap_or_default();
    (json.len() <= MAX_ANSWER).then(|| [&answer.asked.as_millis().to_be_bytes(), json.as_bytes()].concat())
}

pub(super) fn read_answer(bytes: &[u8]) -> Option<SharedAnswer> {
    let (millis, json) = bytes.split_first_chunk()?;
    let asked = UnixTime::from_millis(u64::from_be_bytes(*millis));
    let json = std::str::from_utf8(json).ok()?;
    Some(SharedAnswer { asked, active: (!json.is_empty()).then(|| json.into()) })
}

pub(super) fn write_notice(notice: &Notice) -> Option<Vec<u8>> {
    let (what, value) = match notice.selector.what() {
        What::Token(name) => {
            let prints = [Some(name.whole()), name.claims()].into_iter().flatten();
            let bytes = prints.flat_map(Fingerprint::as_bytes).copied().collect::<Vec<u8>>();
            (Kind::Token, URL_SAFE_NO_PAD.encode(bytes))
        }
        What::Id(value) => (Kind::Jti, value.to_string()),
        What::Subject(value) => (Kind::Sub, value.to_string()),
        What::Client(value) => (Kind::Client, value.to_string()),
        What::Session(value) => (Kind::Sid, value.to_string()),
        What::All => (Kind::All, String::new()),
    };
    let written = Written {
        revoked: notice.kind == NoticeKind::Revoked,
        what,
        value,
        issuer: notice.selector.issuer().map(|issuer| issuer.as_str().to_owned()),
        since: notice.since.as_millis(),
        until: notice.until.as_millis(),
    };
    serde_json::to_vec(&written).ok()
}

pub(super) fn read_notice(bytes: &[u8]) -> Option<Notice> {
    let written: Written = serde_json::from_slice(bytes).ok()?;
    let value: Box<str> = written.value.into();
    let selector = Selector::new(match written.what {
        Kind::Token => {
            let bytes = URL_SAFE_NO_PAD.decode(&*value).ok()?;
            let mut prints = match bytes.as_chunks() {
                (prints, []) => prints.iter().copied().map(Fingerprint::from_bytes),
                _ => return None,
            };
            let name = TokenName::new(prints.next()?, prints.next());
            prints.next().is_none().then_some(What::Token(name))?
        }
        Kind::Jti => What::Id(value),
        Kind::Sub => What::Subject(value),
        Kind::Client => What::Client(value),
        Kind::Sid => What::Session(value),
        Kind::All => What::All,
    });
    Some(Notice {
        kind: if written.revoked { NoticeKind::Revoked } else { NoticeKind::Forgotten },
        selector: match written.issuer {
            Some(issuer) => selector.of_issuer(IssuerName::new(&issuer)),
            None => selector,
        },
        since: UnixTime::from_millis(written.since),
        until: UnixTime::from_millis(written.until),
    })
}

/// Several sealed notices in one message: each preceded by its length in 4 bytes, big-endian.
pub(super) fn join<'a>(sealed: impl Iterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut message = Vec::new();
    for notice in sealed {
        // A notice is far shorter than that.
        message.extend_from_slice(&u32::try_from(notice.len()).unwrap_or(u32::MAX).to_be_bytes());
        message.extend_from_slice(notice);
    }
    message
}

/// The sealed notices in a message, as far as it makes sense.
pub(super) fn split(mut message: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let (length, rest) = message.split_first_chunk()?;
        let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
        let (notice, rest) = rest.split_at_checked(length)?;
        message = rest;
        Some(notice)
    })
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    revoked: bool,
    what: Kind,
    value: String,
    issuer: Option<String>,
    /// Milliseconds since the epoch.
    since: u64,
    until: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Token,
    Jti,
    Sub,
    Client,
    Sid,
    All,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_come_back_as_they_were() {
        for active in [None, Some(r#"{"active":true}"#.into())] {
            let answer = SharedAnswer { asked: UnixTime::from_millis(1_234), active };
            assert_eq!(read_answer(&write_answer(&answer).unwrap()), Some(answer));
        }
        let long = |length| SharedAnswer { asked: UnixTime::EPOCH, active: Some("x".repeat(length).into()) };
        assert!(write_answer(&long(MAX_ANSWER)).is_some() && write_answer(&long(MAX_ANSWER + 1)).is_none());
        assert_eq!(read_answer(&[0; 7]), None);
        assert_eq!(read_answer(&[0, 0, 0, 0, 0, 0, 0, 0, 0xff]), None);
    }

    #[test]
    fn notices_come_back_as_they_were() {
        let text = || "a \"quoted\" name, ünïcode".into();
        for what in [
            What::Token(TokenName::new(Fingerprint::of("token"), None)),
            What::Token(TokenName::new(Fingerprint::of("token"), Some(Fingerprint::of("claims")))),
            What::Id(text()),
            What::Subject(text()),
            What::Client(text()),
            What::Session(text()),
            What::All,
        ] {
            for kind in [NoticeKind::Forgotten, NoticeKind::Revoked] {
                for issuer in [None, Some(IssuerName::new("https://as.example/"))] {
                    let selector = Selector::new(what.clone());
                    let selector = match issuer {
                        Some(issuer) => selector.of_issuer(issuer),
                        None => selector,
                    };
                    let (since, until) = (UnixTime::from_millis(1), UnixTime::MAX);
                    let notice = Notice { kind, selector, since, until };
                    assert_eq!(read_notice(&write_notice(&notice).unwrap()), Some(notice));
                }
            }
        }
        for bad in
            ["", "{}", r#"{"revoked":true,"what":"token","value":"x","issuer":null,"since":0,"until":0}"#]
        {
            assert_eq!(read_notice(bad.as_bytes()), None, "{bad}");
        }
    }

    #[test]
    fn messages_are_split_as_they_were_joined() {
        let parts: [&[u8]; 3] = [b"one", b"", b"three"];
        let message = join(parts.into_iter());
        assert!(split(&message).eq(parts));
        assert!(split(&message[..message.len() - 1]).eq([b"one".as_slice(), b""]));
        assert_eq!(split(b"anything else").count(), 0);
        assert_eq!(split(b"").count(), 0);
    }
}
