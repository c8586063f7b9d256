//! Whether a text keeps to an alphabet, told for many bytes at once.

/// Whether all bytes are `allowed`.
///
/// It looks at every byte even if the first is wrong, and `allowed` should be free of branches (`|`, not `||`): then the
/// compiler takes sixteen bytes at a step, which tokens of a kilobyte are worth.
pub(crate) fn all(bytes: &[u8], allowed: impl Fn(u8) -> bool) -> bool {
    bytes.iter().fold(true, |all, byte| all & allowed(*byte))
}

/// `A` to `Z` and `a` to `z`.
pub(super) fn is_letter(byte: u8) -> bool {
    (byte | 0x20).wrapping_sub(b'a') < 26
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_are_those_of_ascii() {
        for byte in 0..=u8::MAX {
            assert_eq!(is_letter(byte), byte.is_ascii_alphabetic(), "{byte}");
        }
    }

    #[test]
    fn one_stranger_anywhere_is_found() {
        for length in [0, 1, 15, 16, 17, 100] {
            assert!(all(&vec![b'a'; length], is_letter), "{length}");
            for at in 0..length {
                let mut bytes = vec![b'a'; length];
                bytes[at] = b'0';
                assert!(!all(&bytes, is_letter), "{at} of {length}");
            }
        }
    }
}
