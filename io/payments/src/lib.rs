//! Payment providers: asking one for money, and believing what it says back.
//!
//! Here live the [`Provider`] contract, the signature on callbacks ([`Signer`]), and a provider for trying
//! things out: [`simulator::serve`] is its server, [`Simulator`] the client that speaks to it.
//! This room decides nothing about orders: it hands out [`Event`]s, and whoever submits them asks the engine.
//! A callback may come late, twice, or never; that it counts once is the engine's work, by the payment's id.
//! Start with [`provider`].

mod caller;
pub mod provider;
pub mod signature;
pub mod simulator;

pub use provider::{Charge, ChargeRequest, ChargeStatus, Event, Provider, ProviderError};
pub use signature::{CallbackError, SIGNATURE_HEADER, Signer};
pub use simulator::Simulator;
