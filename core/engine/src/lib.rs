//! The rules of a sale: [`decide()`] says which facts a command brings, [`apply()`] makes them so.
//!
//! `decide` reads and `apply` writes; neither can fail otherwise, reads a clock or draws a number. The state
//! is the sum of the facts: recovery applies stored facts and never decides again. Nothing here iterates over
//! a hash map, so the same facts give the same state everywhere. Start with [`mod@decide`], then [`State`].
#![no_std]

extern crate alloc;

mod answer;
pub mod apply;
pub mod decide;
mod foresee;
pub mod invariants;
mod loading;
pub mod snapshot;
pub mod state;
#[cfg(any(test, feature = "twin"))]
pub mod twin;

pub use answer::{answer, show_order};
pub use apply::apply;
pub use decide::{Facts, decide};
pub use foresee::foresee;
pub use loading::{KeyTwice, Loading, Unsettled};
pub use state::{Notes, State};
