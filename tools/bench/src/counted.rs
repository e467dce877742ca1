//! What is counted instead of timed: it hardly depends on the machine, and not on who else uses it.

pub(crate) mod calls;
pub(crate) mod instructions;
pub(crate) mod journal;
mod profile;
