//! The text form of an order number, which says nothing about how much was sold.

use siphasher::sip::SipHasher24;

use crate::id::OrderId;

/// Turns order numbers into 16 letters and digits and back, under a secret of the installation.
///
/// The number and 16 zeros behind it are permuted by a balanced Feistel network of four rounds on halves of 40 bits with
/// SipHash-2-4 as round function (M. Luby and C. Rackoff, "How to construct pseudorandom permutations from
/// pseudorandom functions", 1988; J.-P. Aumasson and D. Bernstein, "SipHash", 2012), and written in Crockford's base 32 (no I,
/// L, O, U): 80 bits, 16 characters. Whoever mistypes or guesses a code finds no zeros with probability 1 − 2⁻¹⁶, and
/// is told so before anything is looked up.
#[derive(Clone)]
pub struct OrderCodec {
    prf: SipHasher24,
}

/// The length of a code in bytes.
pub const ORDER_CODE_SIZE_BYTES: usize = 16;

const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const ROUNDS: u8 = 4;
const HALF_BITS: u32 = 40;
const HALF_MASK: u64 = (1 << HALF_BITS) - 1;
const HALF_CHARS: usize = ORDER_CODE_SIZE_BYTES / 2;
/// Zeros behind a number.
const CHECK_BITS: u32 = 16;

impl OrderCodec {
    /// A codec under the secret `key`: the codes of one key mean nothing under another.
    pub fn new(key: [u8; 16]) -> OrderCodec {
        OrderCodec { prf: SipHasher24::new_with_key(&key) }
    }

    /// The code of an order, ASCII.
    pub fn encode(&self, order: OrderId) -> [u8; ORDER_CODE_SIZE_BYTES] {
        let (mut left, mut right) =
            (order.raw() >> (HALF_BITS - CHECK_BITS), order.raw() << CHECK_BITS & HALF_MASK);
        for round in 0..ROUNDS {
            (left, right) = (right, left ^ self.round(round, right));
        }
        let mut code = [0; ORDER_CODE_SIZE_BYTES];
        let (first, second) = code.split_at_mut(HALF_CHARS);
        write_half(first, left);
        write_half(second, right);
        code
    }

    /// The order of a code in either case; `None` when it is not one of this installation's.
    pub fn decode(&self, code: &str) -> Option<OrderId> {
        let (first, second) = code.as_bytes().split_at_checked(HALF_CHARS)?;
        let (mut left, mut right) = (read_half(first)?, read_half(second)?);
        for round in (0..ROUNDS).rev() {
            (left, right) = (right ^ self.round(round, left), left);
        }
        let is_ours = right.trailing_zeros() >= CHECK_BITS;
        let raw = left << (HALF_BITS - CHECK_BITS) | right >> CHECK_BITS;
        if is_ours { OrderId::from_raw(raw) } else { None }
    }

    /// One block of SipHash: the half and the round's number have six bytes.
    fn round(&self, round: u8, half: u64) -> u64 {
        let [a, b, c, d, e, ..] = half.to_le_bytes();
        self.prf.hash(&[a, b, c, d, e, round]) & HALF_MASK
    }
}

fn write_half(out: &mut [u8], half: u64) {
    for (place, shift) in out.iter_mut().zip((0..HALF_BITS).step_by(5).rev()) {
        *place = ALPHABET[usize::try_from(half >> shift & 31).expect("five bits")];
    }
}

/// `None` unless there are so many letters as a half has.
fn read_half(code: &[u8]) -> Option<u64> {
    let digit = |byte: &u8| ALPHABET.iter().position(|letter| *letter == byte.to_ascii_uppercase());
    let append = |half: u64, byte| Some(half << 5 | u64::try_from(digit(byte)?).ok()?);
    if code.len() == HALF_CHARS { code.iter().try_fold(0, append) } else { None }
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
        let highest = OrderId::from_raw(u64::MAX >> 1).unwrap();
        assert_eq!(codec.decode(text(&codec.encode(highest))), Some(highest));
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
