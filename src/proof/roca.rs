//! RSA keys whose primes came from a broken generator: ROCA, CVE-2017-15361.
//!
//! Smart cards of one maker chose primes of the form `k * M + (65537^a mod M)`, where `M` is the product of the first primes.
//! Such a key can be factored. It shows in its modulus: modulo each small prime it is a power of 65537. A sound modulus is so for
//! all the primes below with a probability of 2^-27.

/// Whether the modulus, big-endian, bears the mark.
pub(super) fn is_weak(modulus: &[u8]) -> bool {
    SMALL_PRIMES.iter().all(|prime| is_power_of_65537(remainder(modulus, *prime), *prime))
}

fn remainder(number: &[u8], prime: u32) -> u32 {
    number.iter().fold(0, |rest, byte| (rest << 8 | u32::from(*byte)) % prime)
}

fn is_power_of_65537(wanted: u32, prime: u32) -> bool {
    let mut power = 1;
    for _ in 0..prime {
        if power == wanted {
            return true;
        }
        power = power * 65_537 % prime;
    }
    false
}

/// The small primes modulo which not every number is a power of 65537.
const SMALL_PRIMES: [u32; 17] = [11, 13, 17, 19, 37, 53, 61, 71, 73, 79, 97, 103, 107, 109, 127, 151, 157];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remainders_are_those_of_long_division() {
        assert_eq!(remainder(&[], 11), 0);
        assert_eq!(remainder(&[0x01, 0x00, 0x01], 11), 65_537 % 11);
        assert_eq!(remainder(&[0xff; 8], 157), u32::try_from(u64::MAX % 157).unwrap());
    }

    #[test]
    fn powers_bear_the_mark_and_other_numbers_do_not() {
        // 1 and 65537 are powers of 65537 modulo every prime.
        assert!(is_weak(&[1]) && is_weak(&[1, 0, 1]));
        let squared = (65_537_u64 * 65_537).to_be_bytes();
        assert!(is_weak(&squared));
        for other in [2_u32, 3, 7, 65_539] {
            assert!(!is_weak(&other.to_be_bytes()), "{other}");
        }
        // Modulo 11 there are two of them: 1 and 10.
        assert!(is_power_of_65537(10, 11) && !is_power_of_65537(2, 11));
    }
}
