//! The whole state as a list of entries, and back: `restore(export(state)) == state`.

mod entry;
mod export;
mod restore;

pub use entry::{Entry, Extension, Head, ItemEntry, OrderEntry, SaleEntry, Turnover};
pub use export::export;
pub use restore::{Restore, RestoreError};

use crate::state::State;

/// Two states are equal when they would answer alike for ever: when their snapshots are equal.
impl PartialEq for State {
    fn eq(&self, other: &State) -> bool {
        export(self).eq(export(other))
    }
}

impl core::fmt::Debug for State {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_list().entries(export(self)).finish()
    }
}

#[cfg(test)]
mod tests;
