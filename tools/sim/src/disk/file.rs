//! An open file of the simulated disk.

use std::io;

use journal::{Access, DiskFile};

use super::platter::FileId;
use super::{SimDisk, usize_of};

/// An open file. It dies with its process.
pub struct SimFile {
    disk: SimDisk,
    file: FileId,
    access: Access,
}

impl SimFile {
    pub(super) fn new(disk: SimDisk, file: FileId, access: Access) -> SimFile {
        SimFile { disk, file, access }
    }
}

impl DiskFile for SimFile {
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        Ok(self.disk.operate()?.read(self.file, buf, usize_of(offset)?))
    }

    fn write_at(&self, buf: &[u8], offset: u64) -> io::Result<usize> {
        if self.access != Access::Write {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        self.disk.operate()?.write(self.file, buf, usize_of(offset)?)
    }

    fn sync(&self) -> io::Result<()> {
        self.disk.operate()?.sync(self.file)
    }

    fn size_bytes(&self) -> io::Result<u64> {
        let size_bytes = self.disk.operate()?.size_bytes(self.file);
        Ok(u64::try_from(size_bytes).expect("a length fits in 64 bits"))
    }
}
