//! Whose an order is: what only its first fact says.

use domain::{BuyerId, Fact, Lines, OrderId, OrderView, SaleId};

/// What later facts about an order do not say again.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Owner {
    pub(crate) buyer: BuyerId,
    pub(crate) sale: SaleId,
    pub(crate) lines: Lines,
}

impl Owner {
    /// From the fact that the order began with, if this is it.
    pub(crate) fn of_fact(fact: &Fact, wanted: OrderId) -> Option<Owner> {
        match fact {
            Fact::OrderHeld { order, sale, buyer, lines, .. } if *order == wanted => {
                Some(Owner { buyer: *buyer, sale: *sale, lines: lines.clone() })
            }
            _ => None,
        }
    }

    /// From the order as a state has it.
    pub(crate) fn of_view(view: &OrderView) -> Owner {
        Owner { buyer: view.buyer, sale: view.sale, lines: view.lines.clone() }
    }
}
