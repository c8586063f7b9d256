//! Which URLs may be asked.

use super::address::is_public;
use reqwest::Url;
use std::fmt;
use std::net::IpAddr;

/// What a client may reach beside public hosts over HTTPS.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Reach {
    pub(super) insecure_http: bool,
    pub(super) private_addresses: bool,
}

/// A URL that may be asked.
///
/// 1. It is absolute, `http` or `https`, and has a host, but neither credentials nor a fragment.
/// 2. Its host, if it is a literal address, is a public one, unless private ones are allowed. This machine itself, as
///    `localhost` or a loopback address, may be named by the operator, but not by an issuer elsewhere.
/// 3. Plain `http` is for this machine, unless it is allowed for all.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct EndpointUrl {
    url: Url,
    loopback: bool,
}

impl EndpointUrl {
    /// Reads a URL that the operator has configured.
    pub(super) fn configured(text: &str, reach: Reach) -> Result<Self, UrlError> {
        Self::read(text, reach, true)
    }

    /// Reads a URL that a document from `origin` names.
    pub(super) fn named_by(origin: &Self, text: &str, reach: Reach) -> Result<Self, UrlError> {
        Self::read(text, reach, origin.loopback)
    }

    /// Follows a redirect: to the same scheme, host and port, or nowhere.
    pub(super) fn redirected(&self, location: &str) -> Option<Self> {
        let url = self.url.join(location).ok()?;
        let bare = url.username().is_empty() && url.password().is_none();
        (bare && url.origin() == self.url.origin()).then_some(Self { url, ..*self })
    }

    pub(super) fn as_url(&self) -> &Url {
        &self.url
    }

    pub(super) fn is_https(&self) -> bool {
        self.url.scheme() == "https"
    }

    fn read(text: &str, reach: Reach, loopback_allowed: bool) -> Result<Self, UrlError> {
        let url = Url::parse(text).map_err(|_| UrlError::Malformed)?;
        let host = url.host_str().filter(|_| matches!(url.scheme(), "http" | "https"));
        let host = host.ok_or(UrlError::Malformed)?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(UrlError::Credentials);
        }
        if url.fragment().is_some() {
            return Err(UrlError::Fragment);
        }
        let literal: Option<IpAddr> = host.trim_matches(['[', ']']).parse().ok();
        let loopback =
            host == "localhost" || literal.is_some_and(|address| address.to_canonical().is_loopback());
        let inside = loopback || literal.is_some_and(|address| !is_public(address));
        if inside && !reach.private_addresses && !(loopback && loopback_allowed) {
            return Err(UrlError::PrivateAddress(host.into()));
        }
        if url.scheme() == "http" && !reach.insecure_http && !(loopback && loopback_allowed) {
            return Err(UrlError::PlainHttp(host.into()));
        }
        Ok(Self { url, loopback })
    }
}

impl fmt::Display for EndpointUrl {
    /// Without the query, which may hold what is nobody's business.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.url.origin().ascii_serialization(), self.url.path())
    }
}

impl fmt::Debug for EndpointUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Why a URL may not be asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    /// Not an absolute `http` or `https` URL.
    #[error("it is not an absolute `https://` URL")]
    Malformed,
    /// It has a user name or a password in it.
    #[error("it has a user name or password in it; credentials are configured apart from the URL")]
    Credentials,
    /// It has a fragment.
    #[error("it has a fragment (`#…`), which no server ever sees")]
    Fragment,
    /// Plain HTTP to another machine.
    #[error(
        "keys, secrets and tokens would travel to `{0}` over plain http; set `insecure_http: true` if the network between is safe beyond doubt"
    )]
    PlainHttp(Box<str>),
    /// An address that is not of the public internet.
    #[error(
        "`{0}` is not an address of the public internet; set `allow_private_addresses: true` if it is meant"
    )]
    PrivateAddress(Box<str>),
}

#[cfg(test)]
mod tests {
    use super::*;

    const STRICT: Reach = Reach { insecure_http: false, private_addresses: false };

    fn error(text: &str, reach: Reach) -> Option<UrlError> {
        EndpointUrl::configured(text, reach).err()
    }

