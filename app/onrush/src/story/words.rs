//! One fact, one sentence: who asked, and what was decided.

use domain::{Amount, Cause, Fact, ItemTerms, Lines, OrderId, RefundCause, SaleId, SaleTerms};

use super::{Owner, Titles};
use crate::journal_cmd::names::{self, OrderNames};
use crate::journal_cmd::row;

/// What it takes to tell a fact.
#[derive(Clone, Copy)]
pub(crate) struct Words<'a> {
    pub(crate) titles: &'a Titles,
    pub(crate) orders: &'a OrderNames,
}

impl Words<'_> {
    /// The fact. `owner` is whose order it is about, if it is about one and that is known.
    pub(crate) fn tell(&self, fact: &Fact, owner: Option<&Owner>) -> String {
        let sale = |sale: &SaleId| self.titles.sale(*sale);
        match fact {
            Fact::TermStarted { term } => format!("a server took the shard over: term {}", term.0),
            Fact::SaleCreated { slug, terms, .. } => {
                format!("the organiser made the sale {slug} ({})", sale_terms(terms))
            }
            Fact::SaleEdited { sale: of, terms } => {
                format!("the organiser changed the sale {} ({})", sale(of), sale_terms(terms))
            }
            Fact::ItemAdded { sale: of, terms, stock, .. } => {
                format!(
                    "the organiser put {stock} units of {} ({}) into {}",
                    terms.code,
                    item_terms(terms),
                    sale(of)
                )
            }
            Fact::ItemEdited { sale: of, terms, .. } => {
                format!("the organiser changed {} of {} ({})", terms.code, sale(of), item_terms(terms))
            }
            Fact::SaleMoved { sale: of, to, cause: Cause::Organiser } => {
                format!("the organiser moved the sale {} to {}", sale(of), to.name())
            }
            Fact::SaleMoved { sale: of, to, cause: Cause::Clock } => {
                format!("the sale {} became {} by its own times", sale(of), to.name())
            }
            Fact::StockChanged { sale: of, item, change, .. } => {
                let (item, units) = (self.titles.item(*of, *item), change.unsigned_abs());
                let verb = if *change < 0 { "withdrew" } else { "added" };
                format!("the organiser {verb} {units} units of {item} of {}", sale(of))
            }
            _ => self.tell_order(fact, owner),
        }
    }

    /// Units and prices.
    pub(crate) fn lines(&self, sale: SaleId, lines: &Lines) -> String {
        let line = |line: &domain::Line| {
            format!("{} × {} at {}", line.quantity, self.titles.item(sale, line.item), line.unit_price)
        };
        lines.iter().map(line).collect::<Vec<_>>().join(", ")
    }

    /// The code that the buyer knows, or the number where the secret cannot be read.
    pub(crate) fn order(&self, order: OrderId) -> String {
        self.orders.code(order).unwrap_or_else(|| order.raw().to_string())
    }

    fn tell_order(&self, fact: &Fact, owner: Option<&Owner>) -> String {
        let code = self.order(row::order_of(fact).expect("every other fact is about an order"));
        let whose = owner.map_or_else(String::new, |owner| format!(" of buyer {}", owner.buyer.0));
        let order = format!("order {code}{whose}");
        match fact {
            Fact::OrderHeld { sale, buyer, hold_ttl_s, lines, .. } => format!(
                "buyer {} asked for {} in {}; it became order {code}, {} in all, and holds its units for \
                 {hold_ttl_s} s",
                buyer.0,
                self.lines(*sale, lines),
                self.titles.sale(*sale),
                self.titles.money(*sale, lines.total()),
            ),
            Fact::HoldExtended { expires_at, .. } => {
                let until = names::time(*expires_at);
                format!("the buyer asked for more time: {order} holds its units until {until}")
            }
            Fact::OrderCancelled { by_organiser, .. } => {
                let who = if *by_organiser { "the organiser" } else { "the buyer" };
                format!("{who} cancelled {order} before it was paid; its units are free again")
            }
            Fact::OrderExpired { .. } => {
                format!("the hold of {order} ended unpaid; its units are free again")
            }
            Fact::RefundStarted { restock, .. } => {
                let then = if *restock { "go back on sale" } else { "are withdrawn" };
                format!("the organiser began to give the money of {order} back; at the end its units {then}")
            }
            Fact::OrderRefunded { .. } => format!("the organiser recorded that the money of {order} is back"),
            Fact::RefundFailed { .. } => {
                format!("the organiser recorded that the money of {order} could not be given back")
            }
            _ => self.tell_payment(fact, &order, owner),
        }
    }

    fn tell_payment(&self, fact: &Fact, order: &str, owner: Option<&Owner>) -> String {
        let money = |amount: &Amount| match owner {
            Some(owner) => self.titles.money(owner.sale, *amount),
            None => format!("{} in minor units", amount.0),
        };
        match fact {
            Fact::OrderPaid { payment, amount, .. } => {
                format!("payment {} of {} came: {order} is paid", payment.0, money(amount))
            }
            Fact::PaymentFailed { payment, .. } => {
                format!("the provider said that payment {} failed; {order} stays as it is", payment.0)
            }
            Fact::PaymentUnmatched { payment, amount, cause, .. } => {
                let (money, cause) = (money(amount), refund_cause(*cause));
                format!(
                    "payment {} of {money} came for {order}, {cause}; the money has to go back",
                    payment.0
                )
            }
            Fact::PaymentSurplus { payment, amount, .. } => {
                let money = money(amount);
                format!("payment {} of {money} came on top for {order}, and has to go back", payment.0)
            }
            Fact::SurplusReturned { payment, .. } => {
                format!("the organiser recorded that surplus payment {} of {order} went back", payment.0)
            }
            _ => unreachable!("whoever calls has taken every other fact: {fact:?}"),
        }
    }
}

/// Why the units could not be had again.
fn refund_cause(cause: RefundCause) -> &'static str {
    match cause {
        RefundCause::Organiser => "which the organiser wants to give back",
        RefundCause::StockTaken => "but after its hold had ended, and its units were no longer free",
        RefundCause::LimitReached => {
            "but after its hold had ended, and its buyer had reached a limit with other orders"
        }
        RefundCause::PaidAfterCancel => "but after the order had been cancelled",
    }
}

fn sale_terms(terms: &SaleTerms) -> String {
    let mut text = format!("{}, holds of {} s", terms.name, terms.hold_ttl_s);
    let bounds = [
        ("per order", terms.per_order_max),
        ("per buyer", terms.per_buyer_max),
        ("per buyer and day", terms.per_buyer_day_max),
    ];
    push_bounds(&mut text, &bounds);
    for (what, at) in [("opens", terms.opens_at), ("closes", terms.closes_at)] {
        if let Some(at) = at {
            text += &format!(", {what} {}", names::time(at));
        }
    }
    text
}

fn item_terms(terms: &ItemTerms) -> String {
    let mut text = format!("{}, {} each in minor units", terms.name, terms.unit_price);
    push_bounds(&mut text, &[("per order", terms.per_order_max), ("per buyer", terms.per_buyer_max)]);
    text
}

fn push_bounds(text: &mut String, bounds: &[(&str, Option<u32>)]) {
    for (what, max) in bounds {
        if let Some(max) = max {
            *text += &format!(", at most {max} {what}");
        }
    }
}
