//! Which URLs may be asked: https, or plain http where nobody can listen or the operator says so.

use super::code::Code;
use super::problem::Report;
use super::source::Spanned;
use std::net::IpAddr;

/// Whether `url` may be asked; reported if not.
pub(super) fn may_be_asked(url: &Spanned<String>, insecure_http: bool, report: &mut Report) -> bool {
    let refused = is_plain(&url.value) && !insecure_http;
    if refused {
        let hint = "write `https://`; if the network between is safe beyond doubt, say `insecure_http: true` for this issuer";
        let message = "keys, secrets and tokens would travel over plain http";
        report.error(Code::InsecureUrl, url.span, message).help(hint);
    }
    !refused
}

/// Whether it is plain http to another machine.
pub(super) fn is_plain(url: &str) -> bool {
    url.starts_with("http://") && !is_loopback(host(url))
}

/// The path of a URL, without query.
pub(super) fn path(url: &str) -> &str {
    let after = url.split_once("://").map_or("", |(_, after)| after);
    let path = after.find('/').and_then(|at| after.get(at..)).unwrap_or_default();
    path.split('?').next().unwrap_or_default()
}

/// The host of a URL, without port and brackets.
pub(super) fn host(url: &str) -> &str {
    let after = url.split_once("://").map_or(url, |(_, after)| after);
    let authority = after.split(['/', '?']).next().unwrap_or_default();
    match authority.strip_prefix('[') {
        Some(v6) => v6.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    }
}

fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost")
        || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_urls() {
        for (url, expected_host, expected_path) in [
            ("https://a.example/oauth2/default?p=/x", "a.example", "/oauth2/default"),
            ("https://a.example", "a.example", ""),
            ("http://[::1]:8080/x", "::1", "/x"),
            ("http://127.0.0.1:1?x", "127.0.0.1", ""),
        ] {
            assert_eq!((host(url), path(url)), (expected_host, expected_path), "{url}");
        }
    }

    #[test]
    fn plain_http_is_for_this_machine() {
        for url in ["https://a", "http://localhost:1/", "http://127.9.9.9", "http://[::1]:1"] {
            assert!(!is_plain(url), "{url}");
        }
        for url in ["http://a", "http://10.0.0.1", "http://localhost.example", "http://127.0.0.1.example"] {
            assert!(is_plain(url), "{url}");
        }
    }
}
