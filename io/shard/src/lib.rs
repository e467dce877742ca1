//! One shard, whole: sequencer, journal and catalogue joined in steps without threads.
//!
//! The threads of `app/onrush` and the single thread of `tools/sim` drive the very same [`Shard`]; that is why
//! it is a room (`docs/adr/0006-a-shard-is-a-room.md`). It takes no decision and knows no clock. A round is
//! [`Shard::decide`], [`Shard::commit`], [`Shard::release`]; [`recover()`] makes a shard from what the disk holds.

mod publish;
mod recover;
mod round;
mod tail;

#[cfg(test)]
mod tests;

pub use recover::{RecoverError, Recovered, Settings, recover};
pub use round::{Outcomes, Shard};
