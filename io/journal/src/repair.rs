//! Giving up, on somebody's word, what damage has made unusable; never by itself.
//!
//! There are two ways. If a later segment is sound to the journal's end and a snapshot stands for all before it, the
//! older segments go, and with them only history. Otherwise the journal is cut where the damage begins, and all behind it
//! is lost. Either way whatever goes is kept in files beside, whose names begin with `damaged-`. A crash in the middle
//! leaves a journal that is still damaged, or repaired.

use domain::{Seq, UnixMs};

use crate::contract::{DiskError, Record};
use crate::disk::{Access, Disk, failed, read_exactly, write_durably};
use crate::format::{PAGE_SIZE_BYTES, block, segment};
use crate::local::recover::for_each_piece;
use crate::scan::{Damage, Extent};
use crate::walk::{SegmentReader, list_segments, walk, walk_from, walk_segment};

/// How a damaged journal can be made usable.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Way {
    /// Everything behind the damage is given up.
    Cut,
    /// Everything before the segment that begins with this record is given up; a snapshot stands for it.
    DropBefore(Seq),
}

/// The first segment behind the damage from which on the journal is sound, and what it then holds.
///
/// # Errors
/// When the disk failed.
pub fn sound_rest<D: Disk>(disk: &D, damage: &Damage) -> Result<Option<(Seq, Extent)>, DiskError> {
    for first_seq in segments_behind(disk, damage)? {
        let walked = walk_from(disk, first_seq, &mut |_| ())?;
        if walked.verdict.is_ok() {
            return Ok(Some((first_seq, walked.extent)));
        }
    }
    Ok(None)
}

/// Calls `f` for every record behind the last good one that still can be read. Its block is sound by itself, but that
/// nothing is missing or exchanged before it is not known.
///
/// # Errors
/// When the disk failed.
pub fn readable_rest<D: Disk>(
    disk: &D,
    damage: &Damage,
    f: &mut dyn FnMut(Record<'_>),
) -> Result<(), DiskError> {
    let mut last = walk(disk, &mut |_| ())?.extent.tip.seq;
    let mut show = |record: Record<'_>| {
        // A block of an older life of the file would begin anew.
        if record.seq > last {
            last = record.seq;
            f(record);
        }
    };
    read_sound_blocks(disk, &damage.file, damage.offset.max(segment::BLOCKS_FROM), &mut show)?;
    for first_seq in segments_behind(disk, damage)? {
        read_sound_blocks(disk, &segment::name(first_seq), segment::BLOCKS_FROM, &mut show)?;
    }
    Ok(())
}

/// Makes the journal usable. Returns the names of the files that keep what was given up. `now` is a part of them.
///
/// # Errors
/// When the disk failed, or is full. Trying again is safe.
pub fn repair<D: Disk>(disk: &D, damage: &Damage, way: Way, now: UnixMs) -> Result<Vec<String>, DiskError> {
    let kept = Keeper { disk, now };
    match way {
        Way::DropBefore(first) => {
            let segments = list_segments(disk)?;
            let older = segments.into_iter().filter(|first_seq| *first_seq < first);
            older.map(|first_seq| kept.set_aside(&segment::name(first_seq))).collect()
        }
        Way::Cut => cut(&kept, damage),
    }
}

fn cut<D: Disk>(kept: &Keeper<'_, D>, damage: &Damage) -> Result<Vec<String>, DiskError> {
    let disk = kept.disk;
    let mut names = Vec::new();
    // The last one first: at any time the journal has a beginning and no gap in it.
    for first_seq in segments_behind(disk, damage)?.into_iter().rev() {
        names.push(kept.set_aside(&segment::name(first_seq))?);
    }
    match end_of_batches(disk, damage)? {
        None => names.push(kept.set_aside(&damage.file)?),
        Some(end) => {
            names.push(kept.copy(&damage.file)?);
            zero(disk, &damage.file, end)?;
        }
    }
    Ok(names)
}

