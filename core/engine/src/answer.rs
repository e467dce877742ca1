//! What is answered once the facts are applied.

use domain::{Actor, Answer, Command, OrderId, OrderState, OrderView, Refusal, SaleId};

use crate::decide::find_order;
use crate::state::State;

/// The answer to a command that was not refused, right after its facts were applied. For a command that was
/// so already it is the first answer again.
///
/// # Panics
/// When the command was refused.
pub fn answer(state: &State, command: &Command) -> Answer {
    match command {
        Command::PlaceOrder { buyer, key, .. } => {
            let slot = state.orders.slot_of_key(*buyer, *key).expect("the order was placed");
            Answer::Order(state.first_view(state.orders.get(slot)))
        }
        Command::ExtendHold { order, .. } => Answer::Order(extended_view(state, *order)),
        Command::CancelOrder { order, .. }
        | Command::RecordPayment { order, .. }
        | Command::RecordRefund { order, .. } => {
            Answer::Order(state.order(*order).expect("the order was found when it was decided"))
        }
        Command::CreateSale { slug, .. } => sale(state, state.slugs[slug]),
        Command::EditSale { sale: id, .. } | Command::MoveSale { sale: id, .. } => sale(state, *id),
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

fn sale(state: &State, sale: SaleId) -> Answer {
    let item_count = state.sale(sale).map_or(0, |sale| sale.items().len() as u64);
    // The facts of its creation are the last ones.
    let created = state.last_created.is_some_and(|(id, seq)| id == sale && seq.0 + item_count == state.seq.0);
    Answer::Sale { sale, seq: state.seq, created }
}
