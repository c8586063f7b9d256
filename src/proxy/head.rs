//! The head of an HTTP/1 request as it comes from the wire: whole, in one reading only, or refused.
//!
//! The parser behind this one is lenient: it takes a bare LF for a line's end, drops `Content-Length` beside
//! `Transfer-Encoding`, and escapes an illegal target instead of refusing it. So that what is judged is what is
//! forwarded, nothing gets there that could be read in two ways (RFC 9112 sections 2.2, 3, 5 and 6).

use super::refusal::Refusal;
use crate::token::all;
use memchr::memchr2_iter;

/// Reads a head line by line, as its bytes arrive. Each byte is looked at once.
#[derive(Debug)]
pub(super) struct HeadScanner {
    max_bytes: usize,
    max_fields: usize,
    /// How many bytes have been looked at.
    scanned: usize,
    /// Where the line begins that is being read.
    line_start: usize,
    fields: usize,
    started: bool,
    http10: bool,
    length: Option<u64>,
    host: bool,
    chunked: bool,
    upgrade: bool,
}

/// A whole head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head {
    /// Its length in bytes, the empty line included.
    pub(super) bytes: usize,
    /// What follows it.
    pub(super) body: Body,
}

/// What follows a head on the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Body {
    /// So many bytes, and then another request.
    Length(u64),
    /// Chunks, and then another request.
    Chunked,
    /// Something whose end nobody knows: perhaps another protocol.
    Open,
}

impl HeadScanner {
    /// A scanner for one head of at most so many bytes and field lines.
    pub(super) fn new(max_bytes: usize, max_fields: usize) -> Self {
        Self {
            max_bytes,
            max_fields,
            scanned: 0,
            line_start: 0,
            fields: 0,
            started: false,
            http10: false,
            length: None,
            host: false,
            chunked: false,
            upgrade: false,
        }
    }

    /// Looks at what has arrived since the last call: `bytes` is all that has arrived since the head began. `None` if the
    /// head is not whole yet.
    ///
    /// # Errors
    /// The [`Refusal`] for a head that must not pass.
    pub(super) fn scan(&mut self, bytes: &[u8]) -> Result<Option<Head>, Refusal> {
        let mut skip = None;
        for at in memchr2_iter(b'\r', b'\n', bytes.get(self.scanned..).unwrap_or_default()) {
            let at = self.scanned + at;
            if skip == Some(at) {
                continue;
            }
            match (bytes.get(at), bytes.get(at + 1)) {
                (Some(b'\r'), Some(b'\n')) => skip = Some(at + 1),
                // The LF may be still to come.
                (Some(b'\r'), None) => break,
                _ => return Err(Refusal::Malformed),
            }
            let line = bytes.get(self.line_start..at).unwrap_or_default();
            self.line_start = at + 2;
            if self.line_start > self.max_bytes {
                return Err(Refusal::HeadTooLarge);
            }
            if self.line(line)? {
                return self.whole(bytes).map(Some);
            }
        }
        self.scanned = if bytes.last() == Some(&b'\r') { bytes.len() - 1 } else { bytes.len() };
        if bytes.len() > self.max_bytes { Err(Refusal::HeadTooLarge) } else { Ok(None) }
    }

