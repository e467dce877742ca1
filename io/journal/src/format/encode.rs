//! From a batch to the bytes of one write.

use domain::{Seq, Term, UnixMs};

use super::{block, page_up, record, sector_up};
use crate::batch::Batch;
use crate::contract::Tip;

/// What a batch is written under.
#[derive(Clone, Copy)]
pub(crate) struct Stamp {
    pub(crate) term: Term,
    pub(crate) time: UnixMs,
    /// Bytes of a block, header included, at most: a whole number of pages that takes the largest record.
    pub(crate) block_size_bytes_max: usize,
}

/// Replaces `out` by the blocks that store `batch` behind `tip`; returns the tip after them.
/// The batch is not empty.
pub(crate) fn encode(batch: &Batch, tip: &Tip, stamp: Stamp, out: &mut Vec<u8>) -> Tip {
    assert!(!batch.is_empty(), "an empty batch has no blocks");
    out.clear();
    let batch_first_seq = tip.seq.next();
    let batch_last_seq = Seq(tip.seq.0 + batch.len() as u64);
    let mut drafts = batch.drafts().peekable();
    let mut tip = *tip;
    while drafts.peek().is_some() {
        let start = out.len();
        out.resize(start + block::HEADER_SIZE_BYTES, 0);
        let first_seq = tip.seq.next();
        let mut record_count = 0;
        while let Some(draft) =
            drafts.next_if(|draft| out.len() - start + draft.len() <= stamp.block_size_bytes_max)
        {
            let at = out.len();
            out.extend_from_slice(draft);
            record::seal(&mut out[at..], Seq(first_seq.0 + u64::from(record_count)), stamp.term);
            record_count += 1;
        }
        assert!(record_count > 0, "a block takes the largest record");
        let payload_size_bytes = u32::try_from(out.len() - start - block::HEADER_SIZE_BYTES)
            .expect("a block has at most block_size_bytes_max");
        let header = block::Header {
            payload_size_bytes,
            record_count,
            term: stamp.term,
            first_seq,
            batch_first_seq,
            batch_last_seq,
            time: stamp.time,
            chain_before: tip.chain,
        };
        header.write(&mut out[start..]);
        let chain = block::chain_after(&out[start..]);
        tip = Tip { seq: header.last_seq(), term: stamp.term, time: stamp.time, chain };
        out.resize(start + sector_up(out.len() - start), block::PADDING);
        out.resize(start + page_up(out.len() - start), 0);
    }
    assert_eq!(tip.seq, batch_last_seq, "every record of the batch is in a block");
    tip
}
