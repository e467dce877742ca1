//! A segment: a file named after its first record, with a header page, blocks, and zeros to its end.

use domain::{Seq, Term, UnixMs};

use super::{Fault, Fields, PAGE_SIZE_BYTES, Slots};
use crate::contract::{Chain, Tip};

const MAGIC: &[u8; 8] = b"ONRUSHJL";
const VERSION: u32 = 3;
const CHECKSUM_AT: usize = 8;
const CHECKED_FROM: usize = 12;

/// Where the first block stands.
pub(crate) const BLOCKS_FROM: u64 = PAGE_SIZE_BYTES as u64;

/// The first page of a segment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Header {
    /// Of the whole file.
    pub(crate) size_bytes: u64,
    /// The term of the leader who made the segment.
    pub(crate) term: Term,
    /// What the segment goes on from; its first record is the one after.
    pub(crate) tip_before: Tip,
}

impl Header {
    /// The header from the first page of a file.
    pub(crate) fn parse(page: &[u8]) -> Result<Header, Fault> {
        if page.len() < PAGE_SIZE_BYTES || !page.starts_with(MAGIC) {
            return Err(Fault::SegmentMagic);
        }
        let mut fields = Fields(&page[CHECKSUM_AT..]);
        if fields.u32() != crc32c::crc32c(&page[CHECKED_FROM..PAGE_SIZE_BYTES]) {
            return Err(Fault::SegmentChecksum);
        }
        let version = fields.u32();
        if version != VERSION {
            return Err(Fault::SegmentVersion(version));
        }
        let first_seq = fields.u64();
        let size_bytes = fields.u64();
        let chain = Chain(fields.take());
        let (term, term_before, time_before) = (fields.u32(), fields.u32(), fields.u64());
        let Some(seq_before) = first_seq.checked_sub(1) else { return Err(Fault::SegmentName(Seq(0))) };
        let tip_before =
            Tip { seq: Seq(seq_before), term: Term(term_before), time: UnixMs(time_before), chain };
        Ok(Header { size_bytes, term: Term(term), tip_before })
    }

    /// The page to write.
    pub(crate) fn page(&self) -> Vec<u8> {
        let mut page = vec![0; PAGE_SIZE_BYTES];
        Slots::new(&mut page)
            .put(MAGIC)
            .put(&[0; 4])
            .put(&VERSION.to_le_bytes())
            .put(&self.first_seq().0.to_le_bytes())
            .put(&self.size_bytes.to_le_bytes())
            .put(&self.tip_before.chain.0)
            .put(&self.term.0.to_le_bytes())
            .put(&self.tip_before.term.0.to_le_bytes())
            .put(&self.tip_before.time.0.to_le_bytes());
        let checksum = crc32c::crc32c(&page[CHECKED_FROM..]);
        page[CHECKSUM_AT..CHECKED_FROM].copy_from_slice(&checksum.to_le_bytes());
        page
    }

    /// The first record that the segment holds or will hold.
    pub(crate) fn first_seq(&self) -> Seq {
        self.tip_before.seq.next()
    }
}

/// The name of the segment that begins with `first_seq`: names sort as numbers do.
pub(crate) fn name(first_seq: Seq) -> String {
    format!("journal-{:020}.seg", first_seq.0)
}

/// The first record of the segment of that name; `None` when it is not a segment's name.
pub(crate) fn first_seq_of(name: &str) -> Option<Seq> {
    let digits = name.strip_prefix("journal-")?.strip_suffix(".seg")?;
    let is_number = digits.len() == 20 && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| digits.parse().ok().map(Seq)).flatten()
}