    /// Takes a line; returns whether it is the empty one at the end.
    fn line(&mut self, line: &[u8]) -> Result<bool, Refusal> {
        if !self.started {
            self.started = true;
            self.http10 = request_line(line)?;
            return Ok(false);
        }
        let Some(first) = line.first() else { return Ok(true) };
        self.fields += 1;
        if self.fields > self.max_fields {
            return Err(Refusal::HeadTooLarge);
        }
        // Not one that goes on (obs-fold, RFC 9112 section 5.2), nor one with a space before its colon (section 5.1).
        if !has_name(line) {
            return Err(Refusal::Malformed);
        }
        match first.to_ascii_lowercase() {
            b'c' => match field(line, b"content-length") {
                Some(_) if self.length.is_some() => return Err(Refusal::Framing),
                Some(value) => self.length = Some(content_length(value).ok_or(Refusal::Framing)?),
                None => {}
            },
            b't' => match field(line, b"transfer-encoding") {
                Some(value) if !self.chunked && value.eq_ignore_ascii_case(b"chunked") => self.chunked = true,
                Some(_) => return Err(Refusal::Framing),
                None => {}
            },
            b'h' => match field(line, b"host") {
                // The parser behind would refuse it without a word (RFC 9112 section 3.2).
                Some(value) if self.host || value.contains(&b'@') => return Err(Refusal::Host),
                Some(_) => self.host = true,
                None => {}
            },
            b'u' => self.upgrade |= field(line, b"upgrade").is_some(),
            _ => {}
        }
        Ok(false)
    }

    fn whole(&self, bytes: &[u8]) -> Result<Head, Refusal> {
        // No value has a control character but the tab (RFC 9110 section 5.5). CR and LF are where they belong.
        let allowed =
            |byte: u8| (byte >= b' ') & (byte != 0x7f) | (byte == b'\t') | (byte == b'\r') | (byte == b'\n');
        if !all(bytes.get(..self.line_start).unwrap_or_default(), allowed) {
            return Err(Refusal::Malformed);
        }
        if self.chunked && (self.length.is_some() || self.http10) {
            return Err(Refusal::Framing);
        }
        let body = match self.length {
            _ if self.chunked => Body::Chunked,
            _ if self.upgrade => Body::Open,
            length => Body::Length(length.unwrap_or(0)),
        };
        Ok(Head { bytes: self.line_start, body })
    }
}

/// The value of a `Content-Length`: digits only, and no other way to write the same number (RFC 9110 section 8.6).
pub(super) fn content_length(value: &[u8]) -> Option<u64> {
    let canonical =
        value.iter().all(u8::is_ascii_digit) && (value.first() != Some(&b'0') || value.len() == 1);
    // 18 digits fit whatever integer a reader may use.
    if !canonical || !(1..=18).contains(&value.len()) {
        return None;
    }
    std::str::from_utf8(value).ok()?.parse().ok()
}

/// Whether a byte may be in a token (RFC 9110 section 5.6.2).
pub(super) fn is_token(byte: u8) -> bool {
    byte.is_ascii() && TOKEN >> byte & 1 == 1
}

/// A bit for each character: it is asked for every byte of every name.
const TOKEN: u128 = {
    let mut set = 0;
    let mut listed: &[u8] = b"!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    while let [byte, rest @ ..] = listed {
        set |= 1 << *byte;
        listed = rest;
    }
    set
};

/// Whether a field line begins with a name and a colon.
fn has_name(line: &[u8]) -> bool {
    let end = line.iter().position(|byte| !is_token(*byte));
    end.is_some_and(|end| end > 0 && line.get(end) == Some(&b':'))
}

/// Checks the request line, and returns whether it is HTTP/1.0's (RFC 9112 section 3).
fn request_line(line: &[u8]) -> Result<bool, Refusal> {
    let mut parts = line.split(|byte| *byte == b' ');
    let (Some(method), Some(target), Some(version), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(Refusal::Malformed);
    };
    if method.is_empty() || method.len() > MAX_METHOD_BYTES || !method.iter().copied().all(is_token) {
        return Err(Refusal::Malformed);
    }
    let http10 = match version {
        b"HTTP/1.1" => false,
        b"HTTP/1.0" => true,
        other if other.starts_with(b"HTTP/") => return Err(Refusal::Version),
        _ => return Err(Refusal::Malformed),
    };
    if method == b"CONNECT" {
        return Err(Refusal::MethodNotImplemented);
    }
    let mut path = target.iter().take_while(|byte| **byte != b'?');
    // What no URI has raw (RFC 3986 section 2); but browsers send a backtick in a query.
    let plain = |byte: &u8| byte.is_ascii_graphic() && !matches!(byte, b'#' | b'"' | b'<' | b'>');
    if target.first() != Some(&b'/') || !target.iter().all(plain) || path.any(|byte| *byte == b'`') {
        return Err(Refusal::Target);
    }
    Ok(http10)
}

