//! The stored bytes, version 3; drawn in `docs/formats/journal.md`. Pure: bytes in, bytes out.

pub(crate) mod block;
pub(crate) mod encode;
pub(crate) mod record;
pub(crate) mod segment;

use domain::{Seq, Term};

/// Blocks and the segment header start at multiples of this, and are padded to it.
pub(crate) const PAGE_SIZE_BYTES: usize = 4096;
/// What a disk writes as a whole or not at all: a crash leaves each sector old or new.
pub(crate) const SECTOR_SIZE_BYTES: usize = 512;

/// What is wrong with stored bytes.
#[derive(thiserror::Error, Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Fault {
    /// The segment header is not one.
    #[error("this is not the header of a journal segment")]
    SegmentMagic,
    /// The segment header's checksum does not fit.
    #[error("the segment header's checksum does not fit")]
    SegmentChecksum,
    /// The segment is of a format that this program does not know.
    #[error("the segment has format version {0}; this program knows version 3")]
    SegmentVersion(u32),
    /// The header belongs to another file name.
    #[error("the segment's header says that it begins with record {}, its name says otherwise", .0.0)]
    SegmentName(Seq),
    /// The file is longer or shorter than its header says.
    #[error("the file's size is not the {0} bytes that its header says")]
    SegmentSize(u64),
    /// The segment does not go on where the one before ends.
    #[error("the segment does not go on with record {} where the one before ends", .0.0)]
    SegmentChain(Seq),
    /// There should be a block, for there is something after it.
    #[error("the block with record {} is missing", .0.0)]
    BlockMissing(Seq),
    /// Neither a block nor zeros.
    #[error("this is neither a block nor unused space")]
    BlockMagic,
    /// The block header's checksum does not fit.
    #[error("the block header's checksum does not fit")]
    BlockChecksum,
    /// Numbers in the block header contradict each other or the segment.
    #[error("the block header contradicts itself or its segment")]
    BlockShape,
    /// The block begins with another record than the one that comes next.
    #[error("the block begins with record {}", .0.0)]
    BlockSeq(Seq),
    /// The block's term is lower than one before it.
    #[error("the block's term {} is lower than one before it", .0.0)]
    BlockTerm(Term),
    /// The block is not chained to the one before it.
    #[error("the block's hash of the block before does not fit")]
    BlockChain,
    /// Behind a block's records stands something else than padding.
    #[error("there is something in the padding behind record {}", .0.0)]
    BlockPadding(Seq),
    /// There is something where nothing was ever written.
    #[error("there is something in unused space")]
    UnusedSpace,
    /// A record's checksum does not fit.
    #[error("the checksum of record {} does not fit", .0.0)]
    RecordChecksum(Seq),
    /// A record contradicts its block.
    #[error("record {} contradicts its block", .0.0)]
    RecordShape(Seq),
    /// The writing of a batch of several blocks was not finished.
    #[error("the batch that begins with record {} is not complete", .0.0)]
    BatchIncomplete(Seq),
}

/// `size_bytes` rounded up to whole pages.
pub(crate) fn page_up(size_bytes: usize) -> usize {
    size_bytes.next_multiple_of(PAGE_SIZE_BYTES)
}

/// `size_bytes` rounded up to whole sectors.
pub(crate) fn sector_up(size_bytes: usize) -> usize {
    size_bytes.next_multiple_of(SECTOR_SIZE_BYTES)
}

/// Whether all bytes are zero. Compares as `memcmp` does: a byte-wise loop costs ten times as much.
pub(crate) fn is_zero(bytes: &[u8]) -> bool {
    const ZEROS: [u8; PAGE_SIZE_BYTES] = [0; PAGE_SIZE_BYTES];
    bytes.chunks(PAGE_SIZE_BYTES).all(|chunk| *chunk == ZEROS[..chunk.len()])
}

/// Reads little-endian fields one after the other. The callers check the size first.
pub(crate) struct Fields<'a>(pub(crate) &'a [u8]);

impl Fields<'_> {
    pub(crate) fn take<const N: usize>(&mut self) -> [u8; N] {
        let (field, rest) = self.0.split_first_chunk::<N>().expect("the caller checked the size");
        self.0 = rest;
        *field
    }

    pub(crate) fn u16(&mut self) -> u16 {
        u16::from_le_bytes(self.take())
    }

    pub(crate) fn u32(&mut self) -> u32 {
        u32::from_le_bytes(self.take())
    }

    pub(crate) fn u64(&mut self) -> u64 {
        u64::from_le_bytes(self.take())
    }
}

/// Writes fields one after the other into a buffer that has room for them.
pub(crate) struct Slots<'a> {
    bytes: &'a mut [u8],
    position: usize,
}

impl<'a> Slots<'a> {
    pub(crate) fn new(bytes: &'a mut [u8]) -> Slots<'a> {
        Slots { bytes, position: 0 }
    }

    pub(crate) fn put(&mut self, field: &[u8]) -> &mut Self {
        self.bytes[self.position..self.position + field.len()].copy_from_slice(field);
        self.position += field.len();
        self
    }
}
