//! Addresses to connect to, and networks of them.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

/// A host and a port, such as `api.internal:443`, `10.0.0.1:80` or `[::1]:80`.
///
/// ```
/// use tollgate::config::HostPort;
///
/// let address = HostPort::parse("[::1]:9000").unwrap();
/// assert_eq!((address.host.as_str(), address.port), ("::1", 9000));
/// assert_eq!(address.to_string(), "[::1]:9000");
/// assert!(HostPort::parse("https://api.internal").is_none());
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct HostPort {
    /// A name or an IP address, without brackets.
    pub host: String,
    /// The port, not 0.
    pub port: u16,
}

impl HostPort {
    /// Reads `host:port`; an IPv6 address stands in brackets. `None` if it is none.
    pub fn parse(text: &str) -> Option<Self> {
        let (host, port) = text.rsplit_once(':')?;
        let port = port.parse().ok().filter(|port| *port != 0)?;
        let host = match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
            Some(host) => host.parse::<Ipv6Addr>().is_ok().then_some(host)?,
            None => is_host_name(host).then_some(host)?,
        };
        Some(Self { host: host.to_owned(), port })
    }
}

impl fmt::Display for HostPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.host.contains(':') {
            true => write!(f, "[{}]:{}", self.host, self.port),
            false => write!(f, "{}:{}", self.host, self.port),
        }
    }
}

/// Whether `text` is a DNS name or an IPv4 address: labels of letters, digits, `-` and `_`.
pub(in crate::config) fn is_host_name(text: &str) -> bool {
    let letters = |label: &str| label.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
    let label = |label: &str| {
        (1..=63).contains(&label.len()) && letters(label) && !label.starts_with('-') && !label.ends_with('-')
    };
    text.len() <= 253 && text.split('.').all(label)
}

/// A network of IP addresses, such as `10.0.0.0/8`; a single address is a network of one.
///
/// ```
/// use tollgate::config::Network;
///
/// let network = Network::parse("10.0.0.0/8").unwrap();
/// assert!(network.contains("10.1.2.3".parse().unwrap()));
/// assert!(network.contains("::ffff:10.1.2.3".parse().unwrap()));
/// assert!(!network.contains("11.0.0.1".parse().unwrap()));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Network {
    address: IpAddr,
    prefix: u8,
}

impl Network {
    /// Reads an address, or an address and a prefix length (RFC 4632 section 3.1). `None` if it is neither.
    pub fn parse(text: &str) -> Option<Self> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().ok()?;
        let bits = if address.is_ipv4() { 32 } else { 128 };
        let prefix = prefix.map_or(Some(bits), |prefix| prefix.parse().ok())?;
        (prefix <= bits).then_some(Self { address, prefix })
    }

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
    pub(in crate::config) fn is_everyone(&self) -> bool {
        self.prefix == 0
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_contain_what_shares_their_prefix() {
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
            assert!(Network::parse(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn a_host_and_port() {
        for good in ["a:1", "api.internal:443", "10.0.0.1:80", "[::1]:80"] {
            assert_eq!(HostPort::parse(good).unwrap().to_string(), good);
        }
        for bad in ["", "a", "a:", "a:0", "a:65536", ":80", "::1:80", "[a]:80", "a b:80", "-a:80", "a..b:80"]
        {
            assert!(HostPort::parse(bad).is_none(), "{bad}");
        }
    }
}
