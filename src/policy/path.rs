//! The request target, in one canonical form or refused: RFC 3986 sections 2.1, 3.3 and 6.2.2, RFC 9112 section 3.2.1.

mod non_ascii;

use std::borrow::Cow;

/// A path that every reader understands alike, and the query behind it.
///
/// A gate and the API behind it must agree on what a path names. Instead of rewriting a path, and hoping that the API would
/// have done the same, Tollgate refuses each that could be read in two ways, and forwards the others byte for byte:
///
/// 1. Origin-form, at most [`MAX_TARGET_BYTES`](Self::MAX_TARGET_BYTES): it begins with `/`. No fragment, no authority.
/// 2. No `.` or `..` segment, nor another of dots alone, and no empty one but the last (no `//`; one trailing `/` is fine).
/// 3. Only characters of a `pchar` (RFC 3986 section 3.3) but `;`, which some servers take for parameters. No `\`, no
///    control, no byte above ASCII. No `(S(` nor another letter between the two, which ASP.NET takes for a session, and out of the path.
/// 4. Escapes: none of a character that needs none (`%61`), since that is a second spelling; none of a separator or of
///    something that a second reader might take for one: `/ \ . % ; ? #`, controls, full-width forms, bytes that are not UTF-8. No
///    `%20` at either end of a segment, where some servers trim it (CVE-2020-17523). `%2F` and characters beyond ASCII (`%C3%A9`)
///    are let through to be judged by the route, which must allow them in words.
/// 5. The query is visible ASCII without `#`, and has no parameter `access_token`: a token in a URL ends up in logs
///    (RFC 6750 section 2.3), so it is neither taken nor forwarded.
///
/// ```
/// use tollgate::policy::{CanonicalPath, PathError};
///
/// let path = CanonicalPath::parse(b"/orders/a%20b?page=2")?;
/// assert_eq!((path.as_str(), path.query()), ("/orders/a%20b", Some("page=2")));
/// assert_eq!(path.segments().collect::<Vec<_>>(), ["orders", "a b"]);
/// assert_eq!(CanonicalPath::parse(b"/orders/../admin"), Err(PathError::DotSegment));
/// # Ok::<(), PathError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CanonicalPath<'a> {
    path: &'a str,
    query: Option<&'a str>,
    escaped: bool,
    encoded_slash: bool,
    non_ascii: bool,
    dot_at_end: bool,
}

impl<'a> CanonicalPath<'a> {
    /// The longest target that is looked at, in bytes.
    pub const MAX_TARGET_BYTES: usize = 8 * 1024;

