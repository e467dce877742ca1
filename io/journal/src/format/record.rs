//! A stored record: checksum u32 · payload length u16 · kind u8 · 0 · seq u64 · term u32 · payload.

use domain::{Seq, Term, planted};

use super::{Fault, Fields};

/// Bytes before the payload.
pub(crate) const HEADER_SIZE_BYTES: usize = 20;

const SIZE_AT: usize = 4;
const SEQ_AT: usize = 8;
const TERM_AT: usize = 16;

/// A record as it stands in a block, checksum checked.
pub(crate) struct Stored<'a> {
    pub(crate) seq: Seq,
    pub(crate) term: Term,
    pub(crate) kind: u8,
    pub(crate) payload: &'a [u8],
}

impl Stored<'_> {
    /// Header and payload.
    pub(crate) fn size_bytes(&self) -> usize {
        HEADER_SIZE_BYTES + self.payload.len()
    }
}

/// Makes a draft, a record without checksum, seq and term, of zeros and the payload behind them. The payload's size is checked by
/// the caller.
pub(crate) fn begin(draft: &mut [u8], kind: u8) {
    let size = draft.len() - HEADER_SIZE_BYTES;
    let size = u16::try_from(size).expect("the caller checked the payload's size");
    draft[SIZE_AT..SIZE_AT + 2].copy_from_slice(&size.to_le_bytes());
    draft[SIZE_AT + 2] = kind;
}

/// The size of the draft that `images` begins with.
pub(crate) fn draft_size_bytes(images: &[u8]) -> usize {
    HEADER_SIZE_BYTES + usize::from(u16::from_le_bytes([images[SIZE_AT], images[SIZE_AT + 1]]))
}

/// Makes a draft whole.
pub(crate) fn seal(draft: &mut [u8], seq: Seq, term: Term) {
    draft[SEQ_AT..TERM_AT].copy_from_slice(&seq.0.to_le_bytes());
    draft[TERM_AT..HEADER_SIZE_BYTES].copy_from_slice(&term.0.to_le_bytes());
    let checksum = crc32c::crc32c(&draft[SIZE_AT..]);
    draft[..SIZE_AT].copy_from_slice(&checksum.to_le_bytes());
}

/// The record that `bytes` begin with; `expected` is what it should be, to name it in a fault.
pub(crate) fn parse(bytes: &[u8], expected: Seq) -> Result<Stored<'_>, Fault> {
    if bytes.len() < HEADER_SIZE_BYTES {
        return Err(Fault::RecordShape(expected));
    }
    let mut fields = Fields(bytes);
    let checksum = fields.u32();
    let size_bytes = HEADER_SIZE_BYTES + usize::from(fields.u16());
    let [kind, reserved] = fields.take();
    if bytes.len() < size_bytes {
        return Err(Fault::RecordShape(expected));
    }
    if crc32c::crc32c(&bytes[SIZE_AT..size_bytes]) != checksum && !planted!(SkipRecordChecksum) {
        return Err(Fault::RecordChecksum(expected));
    }
    let (seq, term) = (Seq(fields.u64()), Term(fields.u32()));
    if reserved != 0 || seq != expected {
        return Err(Fault::RecordShape(expected));
    }
    Ok(Stored { seq, term, kind, payload: &bytes[HEADER_SIZE_BYTES..size_bytes] })
}
