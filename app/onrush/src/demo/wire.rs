//! The server's answers, as far as the crowd reads them.

use serde::Deserialize;

/// An order, in every answer about it.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
pub(crate) struct OrderAnswer {
    pub(crate) order: String,
    pub(crate) state: String,
    pub(crate) lines: Vec<LineAnswer>,
    pub(crate) total: TotalAnswer,
    pub(crate) expires_at: String,
    pub(crate) seq: u64,
    /// Not in the answer while it is 0.
    #[serde(default)]
    pub(crate) payments_failed: u8,
}

#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
pub(crate) struct LineAnswer {
    pub(crate) item: String,
    pub(crate) quantity: u16,
    pub(crate) unit_price: u32,
}

#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
pub(crate) struct TotalAnswer {
    pub(crate) amount: u64,
    pub(crate) currency: String,
}

/// The levels of a sale.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize)]
pub(crate) struct StockAnswer {
    pub(crate) items: Vec<LevelsAnswer>,
}

#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize)]
pub(crate) struct LevelsAnswer {
    pub(crate) item: String,
    pub(crate) stock: u32,
    pub(crate) free: u32,
    pub(crate) held: u32,
    pub(crate) paid: u32,
    pub(crate) withdrawn: u32,
}

/// A refusal or a fault (RFC 9457).
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
pub(crate) struct Problem {
    pub(crate) code: String,
}

impl OrderAnswer {
    pub(crate) fn unit_count(&self) -> u32 {
        self.lines.iter().map(|line| u32::from(line.quantity)).sum()
    }
}

impl StockAnswer {
    /// The sum of one level over all items.
    pub(crate) fn sum(&self, level: impl Fn(&LevelsAnswer) -> u32) -> u32 {
        self.items.iter().map(level).sum()
    }
}
