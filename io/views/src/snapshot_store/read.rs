//! Reads a snapshot and finds whatever is wrong with it.

use std::panic::resume_unwind;
use std::sync::mpsc::sync_channel;
use std::{io, thread};

use domain::Seq;
use engine::snapshot::Entry;
use journal::{Access, Disk, DiskFile};

use super::format::{self, CHUNK_HEADER_SIZE_BYTES, ChunkHeader, HEADER_SIZE_BYTES, Header};
use super::{Fault, Position, failed, name_of};

/// A snapshot from so many bytes on is read and decoded on a thread beside the one that makes a state of it.
const AHEAD_SIZE_BYTES_MIN: u64 = 8 << 20;
/// Chunks that are decoded ahead at most: about 4 MiB.
const AHEAD_CHUNK_COUNT_MAX: usize = 4;

/// Takes the entries of a chunk, in order.
pub(super) type Visit<'v> = &'v mut dyn FnMut(Vec<Entry>) -> Result<(), Fault>;

/// As [`read()`], and with the reading a few chunks ahead of `visit` when there is much to read.
pub(super) fn read_ahead<D: Disk>(disk: &D, seq: Seq, visit: Visit<'_>) -> Result<Position, Fault> {
    let name = name_of(seq);
    let file = disk.open(&name, Access::Read).map_err(failed("open", &name))?;
    if file.size_bytes().map_err(failed("measure", &name))? < AHEAD_SIZE_BYTES_MIN {
        return read(disk, seq, visit);
    }
    let (sender, receiver) = sync_channel(AHEAD_CHUNK_COUNT_MAX);
    thread::scope(|scope| {
        let disk = disk.clone();
        let reader = scope.spawn(move || {
            read(&disk, seq, &mut |entries| {
                // When the visitor has given up, the rest is only checked.
                let _ = sender.send(entries);
                Ok(())
            })
        });
        let visited = receiver.into_iter().try_for_each(visit);
        let read = reader.join().unwrap_or_else(|panic| resume_unwind(panic));
        read.and_then(|position| visited.map(|()| position))
    })
}

/// Reads the snapshot up to `seq` from its first byte to its last and passes the entries of each chunk to `visit`.
/// What `visit` was given before an error is worth nothing.
pub(super) fn read<D: Disk>(disk: &D, seq: Seq, visit: Visit<'_>) -> Result<Position, Fault> {
    let name = name_of(seq);
    let file = disk.open(&name, Access::Read).map_err(failed("open", &name))?;
    let source = Source { size_bytes: file.size_bytes().map_err(failed("measure", &name))?, file, name };
    if source.size_bytes < HEADER_SIZE_BYTES as u64 {
        return Err(Fault::Magic);
    }
    let mut stored = [0; HEADER_SIZE_BYTES];
    source.read(&mut stored, 0)?;
    let header = Header::decode(&stored)?;
    if header.position.seq != seq {
        return Err(Fault::Name(header.position.seq));
    }
    if header.extent.size_bytes != source.size_bytes {
        return Err(Fault::Size(header.extent.size_bytes));
    }
    let found = read_chunks(&source, format::checksum_of(&stored), visit)?;
    match header.extent.entry_count {
        expected if expected == found => Ok(header.position),
        expected => Err(Fault::EntryCount { found, expected }),
    }
}

/// Returns how many entries there were.
fn read_chunks<F: DiskFile>(source: &Source<F>, mut checksum: u32, visit: Visit<'_>) -> Result<u64, Fault> {
    let (mut offset, mut entry_count) = (HEADER_SIZE_BYTES as u64, 0);
    let mut payload = Vec::new();
    while offset < source.size_bytes {
        let payload_offset = offset + CHUNK_HEADER_SIZE_BYTES as u64;
        if payload_offset > source.size_bytes {
            return Err(Fault::ChunkShape { offset });
        }
        let mut stored = [0; CHUNK_HEADER_SIZE_BYTES];
        source.read(&mut stored, offset)?;
        let header = ChunkHeader::decode(stored).ok_or(Fault::ChunkShape { offset })?;
        let end = payload_offset + header.size_bytes as u64;
        if end > source.size_bytes {
            return Err(Fault::ChunkShape { offset });
        }
        payload.resize(header.size_bytes, 0);
        source.read(&mut payload, payload_offset)?;
        checksum = header.verify(checksum, &payload).ok_or(Fault::ChunkChecksum { offset })?;
        let entries = format::read_entries(&payload, entry_count)?;
        entry_count += entries.len() as u64;
        visit(entries)?;
        offset = end;
    }
    Ok(entry_count)
}

struct Source<F> {
    file: F,
    name: String,
    size_bytes: u64,
}

impl<F: DiskFile> Source<F> {
    /// Reads exactly `buf.len()` bytes.
    fn read(&self, buf: &mut [u8], offset: u64) -> Result<(), Fault> {
        let read = self.file.read_at(buf, offset).map_err(failed("read", &self.name))?;
        if read != buf.len() {
            return Err(failed("read", &self.name)(io::ErrorKind::UnexpectedEof.into()).into());
        }
        Ok(())
    }
}
