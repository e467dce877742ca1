//! A directory as it looks when it has one snapshot only: a store then loads that one, and not the newest.

use std::io;

use domain::Seq;
use journal::{Access, Disk, OsDisk};

/// A disk for reading, without all snapshots but one.
#[derive(Clone)]
pub(super) struct OneSnapshot {
    disk: OsDisk,
    seq: Seq,
}

impl OneSnapshot {
    pub(super) fn new(disk: OsDisk, seq: Seq) -> OneSnapshot {
        OneSnapshot { disk, seq }
    }

    fn is_shown(&self, name: &str) -> bool {
        !name.starts_with("snapshot-") || name.contains(&format!("{:020}", self.seq.0))
    }
}

impl Disk for OneSnapshot {
    type File = <OsDisk as Disk>::File;

    fn list(&self) -> io::Result<Vec<String>> {
        let names = self.disk.list()?;
        Ok(names.into_iter().filter(|name| self.is_shown(name)).collect())
    }

    fn open(&self, name: &str, access: Access) -> io::Result<Self::File> {
        match access {
            Access::Read => self.disk.open(name, access),
            Access::Write => Err(io::ErrorKind::ReadOnlyFilesystem.into()),
        }
    }

    fn create(&self, _name: &str, _size_bytes: u64) -> io::Result<Self::File> {
        Err(io::ErrorKind::ReadOnlyFilesystem.into())
    }

    fn rename(&self, _from: &str, _to: &str) -> io::Result<()> {
        Err(io::ErrorKind::ReadOnlyFilesystem.into())
    }

    fn remove(&self, _name: &str) -> io::Result<()> {
        Err(io::ErrorKind::ReadOnlyFilesystem.into())
    }

    fn sync_dir(&self) -> io::Result<()> {
        Ok(())
    }
}
