//! The states of an order and the moves between them.

/// Where an order stands.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
pub enum OrderState {
    /// Claims its units until its hold ends.
    Held = 1,
    /// Paid; the units are the buyer's.
    Paid = 2,
    /// The money is on its way back.
    Refunding = 3,
    /// The money is back. Final.
    Refunded = 4,
    /// Given up before it was paid.
    Cancelled = 5,
    /// Not paid before the hold ended.
    Expired = 6,
}

impl OrderState {
    /// Every state.
    pub const ALL: [OrderState; 6] =
        [Self::Held, Self::Paid, Self::Refunding, Self::Refunded, Self::Cancelled, Self::Expired];

    /// The table of legal moves (invariant I6).
    pub fn may_become(self, to: OrderState) -> bool {
        use OrderState::{Cancelled, Expired, Held, Paid, Refunded, Refunding};
        matches!(
            (self, to),
            (Held, Paid | Cancelled | Expired)
                | (Paid, Refunding)
                | (Refunding, Refunded | Paid)
                // A payment that came after the hold ended is never lost.
                | (Expired, Paid | Refunding)
                | (Cancelled, Refunding)
        )
    }

    /// The name in the API, metrics and documents.
    pub fn name(self) -> &'static str {
        match self {
            OrderState::Held => "held",
            OrderState::Paid => "paid",
            OrderState::Refunding => "refunding",
            OrderState::Refunded => "refunded",
            OrderState::Cancelled => "cancelled",
            OrderState::Expired => "expired",
        }
    }

    /// The state of that name.
    pub fn from_name(name: &str) -> Option<OrderState> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }

    /// The state from its stored number.
    pub fn from_raw(raw: u8) -> Option<OrderState> {
        Self::ALL.into_iter().find(|state| *state as u8 == raw)
    }
}

/// Why the money of an order goes back; written on the order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
pub enum RefundCause {
    /// The organiser wants it so.
    Organiser = 1,
    /// Paid after the hold had expired, and the units were no longer free.
    StockTaken = 2,
    /// Paid after the hold had expired, and the buyer had reached a limit with other orders.
    LimitReached = 3,
    /// Paid after the order had been cancelled.
    PaidAfterCancel = 4,
}

impl RefundCause {
    /// Every cause.
    pub const ALL: [RefundCause; 4] =
        [Self::Organiser, Self::StockTaken, Self::LimitReached, Self::PaidAfterCancel];

    /// The name in the API and in documents.
    pub fn name(self) -> &'static str {
        match self {
            RefundCause::Organiser => "organiser",
            RefundCause::StockTaken => "paid_late_stock_taken",
            RefundCause::LimitReached => "paid_late_limit_reached",
            RefundCause::PaidAfterCancel => "paid_after_cancel",
        }
    }

    /// The cause from its stored number.
    pub fn from_raw(raw: u8) -> Option<RefundCause> {
        Self::ALL.into_iter().find(|cause| *cause as u8 == raw)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn final_states_stay() {
        for to in OrderState::ALL {
            assert!(!OrderState::Refunded.may_become(to));
            assert!(!to.may_become(to), "{to:?} is no move");
        }
    }

    #[test]
    fn names_and_numbers_read_back() {
        for state in OrderState::ALL {
            assert_eq!(OrderState::from_name(state.name()), Some(state));
            assert_eq!(OrderState::from_raw(state as u8), Some(state));
        }
        for cause in RefundCause::ALL {
            assert_eq!(RefundCause::from_raw(cause as u8), Some(cause));
        }
    }
}
