//! Values that several sections use: names, URLs, addresses, scopes, header names, files, secrets.

use super::super::code::Code;
use super::super::node::Node;
use super::super::problem::Report;
use super::super::read::{self, Field, Fields};
use super::super::source::Spanned;
use super::{Table, Texts};
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;
use zeroize::Zeroizing;

/// A secret, or the file that holds it.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Secret {
    Inline { value: Zeroizing<String>, written_out: bool },
    File(PathBuf),
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Secret::Inline { .. } => f.write_str("Inline(***)"),
            Secret::File(path) => f.debug_tuple("File").field(path).finish(),
        }
    }
}

/// A host and a port, such as `api.internal:443`, `10.0.0.1:80` or `[::1]:80`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct HostPort {
    /// A name or an IP address, without brackets.
    pub host: String,
    /// The port, not 0.
    pub port: u16,
}

impl std::fmt::Display for HostPort {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.host.contains(':') {
            true => write!(f, "[{}]:{}", self.host, self.port),
            false => write!(f, "{}:{}", self.host, self.port),
        }
    }
}

/// A network of IP addresses, such as `10.0.0.0/8`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Network {
    address: IpAddr,
    prefix: u8,
}

impl Network {
    /// Whether `address` belongs to it. An IPv4 address in IPv6 clothes (`::ffff:10.0.0.1`) counts as IPv4.
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(ours), IpAddr::V4(theirs)) => {
                let mask = u32::MAX.checked_shl(32 - u32::from(self.prefix)).unwrap_or(0);
                u32::from(ours) & mask == u32::from(theirs) & mask
            }
            (IpAddr::V6(ours), IpAddr::V6(theirs)) => {
                let mask = u128::MAX.checked_shl(128 - u32::from(self.prefix)).unwrap_or(0);
                u128::from(ours) & mask == u128::from(theirs) & mask
            }
            _ => false,
        }
    }

    /// Whether it is the whole internet.
    pub(crate) fn is_everyone(&self) -> bool {
        self.prefix == 0
    }

    fn parse(text: &str) -> Result<Self, String> {
        let form = || "write an address and a prefix length, such as `10.0.0.0/8` or `fd00::/8`".to_owned();
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| form())?;
        let bits = if address.is_ipv4() { 32 } else { 128 };
        let prefix = prefix.map_or(Ok(bits), |prefix| prefix.parse().map_err(|_| form()))?;
        if prefix > bits {
            Err(format!("the prefix length is at most {bits}"))
        } else {
            Ok(Self { address, prefix })
        }
    }
}

/// A table whose names stand in logs and metrics: letters, digits, `_`, `-` and `.`.
pub(super) fn named<'n, T>(
    node: &'n Node,
    report: &mut Report,
    read: impl FnMut(&'n Node, &mut Report) -> Option<T>,
) -> Option<Table<T>> {
    let table = read::table(node, report, read)?;
    let good = |name: &str| {
        !name.is_empty()
            && name.len() <= 64
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-.".contains(&b))
    };
    for (name, _) in table.iter().filter(|(name, _)| !good(&name.value)) {
        let hint = "a name has at most 64 letters, digits, `_`, `-` and `.`";
        report.error(Code::BadValue, name.span, format!("{} is not a name", name.quoted())).help(hint);
    }
    table.iter().all(|(name, _)| good(&name.value)).then_some(table)
}

/// The realm of a challenge: printable ASCII without quotes and backslashes (RFC 9110 11.5).
pub(super) fn realm(node: &Node, report: &mut Report) -> Option<Spanned<String>> {
    read::parsed(node, "a realm", report, |text| {
        let good =
            !text.is_empty() && text.bytes().all(|b| (b' '..=b'~').contains(&b) && b != b'"' && b != b'\\');
        if good { Ok(text.to_owned()) } else { Err("use printable ASCII without `\"` and `\\`".to_owned()) }
    })
}

/// An http or https URL with a host, without user, password and fragment; kept byte for byte.
pub(super) fn url(node: &Node, report: &mut Report) -> Option<Spanned<String>> {
    read::parsed(node, "a URL", report, |text| check_url(text).map(|()| text.to_owned()))
}

