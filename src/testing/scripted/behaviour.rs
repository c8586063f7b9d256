//! How an issuer can behave, well and otherwise.

use http::StatusCode;
use std::fmt;
use std::time::Duration;

/// Something that an issuer serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Resource {
    /// `{issuer}/.well-known/openid-configuration`: OpenID Connect Discovery 1.0 section 4.
    OpenIdConfiguration,
    /// `/.well-known/oauth-authorization-server{path}`: RFC 8414 section 3.1.
    OAuthMetadata,
    /// `{issuer}/.well-known/oauth-authorization-server`: where some have it instead.
    OAuthMetadataBelow,
    /// The key set.
    Jwks,
    /// The introspection endpoint.
    Introspection,
}

impl Resource {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::OpenIdConfiguration,
        Self::OAuthMetadata,
        Self::OAuthMetadataBelow,
        Self::Jwks,
        Self::Introspection,
    ];
}

/// How a resource answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Behaviour {
    /// As it should.
    Normal,
    /// As it should, after this long.
    Slow(Duration),
    /// Never: the connection stays open, and nothing comes.
    Hang,
    /// The connection is reset (TCP RST) when the request has come.
    Reset,
    /// The connection is closed without an answer.
    Close,
    /// This status, with an empty JSON object.
    Status(u16),
    /// 429, with a `Retry-After` of so many seconds.
    Busy(u32),
    /// 400, with this error code of RFC 6749 section 5.2.
    Refuse(&'static str),
    /// 200 with a page for people, as a maintenance page or a captive portal sends it.
    Html,
    /// 200 with the sound answer, of which the second half never comes: the connection is closed.
    Truncated,
    /// 200 with the sound answer, followed by a mebibyte of blanks, in chunks.
    Huge,
    /// 200 with the sound answer, a byte at a time, fifty milliseconds apart.
    Trickle,
    /// 200 with the sound answer, which claims to be compressed.
    Compressed,
    /// 200 with nothing.
    Empty,
    /// 200 with JSON that somebody else meant for somebody else.
    OthersJson,
    /// 200 with bytes that are nothing at all.
    Garbage,
    /// 302 to this place.
    Redirect(String),
    /// What it answered to a GET when this was scripted, for ever.
    Stale,
    /// 200 with this media type and this body.
    Body(&'static str, String),
    /// A signed answer for this client (RFC 9701); for the introspection endpoint.
    Signed(String),
}

/// The behaviour's name, as the table of outages has it.
impl fmt::Display for Behaviour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Slow(pause) => write!(f, "slow {pause:?}"),
            Self::Status(status) => write!(f, "status {status}"),
            Self::Busy(seconds) => write!(f, "busy {seconds}"),
            Self::Refuse(error) => write!(f, "refuse {error}"),
            Self::Redirect(_) => f.write_str("redirect"),
            Self::Body(media_type, _) => write!(f, "body {media_type}"),
            Self::Signed(_) => f.write_str("signed"),
            plain => write!(f, "{}", format!("{plain:?}").to_lowercase()),
        }
    }
}

impl Behaviour {
    /// The status that it answers with, if it answers at all.
    pub(super) fn status(&self) -> StatusCode {
        match self {
            Self::Status(status) => {
                StatusCode::from_u16(*status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
            }
            Self::Busy(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::Refuse(_) => StatusCode::BAD_REQUEST,
            Self::Redirect(_) => StatusCode::FOUND,
            _ => StatusCode::OK,
        }
    }
}
