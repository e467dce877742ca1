//! Reads a segment in large pieces, in order.

use domain::Seq;

use crate::contract::DiskError;
use crate::disk::{Access, Disk, DiskFile, failed, read_exactly};
use crate::format::{Fault, PAGE_SIZE_BYTES, segment};

const READ_SIZE_BYTES_MIN: usize = 64 << 10;
const READ_SIZE_BYTES_MAX: usize = 1 << 20;

/// An open segment and a window of its bytes.
pub(crate) struct SegmentReader<D: Disk> {
    name: String,
    file: D::File,
    size_bytes: u64,
    /// Keeps what is behind [`SegmentReader::held_size_bytes`]: memory that is to be read into need not be cleared each time.
    window: Vec<u8>,
    held_size_bytes: usize,
    window_from: u64,
    /// Grows while reading goes on: who follows the tip should not copy a megabyte for every batch.
    read_size_bytes: usize,
}

impl<D: Disk> SegmentReader<D> {
    pub(crate) fn open(disk: &D, name: &str) -> Result<SegmentReader<D>, DiskError> {
        let file = disk.open(name, Access::Read).map_err(failed("open", name))?;
        let size_bytes = file.size_bytes().map_err(failed("get the size of", name))?;
        Ok(SegmentReader {
            name: name.to_owned(),
            file,
            size_bytes,
            window: Vec::new(),
            held_size_bytes: 0,
            window_from: 0,
            read_size_bytes: READ_SIZE_BYTES_MIN,
        })
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    /// The segment's header, if it fits its file.
    pub(crate) fn header(&mut self, first_seq: Seq) -> Result<Result<segment::Header, Fault>, DiskError> {
        if self.size_bytes < PAGE_SIZE_BYTES as u64 {
            return Ok(Err(Fault::SegmentMagic));
        }
        let size_bytes = self.size_bytes;
        let header = segment::Header::parse(self.bytes(0, PAGE_SIZE_BYTES)?);
        Ok(header.and_then(|header| {
            if header.first_seq() != first_seq {
                return Err(Fault::SegmentName(header.first_seq()));
            }
            let fits = header.size_bytes == size_bytes && size_bytes.is_multiple_of(PAGE_SIZE_BYTES as u64);
            if fits { Ok(header) } else { Err(Fault::SegmentSize(header.size_bytes)) }
        }))
    }

    /// `count` bytes from `offset` on, all within the file.
    pub(crate) fn bytes(&mut self, offset: u64, count: usize) -> Result<&[u8], DiskError> {
        let held_to = self.window_from + self.held_size_bytes as u64;
        if offset < self.window_from || offset + count as u64 > held_to {
            self.fill(offset, count)?;
        }
        let from = usize::try_from(offset - self.window_from).expect("a window fits in memory");
        Ok(&self.window[from..from + count])
    }

    /// Forgets what was read: behind the tip the file may have changed.
    pub(crate) fn forget(&mut self) {
        self.held_size_bytes = 0;
        self.read_size_bytes = READ_SIZE_BYTES_MIN;
    }

    fn fill(&mut self, offset: u64, count: usize) -> Result<(), DiskError> {
        let left = usize::try_from(self.size_bytes - offset).unwrap_or(usize::MAX);
        let size = self.read_size_bytes.max(count).min(left);
        if self.window.len() < size {
            self.window.resize(size, 0);
        }
        self.held_size_bytes = 0;
        self.window_from = offset;
        self.read_size_bytes = (self.read_size_bytes * 2).min(READ_SIZE_BYTES_MAX);
        read_exactly(&self.file, &self.name, &mut self.window[..size], offset)?;
        self.held_size_bytes = size;
        Ok(())
    }
}
