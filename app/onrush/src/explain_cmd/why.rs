//! Why a fact was decided as it was: read off the state that stood before it.

use std::ops::ControlFlow;

use domain::{Fact, OrderId, OrderState, OrderView, RefundCause, SaleId};
use engine::State;

use crate::journal_cmd::names;
use crate::journal_cmd::row;
use crate::story::Words;

/// The reasons, one sentence each; none where the fact says all there is.
pub(super) fn why(fact: &Fact, before: &State, words: Words<'_>) -> Vec<String> {
    if let Fact::OrderHeld { sale, .. } = fact {
        return vec![admitted(before, *sale)];
    }
    let view = row::order_of(fact).and_then(|order| before.order(order));
    view.map_or_else(Vec::new, |view| of_order(fact, &view, (before, words)))
}

fn of_order(fact: &Fact, view: &OrderView, (before, words): (&State, Words<'_>)) -> Vec<String> {
    let until = names::time(view.expires_at);
    let one = |reason: &str| vec![reason.to_owned()];
    match fact {
        Fact::HoldExtended { .. } => one("an order's hold can be extended once, and this one had not been"),
        Fact::OrderExpired { .. } => vec![format!("its hold was to end at {until}, and no payment had come")],
        Fact::OrderPaid { .. } if view.state == OrderState::Expired => vec![format!(
            "a payment that comes after its hold has ended (at {until}) takes the same units again if they \
             are free \
             and the buyer's limits allow it, and both was so"
        )],
        Fact::OrderPaid { .. } => vec![format!("the payment came in time: the hold was to end at {until}")],
        Fact::PaymentUnmatched { cause, .. } => unmatched(*cause, view, (before, words)),
        Fact::PaymentSurplus { .. } => {
            vec![format!("an order takes one payment, and this one was {} already", view.state.name())]
        }
        Fact::OrderRefunded { .. } if view.refund_cause != Some(RefundCause::Organiser) => {
            one("the order had no units any more, so none come back")
        }
        Fact::RefundFailed { .. } if view.refund_cause == Some(RefundCause::Organiser) => {
            one("the order has its units still, so it is paid again")
        }
        Fact::RefundFailed { .. } => {
            one("the order has no units, so it stays refunding until the money is back")
        }
        _ => Vec::new(),
    }
}

/// What every order passes that is not refused.
fn admitted(before: &State, sale: SaleId) -> String {
    let mut text = "the sale took orders and the units were free".to_owned();
    text += if limits(before, sale).is_empty() { "; there is no limit" } else { ", and within the limits: " };
    text + &limits(before, sale)
}

/// The limits of a sale for each buyer, as they are just then.
fn limits(state: &State, sale: SaleId) -> String {
    let Some(sale) = state.sale(sale) else { return String::new() };
    let terms = sale.terms();
    let mut bounds = vec![
        ("per order".to_owned(), terms.per_order_max),
        ("per buyer".to_owned(), terms.per_buyer_max),
        ("per buyer and day".to_owned(), terms.per_buyer_day_max),
    ];
    for item in sale.items() {
        let terms = item.terms();
        bounds.push((format!("of {} per order", terms.code), terms.per_order_max));
        bounds.push((format!("of {} per buyer", terms.code), terms.per_buyer_max));
    }
    let texts = bounds.into_iter().filter_map(|(what, max)| max.map(|max| format!("at most {max} {what}")));
    texts.collect::<Vec<_>>().join(", ")
}

/// Why money that came too late has to go back.
fn unmatched(cause: RefundCause, view: &OrderView, (before, words): (&State, Words<'_>)) -> Vec<String> {
    let rule = format!(
        "a payment that comes after its hold has ended (at {}) takes the same units again only if they are \
         free and the \
         buyer's limits allow it",
        names::time(view.expires_at)
    );
    match cause {
        RefundCause::PaidAfterCancel => {
            vec!["the order had been cancelled, and a cancelled order is not paid any more".to_owned()]
        }
        RefundCause::Organiser => Vec::new(),
        RefundCause::StockTaken => {
            let mut reasons = vec![rule];
            for line in &view.lines {
                let free = before.levels(view.sale, line.item).unwrap_or_default().free;
                if free < u32::from(line.quantity) {
                    let item = words.titles.item(view.sale, line.item);
                    reasons.push(format!("{} of {item} were needed, and {free} were free", line.quantity));
                }
            }
            reasons
        }
        RefundCause::LimitReached => {
            let taken = units_of_others(before, view);
            let limits = limits(before, view.sale);
            vec![
                rule,
                format!(
                    "the limits were {limits}, and the buyer had {taken} units of the sale in other orders"
                ),
            ]
        }
    }
}

/// Units that a buyer's other orders of the sale hold, or have paid for and not given back.
fn units_of_others(state: &State, view: &OrderView) -> u64 {
    let first = OrderId::from_raw(0).expect("0 is a number");
    let mut units = 0;
    state.orders_from(view.sale, first, state.order_count(), |other| {
        let counts = match other.state {
            OrderState::Held | OrderState::Paid => true,
            OrderState::Refunding => other.refund_cause == Some(RefundCause::Organiser),
            OrderState::Refunded | OrderState::Cancelled | OrderState::Expired => false,
        };
        if counts && other.buyer == view.buyer && other.order != view.order {
            units += other.lines.iter().map(|line| u64::from(line.quantity)).sum::<u64>();
        }
        ControlFlow::Continue(())
    });
    units
}
