//! Somebody's request on its way.

use domain::Command;

use crate::crowd::Deed;

/// Somebody's request on its way.
#[derive(Clone, Debug)]
pub enum Errand {
    /// Something about a purchase.
    Deed {
        /// Which purchase.
        purchase: usize,
        /// What.
        deed: Deed,
        /// Who asks.
        by: By,
    },
    /// An organiser's.
    Task {
        /// Which organiser.
        organiser: usize,
        /// What.
        task: Command,
    },
}

/// Who asks for a deed, and waits for its answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum By {
    /// The buyer, one deed after the other.
    Buyer,
    /// The payment provider, with its call of that number.
    Provider(usize),
    /// Nobody: an old request of the buyer's, once more.
    Echo,
}
