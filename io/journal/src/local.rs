//! The journal on files: preallocated segments, one durable write per batch, fail-stop.

mod cursor;
pub(crate) mod recover;
mod shelf;

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use domain::{Seq, Term, UnixMs, planted};

pub use cursor::LocalCursor;
pub use recover::{OpenError, Recovery};
pub use shelf::Preparer;

use crate::batch::Batch;
use crate::contract::{AppendError, DiskError, Journal, ReadError, Record, Tip, TruncateError};
use crate::disk::{Disk, failed, write_durably};
use crate::format::encode::{Stamp, encode};
use crate::format::{PAGE_SIZE_BYTES, page_up, record, segment};
use crate::{BATCH_SIZE_BYTES_MAX, PAYLOAD_SIZE_BYTES_MAX};
use shelf::Shelf;

/// Sizes of a [`Local`]. They may change from one start to the next.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Options {
    /// Bytes of a segment: whole pages of 4 KiB, at least two. A batch that needs more gets a larger one.
    pub segment_size_bytes: u64,
    /// Bytes of a block at most: whole pages, 68 KiB (the largest record) to 16 MiB. A larger batch is several
    /// blocks, still one write.
    pub block_size_bytes_max: usize,
}

impl Default for Options {
    fn default() -> Options {
        Options { segment_size_bytes: 64 << 20, block_size_bytes_max: 1 << 20 }
    }
}

impl Options {
    fn are_valid(&self) -> bool {
        const PAGE: u64 = PAGE_SIZE_BYTES as u64;
        let block_min = page_up(
            crate::format::block::HEADER_SIZE_BYTES + record::HEADER_SIZE_BYTES + PAYLOAD_SIZE_BYTES_MAX,
        );
        self.segment_size_bytes >= 2 * PAGE
            && self.segment_size_bytes.is_multiple_of(PAGE)
            && (block_min..=16 << 20).contains(&self.block_size_bytes_max)
            && self.block_size_bytes_max.is_multiple_of(PAGE_SIZE_BYTES)
    }
}

/// The journal on files of one directory. Who opens it holds the directory's [`crate::DirLock`].
pub struct Local<D: Disk> {
    disk: D,
    options: Options,
    term: Term,
    tip: Tip,
    /// The first record of every segment, oldest first; never empty.
    segments: VecDeque<Seq>,
    current: Current<D::File>,
    /// The blocks of the batch that is being written.
    buffer: Vec<u8>,
    /// The last durable record, for cursors.
    durable: Arc<AtomicU64>,
    shelf: Arc<Shelf<D::File>>,
    failed: bool,
}

/// The segment that is written to.
struct Current<F> {
    file: F,
    name: String,
    size_bytes: u64,
    /// Where the next batch goes.
    end: u64,
}

impl<D: Disk> Local<D> {
    /// Recovers what the directory holds, or makes a new journal, and starts the term after the last one.
    /// `now` only names the copy of a torn tail.
    ///
    /// # Errors
    /// When the journal is damaged, or the disk failed.
    pub fn open(disk: D, options: Options, now: UnixMs) -> Result<(Local<D>, Recovery), OpenError> {
        Local::open_from(disk, options, now, Seq(0), &mut |_| ())
    }

