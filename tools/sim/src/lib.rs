//! The whole system in a seeded world: one process, one thread, one seed.
//!
//! The real sequencer, engine, codec, journal, snapshots and catalogue run on a simulated [`disk`] under a
//! simulated [`clock`]. A [`crowd`] of buyers and an [`organiser`] use them the way people do: they click twice, ask
//! again when no answer comes, pay early, late, twice or never. Power, process and disk fail at any step. An
//! [`auditor`] knows nothing but what the clients were told, and holds the system to it.
//!
//! Everything that happens follows from the seed, so every failure can be seen again. Start with [`world`].

pub mod auditor;
pub mod clock;
pub mod crowd;
pub mod dice;
pub mod disk;
pub mod organiser;
pub mod reached;
pub mod run;
pub mod shape;
pub mod story;
pub mod system;
pub mod torture;
pub mod world;
