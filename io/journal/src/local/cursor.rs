//! Reads durable records while the writer goes on.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use domain::Seq;

use crate::contract::{Cursor, DiskError, ReadError, Record};
use crate::disk::Disk;
use crate::format::{Fault, PAGE_SIZE_BYTES, block, is_zero, segment};
use crate::walk::SegmentReader;

/// A reader of a [`super::Local`]. Checks every checksum again, but not the hash chain: recovery did.
pub struct LocalCursor<D: Disk> {
    disk: D,
    durable: Arc<AtomicU64>,
    reader: SegmentReader<D>,
    /// Where the block stands that holds the next record, or one before it.
    offset: u64,
    next: Seq,
    passed_size_bytes: u64,
}

impl<D: Disk> LocalCursor<D> {
    /// A reader that starts with `from`, which is in the segment that begins with `first_seq` if it exists.
    pub(super) fn open(
        disk: D,
        durable: Arc<AtomicU64>,
        first_seq: Seq,
        from: Seq,
    ) -> Result<LocalCursor<D>, ReadError> {
        let reader = open_segment(&disk, first_seq)?;
        Ok(LocalCursor {
            disk,
            durable,
            reader,
            offset: segment::BLOCKS_FROM,
            next: from,
            passed_size_bytes: 0,
        })
    }

    /// Reads the block at hand, or goes on to the next segment. Called when the next record is durable.
    fn step(&mut self, f: &mut dyn FnMut(Record<'_>)) -> Result<(), ReadError> {
        let room = self.reader.size_bytes() - self.offset;
        if room == 0 || is_zero(self.reader.bytes(self.offset, PAGE_SIZE_BYTES)?) {
            let was_empty = self.offset == segment::BLOCKS_FROM;
            self.reader = open_segment(&self.disk, self.next)?;
            self.offset = segment::BLOCKS_FROM;
            // An empty segment may have given its name to a larger one since it was opened.
            if was_empty && is_zero(self.reader.bytes(self.offset, PAGE_SIZE_BYTES)?) {
                return Err(self.damage(Fault::BlockMissing(self.next)));
            }
            return Ok(());
        }
        let header = match block::Header::parse(self.reader.bytes(self.offset, PAGE_SIZE_BYTES)?) {
            Ok(header) if header.stored_size_bytes() as u64 > room => {
                return Err(self.damage(Fault::BlockShape));
            }
            Ok(header) if header.first_seq > self.next => {
                return Err(self.damage(Fault::BlockSeq(header.first_seq)));
            }
            Ok(header) => header,
            Err(fault) => return Err(self.damage(fault)),
        };
        if header.last_seq() >= self.next {
            let stored = self.reader.bytes(self.offset, header.stored_size_bytes())?;
            block::for_each_record(&header, stored, f).map_err(|fault| self.damage(fault))?;
        }
        Ok(())
    }

    /// Steps over the block at hand once all of it was seen.
    fn advance(&mut self) -> Result<(), ReadError> {
        let room = self.reader.size_bytes() - self.offset;
        if room > 0
            && let Ok(header) = block::Header::parse(self.reader.bytes(self.offset, PAGE_SIZE_BYTES)?)
            && header.last_seq() < self.next
        {
            let size_bytes = header.stored_size_bytes() as u64;
            self.offset += size_bytes;
            self.passed_size_bytes += size_bytes;
        }
        Ok(())
    }

    /// Bytes of the blocks that it has passed, and of those of its first segment before the record it began with.
    pub fn passed_size_bytes(&self) -> u64 {
        self.passed_size_bytes
    }

    fn damage(&self, fault: Fault) -> ReadError {
        ReadError::Damage { file: self.reader.name().to_owned(), offset: self.offset, fault }
    }
}

impl<D: Disk> Cursor for LocalCursor<D> {
    fn read(&mut self, count_max: usize, f: &mut dyn FnMut(Record<'_>)) -> Result<usize, ReadError> {
        // First the mark, then the bytes: what the window holds up to this mark is whole.
        let durable = Seq(self.durable.load(Ordering::Acquire));
        self.reader.forget();
        let mut count = 0;
        while count < count_max && self.next <= durable {
            let mut next = self.next;
            let result = self.step(&mut |record| {
                if record.seq == next && count < count_max {
                    f(record);
                    next = next.next();
                    count += 1;
                }
            });
            self.next = next;
            result?;
            self.advance()?;
        }
        Ok(count)
    }

    fn next_seq(&self) -> Seq {
        self.next
    }
}

/// A segment that is not there any more was dropped.
fn open_segment<D: Disk>(disk: &D, first_seq: Seq) -> Result<SegmentReader<D>, ReadError> {
    SegmentReader::open(disk, &segment::name(first_seq)).map_err(|error: DiskError| {
        if error.source.kind() == io::ErrorKind::NotFound {
            ReadError::Dropped { from: first_seq }
        } else {
            error.into()
        }
    })
}
