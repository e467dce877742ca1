//! What a shard sold, in words.

use std::io::{self, Write};
use std::ops::ControlFlow;

use domain::{OrderId, OrderState, SaleId};
use engine::State;

/// Orders, units and money in one state of orders.
#[derive(Clone, Copy, Default)]
struct Sum {
    orders: u64,
    units: u64,
    amount: u128,
}

/// Writes each sale with the levels of its items and the sums over its orders.
pub(crate) fn write(state: &State, out: &mut dyn Write) -> io::Result<()> {
    for (id, sale) in state.sales() {
        let terms = sale.terms();
        writeln!(out, "  sale {} ({}): {}", sale.slug(), sale.status().name(), terms.name)?;
        for item in sale.items() {
            let levels = item.levels();
            writeln!(
                out,
                "    item {}: stock {} = free {} + held {} + paid {} + withdrawn {}",
                item.terms().code,
                levels.stock,
                levels.free,
                levels.held,
                levels.paid,
                levels.withdrawn,
            )?;
        }
        for (order_state, sum) in OrderState::ALL.into_iter().zip(sums(state, id)) {
            if sum.orders > 0 {
                let (name, currency) = (order_state.name(), terms.currency.as_str());
                let Sum { orders, units, amount } = sum;
                writeln!(
                    out,
                    "    {name}: {orders} orders, {units} units, {amount} {currency} in minor units"
                )?;
            }
        }
    }
    Ok(())
}

/// One sum for each state of [`OrderState::ALL`].
fn sums(state: &State, sale: SaleId) -> [Sum; OrderState::ALL.len()] {
    let mut sums = [Sum::default(); OrderState::ALL.len()];
    let first = OrderId::from_raw(0).expect("0 is a number");
    state.orders_from(sale, first, state.order_count(), |order| {
        let place = OrderState::ALL.into_iter().position(|known| known == order.state);
        let sum = &mut sums[place.expect("ALL has every state")];
        sum.orders += 1;
        sum.units += order.lines.iter().map(|line| u64::from(line.quantity)).sum::<u64>();
        sum.amount += u128::from(order.total().0);
        ControlFlow::Continue(())
    });
    sums
}
