//! The durable log behind one contract: what was appended is there again after every crash.
//!
//! This room knows sequence numbers and bytes. It may not know what a record means, decide anything,
//! or read a clock: the time of a batch comes in as an argument. It has no threads of its own.
//!
//! Start with [`contract`] (what a journal promises); [`Memory`] and [`Local`] keep it. [`Local`] reaches its
//! files through [`Disk`] alone, so that a simulated disk can stand under the very same code. The bytes are
//! drawn in `docs/formats/journal.md`; [`mod@scan`] reads them without writing or locking, for people's commands.

pub mod batch;
pub mod contract;
pub mod disk;
mod format;
pub mod local;
pub mod memory;
pub mod repair;
pub mod scan;
mod walk;

#[cfg(test)]
mod tests;

pub use batch::Batch;
pub use contract::{AppendError, Chain, Cursor, DiskError, Journal, ReadError, Record, Tip, TruncateError};
pub use disk::{Access, DirLock, Disk, DiskFile, LockError, OsDisk};
pub use format::Fault;
pub use local::{Local, LocalCursor, OpenError, Options, Preparer, Recovery};
pub use memory::{Memory, MemoryCursor};
pub use repair::Way;
pub use scan::{
    Damage, Extent, Proof, Report, ScanError, Seen, TornTail, Verdict, scan, scan_batches, scan_before,
};

/// Largest payload of one record: its stored length has 16 bits.
pub const PAYLOAD_SIZE_BYTES_MAX: usize = 65_535;
/// Bytes that a stored record has before its payload.
pub const RECORD_HEADER_SIZE_BYTES: usize = format::record::HEADER_SIZE_BYTES;
/// How many of `count` records of one size a batch should have so that its pages are full: as many as the whole pages
/// take, and all of them when they do not fill the first. What is left begins the next batch, instead of padding in this one.
pub const fn record_count_of_full_pages(count: usize, record_size_bytes: usize) -> usize {
    let size_bytes = format::block::HEADER_SIZE_BYTES + count * record_size_bytes;
    match size_bytes / format::PAGE_SIZE_BYTES {
        0 => count,
        pages => (pages * format::PAGE_SIZE_BYTES - format::block::HEADER_SIZE_BYTES) / record_size_bytes,
    }
}

/// Largest batch, as stored, that is appended at once.
pub const BATCH_SIZE_BYTES_MAX: usize = 256 << 20;
