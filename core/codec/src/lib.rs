//! The bytes of facts and of snapshot entries. Only this room knows them.
//!
//! Whatever was ever written must be readable for ever, so the form of a kind never changes: a new form
//! gets a new number in [`kinds`], and the golden files under `golden/` hold one sample of each. The forms are
//! drawn byte by byte in `docs/formats/facts.md` and `docs/formats/snapshot.md`.
//!
//! Encoding is canonical: one value has one form, and decoding refuses every other (bytes left over, an
//! option's tag of 2, lines out of order, a number outside [`domain::limits`]). Decoding never panics and
//! allocates at most a few hundred bytes, whatever it is given. Encoding a value that decoding would refuse
//! is a bug in the caller and panics, before anything is stored.
//!
//! This room may not know files, blocks or checksums (that is `journal`'s and `views`' matter), nor decide.
//! Start with [`kinds`], then [`encode`].
#![no_std]

extern crate alloc;

mod entry;
mod error;
mod fact;
pub mod kinds;
mod reader;
mod stored;
mod terms;
mod writer;

pub use entry::{decode_entry, encode_entry};
pub use error::DecodeError;
pub use fact::{ORDER_HELD_SIZE_BYTES, decode, encode};

/// No fact and no snapshot entry is longer: a stored record gives its length 16 bits.
pub const PAYLOAD_SIZE_BYTES_MAX: usize = 65_535;