fn check_url(text: &str) -> Result<(), String> {
    let Some((scheme @ ("https" | "http"), rest)) = text.split_once("://") else {
        return Err("write it whole: `https://host/path`".to_owned());
    };
    if rest.contains('#') {
        return Err("leave out the `#` and what follows".to_owned());
    }
    let uri: http::Uri = text
        .parse()
        .map_err(|_| format!("write `{scheme}://host/path` in ASCII, other characters escaped"))?;
    match uri.authority() {
        Some(authority) if authority.as_str().contains('@') => {
            Err("leave out the user and password".to_owned())
        }
        Some(authority) if authority.host().is_empty() => Err("the host is missing".to_owned()),
        Some(authority) if authority.as_str().ends_with(':') => Err("the port is missing".to_owned()),
        Some(_) => Ok(()),
        None => Err("the host is missing".to_owned()),
    }
}

/// An IP address and a port to listen on.
pub(super) fn socket_address(node: &Node, report: &mut Report) -> Option<Spanned<SocketAddr>> {
    read::parsed(node, "an address to listen on", report, |text| {
        text.parse().map_err(|_| match text.strip_prefix("localhost:").or(text.strip_prefix(':')) {
            Some(port) if text.starts_with('l') => format!("write `127.0.0.1:{port}`"),
            Some(port) => {
                format!("write `127.0.0.1:{port}` for this machine only, or `0.0.0.0:{port}` for all")
            }
            None => "write an IP address and a port, such as `127.0.0.1:8080` or `[::]:8080`".to_owned(),
        })
    })
}

/// A host and a port to connect to.
pub(super) fn host_port(node: &Node, report: &mut Report) -> Option<Spanned<HostPort>> {
    read::parsed(node, "a host and port", report, |text| {
        if text.contains("://") {
            return Err(
                "leave out the scheme: `host:port`; TLS is asked for with the upstream's `tls:`".to_owned()
            );
        }
        let form = || "write `host:port`, such as `127.0.0.1:9000` or `api.internal:443`".to_owned();
        let (host, port) = text.rsplit_once(':').ok_or_else(form)?;
        let port = port.parse().ok().filter(|port| *port != 0).ok_or_else(form)?;
        let host = match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
            Some(host) => host.parse::<std::net::Ipv6Addr>().map(|_| host).map_err(|_| form())?,
            None if is_host_name(host) => host,
            None => return Err(form()),
        };
        Ok(HostPort { host: host.to_owned(), port })
    })
}

/// A DNS name or an IPv4 address.
pub(super) fn host_name(node: &Node, report: &mut Report) -> Option<Spanned<String>> {
    read::parsed(node, "a host name", report, |text| {
        if is_host_name(text) {
            Ok(text.to_owned())
        } else {
            Err("write a name such as `api.internal`".to_owned())
        }
    })
}

pub(super) fn is_host_name(text: &str) -> bool {
    let label = |label: &str| {
        !label.is_empty() && label.len() <= 63 && !label.starts_with('-') && !label.ends_with('-')
    };
    let letters = text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
    text.len() <= 253 && letters && text.split('.').all(label)
}

/// A network of addresses.
pub(super) fn network(node: &Node, report: &mut Report) -> Option<Spanned<Network>> {
    read::parsed(node, "a network", report, Network::parse)
}

/// A file, by a path that is relative to the configuration's.
pub(super) fn file(node: &Node, report: &mut Report) -> Option<Spanned<PathBuf>> {
    read::text(node, report).map(|text| text.map(PathBuf::from))
}

/// A list of scopes.
pub(super) fn scopes(node: &Node, report: &mut Report) -> Option<Texts> {
    let list = read::texts(node, report)?;
    let good = list.value.iter().filter(|scope| is_scope(scope, report)).count();
    (good == list.value.len()).then_some(list)
}

/// Whether `scope` is a scope token (RFC 6749 3.3); reported if not.
pub(super) fn is_scope(scope: &Spanned<String>, report: &mut Report) -> bool {
    let token = |b: u8| (b'!'..=b'~').contains(&b) && b != b'"' && b != b'\\';
    let good = !scope.value.is_empty() && scope.value.bytes().all(token);
    if !good {
        let hint = match scope.value.contains(' ') {
            true => "write a list: `[a, b]`, not `a b`".to_owned(),
            false => "a scope is printable ASCII without spaces, `\"` and `\\` (RFC 6749 3.3)".to_owned(),
        };
        report.error(Code::BadValue, scope.span, format!("{} is not one scope", scope.quoted())).help(hint);
    }
    good
}

/// A claim: its name, or a JSON pointer (RFC 6901) if it begins with `/`.
pub(super) fn claim(node: &Node, report: &mut Report) -> Option<Spanned<String>> {
    let claim = read::text(node, report)?;
    is_claim(&claim, report).then_some(claim)
}