    /// Reads a request target, without its copy or change.
    ///
    /// # Errors
    /// The [`PathError`] that says which of the rules above it breaks.
    pub fn parse(target: &'a [u8]) -> Result<Self, PathError> {
        if target.len() > Self::MAX_TARGET_BYTES {
            return Err(PathError::TooLong);
        }
        let target = std::str::from_utf8(target).map_err(|_| PathError::Character)?;
        let (path, query) = match target.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (target, None),
        };
        let inner = path.strip_prefix('/').ok_or(PathError::Form)?;
        query.map_or(Ok(()), check_query)?;
        let escapes = check_characters(inner)?;
        if escapes.parenthesis && has_session_of_asp_net(inner) {
            return Err(PathError::Character);
        }
        let dot_at_end = check_segments(inner)?;
        let Escapes { any: escaped, slash: encoded_slash, non_ascii, .. } = escapes;
        Ok(Self { path, query, escaped, encoded_slash, non_ascii, dot_at_end })
    }

    /// The path, byte for byte.
    pub fn as_str(&self) -> &'a str {
        self.path
    }

    /// The query, without its `?`.
    pub fn query(&self) -> Option<&'a str> {
        self.query
    }

    /// The segments, their escapes decoded, except for `%2F`, which stays (it is not a separator).
    pub fn segments(&self) -> impl Iterator<Item = Cow<'a, str>> + Clone {
        let escaped = self.escaped;
        self.spelled_segments()
            .map(move |segment| if escaped { decode(segment) } else { Cow::Borrowed(segment) })
    }

    /// The segments as they are spelled.
    pub(super) fn spelled_segments(&self) -> impl Iterator<Item = &'a str> + Clone {
        // It begins with a slash, which separates nothing.
        self.path.get(1..).unwrap_or_default().split('/')
    }

    /// The segments as they are spelled, of the path without its last slash, or with one if there is none.
    pub(super) fn segments_with_last_slash_toggled(&self) -> impl Iterator<Item = &'a str> + Clone {
        let (path, last) = match self.path.strip_suffix('/') {
            Some(without) => (without, None),
            None => (self.path, Some("")),
        };
        path.split('/').skip(1).chain(last)
    }

    /// Whether it ends in a slash.
    pub(super) fn ends_in_slash(&self) -> bool {
        self.path.ends_with('/')
    }

    /// Whether there is an escape.
    pub(super) fn is_escaped(&self) -> bool {
        self.escaped
    }

    /// Whether a segment ends in a dot.
    pub(super) fn has_dot_at_end(&self) -> bool {
        self.dot_at_end
    }

    /// Whether there is a `%2F`.
    pub(super) fn has_encoded_slash(&self) -> bool {
        self.encoded_slash
    }

    /// Whether there is a character beyond ASCII.
    pub(super) fn has_non_ascii(&self) -> bool {
        self.non_ascii
    }

    /// The path as readers see it who know only ASCII: something else, in each one's way, for each character beyond it, unless nothing
    /// would be left of a segment. ASCII stays as it is spelled.
    pub(super) fn in_ascii(&self) -> Vec<String> {
        let mut texts: [String; non_ascii::WAYS.len()] = Default::default();
        for segment in self.spelled_segments() {
            texts.iter_mut().for_each(|text| text.push('/'));
            let starts = texts.each_ref().map(String::len);
            for piece in Pieces(segment) {
                match piece {
                    Piece::Ascii(run) => texts.iter_mut().for_each(|text| text.push_str(run)),
                    Piece::Beyond(c) => {
                        let ways = texts.iter_mut().zip(non_ascii::written(c).into_iter().flatten());
                        ways.for_each(|(text, written)| text.push_str(written));
                    }
                }
            }
            let emptied = texts.iter_mut().zip(starts).filter(|(text, start)| text.len() == *start);
            emptied.for_each(|(text, _)| text.push_str(segment));
        }
        let mut texts = Vec::from(texts);
        texts.sort_unstable();
        texts.dedup();
        texts
    }

    /// Does now what the first path beyond ASCII would otherwise wait for.
    pub(super) fn prepare_for_non_ascii() {
        non_ascii::prepare();
    }

    /// The path as a reader sees it who takes `%2F` for a separator.
    pub(super) fn with_slashes_decoded(&self) -> String {
        self.path.replace("%2F", "/").replace("%2f", "/")
    }
}

/// Why a request target is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// Longer than 8 KiB.
    #[error("the request target is longer than 8 KiB")]
    TooLong,
    /// Not origin-form.
    #[error("the request target does not begin with `/`")]
    Form,
    /// A character that is not allowed there, or means different things to different servers: `;`, `\`, `#`, … And `(S(`, which ASP.NET takes
    /// out of the path with what follows.
    #[error("the request target has a character that must not be there, or that servers read differently")]
    Character,
    /// An escape of a separator, of a control, of what resembles one, or of a character that needs none; or no escape at all.
    #[error("the path has an escape that servers read differently")]
    Escape,
    /// A segment `.` or `..`, or another of dots alone.
    #[error("the path has a dot segment")]
    DotSegment,
    /// Two slashes in a row.
    #[error("the path has an empty segment")]
    EmptySegment,
    /// `%2F` on a route that does not allow it.
    #[error("the path has an encoded slash, which this route does not allow")]
    EncodedSlash,
    /// A character beyond ASCII on a route that does not allow them.
    #[error("the path has a character beyond ASCII, which this route does not allow")]
    NonAscii,
    /// A reader that drops characters beyond ASCII, or takes them for others, would take it for another route's.
    #[error("the path names another route if characters beyond ASCII are dropped, or taken for others")]
    Resemblance,
    /// A reader that ignores case would take it for another route's.
    #[error("the path names another route if case is ignored")]
    Case,
    /// A reader that drops dots at the end of a segment, as Windows does, would take it for another route's.
    #[error("the path names another route if a dot at the end of a segment is ignored")]
    DotAtEnd,
    /// A reader that ignores a slash at the end would take it for another route's, which asks for something else.
    #[error("the path names another route if a slash at its end is ignored")]
    LastSlash,
    /// The query has a parameter `access_token`.
    #[error("the query has an `access_token`; a token belongs in the `Authorization` header")]
    TokenInQuery,
}