    /// As [`Local::open`] for somebody who knows all records before `from`: reads and checks from the segment on that has
    /// it, and calls `show` for every record there, in order. [`Recovery::unread_before`] says what is left for
    /// [`crate::scan_before`].
    ///
    /// # Errors
    /// As [`Local::open`], about what is read; what was shown before is worth nothing then.
    pub fn open_from(
        disk: D,
        options: Options,
        now: UnixMs,
        from: Seq,
        show: &mut dyn FnMut(Record<'_>),
    ) -> Result<(Local<D>, Recovery), OpenError> {
        recover::open(disk, (options, now), from, show)
    }

    /// What makes the next segment ahead, on another thread, so that an append need not wait for it.
    pub fn preparer(&self) -> Preparer<D> {
        Preparer::new(self.disk.clone(), Arc::clone(&self.shelf), self.options.segment_size_bytes)
    }

    fn store(&mut self, batch: &Batch, time: UnixMs) -> Result<Tip, AppendError> {
        if batch.size_bytes() > BATCH_SIZE_BYTES_MAX {
            return Err(AppendError::BatchTooBig { size_bytes: batch.size_bytes() });
        }
        let stamp = Stamp { term: self.term, time, block_size_bytes_max: self.options.block_size_bytes_max };
        let tip = encode(batch, &self.tip, stamp, &mut self.buffer);
        let size_bytes = self.buffer.len() as u64;
        if size_bytes > self.current.size_bytes - self.current.end {
            self.rotate(size_bytes)?;
        }
        write_durably(&self.current.file, &self.current.name, &self.buffer, self.current.end)?;
        self.current.end += size_bytes;
        if self.current.end > self.current.size_bytes / 2 {
            self.shelf.want();
        }
        Ok(tip)
    }

    /// Goes on in a new segment that has room for `size_bytes` of blocks.
    fn rotate(&mut self, size_bytes: u64) -> Result<(), DiskError> {
        let size_bytes = self.options.segment_size_bytes.max(segment::BLOCKS_FROM + size_bytes);
        let header = segment::Header { size_bytes, term: self.term, tip_before: self.tip };
        self.current = make_segment(&self.disk, &self.shelf, header)?;
        // A segment without a block would begin with the same record: the larger one has just taken its name and place.
        if self.segments.back() != Some(&header.first_seq()) {
            self.segments.push_back(header.first_seq());
        }
        Ok(())
    }

    fn drop_before(&mut self, seq: Seq) -> Result<u64, TruncateError> {
        let mut dropped = 0;
        // A segment goes when the one after it begins at or before `seq`; so the last one stays.
        while self
            .segments
            .get(1)
            .is_some_and(|next| next.0 <= seq.0 + u64::from(planted!(TruncateOneTooMany)))
        {
            let name = segment::name(self.segments[0]);
            self.disk.remove(&name).map_err(failed("remove", &name))?;
            // One by one: of several removals that were not synced a crash may keep any, and leave a gap.
            if !planted!(RemoveSegmentsTogether) {
                self.disk.sync_dir().map_err(failed("sync", "the directory"))?;
            }
            self.segments.pop_front();
            dropped += 1;
        }
        Ok(dropped)
    }
}

impl<D: Disk> Journal for Local<D> {
    type Cursor = LocalCursor<D>;

    fn append(&mut self, batch: &Batch, time: UnixMs) -> Result<Tip, AppendError> {
        if self.failed {
            return Err(AppendError::Stopped);
        }
        if batch.is_empty() {
            return Ok(self.tip);
        }
        self.failed = !planted!(GoOnAfterFailure); // until it is known to have worked
        self.tip = self.store(batch, time)?;
        self.failed = false;
        self.durable.store(self.tip.seq.0, Ordering::Release);
        Ok(self.tip)
    }

    fn tip(&self) -> Tip {
        self.tip
    }

    fn term(&self) -> Term {
        self.term
    }

    fn cursor(&self, from: Seq) -> Result<LocalCursor<D>, ReadError> {
        let from = from.max(Seq(1));
        if from > self.tip.seq.next() {
            return Err(ReadError::Beyond { from, tip: self.tip.seq });
        }
        let behind = self.segments.partition_point(|first| *first <= from);
        let Some(index) = behind.checked_sub(1) else { return Err(ReadError::Dropped { from }) };
        LocalCursor::open(self.disk.clone(), Arc::clone(&self.durable), self.segments[index], from)
    }

    fn truncate_before(&mut self, seq: Seq) -> Result<u64, TruncateError> {
        if self.failed {
            return Err(TruncateError::Stopped);
        }
        self.failed = true;
        let dropped = self.drop_before(seq)?;
        self.failed = false;
        Ok(dropped)
    }
}

/// Makes a segment: prepared under another name, header written durably, renamed, directory synced.
/// So what has a segment's name has a whole header.
fn make_segment<D: Disk>(
    disk: &D,
    shelf: &Shelf<D::File>,
    header: segment::Header,
) -> Result<Current<D::File>, DiskError> {
    let file = shelf.take(disk, header.size_bytes)?;
    write_durably(&file, shelf::NAME, &header.page(), 0)?;
    let name = segment::name(header.first_seq());
    disk.rename(shelf::NAME, &name).map_err(failed("rename the prepared segment to", &name))?;
    if !planted!(ForgetDirectorySync) {
        disk.sync_dir().map_err(failed("sync", "the directory"))?;
    }
    Ok(Current { file, name, size_bytes: header.size_bytes, end: segment::BLOCKS_FROM })
}
