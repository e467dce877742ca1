//! The verdict on what stands behind the last whole batch of the last segment.
//!
//! A writer has one write in flight, on space that holds zeros, and starts the next one only when it is durable.
//! So a crash can leave the sectors of one batch, each of them written or still zero, and nothing behind it.
//! Whatever else is found is damage to what may have been acknowledged.

use domain::{Seq, planted};

use super::{Found, SegmentReader, Stop, check_block};
use crate::contract::DiskError;
use crate::disk::Disk;
use crate::format::{Fault, PAGE_SIZE_BYTES, SECTOR_SIZE_BYTES, block, is_zero, sector_up};
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
    let rest = look_behind(reader, stop)?;
    if let Some(proof) = rest.proof {
        return damage(reader, proof);
    }
    let used_to = rest.used_to.unwrap_or(stop.block.offset);
    if used_to == stop.batch.offset {
        return Ok(Ok(Verdict::Clean));
    }
    let is_beyond = rest.write_end.is_some_and(|end| used_to > end);
    let is_torn = stop.fault.is_none() || planted!(CallAnythingTorn) || is_torn(reader, stop)?;
    if is_beyond || !is_torn {
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

/// The first page from `offset` on that is not all zeros, in a segment that was left for the next one.
pub(super) fn first_used_page<D: Disk>(
    reader: &mut SegmentReader<D>,
    mut offset: u64,
) -> Result<Option<u64>, DiskError> {
    while offset < reader.size_bytes() {
        if !is_zero(reader.bytes(offset, PAGE_SIZE_BYTES)?) {
            return Ok(Some(offset));
        }
        offset += PAGE_SIZE_BYTES as u64;
    }
    Ok(None)
}

fn missing(stop: &Stop) -> Fault {
    let is_begun = stop.block.offset > stop.batch.offset;
    let first_seq: Seq = stop.batch.tip.seq.next();
    if is_begun { Fault::BatchIncomplete(first_seq) } else { Fault::BlockMissing(first_seq) }
}

/// What stands from a place to the end of the segment.
#[derive(Default)]
struct Rest {
    /// Behind the last page that is not all zeros.
    used_to: Option<u64>,
    /// A block header that no interrupted write leaves there.
    proof: Option<Proof>,
    /// Where the interrupted write would have ended, if the header of its last block arrived.
    write_end: Option<u64>,
}

/// Looks for block headers at every page. One of the interrupted write proves nothing, for a crash may leave the end
/// of a write without its beginning. Every other one is a proof: of a later write, or, since all space is zeros before it
/// is written, of a block that was put there by something else than a journal.
fn look_behind<D: Disk>(reader: &mut SegmentReader<D>, stop: &Stop) -> Result<Rest, DiskError> {
    let (mut rest, mut offset) = (Rest::default(), stop.block.offset);
    while offset < reader.size_bytes() {
        let page = reader.bytes(offset, PAGE_SIZE_BYTES)?;
        if !is_zero(page) {
            rest.used_to = Some(offset + PAGE_SIZE_BYTES as u64);
            if let Ok(header) = block::Header::parse(page) {
                rest.see(&header, offset, stop);
                let size_bytes = header.stored_size_bytes();
                let fits = size_bytes as u64 <= reader.size_bytes() - offset;
                if fits && block::check_torn_padding(&header, reader.bytes(offset, size_bytes)?).is_err() {
                    rest.proof.get_or_insert(Proof::NotTorn);
                }
            }
        }
        offset += PAGE_SIZE_BYTES as u64;
    }
    Ok(rest)
}

impl Rest {
    fn see(&mut self, header: &block::Header, offset: u64, stop: &Stop) {
        let expected = stop.block.tip.seq.next();
        let is_of_this_life = header.term >= stop.block.tip.term;
        let is_at_its_place = (offset == stop.block.offset) == (header.first_seq == expected);
        let is_of_the_write =
            header.batch_first_seq == stop.batch.tip.seq.next() && header.first_seq >= expected;
        if is_of_this_life && is_of_the_write && is_at_its_place {
            if header.ends_batch() {
                self.write_end = Some(offset + header.stored_size_bytes() as u64);
            }
        } else if is_of_this_life && header.batch_first_seq > expected {
            self.proof.get_or_insert(Proof::LaterBlock(offset));
        } else {
            self.proof.get_or_insert(Proof::Misplaced(offset));
        }
    }
}

/// Whether a crash while writing explains the bad block: then a sector of it is still all zeros, and all else is as it
/// was to be. Otherwise it was written whole, may have been acknowledged, and changed afterwards.
fn is_torn<D: Disk>(reader: &mut SegmentReader<D>, stop: &Stop) -> Result<bool, DiskError> {
    let at = stop.block;
    let page = reader.bytes(at.offset, PAGE_SIZE_BYTES)?;
    if is_zero(&page[..SECTOR_SIZE_BYTES]) {
        return Ok(true);
    }
    let Ok(header) = block::Header::parse(page) else { return Ok(false) };
    let room = reader.size_bytes() - at.offset;
    if block::check_follows(&header, &at.tip).is_err() || header.stored_size_bytes() as u64 > room {
        return Ok(false);
    }
    let stored = reader.bytes(at.offset, header.stored_size_bytes())?;
    let lacks_a_sector = stored[..sector_up(header.size_bytes())].chunks(SECTOR_SIZE_BYTES).any(is_zero);
    Ok(lacks_a_sector && block::check_torn_padding(&header, stored).is_ok())
}