struct Escapes {
    any: bool,
    slash: bool,
    non_ascii: bool,
    /// Whether there is a `(`, escaped or not.
    parenthesis: bool,
}

fn check_characters(path: &str) -> Result<Escapes, PathError> {
    let mut escapes = Escapes { any: false, slash: false, non_ascii: false, parenthesis: false };
    let mut bytes = path.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'%' => {
                escapes.any = true;
                match escaped(&mut bytes).ok_or(PathError::Escape)? {
                    b'/' => escapes.slash = true,
                    b'(' => escapes.parenthesis = true,
                    byte if may_be_escaped(byte) => {}
                    first if character(first, &mut bytes).is_some_and(non_ascii::is_plain) => {
                        escapes.non_ascii = true;
                    }
                    _ => return Err(PathError::Escape),
                }
            }
            b'/' | b'a'..=b'z' => {}
            b'(' => escapes.parenthesis = true,
            byte if may_stand_raw(byte) => {}
            _ => return Err(PathError::Character),
        }
    }
    Ok(escapes)
}

/// Whether there is a `(S(`, or another letter in its place: ASP.NET takes `(S(…))` for a session, and out of the path (CVE-2023-36899).
fn has_session_of_asp_net(path: &str) -> bool {
    let path = path.replace("%28", "(");
    path.as_bytes()
        .windows(3)
        .any(|three| matches!(three, [b'(', letter, b'('] if letter.is_ascii_alphabetic()))
}

/// Returns whether a segment ends in a dot.
fn check_segments(path: &str) -> Result<bool, PathError> {
    let mut segments = path.split('/').peekable();
    let mut dot_at_end = false;
    while let Some(segment) = segments.next() {
        match segment {
            "" if segments.peek().is_some() => return Err(PathError::EmptySegment),
            _ if segment.starts_with("%20") || segment.ends_with("%20") => return Err(PathError::Escape),
            _ if segment.ends_with('.') => {
                if trimmed(segment).is_empty() {
                    return Err(PathError::DotSegment);
                }
                dot_at_end = true;
            }
            _ => {}
        }
    }
    Ok(dot_at_end)
}

/// A checked segment without the dots at its end, and the spaces before or between them.
pub(super) fn trimmed(mut segment: &str) -> &str {
    while let Some(rest) = segment.strip_suffix('.').or_else(|| segment.strip_suffix("%20")) {
        segment = rest;
    }
    segment
}

fn check_query(query: &str) -> Result<(), PathError> {
    if !query.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#') {
        return Err(PathError::Character);
    }
    let is_token = |parameter: &str| {
        let name = parameter.split('=').next().unwrap_or_default();
        decode_all(name).eq_ignore_ascii_case(b"access_token")
    };
    if query.split(['&', ';']).any(is_token) { Err(PathError::TokenInQuery) } else { Ok(()) }
}

