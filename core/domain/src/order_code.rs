//! The text form of an order number, which says nothing about how much was sold.

use core::hash::Hasher;

use siphasher::sip::SipHasher24;

use crate::id::OrderId;

/// Turns order numbers into 16 letters and digits and back, under a secret of the installation.
///
/// The 64-bit number is permuted by a balanced Feistel network of four rounds on 32-bit halves with
/// SipHash-2-4 as round function (M. Luby and C. Rackoff, "How to construct pseudorandom permutations from
/// pseudorandom functions", 1988; J.-P. Aumasson and D. Bernstein, "SipHash", 2012), followed by 16 bits of
/// SipHash-2-4 of the number as a check, and written in Crockford's base 32 (no I, L, O, U): 80 bits, 16 characters.
/// Whoever mistypes or guesses a code is told so with probability 1 − 2⁻¹⁶ before anything is looked up.
#[derive(Clone)]
pub struct OrderCodec {
    key: [u8; 16],
}

/// The length of a code in bytes.
pub const ORDER_CODE_SIZE_BYTES: usize = 16;

const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const ROUNDS: u8 = 4;
const CHECK: u8 = 0xFF;

impl OrderCodec {
    /// A codec under the secret `key`: the codes of one key mean nothing under another.
    pub fn new(key: [u8; 16]) -> OrderCodec {
        OrderCodec { key }
    }

    /// The code of an order, ASCII.
    pub fn encode(&self, order: OrderId) -> [u8; ORDER_CODE_SIZE_BYTES] {
        let bits = u128::from(self.permute(order.raw())) << 16 | u128::from(self.check(order.raw()));
        let mut code = [0; ORDER_CODE_SIZE_BYTES];
        for (index, place) in code.iter_mut().rev().enumerate() {
            *place = ALPHABET[usize::try_from(bits >> (5 * index) & 31).expect("five bits")];
        }
        code
    }

    /// The order of a code in either case; `None` when it is not one of this installation's.
    pub fn decode(&self, code: &str) -> Option<OrderId> {
        if code.len() != ORDER_CODE_SIZE_BYTES {
            return None;
        }
        let mut bits = 0_u128;
        for byte in code.bytes() {
            let upper = byte.to_ascii_uppercase();
            let digit = ALPHABET.iter().position(|letter| *letter == upper)?;
            bits = bits << 5 | u128::try_from(digit).ok()?;
        }
        let permuted = u64::try_from(bits >> 16).expect("80 bits less 16 are 64");
        let raw = self.unpermute(permuted);
        let check = u128::from(self.check(raw));
        if bits & 0xFFFF != check { None } else { OrderId::from_raw(raw) }
    }

    fn permute(&self, raw: u64) -> u64 {
        let (mut left, mut right) = halves(raw);
        for round in 0..ROUNDS {
            (left, right) = (right, left ^ self.round(round, right));
        }
        join(left, right)
    }

    fn unpermute(&self, permuted: u64) -> u64 {
        let (mut left, mut right) = halves(permuted);
        for round in (0..ROUNDS).rev() {
            (left, right) = (right ^ self.round(round, left), left);
        }
        join(left, right)
    }

    fn round(&self, round: u8, half: u32) -> u32 {
        halves(self.hash(round, u64::from(half))).1
    }

    fn check(&self, raw: u64) -> u16 {
        u16::try_from(self.hash(CHECK, raw) & 0xFFFF).expect("sixteen bits")
    }

    fn hash(&self, domain: u8, value: u64) -> u64 {
        let mut hasher = SipHasher24::new_with_key(&self.key);
        hasher.write_u8(domain);
        hasher.write_u64(value);
        hasher.finish()
    }
}

fn halves(value: u64) -> (u32, u32) {
    let low = u32::try_from(value & 0xFFFF_FFFF).expect("32 bits");
    (u32::try_from(value >> 32).expect("32 bits"), low)
}

fn join(left: u32, right: u32) -> u64 {
    u64::from(left) << 32 | u64::from(right)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::ShardId;
    use crate::time::UnixMs;

    fn text(code: &[u8]) -> &str {
        core::str::from_utf8(code).unwrap()
    }

    #[test]
    fn code_reads_back_in_either_case_and_only_under_its_key() {
        let codec = OrderCodec::new(*b"a key of 16 byte");
        let other = OrderCodec::new(*b"another 16 bytes");
        let mut last = None;
        for _ in 0..1_000 {
            let order = OrderId::next(ShardId::FIRST, UnixMs::EPOCH, last);
            let code = codec.encode(order);
            assert_eq!(codec.decode(text(&code)), Some(order));
            assert_eq!(codec.decode(&text(&code).to_ascii_lowercase()), Some(order));
            assert_eq!(other.decode(text(&code)), None);
            last = Some(order);
        }
    }

    #[test]
    fn every_mistyped_character_is_noticed() {
        let codec = OrderCodec::new([7; 16]);
        let code = codec.encode(OrderId::from_raw(1 << 40).unwrap());
        for place in 0..code.len() {
            for letter in ALPHABET.iter().filter(|letter| **letter != code[place]) {
                let mut wrong = code;
                wrong[place] = *letter;
                assert_eq!(codec.decode(text(&wrong)), None, "{}", text(&wrong));
            }
        }
        for wrong in ["", "0", "ILOU000000000000", "00000000000000000", "ÄÄÄÄÄÄÄÄ"] {
            assert_eq!(codec.decode(wrong), None, "{wrong}");
        }
    }
}
