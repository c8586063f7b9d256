//! A chunked body as it comes from the wire: in one reading only, or refused (RFC 9112 section 7.1).
//!
//! The parser behind this one takes an empty line for a size of nought, and a bare LF within an extension or a trailer. What
//! goes to the upstream is framed anew, so nobody there is fooled; but a proxy before the gateway that reads such a body
//! otherwise would take something else for the next request.

use super::head::is_token;

/// Reads what is around the chunks, as the bytes arrive. Each byte of that is looked at once; those of the chunks are not.
#[derive(Debug, Default)]
pub(super) struct ChunkReader {
    place: Place,
    /// Digits of a size, bytes of an extension or bytes of trailers, as far as they have come.
    length: usize,
    /// The size that is being read, and then what is left of its chunk.
    left: u64,
}

/// What the next byte belongs to.
#[derive(Clone, Copy, Debug, Default)]
enum Place {
    #[default]
    Size,
    Extension,
    SizeEnd,
    Data,
    DataCr,
    DataLf,
    TrailerStart,
    TrailerName,
    TrailerValue,
    TrailerLf,
    LastLf,
}

/// The body can be read in more than one way, or in none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Malformed;

impl ChunkReader {
    /// Looks at the bytes that come next. Returns how many of them belong to the body if it ends among them.
    ///
    /// 1. A size is 1 to 15 hexadecimal digits.
    /// 2. An extension begins with `;` right behind it, and is visible ASCII, spaces and tabs.
    /// 3. A trailer is a token, `:`, and a value without control characters.
    /// 4. Lines end with CRLF. Extensions of one chunk, and all trailers together, are bounded.
    pub(super) fn read(&mut self, bytes: &[u8]) -> Result<Option<usize>, Malformed> {
        let mut at = 0;
        while let Some(byte) = bytes.get(at) {
            if let Place::Data = self.place {
                let rest = bytes.len() - at;
                let taken = usize::try_from(self.left).unwrap_or(usize::MAX).min(rest);
                self.left -= taken as u64;
                at += taken;
                if self.left == 0 {
                    self.place = Place::DataCr;
                }
                continue;
            }
            at += 1;
            if let (Place::LastLf, b'\n') = (self.place, byte) {
                return Ok(Some(at));
            }
            self.place = self.next(*byte).ok_or(Malformed)?;
        }
        Ok(None)
    }

    /// Where a byte leads that is no chunk's.
    fn next(&mut self, byte: u8) -> Option<Place> {
        self.length += 1;
        let within = |limit| self.length <= limit;
        Some(match (self.place, byte) {
            (Place::Size, _) if byte.is_ascii_hexdigit() && within(MAX_DIGITS) => {
                let digit = char::from(byte).to_digit(16)?;
                self.left = self.left << 4 | u64::from(digit);
                Place::Size
            }
            (Place::Size, b'\r') if self.length > 1 => Place::SizeEnd,
            (Place::Size, b';') if self.length > 1 => Place::Extension,
            (Place::Extension, b'\r') => Place::SizeEnd,
            (Place::Extension, b' '..=b'~' | b'\t') if within(MAX_EXTENSION_BYTES) => Place::Extension,
            (Place::SizeEnd, b'\n') => {
                self.length = 0;
                if self.left == 0 { Place::TrailerStart } else { Place::Data }
            }
            (Place::DataCr, b'\r') => Place::DataLf,
            (Place::DataLf, b'\n') => {
                self.length = 0;
                Place::Size
            }
            (Place::TrailerStart, b'\r') => Place::LastLf,
            (Place::TrailerStart | Place::TrailerName, _) if is_token(byte) && within(MAX_TRAILER_BYTES) => {
                Place::TrailerName
            }
            (Place::TrailerName, b':') => Place::TrailerValue,
            (Place::TrailerValue, b'\r') => Place::TrailerLf,
            (Place::TrailerValue, b'\t' | b' '..=b'~' | 0x80..) if within(MAX_TRAILER_BYTES) => {
                Place::TrailerValue
            }
            (Place::TrailerLf, b'\n') => Place::TrailerStart,
            _ => return None,
        })
    }
}

