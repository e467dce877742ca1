//! A disk in memory that never fails: what is on it is the input's matter.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard};

use journal::{Access, Disk, DiskFile};

/// Files by name.
pub(crate) type Image = BTreeMap<String, Vec<u8>>;

/// The disk. Clones are the same disk.
#[derive(Clone, Default)]
pub(crate) struct MemDisk(Arc<Mutex<World>>);

#[derive(Default)]
struct World {
    files: Vec<Vec<u8>>,
    names: BTreeMap<String, usize>,
}

/// A file of the disk.
pub(crate) struct MemFile {
    disk: MemDisk,
    index: usize,
}

impl MemDisk {
    /// A disk with these files.
    pub(crate) fn of(image: &Image) -> MemDisk {
        let disk = MemDisk::default();
        for (name, bytes) in image {
            disk.world().add(name, bytes.clone());
        }
        disk
    }

    /// What is on it.
    pub(crate) fn image(&self) -> Image {
        let world = self.world();
        world.names.iter().map(|(name, index)| (name.clone(), world.files[*index].clone())).collect()
    }

    fn world(&self) -> MutexGuard<'_, World> {
        self.0.lock().expect("nothing panics under the lock")
    }
}

impl World {
    fn add(&mut self, name: &str, bytes: Vec<u8>) -> usize {
        self.names.insert(name.to_owned(), self.files.len());
        self.files.push(bytes);
        self.files.len() - 1
    }

    fn index(&self, name: &str) -> io::Result<usize> {
        self.names.get(name).copied().ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

impl Disk for MemDisk {
    type File = MemFile;

    fn list(&self) -> io::Result<Vec<String>> {
        Ok(self.world().names.keys().cloned().collect())
    }

    fn create(&self, name: &str, size_bytes: u64) -> io::Result<MemFile> {
        let size_bytes = usize::try_from(size_bytes).map_err(|_| io::ErrorKind::FileTooLarge)?;
        let mut world = self.world();
        if world.names.contains_key(name) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let index = world.add(name, vec![0; size_bytes]);
        Ok(MemFile { disk: self.clone(), index })
    }

    fn open(&self, name: &str, _: Access) -> io::Result<MemFile> {
        let index = self.world().index(name)?;
        Ok(MemFile { disk: self.clone(), index })
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut world = self.world();
        let index = world.index(from)?;
        world.names.remove(from);
        world.names.insert(to.to_owned(), index);
        Ok(())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        let mut world = self.world();
        world.index(name)?;
        world.names.remove(name);
        Ok(())
    }

    fn sync_dir(&self) -> io::Result<()> {
        Ok(())
    }
}

impl DiskFile for MemFile {
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        let world = self.disk.world();
        let bytes = &world.files[self.index];
        let from = usize::try_from(offset).unwrap_or(usize::MAX).min(bytes.len());
        let count = buf.len().min(bytes.len() - from);
        buf[..count].copy_from_slice(&bytes[from..from + count]);
        Ok(count)
    }

    fn write_at(&self, buf: &[u8], offset: u64) -> io::Result<usize> {
        let mut world = self.disk.world();
        let bytes = &mut world.files[self.index];
        let from = usize::try_from(offset).map_err(|_| io::ErrorKind::FileTooLarge)?;
        bytes[from..from + buf.len()].copy_from_slice(buf);
        Ok(buf.len())
    }

    fn sync(&self) -> io::Result<()> {
        Ok(())
    }

    fn size_bytes(&self) -> io::Result<u64> {
        Ok(self.disk.world().files[self.index].len() as u64)
    }
}
