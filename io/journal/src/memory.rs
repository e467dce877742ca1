//! A journal in memory: for tests, and for trying things out without a disk. Stores the same bytes as
//! [`crate::Local`]; nothing of it outlives the process.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::{Seq, Term, UnixMs};

use crate::BATCH_SIZE_BYTES_MAX;
use crate::batch::Batch;
use crate::contract::{AppendError, Cursor, Journal, ReadError, Record, Tip, TruncateError};
use crate::format::block;
use crate::format::encode::{Stamp, encode};
use crate::local::Options;

/// A journal in memory. Bounded only by [`Journal::truncate_before`].
#[derive(Debug)]
pub struct Memory {
    term: Term,
    tip: Tip,
    failed: bool,
    kept: Arc<Mutex<Kept>>,
}

/// What writer and cursors share.
#[derive(Default, Debug)]
struct Kept {
    batches: VecDeque<Arc<StoredBatch>>,
    last: Seq,
}

#[derive(Debug)]
struct StoredBatch {
    last: Seq,
    blocks: Vec<u8>,
}

impl StoredBatch {
    fn for_each_record(&self, f: &mut dyn FnMut(Record<'_>)) {
        let mut rest = &self.blocks[..];
        while !rest.is_empty() {
            let header = block::Header::parse(rest).expect("the blocks were encoded here");
            block::for_each_record(&header, rest, f).expect("the blocks were encoded here");
            rest = &rest[header.stored_size_bytes()..];
        }
    }
}

impl Memory {
    /// An empty journal, in term 1.
    pub fn new() -> Memory {
        Memory { term: Term(1), tip: Tip::default(), failed: false, kept: Arc::default() }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        lock(&self.kept)
    }
}

impl Default for Memory {
    fn default() -> Memory {
        Memory::new()
    }
}

impl Journal for Memory {
    type Cursor = MemoryCursor;

    fn append(&mut self, batch: &Batch, time: UnixMs) -> Result<Tip, AppendError> {
        if self.failed {
            return Err(AppendError::Stopped);
        }
        if batch.size_bytes() > BATCH_SIZE_BYTES_MAX {
            self.failed = true;
            return Err(AppendError::BatchTooBig { size_bytes: batch.size_bytes() });
        }
        if batch.is_empty() {
            return Ok(self.tip);
        }
        let block_size_bytes_max = Options::default().block_size_bytes_max;
        let mut blocks = Vec::new();
        let stamp = Stamp { term: self.term, time, block_size_bytes_max };
        self.tip = encode(batch, &self.tip, stamp, &mut blocks);
        let mut kept = self.kept();
        kept.batches.push_back(Arc::new(StoredBatch { last: self.tip.seq, blocks }));
        kept.last = self.tip.seq;
        Ok(self.tip)
    }

    fn tip(&self) -> Tip {
        self.tip
    }

    fn term(&self) -> Term {
        self.term
    }

    fn cursor(&self, from: Seq) -> Result<MemoryCursor, ReadError> {
        if from > self.tip.seq.next() {
            return Err(ReadError::Beyond { from, tip: self.tip.seq });
        }
        let cursor = MemoryCursor { next: from.max(Seq(1)), kept: Arc::clone(&self.kept) };
        cursor.find()?;
        Ok(cursor)
    }

    fn truncate_before(&mut self, seq: Seq) -> Result<u64, TruncateError> {
        if self.failed {
            return Err(TruncateError::Stopped);
        }
        let mut kept = self.kept();
        let whole = kept.batches.partition_point(|batch| batch.last < seq);
        // The last piece always stays, as it does on disk.
        let dropped = whole.min(kept.batches.len().saturating_sub(1));
        kept.batches.drain(..dropped);
        Ok(dropped as u64)
    }
}

/// A reader of a [`Memory`].
#[derive(Debug)]
pub struct MemoryCursor {
    next: Seq,
    kept: Arc<Mutex<Kept>>,
}

impl MemoryCursor {
    /// The batch that holds the next record, if it is there already.
    fn find(&self) -> Result<Option<Arc<StoredBatch>>, ReadError> {
        let kept = lock(&self.kept);
        if self.next > kept.last {
            return Ok(None);
        }
        let index = kept.batches.partition_point(|batch| batch.last < self.next);
        let batch = &kept.batches[index];
        let first = block::Header::parse(&batch.blocks).expect("the blocks were encoded here").first_seq;
        if index == 0 && first > self.next {
            return Err(ReadError::Dropped { from: self.next });
        }
        Ok(Some(Arc::clone(batch)))
    }
}

impl Cursor for MemoryCursor {
    fn read(&mut self, count_max: usize, f: &mut dyn FnMut(Record<'_>)) -> Result<usize, ReadError> {
        let mut count = 0;
        while count < count_max {
            let Some(batch) = self.find()? else { break };
            batch.for_each_record(&mut |record| {
                if record.seq == self.next && count < count_max {
                    f(record);
                    self.next = self.next.next();
                    count += 1;
                }
            });
        }
        Ok(count)
    }

    fn next_seq(&self) -> Seq {
        self.next
    }
}

/// A panic while the lock was held leaves `Kept` whole: every change to it is one step.
fn lock(kept: &Mutex<Kept>) -> MutexGuard<'_, Kept> {
    kept.lock().unwrap_or_else(PoisonError::into_inner)
}