/// Where the whole batches of the damaged segment end; `None` when not even its header can be used.
fn end_of_batches<D: Disk>(disk: &D, damage: &Damage) -> Result<Option<u64>, DiskError> {
    let Some(first_seq) = segment::first_seq_of(&damage.file) else { return Ok(None) };
    let mut reader = SegmentReader::open(disk, &damage.file)?;
    let Ok(header) = reader.header(first_seq)? else { return Ok(None) };
    let stop = walk_segment(&mut reader, header.tip_before, &mut |_| ())?;
    Ok(Some(stop.batch.offset))
}

fn segments_behind<D: Disk>(disk: &D, damage: &Damage) -> Result<Vec<Seq>, DiskError> {
    let damaged = segment::first_seq_of(&damage.file);
    let mut segments = list_segments(disk)?;
    segments.retain(|first_seq| Some(*first_seq) > damaged);
    Ok(segments)
}

fn read_sound_blocks<D: Disk>(
    disk: &D,
    name: &str,
    from: u64,
    f: &mut dyn FnMut(Record<'_>),
) -> Result<(), DiskError> {
    let mut reader = SegmentReader::open(disk, name)?;
    let (mut offset, size_bytes) = (from, reader.size_bytes());
    while offset + PAGE_SIZE_BYTES as u64 <= size_bytes {
        let header = block::Header::parse(reader.bytes(offset, PAGE_SIZE_BYTES)?);
        let fits = |header: &block::Header| header.stored_size_bytes() as u64 <= size_bytes - offset;
        let mut step = PAGE_SIZE_BYTES as u64;
        if let Some(header) = header.ok().filter(fits) {
            let stored = reader.bytes(offset, header.stored_size_bytes())?;
            if block::for_each_record(&header, stored, &mut |_| ()).is_ok() {
                // Once more for the reader: nothing of a block is shown that is not sound as a whole.
                let _ = block::for_each_record(&header, stored, f);
                step = header.stored_size_bytes() as u64;
            }
        }
        offset += step;
    }
    Ok(())
}

/// Zeros are what unused space holds.
fn zero<D: Disk>(disk: &D, name: &str, from: u64) -> Result<(), DiskError> {
    let file = disk.open(name, Access::Write).map_err(failed("open", name))?;
    let size_bytes = crate::DiskFile::size_bytes(&file).map_err(failed("get the size of", name))?;
    for_each_piece(from, size_bytes, |offset, piece| {
        piece.fill(0);
        write_durably(&file, name, piece, offset)
    })
}

/// Keeps what is given up.
struct Keeper<'a, D> {
    disk: &'a D,
    now: UnixMs,
}

impl<D: Disk> Keeper<'_, D> {
    fn name(&self, name: &str) -> String {
        format!("damaged-{}-{name}", self.now.0)
    }

    /// Gives a file a name that no journal looks for, durably.
    fn set_aside(&self, name: &str) -> Result<String, DiskError> {
        let kept = self.name(name);
        self.disk.rename(name, &kept).map_err(failed("rename", name))?;
        self.disk.sync_dir().map_err(failed("sync", "the directory"))?;
        Ok(kept)
    }

    /// Copies a file, durably.
    fn copy(&self, name: &str) -> Result<String, DiskError> {
        let kept = self.name(name);
        let source = self.disk.open(name, Access::Read).map_err(failed("open", name))?;
        let size_bytes = crate::DiskFile::size_bytes(&source).map_err(failed("get the size of", name))?;
        let target = self.disk.create(&kept, size_bytes).map_err(failed("create", &kept))?;
        for_each_piece(0, size_bytes, |offset, piece| {
            read_exactly(&source, name, piece, offset)?;
            write_durably(&target, &kept, piece, offset)
        })?;
        self.disk.sync_dir().map_err(failed("sync", "the directory"))?;
        Ok(kept)
    }
}
