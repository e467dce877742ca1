//! The one small door to files: a flat directory. Real ([`OsDisk`]) or simulated.

mod lock;
mod os;

use std::io;

pub use lock::{DirLock, LockError};
pub use os::{OsDisk, OsFile};

use domain::planted;

use crate::contract::DiskError;

/// What a file is opened for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Access {
    /// Reading only.
    Read,
    /// Reading and writing in place.
    Write,
}

/// A directory of files. Names are plain: no path in them.
///
/// What a crash may leave, and what a simulated disk should do: of a write that no [`DiskFile::sync`]
/// followed, every 512-byte sector is either old or new, in any mixture; of a creation, rename or removal that
/// no [`Disk::sync_dir`] followed, either. Sizes never change after creation.
pub trait Disk: Clone + Send + 'static {
    /// An open file.
    type File: DiskFile;

    /// The names of all files, in no order.
    ///
    /// # Errors
    /// When the directory cannot be read.
    fn list(&self) -> io::Result<Vec<String>>;

    /// Makes a new file full of zeros, its space really taken and the file synced (its name is not: see
    /// [`Disk::sync_dir`]), and opens it for writing.
    ///
    /// # Errors
    /// When there is such a file, or not enough space; a part of the file may stay behind.
    fn create(&self, name: &str, size_bytes: u64) -> io::Result<Self::File>;

    /// Opens a file that exists.
    ///
    /// # Errors
    /// When it does not, or not for this access.
    fn open(&self, name: &str, access: Access) -> io::Result<Self::File>;

    /// Gives a file another name, replacing what has that name.
    ///
    /// # Errors
    /// When there is no such file, or the disk failed.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;

    /// Removes a file. Who has it open can still read it.
    ///
    /// # Errors
    /// When there is no such file, or the disk failed.
    fn remove(&self, name: &str) -> io::Result<()>;

    /// Makes creations, renames and removals durable.
    ///
    /// # Errors
    /// Which of them are durable is unknown then; not to be tried again.
    fn sync_dir(&self) -> io::Result<()>;
}

/// An open file. Its size is fixed.
pub trait DiskFile: Send {
    /// Reads at most `buf.len()` bytes; fewer only at the end of the file.
    ///
    /// # Errors
    /// When the disk failed.
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize>;

    /// Writes bytes, visible to readers at once, durable after the next [`DiskFile::sync`]. Returns how many:
    /// fewer than `buf.len()` is a failure for whoever needs them all.
    ///
    /// # Errors
    /// When the disk failed; what is in the file then is unknown.
    fn write_at(&self, buf: &[u8], offset: u64) -> io::Result<usize>;

    /// Makes all writes so far durable.
    ///
    /// # Errors
    /// What is durable then is unknown. Never to be tried again: the kernel may have thrown the pages away and
    /// would report success (PostgreSQL's "fsyncgate", 2018).
    fn sync(&self) -> io::Result<()>;

    /// The file's size.
    ///
    /// # Errors
    /// When the disk failed.
    fn size_bytes(&self) -> io::Result<u64>;
}

/// Writes all of `bytes` durably. A short write is a failure and is not gone on with.
pub(crate) fn write_durably(
    file: &impl DiskFile,
    name: &str,
    bytes: &[u8],
    offset: u64,
) -> Result<(), DiskError> {
    let written = file.write_at(bytes, offset).map_err(failed("write", name))?;
    if written != bytes.len() && !planted!(AcceptShortWrite) {
        let short = format!("only {written} of {} bytes were written", bytes.len());
        return Err(failed("write", name)(io::Error::new(io::ErrorKind::WriteZero, short)));
    }
    let synced = if planted!(AcknowledgeBeforeDurable) { Ok(()) } else { file.sync() };
    let synced = if planted!(RetrySync) { synced.or_else(|_| file.sync()) } else { synced };
    synced.map_err(failed("sync", name))
}

/// Reads exactly `buf.len()` bytes.
pub(crate) fn read_exactly(
    file: &impl DiskFile,
    name: &str,
    buf: &mut [u8],
    offset: u64,
) -> Result<(), DiskError> {
    let read = file.read_at(buf, offset).map_err(failed("read", name))?;
    if read != buf.len() {
        return Err(failed("read", name)(io::ErrorKind::UnexpectedEof.into()));
    }
    Ok(())
}

/// Names the operation and the file that an I/O error belongs to.
pub fn failed(action: &'static str, file: &str) -> impl FnOnce(io::Error) -> DiskError {
    let file = file.to_owned();
    move |source| DiskError { action, file, source }
}
