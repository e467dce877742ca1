//! Reading a journal without locking or writing it, for people's commands; and what can be said of its end.
//!
//! It may run beside a live writer. The batch that is just being written then looks like a torn tail or, if the
//! scan meets it in the middle of a sector, like damage to the last block: a second scan will not find it.

use std::fmt;

use domain::Seq;

use crate::contract::{DiskError, Record, Tip};
use crate::disk::Disk;
use crate::format::{Fault, segment};
use crate::walk::{walk, walk_before};

/// What a whole journal is like.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Report {
    /// How much is good.
    pub extent: Extent,
    /// How it ends. Behind damage nothing was looked at.
    pub verdict: Result<Verdict, Damage>,
}

/// The good part of a journal.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Extent {
    /// How many segments there are; 0: there is no journal.
    pub segment_count: usize,
    /// The first record that is not dropped; in an empty journal, the one that will come.
    pub first_seq: Seq,
    /// The last good record.
    pub tip: Tip,
}

impl Extent {
    /// How many good records there are.
    pub fn record_count(&self) -> u64 {
        (self.tip.seq.0 + 1).saturating_sub(self.first_seq.0.max(1))
    }
}

/// How a journal that can be used ends.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// With a whole batch.
    Clean,
    /// With a write that a crash cut off before it was acknowledged.
    TornTail(TornTail),
}

/// A batch that was not written to its end.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TornTail {
    /// In which segment.
    pub file: String,
    /// From where on.
    pub offset: u64,
    /// How far what was written of it reaches, in whole pages.
    pub size_bytes: u64,
    /// The batch's first record.
    pub first_seq: Seq,
    /// What is wrong with it.
    pub fault: Fault,
    /// The file that keeps a copy; recovery makes one, a scan does not.
    pub copy: Option<String>,
}

/// Bytes that are not what was made durable. Nothing is written to such a journal.
#[derive(thiserror::Error, Clone, PartialEq, Eq, Debug)]
#[error("{file} is damaged at offset {offset}: {fault} ({proof})")]
pub struct Damage {
    /// In which segment.
    pub file: String,
    /// Where in it the good part ends.
    pub offset: u64,
    /// What is wrong there.
    pub fault: Fault,
    /// Why this is not a torn tail.
    pub proof: Proof,
}

/// Why something bad is not what a crash leaves.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Proof {
    /// A segment's header is durable before the segment has its name.
    Header,
    /// There is a later segment, which begins with this record.
    LaterSegment(Seq),
    /// There is a later block, at this offset of the same segment.
    LaterBlock(u64),
    /// A block that belongs elsewhere stands at this offset of the same segment.
    Misplaced(u64),
    /// An interrupted write leaves nothing like it: it was whole once, or was never written here.
    NotTorn,
}

impl fmt::Display for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Proof::Header => f.write_str("a segment's header is whole before the segment has its name"),
            Proof::LaterSegment(seq) => write!(f, "valid data comes after it, in {}", segment::name(*seq)),
            Proof::LaterBlock(offset) => write!(f, "valid data comes after it, at offset {offset}"),
            Proof::Misplaced(offset) => write!(f, "a block that belongs elsewhere stands at offset {offset}"),
            Proof::NotTorn => f.write_str("no interrupted write leaves that: it changed afterwards"),
        }
    }
}

/// Why a journal could not be read.
#[derive(thiserror::Error, Debug)]
#[error("the journal cannot be read: {0}")]
pub struct ScanError(#[from] DiskError);

/// What a scan comes across, in the order of the journal.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Seen<'a> {
    /// A good record.
    Record(Record<'a>),
    /// The end of a batch, all of whose records were seen: what the journal's tip was when it became durable.
    BatchEnd(Tip),
}

/// Checks the whole journal and calls `f` for every good record, in order.
///
/// # Errors
/// When the disk failed. Damage is no error here, but a verdict.
pub fn scan<D: Disk>(disk: &D, f: &mut dyn FnMut(Record<'_>)) -> Result<Report, ScanError> {
    scan_batches(disk, &mut |seen| match seen {
        Seen::Record(record) => f(record),
        Seen::BatchEnd(_) => (),
    })
}

/// The same, with the chain's value behind every batch.
///
/// # Errors
/// As [`scan`].
pub fn scan_batches<D: Disk>(disk: &D, f: &mut dyn FnMut(Seen<'_>)) -> Result<Report, ScanError> {
    let walked = walk(disk, f)?;
    Ok(Report { extent: walked.extent, verdict: walked.verdict })
}

/// Checks the segments that a start did not read: all before the one that begins with `before`, up to its header. Beside a
/// live writer, who may drop them meanwhile. Returns how many are sound.
///
/// # Errors
/// When the disk failed. Damage is no error here, but a verdict.
pub fn scan_before<D: Disk>(disk: &D, before: Seq) -> Result<Result<usize, Damage>, ScanError> {
    Ok(walk_before(disk, before)?)
}
