//! What can be wrong with a snapshot, and with writing one.

use codec::DecodeError;
use domain::{Seq, ShardId};
use engine::snapshot::RestoreError;
use journal::DiskError;

/// Why a snapshot cannot be used. Another one, or the journal, can.
#[derive(thiserror::Error, Debug)]
#[non_exhaustive]
pub enum Fault {
    /// The disk failed.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// The file does not begin as a snapshot does, or is too short.
    #[error("this is not a snapshot")]
    Magic,
    /// The header's checksum does not fit.
    #[error("the header's checksum does not fit")]
    HeaderChecksum,
    /// The snapshot is of a format that this program does not know.
    #[error("the snapshot has format version {0}; this program knows version 1")]
    Version(u32),
    /// The header holds what it never may.
    #[error("the header holds an illegal value")]
    HeaderShape,
    /// The header belongs to another file name.
    #[error("the header says that it ends with fact {}, its name says otherwise", .0.0)]
    Name(Seq),
    /// The snapshot is of another shard.
    #[error("the snapshot is of shard {}", .0.get())]
    Shard(ShardId),
    /// The file is longer or shorter than its header says.
    #[error("the file's size is not the {0} bytes that its header says")]
    Size(u64),
    /// A chunk has an impossible length.
    #[error("the chunk at offset {offset} has an impossible length")]
    ChunkShape {
        /// Where it begins.
        offset: u64,
    },
    /// A chunk's checksum does not fit.
    #[error("the checksum of the chunk at offset {offset} does not fit")]
    ChunkChecksum {
        /// Where it begins.
        offset: u64,
    },
    /// An entry reaches beyond its chunk.
    #[error("entry {index} reaches beyond its chunk")]
    EntryShape {
        /// Its number, from 0.
        index: u64,
    },
    /// An entry cannot be decoded.
    #[error("entry {index} cannot be decoded: {source}")]
    Entry {
        /// Its number, from 0.
        index: u64,
        /// Why.
        source: DecodeError,
    },
    /// There are more or fewer entries than the header says.
    #[error("the snapshot has {found} entries; its header says {expected}")]
    EntryCount {
        /// How many there are.
        found: u64,
        /// How many there should be.
        expected: u64,
    },
    /// The entries are no state.
    #[error("the entries are no sound state: {0}")]
    Restore(#[from] RestoreError),
}

/// A snapshot that was found and cannot be used.
#[derive(thiserror::Error, Debug)]
#[error("{file}: {fault}")]
pub struct Damaged {
    /// Its file.
    pub file: String,
    /// What is wrong.
    #[source]
    pub fault: Fault,
}

/// Why a snapshot was not taken. Nothing is lost: the ones before it and the journal are as they were. The
/// world's fault; the next one may succeed.
#[derive(thiserror::Error, Debug)]
pub enum WriteError {
    /// The disk failed, or is full.
    #[error("the snapshot cannot be written: {0}")]
    Disk(#[from] DiskError),
    /// What was written reads differently. The file was removed.
    #[error("the snapshot does not read back: {0}")]
    ReadBack(Damaged),
}