/// The value of a field line with this name, which is in lower case.
fn field<'a>(line: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let (found, rest) = line.split_at_checked(name.len())?;
    let value = rest.strip_prefix(b":")?;
    found.eq_ignore_ascii_case(name).then(|| value.trim_ascii())
}

/// No registered method is longer than 17 letters.
const MAX_METHOD_BYTES: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;

    fn scan(text: &str) -> Result<Option<Head>, Refusal> {
        let whole = HeadScanner::new(1024, 10).scan(text.as_bytes());
        // However it arrives, it is read alike.
        let mut scanner = HeadScanner::new(1024, 10);
        let drips = (1..=text.len()).map(|end| scanner.scan(&text.as_bytes()[..end]));
        let dripped = drips.into_iter().find(|read| !matches!(read, Ok(None))).unwrap_or(Ok(None));
        assert_eq!(whole, dripped, "{text:?}");
        whole
    }

    fn with(fields: &str) -> Result<Option<Head>, Refusal> {
        scan(&format!("POST / HTTP/1.1\r\nHost: a\r\n{fields}\r\n"))
    }

    #[test]
    fn a_head_ends_with_its_empty_line() {
        let text = "GET /a?b HTTP/1.1\r\nHost: a\r\n\r\n";
        let head = Head { bytes: text.len(), body: Body::Length(0) };
        assert_eq!(scan(text), Ok(Some(head)));
        assert_eq!(HeadScanner::new(1024, 10).scan(format!("{text}GET /").as_bytes()), Ok(Some(head)));
        assert_eq!(scan("GET / HTTP/1.1\r\nHost: a\r\n"), Ok(None));
        assert_eq!(scan(""), Ok(None));
    }

    #[test]
    fn lines_end_in_one_way() {
        for text in [
            "GET / HTTP/1.1\nHost: a\n\n",
            "GET / HTTP/1.1\r\nHost: a\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\rX: b\r\n\r\n",
            "GET / HTTP/1.1\r\r\nHost: a\r\n\r\n",
            "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
            "\nGET / HTTP/1.1\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\n b\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\n\tb\r\n\r\n",
            "GET / HTTP/1.1\r\n Host: a\r\n\r\n",
        ] {
            assert_eq!(scan(text), Err(Refusal::Malformed), "{text:?}");
        }
    }

    #[test]
    fn fields_have_names_and_plain_values() {
        for fields in ["A:\r\n", "a-_.~!: b\tc \r\n", "A: \u{e9}\r\n", "A::\r\n"] {
            assert!(matches!(with(fields), Ok(Some(_))), "{fields:?}");
        }
        for fields in [
            "A\r\n",
            ":\r\n",
            ": b\r\n",
            "A : b\r\n",
            "A\t: b\r\n",
            "A B: c\r\n",
            "A\0: b\r\n",
            "A(: b\r\n",
            "\u{e9}: b\r\n",
            "A: \0\r\n",
            "A: b\u{1}\r\n",
            "A: \u{b}\r\n",
            "A: \u{c}b\r\n",
            "A: \u{7f}\r\n",
            "A: \u{1b}[0m\r\n",
        ] {
            assert_eq!(with(fields), Err(Refusal::Malformed), "{fields:?}");
        }
    }

    #[test]
    fn tokens_are_those_of_rfc_9110() {
        let listed = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        assert!((0..=u8::MAX).all(|byte| is_token(byte) == listed(byte)));
    }

    #[test]
    fn request_lines_are_strict() {
        use Refusal::{Malformed, MethodNotImplemented, Target, Version};
        for (line, expected) in [
            ("GET  / HTTP/1.1", Malformed),
            ("GET / HTTP/1.1 ", Malformed),
            (" GET / HTTP/1.1", Malformed),
            ("GET /", Malformed),
            ("GET\t/\tHTTP/1.1", Malformed),
            ("G(T / HTTP/1.1", Malformed),
            ("GET / http/1.1", Malformed),
            ("GET / HTTP/1.2", Version),
            ("GET / HTTP/2.0", Version),
            ("GET / HTTP/0.9", Version),
            ("GET * HTTP/1.1", Target),
            ("OPTIONS * HTTP/1.1", Target),
            ("GET http://a/ HTTP/1.1", Target),
            ("GET a HTTP/1.1", Target),
            ("GET /a#b HTTP/1.1", Target),
            ("GET /a`b HTTP/1.1", Target),
            ("GET /a\"b HTTP/1.1", Target),
            ("GET /a?b=\"c\" HTTP/1.1", Target),
            ("GET /a?b=<c HTTP/1.1", Target),
            ("GET /a?b>=c HTTP/1.1", Target),
            ("GET /\u{e9} HTTP/1.1", Target),
            ("GET /\u{0} HTTP/1.1", Target),
            ("GET /\u{7f} HTTP/1.1", Target),
            ("CONNECT a:443 HTTP/1.1", MethodNotImplemented),
        ] {
            assert_eq!(scan(&format!("{line}\r\nHost: a\r\n\r\n")), Err(expected), "{line:?}");
        }
        assert!(matches!(scan("GET / HTTP/1.0\r\n\r\n"), Ok(Some(_))));
    }

    #[test]
    fn hosts_are_told_once() {
        assert_eq!(with("Host: b\r\n"), Err(Refusal::Host));
        assert_eq!(with("hOST:a\r\n"), Err(Refusal::Host));
        assert_eq!(scan("GET / HTTP/1.1\r\nHost: u@a\r\n\r\n"), Err(Refusal::Host));
        assert!(matches!(with("Hosts: b\r\nX-Host: b\r\n"), Ok(Some(_))));
    }

    #[test]
    fn framing_is_told_once() {
        let body = |fields: &str| with(fields).map(|head| head.unwrap().body);
        assert_eq!(body("Content-Length: 5\r\n"), Ok(Body::Length(5)));
        assert_eq!(body("content-length:0\r\n"), Ok(Body::Length(0)));
        assert_eq!(body("Transfer-Encoding: Chunked\r\n"), Ok(Body::Chunked));
        assert_eq!(body("Transfer-Encoding: chunked\r\nUpgrade: websocket\r\n"), Ok(Body::Chunked));
        assert_eq!(body("Upgrade: websocket\r\n"), Ok(Body::Open));
        assert_eq!(body("Content-Type: a\r\nTE: trailers\r\n"), Ok(Body::Length(0)));
        for fields in [
            "Content-Length: 5\r\nContent-Length: 5\r\n",
            "Content-Length: 5, 5\r\n",
            "Content-Length: +5\r\n",
            "Content-Length: 05\r\n",
            "Content-Length: 0x5\r\n",
            "Content-Length: -1\r\n",
            "Content-Length:\r\n",
            "Content-Length: 1234567890123456789\r\n",
            "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
            "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
            "Transfer-Encoding: gzip, chunked\r\n",
            "Transfer-Encoding: identity\r\n",
            "Transfer-Encoding: chunked, identity\r\n",
            "Transfer-Encoding: \u{b}chunked\r\n",
        ] {
            assert_eq!(with(fields), Err(Refusal::Framing), "{fields:?}");
        }
        let old = "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n";
        assert_eq!(scan(old), Err(Refusal::Framing));
    }

    #[test]
    fn heads_are_bounded() {
        assert_eq!(with(&"A: b\r\n".repeat(10)), Err(Refusal::HeadTooLarge));
        assert_eq!(with(&format!("A: {}\r\n", "b".repeat(1024))), Err(Refusal::HeadTooLarge));
        assert_eq!(scan(&format!("GET /{}", "a".repeat(1024))), Err(Refusal::HeadTooLarge));
    }
}
