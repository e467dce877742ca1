//! The stored bytes of a snapshot, version 1; drawn in `docs/formats/snapshot.md`. Pure: bytes in, bytes out.

use std::convert::Infallible;

use domain::{Seq, ShardId, Term, UnixMs, planted};
use engine::snapshot::Entry;

use super::{Fault, Position};

pub(super) const HEADER_SIZE_BYTES: usize = 128;
pub(super) const CHUNK_HEADER_SIZE_BYTES: usize = 8;
/// Entries in one chunk, with their own headers: what is written and read at once.
pub(super) const CHUNK_SIZE_BYTES_MAX: usize = 256 << 10;
pub(super) const ENTRY_HEADER_SIZE_BYTES: usize = 3;
/// About what an order takes with its header.
const ENTRY_SIZE_BYTES_USUAL: usize = 70;

const MAGIC: [u8; 8] = *b"ONRUSHSN";
const VERSION: u32 = 1;
const CHECKSUM_OFFSET: usize = HEADER_SIZE_BYTES - 4;
/// Where the fields end; from here to the checksum all is zero.
const FIELDS_SIZE_BYTES: usize = 52;

const _: () = assert!(
    ENTRY_HEADER_SIZE_BYTES + codec::PAYLOAD_SIZE_BYTES_MAX <= CHUNK_SIZE_BYTES_MAX,
    "the largest entry must fit in a chunk"
);

/// What a file says at its head.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Header {
    pub(super) position: Position,
    pub(super) extent: Extent,
}

/// How much there is; counted before anything is written, for a file's size is fixed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Extent {
    pub(super) entry_count: u64,
    /// Of the whole file.
    pub(super) size_bytes: u64,
}

impl Header {
    pub(super) fn encode(&self) -> [u8; HEADER_SIZE_BYTES] {
        let Header { position, extent } = self;
        let mut fields = Vec::with_capacity(HEADER_SIZE_BYTES);
        fields.extend_from_slice(&MAGIC);
        fields.extend_from_slice(&VERSION.to_le_bytes());
        fields.extend_from_slice(&position.term.0.to_le_bytes());
        fields.extend_from_slice(&position.seq.0.to_le_bytes());
        fields.extend_from_slice(&position.time.0.to_le_bytes());
        fields.extend_from_slice(&extent.entry_count.to_le_bytes());
        fields.extend_from_slice(&extent.size_bytes.to_le_bytes());
        fields.extend_from_slice(&position.shard.get().to_le_bytes());
        fields.resize(FIELDS_SIZE_BYTES, 0);
        let mut header = [0; HEADER_SIZE_BYTES];
        header[..FIELDS_SIZE_BYTES].copy_from_slice(&fields);
        let checksum = crc32c::crc32c(&header[..CHECKSUM_OFFSET]);
        header[CHECKSUM_OFFSET..].copy_from_slice(&checksum.to_le_bytes());
        header
    }

    pub(super) fn decode(header: &[u8; HEADER_SIZE_BYTES]) -> Result<Header, Fault> {
        if header[..8] != MAGIC {
            return Err(Fault::Magic);
        }
        if crc32c::crc32c(&header[..CHECKSUM_OFFSET]) != checksum_of(header) {
            return Err(Fault::HeaderChecksum);
        }
        match u32_at(header, 8) {
            VERSION => {}
            version => return Err(Fault::Version(version)),
        }
        let shard = ShardId::new(u16::from_le_bytes([header[48], header[49]])).ok_or(Fault::HeaderShape)?;
        let position = Position {
            shard,
            seq: Seq(u64_at(header, 16)),
            term: Term(u32_at(header, 12)),
            time: UnixMs(u64_at(header, 24)),
        };
        let extent = Extent { entry_count: u64_at(header, 32), size_bytes: u64_at(header, 40) };
        let header_again = Header { position, extent };
        // One header has one form: what is reserved is zero.
        if header_again.encode() == *header { Ok(header_again) } else { Err(Fault::HeaderShape) }
    }
}

/// The checksum at the end of a header, where the chain of the chunks' checksums begins.
pub(super) fn checksum_of(header: &[u8; HEADER_SIZE_BYTES]) -> u32 {
    u32_at(header, CHECKSUM_OFFSET)
}

