//! Which addresses may be connected to: those of the public internet, unless the operator says otherwise.

use super::failure::RefusedAddress;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// Resolves names, and gives out none of the addresses that must not be connected to.
///
/// The check is made on the very addresses that the connection is made to, so a name that first shows a public address and
/// then a private one gains nothing.
#[derive(Debug)]
pub(super) struct GuardedResolver {
    pub(super) private_addresses: bool,
}

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let private_addresses = self.private_addresses;
        Box::pin(async move {
            if name.as_str() == "localhost" {
                // RFC 6761 section 6.3: always this machine, whatever a resolver says.
                return Ok(Box::new(LOCALHOST.into_iter()) as Addrs);
            }
            let found: Vec<_> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            let (fine, refused): (Vec<_>, Vec<_>) =
                found.into_iter().partition(|address| private_addresses || is_public(address.ip()));
            match refused.first() {
                Some(first) if fine.is_empty() => Err(RefusedAddress(first.ip()).into()),
                _ => Ok(Box::new(fine.into_iter()) as Addrs),
            }
        })
    }
}

/// Port 0: the URL's own is filled in.
const LOCALHOST: [SocketAddr; 2] = [
    SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0),
    SocketAddr::new(IpAddr::V6(Ipv6Addr::LOCALHOST), 0),
];

/// Whether it is an address of the public internet: none of the special-purpose ones (RFC 6890 and the IANA registries that
/// it founded), such as loopback, private, shared, link-local and unique-local addresses, multicast and documentation.
pub(super) fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => is_public_v4(v4),
        IpAddr::V6(v6) => is_public_v6(v6),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    !matches!(
        (a, b, c),
        (0 | 10 | 127 | 224..=255, _, _)
            | (100, 64..=127, _)
            | (169, 254, _)
            | (172, 16..=31, _)
            | (192, 0, 0 | 2)
            | (192, 88, 99)
            | (192, 168, _)
            | (198, 18 | 19, _)
            | (198, 51, 100)
            | (203, 0, 113)
    )
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    if let Some(v4) = address.to_ipv4_mapped() {
        return is_public_v4(v4);
    }
    match address.segments() {
        // RFC 6052: an IPv4 address behind a translator.
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => is_public_v4(v4_of(high, low)),
        // RFC 3056: an IPv4 address behind a relay.
        [0x2002, high, low, ..] => is_public_v4(v4_of(high, low)),
        // Protocol assignments, with Teredo and ORCHID among them; documentation.
        [0x2001, 0..0x200 | 0xdb8, ..] | [0x3fff, 0..0x1000, ..] => false,
        // Global unicast is 2000::/3, and nothing else is yet.
        [first, ..] => first & 0xe000 == 0x2000,
    }
}

fn v4_of(high: u16, low: u16) -> Ipv4Addr {
    Ipv4Addr::from(u32::from(high) << 16 | u32::from(low))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_public_internet_is_public() {
        for public in [
            "1.1.1.1",
            "100.63.255.255",
            "100.128.0.0",
            "172.15.0.1",
            "172.32.0.1",
            "192.0.1.1",
            "198.17.0.1",
            "198.20.0.1",
            "223.255.255.255",
            "2606:4700::1111",
            "2001:200::1",
            "2a00::1",
            "::ffff:1.1.1.1",
            "64:ff9b::101:101",
            "2002:101:101::1",
        ] {
            assert!(is_public(public.parse().unwrap()), "{public}");
        }
    }

    #[test]
    fn special_purpose_addresses_are_not() {
        for special in [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "100.64.0.1",
            "127.0.0.1",
            "127.255.255.254",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.8",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::7f00:1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "64:ff9b::7f00:1",
            "64:ff9b::a9fe:a9fe",
            "64:ff9b:1::1",
            "100::1",
            "2001::1",
            "2001:db8::1",
            "2002:a00:1::1",
            "2002:7f00:1::1",
            "3fff::1",
            "5f00::1",
            "fc00::1",
            "fd12:3456::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
        ] {
            assert!(!is_public(special.parse().unwrap()), "{special}");
        }
    }

    fn resolve(name: &str, private_addresses: bool) -> Result<Vec<SocketAddr>, String> {
        let resolving = GuardedResolver { private_addresses }.resolve(name.parse().unwrap());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(resolving).map(Iterator::collect).map_err(|error| error.to_string())
    }

    #[test]
    fn names_of_special_addresses_are_refused_unless_they_are_allowed() {
        assert_eq!(resolve("localhost", false), Ok(LOCALHOST.to_vec()));
        // A resolver takes a literal for its own address.
        let refused = resolve("10.1.2.3", false).unwrap_err();
        assert!(refused.contains("10.1.2.3") && refused.contains("allow_private_addresses"), "{refused}");
        assert_eq!(resolve("10.1.2.3", true), Ok(vec![([10, 1, 2, 3], 0).into()]));
        assert_eq!(resolve("8.8.8.8", false), Ok(vec![([8, 8, 8, 8], 0).into()]));
    }
}
