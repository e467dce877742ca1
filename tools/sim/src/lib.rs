//! The whole system in a seeded world: one process, one thread, one seed.
//!
//! The real gate arithmetic, sequencer, engine, codec, journal, snapshots and catalogue run on simulated [`disk`]s
//! under a simulated [`clock`], behind a simulated [`network`]. A [`crowd`] of buyers and their [`organiser`]s use
//! them the way people do: they click twice, ask again when no answer comes, pay early, late, twice or never. Power,
//! process, disk, clock and network fail at any step. An [`auditor`] knows nothing but what the clients were told, and
//! holds the system to it.
//!
//! Everything that happens follows from the seed, so every failure can be seen again, and is made
//! [short](shrink). Start with [`world`].

pub mod auditor;
pub mod clock;
pub mod crowd;
pub mod dice;
pub mod disk;
pub mod errand;
pub mod machine;
pub mod network;
pub mod organiser;
pub mod place;
pub mod reached;
pub mod run;
pub mod shape;
pub mod shrink;
pub mod story;
pub mod system;
pub mod torture;
pub mod world;

#[cfg(test)]
mod snapshots;
