//! A directory in memory that is cheap to copy: files are shared until they are written to.
//!
//! It does what it is told and forgets nothing. What a crash would leave of it is worked out from the tape of its
//! operations, in [`super::tape`].

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use journal::{Access, Disk, DiskFile};

use super::tape::Op;

/// The files of a directory by name.
pub type Image = BTreeMap<String, Arc<Vec<u8>>>;

/// A directory. Clones share it.
#[derive(Clone, Default)]
pub struct Ram(Arc<Mutex<World>>);

#[derive(Default)]
struct World {
    names: BTreeMap<String, usize>,
    files: Vec<Arc<Vec<u8>>>,
    /// What was done so far, if anybody wants to know.
    tape: Option<Vec<Op>>,
}

/// An open file.
pub struct RamFile {
    ram: Ram,
    index: usize,
}

impl Ram {
    /// A directory with these files, numbered in the order of their names.
    pub fn of(image: Image) -> Ram {
        let mut world = World::default();
        for (index, (name, bytes)) in image.into_iter().enumerate() {
            world.names.insert(name, index);
            world.files.push(bytes);
        }
        Ram(Arc::new(Mutex::new(world)))
    }

    /// The same, and every operation that changes something is written down.
    pub fn on_tape(image: Image) -> Ram {
        let ram = Ram::of(image);
        ram.world().tape = Some(Vec::new());
        ram
    }

    /// What is there.
    pub fn image(&self) -> Image {
        let world = self.world();
        world.names.iter().map(|(name, index)| (name.clone(), Arc::clone(&world.files[*index]))).collect()
    }

    /// What was done so far.
    pub fn ops(&self) -> Vec<Op> {
        self.world().tape.clone().unwrap_or_default()
    }

    /// How much was done so far.
    pub fn op_count(&self) -> usize {
        self.world().tape.as_ref().map_or(0, Vec::len)
    }

    /// A panic of the code under attack is counted by whoever catches it; the directory is thrown away then.
    fn world(&self) -> MutexGuard<'_, World> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl World {
    fn note(&mut self, op: impl FnOnce() -> Op) {
        if let Some(tape) = &mut self.tape {
            tape.push(op());
        }
    }
}

impl Disk for Ram {
    type File = RamFile;

    fn list(&self) -> io::Result<Vec<String>> {
        Ok(self.world().names.keys().cloned().collect())
    }

    fn create(&self, name: &str, size_bytes: u64) -> io::Result<RamFile> {
        let mut world = self.world();
        if world.names.contains_key(name) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let size = usize::try_from(size_bytes).map_err(io::Error::other)?;
        let index = world.files.len();
        world.files.push(Arc::new(vec![0; size]));
        world.names.insert(name.to_owned(), index);
        world.note(|| Op::Create { name: name.to_owned(), size });
        Ok(RamFile { ram: self.clone(), index })
    }

    fn open(&self, name: &str, _: Access) -> io::Result<RamFile> {
        let index = *self.world().names.get(name).ok_or(io::ErrorKind::NotFound)?;
        Ok(RamFile { ram: self.clone(), index })
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut world = self.world();
        let index = world.names.remove(from).ok_or(io::ErrorKind::NotFound)?;
        world.names.insert(to.to_owned(), index);
        world.note(|| Op::Rename { from: from.to_owned(), to: to.to_owned() });
        Ok(())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        let mut world = self.world();
        world.names.remove(name).ok_or(io::ErrorKind::NotFound)?;
        world.note(|| Op::Remove { name: name.to_owned() });
        Ok(())
    }

    fn sync_dir(&self) -> io::Result<()> {
        self.world().note(|| Op::SyncDir);
        Ok(())
    }
}

impl DiskFile for RamFile {
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        let world = self.ram.world();
        let bytes = &world.files[self.index];
        let from = usize::try_from(offset).map_err(io::Error::other)?.min(bytes.len());
        let count = buf.len().min(bytes.len() - from);
        buf[..count].copy_from_slice(&bytes[from..from + count]);
        Ok(count)
    }

    fn write_at(&self, buf: &[u8], offset: u64) -> io::Result<usize> {
        let mut world = self.ram.world();
        let from = usize::try_from(offset).map_err(io::Error::other)?;
        let bytes = Arc::make_mut(&mut world.files[self.index]);
        let Some(target) = bytes.get_mut(from..from + buf.len()) else {
            return Err(io::Error::other("a write beyond the end of the file"));
        };
        target.copy_from_slice(buf);
        world.note(|| Op::Write { file: self.index, from, bytes: buf.to_vec() });
        Ok(buf.len())
    }

    fn sync(&self) -> io::Result<()> {
        self.ram.world().note(|| Op::Sync { file: self.index });
        Ok(())
    }

    fn size_bytes(&self) -> io::Result<u64> {
        Ok(self.ram.world().files[self.index].len() as u64)
    }
}
