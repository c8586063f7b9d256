//! Names for requests, by which logs of several programs speak of the same one.

use http::HeaderValue;
use std::sync::atomic::{AtomicU64, Ordering};

/// Gives out request ids: 32 hexadecimal digits, never the same twice.
///
/// The first half is the process's own, drawn at start; the second is a counter, scrambled. They are names, not secrets.
#[derive(Debug)]
pub(super) struct RequestIds {
    process: u64,
    offset: u64,
    count: AtomicU64,
}

impl RequestIds {
    /// Ids of a process that drew this number.
    pub(super) fn new(drawn: [u8; 16]) -> Self {
        let drawn = u128::from_ne_bytes(drawn);
        Self { process: (drawn >> 64) as u64, offset: drawn as u64, count: AtomicU64::new(0) }
    }

    /// The next id.
    pub(super) fn next(&self) -> HeaderValue {
        let count = self.count.fetch_add(1, Ordering::Relaxed);
        let scrambled = scramble(count.wrapping_add(self.offset));
        let mut text = [b'0'; 32];
        for (half, number) in text.chunks_exact_mut(16).zip([self.process, scrambled]) {
            for (place, shift) in half.iter_mut().zip((0..16).rev()) {
                let digit = (number >> (4 * shift)) & 0xf;
                *place = HEX.get(digit as usize).copied().unwrap_or(b'0');
            }
        }
        // Hexadecimal digits are a valid value.
        HeaderValue::from_bytes(&text).unwrap_or(HeaderValue::from_static("-"))
    }
}

/// Whether somebody else's id can be taken over: short, and plain enough for any log.
pub(super) fn is_plain(id: &HeaderValue) -> bool {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.:/+=".contains(byte);
    (1..=MAX_BYTES).contains(&id.len()) && id.as_bytes().iter().all(plain)
}

/// SplitMix64's finaliser: no two numbers give the same.
fn scramble(number: u64) -> u64 {
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

const HEX: &[u8; 16] = b"0123456789abcdef";
const MAX_BYTES: usize = 128;

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn ids_differ() {
        let ids = RequestIds::new([7; 16]);
        let drawn: HashSet<HeaderValue> = (0..10_000).map(|_| ids.next()).collect();
        assert_eq!(drawn.len(), 10_000);
        assert!(drawn.iter().all(|id| id.len() == 32 && is_plain(id)));
    }

    #[test]
    fn ids_of_others_are_plain() {
        let plain = |id: &'static str| is_plain(&HeaderValue::from_static(id));
        assert!(plain("a") && plain("7f3c-11ee:1/2") && plain("01HZ_x.y=="));
        assert!(!plain("") && !plain("a b") && !plain("a\"b") && !plain("a,b"));
        assert!(!is_plain(&HeaderValue::from_bytes(&[b'a'; 129]).unwrap()));
    }
}