/// Passes the entries to `sink` as chunks, the first one chained to `checksum`; returns how many entries
/// there were.
pub(super) fn write_chunks<E>(
    entries: impl Iterator<Item = Entry>,
    mut checksum: u32,
    sink: &mut dyn FnMut(&[u8]) -> Result<(), E>,
) -> Result<u64, E> {
    let mut chunk = Vec::with_capacity(CHUNK_HEADER_SIZE_BYTES + CHUNK_SIZE_BYTES_MAX);
    chunk.resize(CHUNK_HEADER_SIZE_BYTES, 0);
    let (mut payload, mut entry_count) = (Vec::new(), 0);
    for entry in entries {
        payload.clear();
        let kind = codec::encode_entry(&entry, &mut payload);
        let size_bytes = u16::try_from(payload.len()).expect("codec makes no longer entries");
        if chunk.len() + ENTRY_HEADER_SIZE_BYTES + payload.len()
            > CHUNK_HEADER_SIZE_BYTES + CHUNK_SIZE_BYTES_MAX
        {
            checksum = seal(&mut chunk, checksum);
            sink(&chunk)?;
            chunk.truncate(CHUNK_HEADER_SIZE_BYTES);
        }
        chunk.push(kind);
        chunk.extend_from_slice(&size_bytes.to_le_bytes());
        chunk.extend_from_slice(&payload);
        entry_count += 1;
    }
    if chunk.len() > CHUNK_HEADER_SIZE_BYTES {
        seal(&mut chunk, checksum);
        sink(&chunk)?;
    }
    Ok(entry_count)
}

/// What a file with these entries takes.
pub(super) fn measure(entries: impl Iterator<Item = Entry>) -> Extent {
    let mut size_bytes = HEADER_SIZE_BYTES as u64;
    let counted: Result<u64, Infallible> = write_chunks(entries, 0, &mut |chunk| {
        size_bytes += chunk.len() as u64;
        Ok(())
    });
    let entry_count = counted.unwrap_or_else(|never| match never {});
    Extent { entry_count, size_bytes }
}

/// Writes the chunk's header and returns its checksum.
fn seal(chunk: &mut [u8], checksum: u32) -> u32 {
    let (header, payload) = chunk.split_at_mut(CHUNK_HEADER_SIZE_BYTES);
    let size_bytes = u32::try_from(payload.len()).expect("CHUNK_SIZE_BYTES_MAX is below 2^32");
    header[..4].copy_from_slice(&size_bytes.to_le_bytes());
    let checksum = chunk_checksum(checksum, size_bytes, payload);
    header[4..].copy_from_slice(&checksum.to_le_bytes());
    checksum
}

/// The checksum of a chunk goes on from the one before, so that it speaks for the file up to its own end.
fn chunk_checksum(before: u32, size_bytes: u32, payload: &[u8]) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c_append(before, &size_bytes.to_le_bytes()), payload)
}

/// A chunk's header as stored.
pub(super) struct ChunkHeader {
    /// Of its payload: from 1 to [`CHUNK_SIZE_BYTES_MAX`].
    pub(super) size_bytes: usize,
    checksum: u32,
}

impl ChunkHeader {
    /// `None` when the size is out of range.
    pub(super) fn decode(header: [u8; CHUNK_HEADER_SIZE_BYTES]) -> Option<ChunkHeader> {
        let size_bytes = usize::try_from(u32_at(&header, 0)).ok()?;
        let legal = (1..=CHUNK_SIZE_BYTES_MAX).contains(&size_bytes);
        legal.then_some(ChunkHeader { size_bytes, checksum: u32_at(&header, 4) })
    }

    /// The chunk's checksum, if it fits.
    pub(super) fn verify(&self, before: u32, payload: &[u8]) -> Option<u32> {
        let size_bytes = u32::try_from(payload.len()).ok()?;
        let fits = chunk_checksum(before, size_bytes, payload) == self.checksum;
        (fits || planted!(SkipSnapshotChecksum)).then_some(self.checksum)
    }
}

/// The entries of a verified chunk. `index` is the first one's number in the file.
pub(super) fn read_entries(mut payload: &[u8], index: u64) -> Result<Vec<Entry>, Fault> {
    let mut entries = Vec::with_capacity(payload.len() / ENTRY_SIZE_BYTES_USUAL);
    while !payload.is_empty() {
        let index = index + entries.len() as u64;
        let Some(([kind, low, high], rest)) = payload.split_first_chunk() else {
            return Err(Fault::EntryShape { index });
        };
        let size_bytes = usize::from(u16::from_le_bytes([*low, *high]));
        let (entry, rest) = rest.split_at_checked(size_bytes).ok_or(Fault::EntryShape { index })?;
        entries.push(codec::decode_entry(*kind, entry).map_err(|source| Fault::Entry { index, source })?);
        payload = rest;
    }
    Ok(entries)
}

fn u32_at(bytes: &[u8], offset: usize) -> u32 {
    u32::from_le_bytes(bytes[offset..offset + 4].try_into().expect("a slice of four"))
}

fn u64_at(bytes: &[u8], offset: usize) -> u64 {
    u64::from_le_bytes(bytes[offset..offset + 8].try_into().expect("a slice of eight"))
}
