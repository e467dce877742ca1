//! The verdict on what stands behind the last whole batch of the last segment.
//!
//! A writer has one write in flight, on space that holds zeros, and starts the next one only when it is durable.
//! So a crash can leave the sectors of one batch, each of them written or still zero, and nothing behind it.
//! Whatever else is found is damage to what may have been acknowledged.

use domain::{Seq, planted};

use super::{Found, Position, SegmentReader, Stop, check_block};
use crate::contract::DiskError;
use crate::disk::Disk;
use crate::format::{Fault, PAGE_SIZE_BYTES, SECTOR_SIZE_BYTES, block, is_zero};
use crate::scan::{Damage, Proof, TornTail, Verdict};

/// Judges what stands behind `stop`.
pub(crate) fn judge<D: Disk>(
    reader: &mut SegmentReader<D>,
    stop: &Stop,
) -> Result<Result<Verdict, Damage>, DiskError> {
    let verdict = judge_once(reader, stop)?;
    if verdict == Ok(Verdict::Clean) {
        return Ok(verdict);
    }
    // A scan may run beside a live writer. When the block is good by now, the journal ended there and has grown.
    reader.forget();
    let has_grown = matches!(check_block(reader, stop.block)?, Found::Block(..));
    Ok(if has_grown { Ok(Verdict::Clean) } else { verdict })
}

fn judge_once<D: Disk>(
    reader: &mut SegmentReader<D>,
    stop: &Stop,
) -> Result<Result<Verdict, Damage>, DiskError> {
    let expected = stop.block.tip.seq.next();
    let damage = |reader: &SegmentReader<D>, proof| {
        let fault = stop.fault.unwrap_or(Fault::BlockMissing(expected));
        Ok(Err(Damage { file: reader.name().to_owned(), offset: stop.block.offset, fault, proof }))
    };
    let rest = look_behind(reader, stop.block)?;
    if let Some(offset) = rest.later_block_at {
        return damage(reader, Proof::LaterBlock(offset));
    }
    let used_to = rest.used_to.unwrap_or(stop.block.offset);
    if used_to == stop.batch.offset {
        return Ok(Ok(Verdict::Clean));
    }
    if stop.fault.is_some() && !planted!(CallAnythingTorn) && !is_torn(reader, stop.block)? {
        return damage(reader, Proof::NotTorn);
    }
    Ok(Ok(Verdict::TornTail(TornTail {
        file: reader.name().to_owned(),
        offset: stop.batch.offset,
        size_bytes: used_to - stop.batch.offset,
        first_seq: stop.batch.tip.seq.next(),
        fault: stop.fault.unwrap_or(missing(stop)),
        copy: None,
    })))
}

fn missing(stop: &Stop) -> Fault {
    let is_begun = stop.block.offset > stop.batch.offset;
    let first_seq: Seq = stop.batch.tip.seq.next();
    if is_begun { Fault::BatchIncomplete(first_seq) } else { Fault::BlockMissing(first_seq) }
}

/// What stands from a place to the end of the segment.
struct Rest {
    /// Behind the last page that is not all zeros.
    used_to: Option<u64>,
    /// The header of a block that was written after the one that should stand here was durable.
    later_block_at: Option<u64>,
}

/// Looks for the header of a later write at every page. One of the same write is no proof, for a crash may
/// leave the end of a write without its beginning; nor is one with an older number or term, which
/// could only be left over from another life of the file.
fn look_behind<D: Disk>(reader: &mut SegmentReader<D>, from: Position) -> Result<Rest, DiskError> {
    let expected = from.tip.seq.next();
    let mut rest = Rest { used_to: None, later_block_at: None };
    let mut offset = from.offset;
    while offset < reader.size_bytes() {
        let page = reader.bytes(offset, PAGE_SIZE_BYTES)?;
        if !is_zero(page) {
            rest.used_to = Some(offset + PAGE_SIZE_BYTES as u64);
            let is_later =
                |header: block::Header| header.batch_first_seq > expected && header.term >= from.tip.term;
            if rest.later_block_at.is_none() && block::Header::parse(page).is_ok_and(is_later) {
                rest.later_block_at = Some(offset);
            }
        }
        offset += PAGE_SIZE_BYTES as u64;
    }
    Ok(rest)
}

/// Whether a crash while writing explains the bad block: then a sector of it is still all zeros.
/// Without one it was written whole, may have been acknowledged, and changed afterwards.
fn is_torn<D: Disk>(reader: &mut SegmentReader<D>, at: Position) -> Result<bool, DiskError> {
    let page = reader.bytes(at.offset, PAGE_SIZE_BYTES)?;
    if is_zero(&page[..SECTOR_SIZE_BYTES]) {
        return Ok(true);
    }
    let Ok(header) = block::Header::parse(page) else { return Ok(false) };
    if header.first_seq < at.tip.seq.next() {
        return Ok(true); // a left-over of the file's earlier life, not part of this journal
    }
    let room = reader.size_bytes() - at.offset;
    if header.stored_size_bytes() as u64 > room {
        return Ok(false);
    }
    let block = &reader.bytes(at.offset, header.stored_size_bytes())?[..header.size_bytes()];
    Ok(block.chunks(SECTOR_SIZE_BYTES).any(is_zero))
}