/// Decodes the escapes of a checked segment, but not `%2F`. What is no escape stays.
pub(super) fn decode(segment: &str) -> Cow<'_, str> {
    if !segment.contains('%') {
        return Cow::Borrowed(segment);
    }
    let mut decoded = Vec::with_capacity(segment.len());
    let mut rest = segment;
    while let Some((before, after)) = rest.split_once('%') {
        decoded.extend(before.bytes());
        let escaped = escaped(&mut after.bytes());
        match escaped {
            Some(b'/') => decoded.extend(b"%2F"),
            Some(byte) => decoded.push(byte),
            None => decoded.push(b'%'),
        }
        rest = after.get(if escaped.is_some() { 2 } else { 0 }..).unwrap_or_default();
    }
    decoded.extend(rest.bytes());
    // A checked one is UTF-8.
    String::from_utf8(decoded).map_or(Cow::Borrowed(segment), Cow::Owned)
}

/// What a checked segment is made of, from left to right.
struct Pieces<'a>(&'a str);

enum Piece<'a> {
    /// As it is spelled.
    Ascii(&'a str),
    Beyond(char),
}

impl<'a> Iterator for Pieces<'a> {
    type Item = Piece<'a>;

    fn next(&mut self) -> Option<Piece<'a>> {
        let rest = self.0;
        let plain = rest.find('%').unwrap_or(rest.len());
        if plain > 0 {
            let (run, after) = rest.split_at_checked(plain)?;
            self.0 = after;
            return Some(Piece::Ascii(run));
        }
        let mut bytes = rest.get(1..)?.bytes();
        let first = escaped(&mut bytes)?;
        let beyond = if first.is_ascii() { None } else { character(first, &mut bytes) };
        let (escape, after) = rest.split_at_checked(rest.len() - bytes.len())?;
        self.0 = after;
        Some(beyond.map_or(Piece::Ascii(escape), Piece::Beyond))
    }
}

/// The character of several bytes that begins with this one, if the escapes that are next are the others (RFC 3629).
fn character(first: u8, bytes: &mut impl Iterator<Item = u8>) -> Option<char> {
    let length = match first {
        0xc2..=0xdf => 2,
        0xe0..=0xef => 3,
        0xf0..=0xf4 => 4,
        _ => return None,
    };
    let mut encoded = [first, 0, 0, 0];
    let encoded = encoded.get_mut(..length)?;
    for byte in encoded.iter_mut().skip(1) {
        *byte = bytes.next().filter(|byte| *byte == b'%').and_then(|_| escaped(bytes))?;
    }
    std::str::from_utf8(encoded).ok()?.chars().next()
}

/// Decodes every escape of a query parameter's name, in the way of the most lenient reader.
fn decode_all(name: &str) -> Cow<'_, [u8]> {
    if !name.contains('%') {
        return Cow::Borrowed(name.as_bytes());
    }
    let mut decoded = Vec::with_capacity(name.len());
    let mut bytes = name.bytes();
    while let Some(byte) = bytes.next() {
        let mut ahead = bytes.clone();
        match (byte, escaped(&mut ahead)) {
            (b'%', Some(escaped)) => {
                decoded.push(escaped);
                bytes = ahead;
            }
            _ => decoded.push(byte),
        }
    }
    Cow::Owned(decoded)
}

/// The byte that two hexadecimal digits stand for, if they are next.
fn escaped(bytes: &mut impl Iterator<Item = u8>) -> Option<u8> {
    let mut digit = || char::from(bytes.next()?).to_digit(16);
    let byte = digit()? * 16 + digit()?;
    u8::try_from(byte).ok()
}

fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

/// What a segment may have without an escape.
fn may_stand_raw(byte: u8) -> bool {
    is_unreserved(byte)
        || matches!(byte, b'!' | b'$' | b'&' | b'\'' | b'(' | b')' | b'*' | b'+' | b',' | b'=' | b':' | b'@')
}

/// Printable ASCII that is neither unreserved nor a separator to any reader.
fn may_be_escaped(byte: u8) -> bool {
    matches!(byte, b' '..=b'~')
        && !is_unreserved(byte)
        && !matches!(byte, b'/' | b'\\' | b'%' | b';' | b'?' | b'#')
}

#[cfg(test)]
mod tests;