    #[test]
    fn https_to_anywhere_and_http_to_this_machine() {
        for fine in [
            "https://as.example",
            "https://as.example:8443/jwks?p=1",
            "https://1.1.1.1/",
            "http://localhost:1/",
            "http://127.0.0.1:1/",
            "http://127.9.9.9/",
            "http://[::1]:1/",
            "https://127.0.0.1/",
        ] {
            assert_eq!(error(fine, STRICT), None, "{fine}");
        }
    }

    #[test]
    fn everything_else_is_refused() {
        let plain = |host: &str| UrlError::PlainHttp(host.into());
        let private = |host: &str| UrlError::PrivateAddress(host.into());
        for (text, expected) in [
            ("", UrlError::Malformed),
            ("as.example/jwks", UrlError::Malformed),
            ("file:///etc/passwd", UrlError::Malformed),
            ("ftp://as.example/", UrlError::Malformed),
            ("data:,x", UrlError::Malformed),
            ("https://", UrlError::Malformed),
            ("https://user@as.example/", UrlError::Credentials),
            ("https://:secret@as.example/", UrlError::Credentials),
            ("https://as.example/#x", UrlError::Fragment),
            ("http://as.example/", plain("as.example")),
            ("http://localhost.as.example/", plain("localhost.as.example")),
            ("http://127.0.0.1.as.example/", plain("127.0.0.1.as.example")),
            ("https://10.0.0.1/", private("10.0.0.1")),
            ("https://169.254.169.254/", private("169.254.169.254")),
            ("https://0x0a000001/", private("10.0.0.1")),
            ("https://[fd00::1]/", private("[fd00::1]")),
            ("https://[::ffff:10.0.0.1]/", private("[::ffff:a00:1]")),
            ("https://0/", private("0.0.0.0")),
        ] {
            assert_eq!(error(text, STRICT), Some(expected), "{text}");
        }
    }

    #[test]
    fn each_relaxation_relaxes_one_thing() {
        let http = Reach { insecure_http: true, ..STRICT };
        let private = Reach { private_addresses: true, ..STRICT };
        assert_eq!(error("http://as.example/", http), None);
        assert_eq!(error("https://10.0.0.1/", private), None);
        assert!(error("http://10.0.0.1/", http).is_some());
        assert!(error("http://10.0.0.1/", private).is_some());
    }

    #[test]
    fn an_issuer_elsewhere_can_not_send_us_to_ourselves() {
        let outside = EndpointUrl::configured("https://as.example/", STRICT).unwrap();
        let inside = EndpointUrl::configured("http://localhost:1/", STRICT).unwrap();
        for target in ["http://localhost:2/jwks", "https://127.0.0.1/jwks", "http://[::1]:2/"] {
            assert!(EndpointUrl::named_by(&outside, target, STRICT).is_err(), "{target}");
            assert!(EndpointUrl::named_by(&inside, target, STRICT).is_ok(), "{target}");
        }
        assert!(EndpointUrl::named_by(&inside, "http://as.example/", STRICT).is_err());
    }

    #[test]
    fn redirects_stay_at_home() {
        let from = EndpointUrl::configured("https://as.example/a/b?c", STRICT).unwrap();
        let to = |location: &str| from.redirected(location).map(|to| to.as_url().to_string());
        assert_eq!(to("/x").as_deref(), Some("https://as.example/x"));
        assert_eq!(to("x?y").as_deref(), Some("https://as.example/a/x?y"));
        assert_eq!(to("https://as.example:443/x").as_deref(), Some("https://as.example/x"));
        for elsewhere in [
            "http://as.example/",
            "https://as.example:444/",
            "//evil.example/",
            "https://u@as.example/",
            "https://www.as.example/",
        ] {
            assert_eq!(to(elsewhere), None, "{elsewhere}");
        }
    }

    #[test]
    fn queries_are_not_shown() {
        let url = EndpointUrl::configured("https://as.example/jwks?key=hunter2", STRICT).unwrap();
        assert_eq!(format!("{url} {url:?}"), "https://as.example/jwks https://as.example/jwks");
    }
}
