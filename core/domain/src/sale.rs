//! The terms of a sale and of its items.

use alloc::boxed::Box;
use core::fmt;

use crate::limits;
use crate::money::Currency;
use crate::time::UnixMs;

/// A code that stands in addresses and files: 1–48 of `a–z 0–9 - _ .`, the first a letter or a digit.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slug(Box<str>);

impl Slug {
    /// `None` when the text is not such a code.
    pub fn new(text: &str) -> Option<Slug> {
        let legal = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.');
        let first = *text.as_bytes().first()?;
        let valid = first.is_ascii_alphanumeric()
            && text.len() <= limits::SLUG_SIZE_BYTES_MAX
            && text.bytes().all(legal);
        valid.then(|| Slug(text.into()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first 64 bits of the text's SHA-256, big-endian: says which shard has the sale.
    pub fn digest(&self) -> u64 {
        crate::label::sha256_u64(self.0.as_bytes())
    }
}

impl fmt::Display for Slug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Slug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What holds for a whole sale. Limits count units of live orders (held, paid, refunding).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SaleTerms {
    /// The name that buyers read.
    pub name: Box<str>,
    /// The currency of every price.
    pub currency: Currency,
    /// Opens by itself at this instant; `None`: only when the organiser opens it.
    pub opens_at: Option<UnixMs>,
    /// Closes by itself at this instant; `None`: only when the organiser closes it.
    pub closes_at: Option<UnixMs>,
    /// How long an order claims its units before it is paid.
    pub hold_ttl_s: u16,
    /// Units in one order; `None`: no limit but [`limits::LINE_QUANTITY_MAX`] a line.
    pub per_order_max: Option<u32>,
    /// Units of one buyer; `None`: no limit.
    pub per_buyer_max: Option<u32>,
    /// Units of one buyer in orders placed on one day (UTC); `None`: no limit.
    pub per_buyer_day_max: Option<u32>,
}

/// What holds for one item.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ItemTerms {
    /// The code in addresses and orders (the SKU, the price tier).
    pub code: Slug,
    /// The name that buyers read.
    pub name: Box<str>,
    /// Price of one unit, in minor units of the sale's currency.
    pub unit_price: u32,
    /// Units of this item in one order; `None`: no limit but [`limits::LINE_QUANTITY_MAX`].
    pub per_order_max: Option<u32>,
    /// Units of this item of one buyer; `None`: no limit.
    pub per_buyer_max: Option<u32>,
}

impl SaleTerms {
    /// Terms without instants and limits: opened and closed by hand.
    pub fn new(name: &str, currency: Currency, hold_ttl_s: u16) -> SaleTerms {
        SaleTerms {
            name: name.into(),
            currency,
            opens_at: None,
            closes_at: None,
            hold_ttl_s,
            per_order_max: None,
            per_buyer_max: None,
            per_buyer_day_max: None,
        }
    }
}

impl ItemTerms {
    /// Terms without limits.
    pub fn new(code: Slug, name: &str, unit_price: u32) -> ItemTerms {
        ItemTerms { code, name: name.into(), unit_price, per_order_max: None, per_buyer_max: None }
    }
}

/// What the organiser, or the clock, did last to a sale.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
pub enum SaleStatus {
    /// Not open yet.
    Scheduled = 1,
    /// Open.
    Open = 2,
    /// Open, but takes no orders for the moment.
    Paused = 3,
    /// Takes no orders any more. Final.
    Closed = 4,
}

impl SaleStatus {
    /// Every status.
    pub const ALL: [SaleStatus; 4] = [Self::Scheduled, Self::Open, Self::Paused, Self::Closed];

    /// The table of legal moves.
    pub fn may_become(self, to: SaleStatus) -> bool {
        use SaleStatus::{Closed, Open, Paused, Scheduled};
        matches!((self, to), (Scheduled, Open | Closed) | (Open, Paused | Closed) | (Paused, Open | Closed))
    }

    /// The name in the API, metrics and documents.
    pub fn name(self) -> &'static str {
        match self {
            SaleStatus::Scheduled => "scheduled",
            SaleStatus::Open => "open",
            SaleStatus::Paused => "paused",
            SaleStatus::Closed => "closed",
        }
    }

    /// The status from its stored number.
    pub fn from_raw(raw: u8) -> Option<SaleStatus> {
        Self::ALL.into_iter().find(|status| *status as u8 == raw)
    }

    /// What the status comes to at `now`: the instants of the terms count to the millisecond, whether or
    /// not a `Tick` has written the move down yet.
    pub fn phase(self, terms: &SaleTerms, now: UnixMs) -> Phase {
        let reached = |instant: Option<UnixMs>| instant.is_some_and(|instant| instant <= now);
        match self {
            SaleStatus::Closed => Phase::Closed,
            _ if reached(terms.closes_at) => Phase::Closed,
            SaleStatus::Paused => Phase::Paused,
            SaleStatus::Open => Phase::Open,
            SaleStatus::Scheduled if reached(terms.opens_at) => Phase::Open,
            SaleStatus::Scheduled => Phase::NotYetOpen { opens_at: terms.opens_at },
        }
    }
}

/// What a sale answers to an order right now.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Phase {
    /// Opens later, by itself if an instant is given.
    NotYetOpen {
        /// When it opens by itself.
        opens_at: Option<UnixMs>,
    },
    /// Takes orders.
    Open,
    /// Takes none for the moment.
    Paused,
    /// Takes none any more.
    Closed,
}

/// Who moved a sale.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u8)]
pub enum Cause {
    /// An instant of the terms was reached.
    Clock = 1,
    /// The organiser asked for it.
    Organiser = 2,
}

impl Cause {
    /// The cause from its stored number.
    pub fn from_raw(raw: u8) -> Option<Cause> {
        [Cause::Clock, Cause::Organiser].into_iter().find(|cause| *cause as u8 == raw)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slug_stands_in_an_address_as_it_is() {
        for right in ["ga", "eu-44.5", "0_1", "a"] {
            assert_eq!(Slug::new(right).unwrap().as_str(), right);
        }
        let long = "x".repeat(49);
        for wrong in ["", "-a", ".a", "Ga", "a b", "a/b", "ä", long.as_str()] {
            assert_eq!(Slug::new(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn instants_count_to_the_millisecond() {
        let (opens_at, closes_at) = (Some(UnixMs(10)), Some(UnixMs(20)));
        let plain = SaleTerms::new("n", Currency::new("EUR").unwrap(), 600);
        let terms = SaleTerms { opens_at, closes_at, ..plain };
        let phase = |status: SaleStatus, now| status.phase(&terms, UnixMs(now));
        let not_yet = Phase::NotYetOpen { opens_at: Some(UnixMs(10)) };
        assert_eq!(phase(SaleStatus::Scheduled, 9), not_yet);
        assert_eq!(phase(SaleStatus::Scheduled, 10), Phase::Open);
        assert_eq!(phase(SaleStatus::Open, 5), Phase::Open, "opened early");
        assert_eq!(phase(SaleStatus::Paused, 19), Phase::Paused);
        assert_eq!(phase(SaleStatus::Paused, 20), Phase::Closed);
        assert_eq!(phase(SaleStatus::Open, 20), Phase::Closed);
    }
}
