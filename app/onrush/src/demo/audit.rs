//! The auditor: compares what the clients were told with the journal. The two sides meet only here, and any
//! difference fails the demo.

use std::collections::HashSet;

use domain::OrderId;
use engine::state::{Item, Sale};

use super::ledger::{Ledger, OrderEntry};
use super::replay::Replay;
use super::report::Check;
use super::wire::StockAnswer;

#[cfg(test)]
mod tests;

/// So many differences are told one by one.
const DIFFERENCE_COUNT_MAX: usize = 3;

/// Both sides of the story.
pub(crate) struct Story<'a> {
    /// How many units there should be.
    pub(crate) units: u32,
    /// What the clients were told.
    pub(crate) ledger: &'a Ledger,
    /// The server's last word about the stock.
    pub(crate) page: &'a StockAnswer,
    /// What the journal says.
    pub(crate) replay: &'a Replay,
}

impl Story<'_> {
    /// All that must hold.
    pub(crate) fn checks(&self) -> Vec<Check> {
        let mut checks = self.unit_checks();
        checks.extend(self.order_checks());
        checks.extend([self.key_check(), self.page_check(), self.fault_check(), self.invariant_check()]);
        checks
    }

    /// Acknowledged orders that the journal does not have.
    pub(crate) fn lost_count(&self) -> usize {
        self.ledger.orders.values().filter(|entry| self.replay.find(entry).is_none()).count()
    }

    fn unit_checks(&self) -> Vec<Check> {
        let units = self.replay.units();
        let taken = units.held + units.paid + units.withdrawn;
        let paid_seen = self.ledger.unit_count("paid");
        vec![
            Check::new(
                "exactly the stock was sold",
                units.paid == units.stock && units.stock == u64::from(self.units),
                format!("{} of {} units paid", units.paid, units.stock),
            ),
            Check::new(
                "nothing oversold",
                taken <= units.stock,
                format!("{taken} units taken of {}", units.stock),
            ),
            Check::new(
                "nothing stranded",
                units.free + units.held == 0,
                format!("{} free, {} held at the end", units.free, units.held),
            ),
            Check::new(
                "clients and journal agree on units",
                paid_seen == units.paid,
                format!("clients saw {paid_seen} paid, the journal has {}", units.paid),
            ),
        ]
    }

    fn order_checks(&self) -> Vec<Check> {
        let (lost, untold) = (self.lost_count(), self.untold_count());
        let (different_count, differences) = self.differences();
        let told = match different_count {
            0 => "lines, total, sequence and last state of each".to_owned(),
            count => format!("{count} differ: {}", differences.join("; ")),
        };
        let (acknowledged, stored) = (self.ledger.orders.len(), self.replay.orders.len());
        vec![
            Check::new(
                "no acknowledged order lost",
                lost == 0,
                format!("{acknowledged} acknowledged, {lost} of them not in the journal"),
            ),
            Check::new(
                "no order that nobody was told of",
                untold == 0,
                format!("{stored} in the journal, {untold} of them never acknowledged"),
            ),
            Check::new("every order is as it was told", different_count == 0, told),
        ]
    }

    fn key_check(&self) -> Check {
        let (again, two) = (self.ledger.keys_answered_again(), self.ledger.keys_with_two_outcomes());
        Check::new(
            "one outcome per key",
            two == 0,
            format!("{again} sold under a key that was sent again, {two} with two outcomes"),
        )
    }

    fn page_check(&self) -> Check {
        let page = self.page;
        let is_shown = |item: &Item| {
            let levels = item.levels();
            let shown = page.items.iter().find(|shown| shown.item == item.terms().code.as_str());
            shown.is_some_and(|shown| {
                let shown = (shown.stock, shown.free, shown.held, shown.paid, shown.withdrawn);
                shown == (levels.stock, levels.free, levels.held, levels.paid, levels.withdrawn)
            })
        };
        let items = self.replay.sale().map_or(&[][..], Sale::items);
        let agrees = items.len() == page.items.len() && items.iter().all(is_shown);
        let [free, held, paid] =
            [page.sum(|levels| levels.free), page.sum(|levels| levels.held), page.sum(|levels| levels.paid)];
        Check::new(
            "the page shows the journal's stock",
            agrees,
            format!("{free} free, {held} held, {paid} paid"),
        )
    }

    fn fault_check(&self) -> Check {
        let faults: Vec<String> =
            self.ledger.faults.iter().map(|(what, count)| format!("{what} ({count} times)")).collect();
        let detail = if faults.is_empty() { "none".to_owned() } else { faults.join(", ") };
        Check::new("no faulty answer", faults.is_empty(), detail)
    }

    fn invariant_check(&self) -> Check {
        match engine::invariants::check(&self.replay.state) {
            Ok(()) => Check::new("invariants hold", true, "I1–I4, I6 and I7 on the replayed journal"),
            Err(broken) => Check::new("invariants hold", false, broken.to_string()),
        }
    }

    /// Orders in the journal that no client was told of.
    fn untold_count(&self) -> usize {
        let told = self.ledger.orders.values().filter_map(|entry| self.replay.find(entry));
        let told: HashSet<OrderId> = told.collect();
        self.replay.orders.keys().filter(|order| !told.contains(order)).count()
    }

    /// How many orders are not as their buyers were told, and the first of them.
    fn differences(&self) -> (usize, Vec<String>) {
        let (mut count, mut first, mut seen) = (0, Vec::new(), HashSet::new());
        for (code, entry) in &self.ledger.orders {
            let difference = match self.replay.find(entry) {
                None => None, // lost, which is a check of its own
                Some(order) if !seen.insert(order) => Some("is a second code for one order".to_owned()),
                Some(order) => self.difference(order, entry),
            };
            let Some(difference) = difference else { continue };
            count += 1;
            if first.len() < DIFFERENCE_COUNT_MAX {
                first.push(format!("{code} {difference}"));
            }
        }
        (count, first)
    }

    /// What of an order is not as its buyer was told.
    fn difference(&self, order: OrderId, entry: &OrderEntry) -> Option<String> {
        let view = self.replay.state.order(order)?;
        let items = self.replay.sale()?.items();
        let stored = view.lines.iter().map(|line| {
            let code = items[usize::from(line.item.0)].terms().code.as_str();
            (code, line.quantity, line.unit_price)
        });
        let told = entry.first.lines.iter().map(|line| (line.item.as_str(), line.quantity, line.unit_price));
        let (mut stored, mut told): (Vec<_>, Vec<_>) = (stored.collect(), told.collect());
        stored.sort_unstable();
        told.sort_unstable();
        let seq = self.replay.orders.get(&order).map(|seq| seq.0);
        if stored != told {
            Some(format!("has {stored:?}, told {told:?}"))
        } else if view.total().0 != entry.first.total.amount {
            Some(format!("costs {}, told {}", view.total().0, entry.first.total.amount))
        } else if seq != Some(entry.first.seq) {
            Some(format!("stands at {seq:?}, told {}", entry.first.seq))
        } else if view.state.name() != entry.state {
            Some(format!("is {}, told {}", view.state.name(), entry.state))
        } else {
            None
        }
    }
}