/// What is longer is no size of anything, and might overflow somewhere.
const MAX_DIGITS: usize = 15;
/// Nobody is known to send any.
const MAX_EXTENSION_BYTES: usize = 256;
/// They are dropped.
const MAX_TRAILER_BYTES: usize = 8 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &[u8]) -> Result<Option<usize>, Malformed> {
        let whole = ChunkReader::default().read(text);
        // However it arrives, it is read alike.
        let mut reader = ChunkReader::default();
        let mut dripped = Ok(None);
        for at in 0..text.len() {
            match reader.read(&text[at..=at]) {
                Ok(None) => {}
                Ok(Some(_)) => dripped = Ok(Some(at + 1)),
                Err(error) => dripped = Err(error),
            }
            if dripped != Ok(None) {
                break;
            }
        }
        assert_eq!(whole, dripped, "{:?}", String::from_utf8_lossy(text));
        whole
    }

    #[test]
    fn a_body_ends_with_its_last_chunk() {
        for body in [
            "0\r\n\r\n",
            "000\r\n\r\n",
            "5\r\nhello\r\n0\r\n\r\n",
            "a\r\n0123456789\r\nA;b=\"c d\"\r\n\r\n\r\n\r\n\r\n\r\n\r\n0\r\n\r\n",
            "1;\r\nx\r\n0;a\r\nX-Sum: 1\r\nX-Other:\r\n\r\n",
        ] {
            assert_eq!(read(body.as_bytes()), Ok(Some(body.len())), "{body:?}");
            assert_eq!(
                read(format!("{body}GET / HTTP/1.1\r\n").as_bytes()),
                Ok(Some(body.len())),
                "{body:?}"
            );
            assert_eq!(read(&body.as_bytes()[..body.len() - 1]), Ok(None), "{body:?}");
        }
        assert_eq!(read(b"fffffffffffffff\r\nx"), Ok(None));
    }

    #[test]
    fn all_else_is_refused() {
        for body in [
            &b"\r\n0\r\n\r\n"[..],
            b"\n",
            b"0\n\n",
            b"0\r\r\n",
            b"0\r\n\n",
            b"0\r\nX: a\n\r\n",
            b"0\r\nX: a\rb\r\n\r\n",
            b"0\r\nX: \0\r\n\r\n",
            b"0\r\n X: a\r\n\r\n",
            b"0\r\nX : a\r\n\r\n",
            b"0\r\nX\r\n\r\n",
            b"0\r\n: a\r\n\r\n",
            b"1\r\nab\r\n",
            b"1\r\na\n0\r\n\r\n",
            b"1\r\na0\r\n\r\n",
            b"1;a\nb\r\na\r\n",
            b"1;\0\r\na\r\n",
            b"1;\xff\r\na\r\n",
            b"1 \r\na\r\n",
            b" 1\r\na\r\n",
            b"1 ;a\r\na\r\n",
            b"0x1\r\na\r\n",
            b"+1\r\na\r\n",
            b"-1\r\na\r\n",
            b"g\r\n",
            b";a\r\n",
            b"1_0\r\n",
            b"0000000000000001\r\na\r\n",
        ] {
            assert_eq!(read(body), Err(Malformed), "{:?}", String::from_utf8_lossy(body));
        }
    }

    #[test]
    fn what_is_dropped_is_bounded() {
        let extension = |bytes: usize| format!("1;{}\r\na\r\n0\r\n\r\n", "x".repeat(bytes));
        assert!(matches!(read(extension(MAX_EXTENSION_BYTES - 2).as_bytes()), Ok(Some(_))));
        assert_eq!(read(extension(MAX_EXTENSION_BYTES - 1).as_bytes()), Err(Malformed));
        let trailers = |count: usize| format!("0\r\n{}\r\n", "X: a\r\n".repeat(count));
        assert!(matches!(read(trailers(MAX_TRAILER_BYTES / 6).as_bytes()), Ok(Some(_))));
        assert_eq!(read(trailers(MAX_TRAILER_BYTES / 6 + 1).as_bytes()), Err(Malformed));
    }
}
