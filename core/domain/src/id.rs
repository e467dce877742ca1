//! Names of things: small, fixed in size, never reused.

use siphasher::sip::SipHasher24;

use crate::label::Label;
use crate::limits;
use crate::time::UnixMs;

/// Number of a sale within its shard, in the order of creation.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct SaleId(pub u16);

impl SaleId {
    /// Stands for a sale that does not exist, so that the engine alone says "no".
    pub const UNKNOWN: SaleId = SaleId(u16::MAX);
}

/// Position of an item within its sale.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ItemIndex(pub u16);

impl ItemIndex {
    /// Stands for an item that does not exist, so that the engine alone says "no".
    pub const UNKNOWN: ItemIndex = ItemIndex(u16::MAX);
}

/// Number of a shard: one writer, one journal.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ShardId(u16);

impl ShardId {
    /// The first shard, the only one of a small installation.
    pub const FIRST: ShardId = ShardId(0);

    /// `None` from [`limits::SHARD_COUNT_MAX`] on.
    pub fn new(number: u16) -> Option<ShardId> {
        (number < limits::SHARD_COUNT_MAX).then_some(ShardId(number))
    }

    /// The number, below [`limits::SHARD_COUNT_MAX`].
    pub fn get(self) -> u16 {
        self.0
    }
}

/// Position of a fact in its shard's journal. The first fact is 1; 0 is "before everything".
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Seq(pub u64);

impl Seq {
    /// The position after this one.
    #[must_use]
    pub fn next(self) -> Seq {
        Seq(self.0 + 1)
    }
}

/// The leader's number; grows with each leader of a shard. The first is 1.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Term(pub u32);

/// Who buys: the `sub` of a buyer's token.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct BuyerId(pub Label);

impl BuyerId {
    /// The buyer of that name.
    pub fn from_text(text: &str) -> BuyerId {
        BuyerId(Label::from_text(text))
    }

    /// The buyer of that name; `None` unless it is ASCII.
    pub fn from_ascii(text: &[u8]) -> Option<BuyerId> {
        Label::from_ascii(text).map(BuyerId)
    }
}

/// A payment, by the provider's own name for it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct PaymentId(pub Label);

impl PaymentId {
    /// The payment of that name.
    pub fn from_text(text: &str) -> PaymentId {
        PaymentId(Label::from_text(text))
    }
}

/// An `Idempotency-Key`, as the SipHash-2-4 of its text under a key of zeros (J.-P. Aumasson and D. Bernstein, "SipHash: a
/// fast short-input PRF", 2012): a digest that everybody can compute. It is compared only within one buyer, so a collision
/// can harm nobody but whoever searched for it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct KeyDigest(pub u64);

impl KeyDigest {
    /// The digest of the key's text.
    pub fn from_text(text: &str) -> KeyDigest {
        KeyDigest::from_bytes(text.as_bytes())
    }

    /// The same of the text's bytes.
    pub fn from_bytes(text: &[u8]) -> KeyDigest {
        KeyDigest(SipHasher24::new().hash(text))
    }
}

/// An order's number: 41 bits of milliseconds since [`UnixMs::EPOCH`], 10 bits of shard, 12 bits of
/// sequence within the millisecond. Sorts by time. Buyers see it only through [`crate::OrderCodec`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct OrderId(u64);

impl OrderId {
    const SEQUENCE_BITS: u32 = 12;
    const SHARD_BITS: u32 = 10;
    const MS_BITS: u32 = 41;

    /// The number as stored. `None` when the highest bit is set.
    pub fn from_raw(raw: u64) -> Option<OrderId> {
        (raw >> 63 == 0).then_some(OrderId(raw))
    }

    /// The number as stored: 63 bits.
    pub fn raw(self) -> u64 {
        self.0
    }

    /// The first number of a shard that is free at `now`, given the last one used. When a millisecond's
    /// 4,096 numbers are spent, or the clock stands still, it goes on with the next millisecond's.
    ///
    /// # Panics
    /// When `now` is over 69 years after [`UnixMs::EPOCH`]: the number has no more room.
    pub fn next(shard: ShardId, now: UnixMs, last: Option<OrderId>) -> OrderId {
        let now_ms = now.0.saturating_sub(UnixMs::EPOCH.0);
        let (ms, sequence) = match last {
            Some(last) if last.ms() >= now_ms => match last.sequence() + 1 {
                sequence if sequence >> Self::SEQUENCE_BITS == 0 => (last.ms(), sequence),
                _ => (last.ms() + 1, 0),
            },
            _ => (now_ms, 0),
        };
        assert!(ms >> Self::MS_BITS == 0, "order numbers end 69 years after 2026-01-01: ms={ms}");
        let shard_part = u64::from(shard.get()) << Self::SEQUENCE_BITS;
        OrderId(ms << (Self::SEQUENCE_BITS + Self::SHARD_BITS) | shard_part | sequence)
    }

    /// When the order was placed, by the number itself.
    pub fn placed_at(self) -> UnixMs {
        UnixMs(UnixMs::EPOCH.0 + self.ms())
    }

    /// The shard that decides about the order.
    pub fn shard(self) -> ShardId {
        let number = (self.0 >> Self::SEQUENCE_BITS) & ((1 << Self::SHARD_BITS) - 1);
        ShardId(u16::try_from(number).expect("ten bits fit in sixteen"))
    }

    fn ms(self) -> u64 {
        self.0 >> (Self::SEQUENCE_BITS + Self::SHARD_BITS)
    }

    fn sequence(self) -> u64 {
        self.0 & ((1 << Self::SEQUENCE_BITS) - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Computed from the paper's description, apart from the library.
    #[test]
    fn key_digest_is_siphash_under_zeros() {
        assert_eq!(KeyDigest::from_text(""), KeyDigest(0x1E92_4B9D_7377_00D7));
        assert_eq!(KeyDigest::from_text("k"), KeyDigest(0x3346_9F3E_A832_D843));
        let uuid = "4a4e5f4c-7d2c-4cf6-a3f4-cf3f0d3a2b11";
        assert_eq!(KeyDigest::from_text(uuid), KeyDigest(0x99CB_4C18_E0D3_4404));
    }

    fn at(ms: u64) -> UnixMs {
        UnixMs(UnixMs::EPOCH.0 + ms)
    }

    #[test]
    fn order_numbers_grow_though_the_clock_stands_still() {
        let shard = ShardId::new(1023).unwrap();
        let mut last = OrderId::next(shard, at(5), None);
        assert_eq!((last.placed_at(), last.shard()), (at(5), shard));
        for _ in 0..10_000 {
            let next = OrderId::next(shard, at(5), Some(last));
            assert!(next > last);
            assert_eq!(next.shard(), shard);
            last = next;
        }
        assert_eq!(last.placed_at(), at(5 + 10_000 / 4_096));
        assert_eq!(OrderId::next(shard, at(100), Some(last)).placed_at(), at(100));
    }

    #[test]
    fn order_number_has_63_bits_in_the_last_year() {
        let last_ms = at((1 << 41) - 1);
        let id = OrderId::next(ShardId::new(1023).unwrap(), last_ms, None);
        assert_eq!(OrderId::from_raw(id.raw()), Some(id));
        assert_eq!(OrderId::from_raw(1 << 63), None);
    }
}
