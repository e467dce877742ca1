//! The one way through a journal from its first block to its end: recovery and people's commands share it.
//!
//! Reads only. What it finds at the end is judged in [`tail`].

mod reader;
mod tail;

use std::io;

use domain::{Seq, planted};

pub(crate) use reader::SegmentReader;

use crate::contract::{DiskError, Record, Tip};
use crate::disk::{Disk, failed};
use crate::format::{Fault, PAGE_SIZE_BYTES, block, is_zero, segment};
use crate::scan::{Damage, Extent, Proof, Seen, Verdict};

/// What is called for every record and batch.
pub(crate) type Visit<'v> = &'v mut dyn FnMut(Seen<'_>);

/// What a walk found.
pub(crate) struct Walked {
    /// The first record of every segment.
    pub(crate) segments: Vec<Seq>,
    pub(crate) extent: Extent,
    /// Where the last whole batch stands in the last segment, if one does.
    pub(crate) last_batch_at: Option<u64>,
    /// Where the next batch goes in the last segment.
    pub(crate) end: u64,
    pub(crate) verdict: Result<Verdict, Damage>,
}

/// A place in a segment, and the tip of what stands before it.
#[derive(Clone, Copy)]
pub(crate) struct Position {
    pub(crate) offset: u64,
    pub(crate) tip: Tip,
}

/// Where a segment's batches end.
pub(crate) struct Stop {
    /// Behind the last whole batch.
    pub(crate) batch: Position,
    /// Behind the last whole block: farther than `batch` when a batch of several blocks is not whole.
    pub(crate) block: Position,
    /// Why there is no block; `None`: there are zeros, or the segment is full.
    pub(crate) fault: Option<Fault>,
    pub(crate) last_batch_at: Option<u64>,
}

/// Walks through all segments of a directory.
pub(crate) fn walk<D: Disk>(disk: &D, visit: Visit<'_>) -> Result<Walked, DiskError> {
    walk_from(disk, Seq(0), visit)
}

/// Walks through the segments that begin with `from` or later, as if there were no others.
pub(crate) fn walk_from<D: Disk>(disk: &D, from: Seq, visit: Visit<'_>) -> Result<Walked, DiskError> {
    let mut segments = list_segments(disk)?;
    segments.retain(|first_seq| *first_seq >= from);
    let mut walked = Walked {
        extent: Extent { segment_count: segments.len(), ..Extent::default() },
        segments,
        last_batch_at: None,
        end: segment::BLOCKS_FROM,
        verdict: Ok(Verdict::Clean),
    };
    let mut before: Option<Left> = None;
    for first_seq in walked.segments.clone() {
        let mut reader = SegmentReader::open(disk, &segment::name(first_seq))?;
        let header = match header_behind(before.take(), &mut reader, first_seq)? {
            Ok(header) => header,
            Err(damage) => return Ok(Walked { verdict: Err(damage), ..walked }),
        };
        if walked.segments.first() == Some(&first_seq) {
            walked.extent.first_seq = first_seq;
        }
        let stop = walk_segment(&mut reader, header.tip_before, visit)?;
        walked.extent.tip = stop.batch.tip;
        if walked.segments.last() == Some(&first_seq) {
            walked.verdict = tail::judge(&mut reader, &stop)?;
            (walked.end, walked.last_batch_at) = (stop.batch.offset, stop.last_batch_at);
            break;
        }
        before = Some(Left::of(&mut reader, stop)?);
    }
    Ok(walked)
}

/// Walks through the segments before the one that begins with `before`, and to its header. They may be dropped
/// meanwhile, oldest first. Returns how many there were.
pub(crate) fn walk_before<D: Disk>(disk: &D, before: Seq) -> Result<Result<usize, Damage>, DiskError> {
    let (mut left, mut count): (Option<Left>, usize) = (None, 0);
    for first_seq in list_segments(disk)?.into_iter().filter(|first_seq| *first_seq <= before) {
        let mut reader = match SegmentReader::open(disk, &segment::name(first_seq)) {
            // It was dropped, and so were those before it.
            Err(error) if error.source.kind() == io::ErrorKind::NotFound => {
                left = None;
                continue;
            }
            opened => opened?,
        };
        let header = match header_behind(left.take(), &mut reader, first_seq)? {
            Ok(header) => header,
            Err(damage) => return Ok(Err(damage)),
        };
        if first_seq == before {
            break;
        }
        let stop = walk_segment(&mut reader, header.tip_before, &mut |_| ())?;
        left = Some(Left::of(&mut reader, stop)?);
        count += 1;
    }
    Ok(Ok(count))
}

/// A segment that was walked through and left for the next one.
struct Left {
    name: String,
    stop: Stop,
    /// Something that stands in its unused space.
    used_at: Option<u64>,
}

impl Left {
    fn of<D: Disk>(reader: &mut SegmentReader<D>, stop: Stop) -> Result<Left, DiskError> {
        let used_at = tail::first_used_page(reader, stop.batch.offset)?;
        Ok(Left { name: reader.name().to_owned(), stop, used_at })
    }
}

/// The header of a segment, if the one before it ends where it begins.
fn header_behind<D: Disk>(
    before: Option<Left>,
    reader: &mut SegmentReader<D>,
    first_seq: Seq,
) -> Result<Result<segment::Header, Damage>, DiskError> {
    let header = match reader.header(first_seq)? {
        Ok(header) => header,
        Err(fault) => {
            let file = reader.name().to_owned();
            return Ok(Err(Damage { file, offset: 0, fault, proof: Proof::Header }));
        }
    };
    let Some(Left { name: file, stop, used_at }) = before else { return Ok(Ok(header)) };
    let proof = Proof::LaterSegment(first_seq);
    if header.tip_before != stop.batch.tip {
        let fault = stop.fault.unwrap_or(Fault::BlockMissing(stop.block.tip.seq.next()));
        return Ok(Err(Damage { file, offset: stop.block.offset, fault, proof }));
    }
    Ok(match used_at {
        Some(offset) => Err(Damage { file, offset, fault: Fault::UnusedSpace, proof }),
        None => Ok(header),
    })
}

/// The first records of all segments, in order.
pub(crate) fn list_segments<D: Disk>(disk: &D) -> Result<Vec<Seq>, DiskError> {
    let names = disk.list().map_err(failed("list", "the directory"))?;
    let mut segments: Vec<Seq> = names.iter().filter_map(|name| segment::first_seq_of(name)).collect();
    segments.sort_unstable();
    Ok(segments)
}

/// Checks one segment's batches, and shows the records of those that are whole.
pub(crate) fn walk_segment<D: Disk>(
    reader: &mut SegmentReader<D>,
    tip_before: Tip,
    visit: Visit<'_>,
) -> Result<Stop, DiskError> {
    let mut start = Position { offset: segment::BLOCKS_FROM, tip: tip_before };
    let mut last_batch_at = None;
    loop {
        let (end, fault, is_whole) = check_batch(reader, start)?;
        if !is_whole {
            return Ok(Stop { batch: start, block: end, fault, last_batch_at });
        }
        show_batch(reader, start.offset..end.offset, &mut |record| visit(Seen::Record(record)))?;
        visit(Seen::BatchEnd(end.tip));
        last_batch_at = Some(start.offset);
        start = end;
    }
}

/// Checks the batch that should stand at `start`: how far it is good, what stops it, and whether it is whole.
fn check_batch<D: Disk>(
    reader: &mut SegmentReader<D>,
    start: Position,
) -> Result<(Position, Option<Fault>, bool), DiskError> {
    let mut at = start;
    loop {
        match check_block(reader, at)? {
            Found::Nothing => return Ok((at, None, false)),
            Found::Fault(fault) => return Ok((at, Some(fault), false)),
            Found::Block(header, _) if header.batch_first_seq != start.tip.seq.next() => {
                return Ok((at, Some(Fault::BlockShape), false));
            }
            Found::Block(header, tip) => {
                at = Position { offset: at.offset + header.stored_size_bytes() as u64, tip };
                if header.ends_batch() || planted!(AcceptPartOfBatch) {
                    return Ok((at, None, true));
                }
            }
        }
    }
}

/// What stands at a place where a block may stand.
enum Found {
    /// A good block, and the tip after it.
    Block(block::Header, Tip),
    /// Zeros, or the end of the segment.
    Nothing,
    /// Something else.
    Fault(Fault),
}

fn check_block<D: Disk>(reader: &mut SegmentReader<D>, at: Position) -> Result<Found, DiskError> {
    let room = reader.size_bytes().saturating_sub(at.offset);
    if room == 0 {
        return Ok(Found::Nothing);
    }
    let page = reader.bytes(at.offset, PAGE_SIZE_BYTES)?;
    if is_zero(page) {
        return Ok(Found::Nothing);
    }
    let header = match block::Header::parse(page) {
        Ok(header) if header.stored_size_bytes() as u64 > room => return Ok(Found::Fault(Fault::BlockShape)),
        Ok(header) => header,
        Err(fault) => return Ok(Found::Fault(fault)),
    };
    let stored = reader.bytes(at.offset, header.stored_size_bytes())?;
    Ok(match block::check(&header, stored, &at.tip) {
        Ok(tip) => Found::Block(header, tip),
        Err(fault) => Found::Fault(fault),
    })
}

/// Shows the records of a batch that was checked.
fn show_batch<D: Disk>(
    reader: &mut SegmentReader<D>,
    range: core::ops::Range<u64>,
    visit: &mut dyn FnMut(Record<'_>),
) -> Result<(), DiskError> {
    let mut offset = range.start;
    while offset < range.end {
        let changed = |_| failed("read twice the same from", "the journal")(io::ErrorKind::Other.into());
        let header = block::Header::parse(reader.bytes(offset, PAGE_SIZE_BYTES)?).map_err(changed)?;
        let stored = reader.bytes(offset, header.stored_size_bytes())?;
        block::for_each_record(&header, stored, visit).map_err(changed)?;
        offset += header.stored_size_bytes() as u64;
    }
    Ok(())
}
