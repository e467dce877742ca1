//! Where an item's units were before a fact and after it.

use domain::{ItemIndex, Levels, SaleId};
use engine::State;
use serde::Serialize;

use crate::story::Titles;

/// An item's levels around a fact.
#[derive(Serialize)]
pub(super) struct Step {
    sale: String,
    item: String,
    before: LevelsRow,
    after: LevelsRow,
}

/// Levels by name.
#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
pub(super) struct LevelsRow {
    stock: u32,
    free: u32,
    held: u32,
    paid: u32,
    withdrawn: u32,
}

impl From<Levels> for LevelsRow {
    fn from(levels: Levels) -> LevelsRow {
        let Levels { stock, free, held, paid, withdrawn } = levels;
        LevelsRow { stock, free, held, paid, withdrawn }
    }
}

impl LevelsRow {
    /// An item that is not there yet has no units.
    pub(super) fn of(state: &State, (sale, item): (SaleId, ItemIndex)) -> LevelsRow {
        state.levels(sale, item).unwrap_or_default().into()
    }

    /// All of them, adding up.
    pub(super) fn text(&self) -> String {
        let LevelsRow { stock, free, held, paid, withdrawn } = self;
        format!("stock {stock} = free {free} + held {held} + paid {paid} + withdrawn {withdrawn}")
    }
}

impl Step {
    pub(super) fn new(
        titles: &Titles,
        (sale, item): (SaleId, ItemIndex),
        (before, after): (LevelsRow, LevelsRow),
    ) -> Step {
        Step { sale: titles.sale(sale), item: titles.item(sale, item), before, after }
    }

    /// What changed, then what it comes to.
    pub(super) fn text(&self) -> String {
        let (before, after) = (&self.before, &self.after);
        let levels = [
            ("stock", before.stock, after.stock),
            ("free", before.free, after.free),
            ("held", before.held, after.held),
            ("paid", before.paid, after.paid),
            ("withdrawn", before.withdrawn, after.withdrawn),
        ];
        let moved =
            |(name, from, to): &(&str, u32, u32)| (from != to).then(|| format!("{name} {from} → {to}"));
        let moved: Vec<String> = levels.iter().filter_map(moved).collect();
        let moved = if moved.is_empty() { "no unit moved".to_owned() } else { moved.join(", ") };
        format!("{}/{}: {moved}; after it {}", self.sale, self.item, after.text())
    }
}
