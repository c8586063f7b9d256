//! Values that several sections use: names, URLs, addresses, scopes, header names, files, secrets.

use super::super::code::Code;
use super::super::fields::{Field, Fields};
use super::super::node::Node;
use super::super::plan::{HostPort, Network, SecretSource, is_host_name};
use super::super::problem::Report;
use super::super::read;
use super::super::source::Spanned;
use super::{Table, Texts};
use crate::policy::{IdentityHeaders, IdentitySource, InvalidIdentityHeader};
use crate::token::Scope;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;
use zeroize::Zeroizing;

/// A table whose names stand in logs and metrics: letters, digits, `_`, `-` and `.`.
pub(super) fn named<'n, T>(
    node: &'n Node,
    report: &mut Report,
    read: impl FnMut(&'n Node, &mut Report) -> Option<T>,
) -> Option<Table<T>> {
    let good = |name: &str| {
        !name.is_empty()
            && name.len() <= 64
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-.".contains(&b))
    };
    let entries = read::mapping(node, report)?.len();
    let table = read::table(
        node,
        report,
        |name, report| {
            if !good(&name.value) {
                let hint = "a name has at most 64 letters, digits, `_`, `-` and `.`";
                report
                    .error(Code::BadValue, name.span, format!("{} is not a name", name.quoted()))
                    .help(hint);
            }
            good(&name.value)
        },
        read,
    )?;
    // Of an incomplete table, nobody can say which names are unknown.
    (table.len() == entries).then_some(table)
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
        let hint = "write `host:port`, such as `127.0.0.1:9000`, `[::1]:9000` or `api.internal:443`";
        HostPort::parse(text).ok_or_else(|| hint.to_owned())
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

/// A network of addresses.
pub(super) fn network(node: &Node, report: &mut Report) -> Option<Spanned<Network>> {
    let hint = "write an address and a prefix length, such as `10.0.0.0/8` or `fd00::/8`";
    read::parsed(node, "a network", report, |text| Network::parse(text).ok_or_else(|| hint.to_owned()))
}

/// A file, by a path that is relative to the configuration's.
pub(super) fn file(node: &Node, report: &mut Report) -> Option<Spanned<PathBuf>> {
    read::text(node, report).map(|text| text.map(PathBuf::from))
}

/// A list of scopes.
pub(super) fn scopes(node: &Node, report: &mut Report) -> Option<Texts> {
    let list = read::texts(node, report)?;
    list.value.iter().for_each(|scope| {
        is_scope(scope, report);
    });
    Some(list)
}

/// Whether `scope` is a scope token (RFC 6749 3.3); reported if not.
pub(super) fn is_scope(scope: &Spanned<String>, report: &mut Report) -> bool {
    let good = Scope::new(&scope.value).is_ok();
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

/// Whether `name` is a header field that may be set for the upstream; reported if not.
pub(super) fn header_name(name: &Spanned<String>, report: &mut Report) -> bool {
    let hint = match IdentityHeaders::none().with(&name.value, IdentitySource::Subject) {
        Ok(_) if name.value.contains('_') => "write `-` for `_`: servers take the two for the same",
        Ok(_) => return true,
        Err(InvalidIdentityHeader::Reserved) => "HTTP gives it a meaning of its own; choose another name",
        Err(_) => "a header's name has letters, digits and `-`",
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
) -> Field<Spanned<SecretSource>> {
    let inline = fields.get(name, report, |node, report| {
        read::text(node, report).map(|text| text.map(|text| SecretSource::Value(Zeroizing::new(text))))
    });
    let in_file = fields.get(file_name, report, file);
    if !fields.exclusive(&[name, file_name], report) {
        return Field::Broken;
    }
    match (inline, in_file) {
        (Field::Absent, Field::Given(path)) => Field::Given(path.map(SecretSource::File)),
        (Field::Absent, Field::Broken) => Field::Broken,
        (inline, _) => inline,
    }
}

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
}
