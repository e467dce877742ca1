//! The gate: who may come in, as arithmetic. Time and depth come in as arguments, a [`Permit`] comes out.
//!
//! What exists today is [`shed`]: refusing work by the depth of a writer's inbox and the wait to expect. Rate limits, breakers, lanes
//! and the waiting room will stand beside it. This room may not read a clock, count requests by itself, do I/O
//! or know HTTP. Start with [`shed`].
#![no_std]

pub mod shed;

pub use shed::{Permit, Pressure, Reason, Refused, Round, Shedder, Work};
