//! What a journal promises, whatever keeps it.

use std::{fmt, io};

use domain::{Seq, Term, UnixMs};

use crate::batch::Batch;
use crate::format::Fault;

/// A log of records numbered from 1 without a gap, written by one writer.
pub trait Journal {
    /// What reads it.
    type Cursor: Cursor;

    /// Stores the batch behind the tip, under this leader's term, and returns when it is durable, as a whole.
    /// An empty batch changes nothing.
    ///
    /// # Errors
    /// Nothing of the batch may be taken for stored. The journal has failed for good: every later append is
    /// an error too (fail-stop), and the process should say so and exit.
    fn append(&mut self, batch: &Batch, time: UnixMs) -> Result<Tip, AppendError>;

    /// The last durable record.
    fn tip(&self) -> Tip;

    /// This leader's term; every record appended carries it.
    fn term(&self) -> Term;

    /// A reader that starts with record `from`, which may be the one right after the tip.
    ///
    /// # Errors
    /// When that record was dropped already, or cannot exist yet.
    fn cursor(&self, from: Seq) -> Result<Self::Cursor, ReadError>;

    /// Drops old records, all of them before `seq`, in whole pieces: some before `seq` may stay.
    /// Returns how many pieces were dropped.
    ///
    /// # Errors
    /// The journal has failed for good, as after a failed append.
    fn truncate_before(&mut self, seq: Seq) -> Result<u64, TruncateError>;
}

/// A reader of a journal. It may live on another thread than the writer, and sees durable records only.
pub trait Cursor: Send {
    /// Calls `f` for durable records not yet seen, at most `count_max` of them; returns how many there were.
    /// 0 says that the journal has nothing new.
    ///
    /// # Errors
    /// The records already given to `f` are good; the cursor stands behind them.
    fn read(&mut self, count_max: usize, f: &mut dyn FnMut(Record<'_>)) -> Result<usize, ReadError>;

    /// The record that comes next.
    fn next_seq(&self) -> Seq;
}

/// The hash chain's value after a block: the BLAKE3 of the block, which holds the value before it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Chain(pub [u8; 32]);

impl fmt::Display for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// Where a journal ends. All zeros when nothing was ever appended.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Tip {
    /// The last durable record.
    pub seq: Seq,
    /// The term that it was written under.
    pub term: Term,
    /// The time of its batch.
    pub time: UnixMs,
    /// The chain's value after its block.
    pub chain: Chain,
}

/// A stored record.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Record<'a> {
    /// Its number.
    pub seq: Seq,
    /// The term of the leader who wrote it.
    pub term: Term,
    /// The time of its batch.
    pub time: UnixMs,
    /// What the payload is; the journal does not look at it.
    pub kind: u8,
    /// What was stored.
    pub payload: &'a [u8],
}

/// A disk that did not do what it was told.
#[derive(thiserror::Error, Debug)]
#[error("cannot {action} {file}: {source}")]
pub struct DiskError {
    /// What was tried.
    pub action: &'static str,
    /// On which file, by its name in the journal's directory.
    pub file: String,
    /// What the disk said.
    pub source: io::Error,
}

/// Why a batch was not stored. The world's fault, and not to be tried again: see [`Journal::append`].
#[derive(thiserror::Error, Debug)]
pub enum AppendError {
    /// An earlier operation failed; nothing was tried.
    #[error("the journal has failed before and takes nothing more")]
    Stopped,
    /// The batch has more than [`crate::BATCH_SIZE_BYTES_MAX`] bytes.
    #[error("a batch of {size_bytes} bytes is more than a journal takes at once")]
    BatchTooBig {
        /// How many it has.
        size_bytes: usize,
    },
    /// The disk failed, or is full.
    #[error("the journal cannot be written and stops: {0}")]
    Disk(#[from] DiskError),
}

/// Why old records were not dropped. See [`Journal::truncate_before`].
#[derive(thiserror::Error, Debug)]
pub enum TruncateError {
    /// An earlier operation failed; nothing was tried.
    #[error("the journal has failed before and drops nothing")]
    Stopped,
    /// The disk failed.
    #[error("old segments of the journal cannot be dropped: {0}")]
    Disk(#[from] DiskError),
}

/// Why records could not be read.
#[derive(thiserror::Error, Debug)]
pub enum ReadError {
    /// They were dropped.
    #[error("record {} is not in the journal any more", from.0)]
    Dropped {
        /// The record asked for.
        from: Seq,
    },
    /// The journal does not reach that far.
    #[error("record {} was asked for, but the journal ends with {}", from.0, tip.0)]
    Beyond {
        /// The record asked for.
        from: Seq,
        /// The last one there is.
        tip: Seq,
    },
    /// What was durable reads differently now.
    #[error("{file} is damaged at offset {offset}: {fault}")]
    Damage {
        /// In which file.
        file: String,
        /// Where in it.
        offset: u64,
        /// What is wrong.
        fault: Fault,
    },
    /// The disk failed.
    #[error("the journal cannot be read: {0}")]
    Disk(#[from] DiskError),
}
