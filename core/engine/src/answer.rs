//! What is answered once the facts are applied.

use domain::{Actor, Answer, Command, Fact, OrderId, OrderState, OrderView, Refusal, planted};

use crate::decide::find_order;
use crate::state::State;

/// The answer to a command that was not refused, right after its `facts` were applied. For a command that was
/// so already, and brought none, it is the first answer again.
///
/// # Panics
/// When the command was refused.
pub fn answer(state: &State, command: &Command, facts: &[Fact]) -> Answer {
    match command {
        Command::PlaceOrder { buyer, key, .. } => {
            // Right behind its fact, the order is the last one.
            let placed = match facts {
                [] => state.orders.slot_of_key(*buyer, *key),
                _ => state.orders.last_slot(),
            };
            let slot = placed.expect("the order was placed");
            if planted!(AnswerWithLatest) {
                return Answer::Order(state.view(slot));
            }
            let order = state.orders.get(slot);
            assert!(order.buyer == *buyer && order.key == *key, "the order is the one that was placed");
            Answer::Order(state.first_view(order))
        }
        Command::ExtendHold { order, .. } => Answer::Order(extended_view(state, *order)),
        Command::CancelOrder { order, .. }
        | Command::RecordPayment { order, .. }
        | Command::RecordRefund { order, .. } => {
            Answer::Order(state.order(*order).expect("the order was found when it was decided"))
        }
        Command::CreateSale { slug, .. } => {
            Answer::Sale { sale: state.slugs[slug], seq: state.seq, created: !facts.is_empty() }
        }
        Command::EditSale { sale, .. } | Command::MoveSale { sale, .. } => {
            Answer::Sale { sale: *sale, seq: state.seq, created: false }
        }
        Command::ChangeStock { sale, key, .. } => {
            let keyed = key.and_then(|key| state.sale(*sale)?.stock_keys.get(&key).copied());
            Answer::Stock(keyed.or(state.last_stock).expect("the stock was changed"))
        }
        Command::Tick => Answer::Done { seq: state.seq },
    }
}

/// An order as it stands.
///
/// # Errors
/// `order_not_found`, also when it is somebody else's.
pub fn show_order(state: &State, order: OrderId, by: Actor) -> Result<OrderView, Refusal> {
    find_order(state, order, by).map(|(slot, _)| state.view(slot))
}

/// The order as it was when its hold was extended.
fn extended_view(state: &State, order: OrderId) -> OrderView {
    let slot = state.orders.slot(order).expect("the order was found when it was decided");
    let extension = state.extensions.get(&slot).expect("the hold was extended");
    let first = state.first_view(state.orders.get(slot));
    OrderView {
        state: OrderState::Held,
        expires_at: extension.expires_at,
        seq: extension.seq,
        extended: true,
        ..first
    }
}
