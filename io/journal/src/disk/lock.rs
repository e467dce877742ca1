//! One process per data directory.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};

const NAME: &str = "LOCK";
const HOLDER_SIZE_BYTES_MAX: u64 = 32;

/// The exclusive lock on a directory, held until dropped or the process ends, however it ends.
#[derive(Debug)]
pub struct DirLock {
    _file: File,
}

/// Why a directory could not be locked.
#[derive(thiserror::Error, Debug)]
pub enum LockError {
    /// Another process has it. The operator's fault: stop that one, or use another directory.
    #[error("{} is in use by another process ({holder}); two must not write to one directory", path.display())]
    Held {
        /// The lock file.
        path: PathBuf,
        /// What the other process wrote into it.
        holder: String,
    },
    /// The file system failed.
    #[error("{} cannot be locked: {source}", path.display())]
    Io {
        /// The lock file.
        path: PathBuf,
        /// What it said.
        source: io::Error,
    },
}

impl DirLock {
    /// Takes the lock `dir`/LOCK, without waiting.
    ///
    /// # Errors
    /// When another process has it, or the file system failed.
    pub fn acquire(dir: &Path) -> Result<DirLock, LockError> {
        let path = dir.join(NAME);
        match lock_file(&path) {
            Ok(Ok(file)) => Ok(DirLock { _file: file }),
            Ok(Err(holder)) => Err(LockError::Held { path, holder }),
            Err(source) => Err(LockError::Io { path, source }),
        }
    }
}

/// The locked file, or who has it.
fn lock_file(path: &Path) -> io::Result<Result<File, String>> {
    let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => {
            // Only a help for people: the lock is the lock, not what is written here.
            file.set_len(0)?;
            file.rewind()?;
            writeln!(file, "process {}", std::process::id())?;
            Ok(Ok(file))
        }
        Err(rustix::io::Errno::WOULDBLOCK) => {
            let mut holder = String::new();
            let read = file.take(HOLDER_SIZE_BYTES_MAX).read_to_string(&mut holder);
            let known = read.is_ok() && !holder.trim().is_empty();
            Ok(Err(if known { holder.trim().to_owned() } else { "unknown process".to_owned() }))
        }
        Err(errno) => Err(errno.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn second_lock_is_refused_with_path_and_holder_until_the_first_is_gone() {
        let dir = tempfile::tempdir().unwrap();
        let first = DirLock::acquire(dir.path()).unwrap();
        let refusal = DirLock::acquire(dir.path()).unwrap_err().to_string();
        assert!(refusal.contains(&dir.path().join("LOCK").display().to_string()), "{refusal}");
        assert!(refusal.contains(&format!("process {}", std::process::id())), "{refusal}");
        drop(first);
        DirLock::acquire(dir.path()).unwrap();
    }
}