/// Whether `claim` names a claim; reported if not.
pub(super) fn is_claim(claim: &Spanned<String>, report: &mut Report) -> bool {
    let escapes_well = claim.value.split('~').skip(1).all(|after| after.starts_with(['0', '1']));
    let good = !claim.value.is_empty() && (!claim.value.starts_with('/') || escapes_well);
    if !good {
        let hint = "write the claim's name, or a JSON pointer such as `/realm_access/roles` (in it, `~0` is `~` and `~1` is `/`)";
        report.error(Code::BadValue, claim.span, format!("{} names no claim", claim.quoted())).help(hint);
    }
    good
}

/// Whether `name` is a header field's name that may be set for the upstream; reported if not.
pub(super) fn header_name(name: &Spanned<String>, report: &mut Report) -> bool {
    let hint = match http::HeaderName::from_bytes(name.value.as_bytes()) {
        Err(_) => "a header's name has letters, digits and `-`",
        Ok(_) if name.value.contains('_') => "write `-` for `_`: upstreams take the two for the same",
        Ok(header) if RESERVED_HEADERS.contains(&header.as_str()) => {
            "it frames or routes the request; choose another name"
        }
        Ok(_) => return true,
    };
    let message = format!("{} is not a header that can be set", name.quoted());
    report.error(Code::BadValue, name.span, message).help(hint);
    false
}

/// `name` or its twin `name_file`, not both.
pub(super) fn secret(
    fields: &mut Fields<'_>,
    (name, file_name): (&'static str, &'static str),
    report: &mut Report,
) -> Field<Spanned<Secret>> {
    let inline = fields.get(name, report, |node, report| {
        let text = read::text(node, report)?;
        let written_out = read::scalar(node, "text", report)?.written.is_none();
        Some(text.map(|text| Secret::Inline { value: Zeroizing::new(text), written_out }))
    });
    let in_file = fields.get(file_name, report, file);
    if !fields.exclusive(&[name, file_name], report) {
        return Field::Broken;
    }
    match (inline, in_file) {
        (Field::Absent, Field::Given(path)) => Field::Given(path.map(Secret::File)),
        (Field::Absent, Field::Broken) => Field::Broken,
        (inline, _) => inline,
    }
}

/// Fields that frame or route a request, so no claim may set them.
const RESERVED_HEADERS: &[&str] = &[
    "authorization",
    "connection",
    "content-length",
    "expect",
    "host",
    "keep-alive",
    "proxy-authorization",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// A year: longer than this no lifetime is meant.
pub(super) const YEAR: Duration = Duration::from_secs(366 * 24 * 60 * 60);

/// A day.
pub(super) const DAY: Duration = Duration::from_secs(24 * 60 * 60);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls() {
        for good in [
            "https://a",
            "https://a/",
            "http://127.0.0.1:8080/x?p=1",
            "https://[::1]:1/",
            "https://a.example/oauth2/default",
        ] {
            assert_eq!(check_url(good), Ok(()), "{good}");
        }
        for bad in [
            "a",
            "ftp://a/",
            "https://",
            "https:///x",
            "https://u:p@a/",
            "https://a/#x",
            "https://a b/",
            "https://ä/",
            "https://a:/",
            "HTTPS://a",
        ] {
            assert!(check_url(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn networks() {
        let contains = |network: &str, address: &str| {
            Network::parse(network).unwrap().contains(address.parse().unwrap())
        };
        for (network, inside, outside) in [
            ("10.0.0.0/8", "10.255.0.1", "11.0.0.1"),
            ("10.0.0.0/8", "::ffff:10.0.0.1", "::1"),
            ("192.168.1.7", "192.168.1.7", "192.168.1.8"),
            ("fd00::/8", "fd12::1", "fe80::1"),
            ("10.1.2.3/31", "10.1.2.2", "10.1.2.4"),
        ] {
            assert!(contains(network, inside), "{network} {inside}");
            assert!(!contains(network, outside), "{network} {outside}");
        }
        assert!(contains("0.0.0.0/0", "8.8.8.8") && contains("::/0", "::1"));
        for bad in ["", "10.0.0.0/33", "10.0.0/8", "::/129", "host/8", "10.0.0.0/"] {
            assert!(Network::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_secret_is_not_shown() {
        let secret = Secret::Inline { value: Zeroizing::new("hunter2".to_owned()), written_out: true };
        assert_eq!(format!("{secret:?}"), "Inline(***)");
    }
}
