//! A disk in memory that knows what a crash would leave, and fails when told to.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard};

use crate::{Access, Disk, DiskFile};

/// The files of a disk by name.
pub(super) type Image = BTreeMap<String, Vec<u8>>;

/// How the chosen step fails.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Failure {
    Error,
    ShortWrite,
    DiskFull,
}

#[derive(Clone, Default)]
pub(super) struct MemDisk(Arc<Mutex<World>>);

#[derive(Default)]
struct World {
    files: Vec<Content>,
    names: BTreeMap<String, usize>,
    names_synced: BTreeMap<String, usize>,
    step_count: usize,
    fail_at: Option<(usize, Failure)>,
    read_count: usize,
    change_at_read: Option<(usize, Image)>,
}

struct Content {
    data: Vec<u8>,
    synced: Vec<u8>,
}

pub(super) struct MemFile {
    disk: MemDisk,
    index: usize,
}

impl World {
    fn change_if_due(&mut self) {
        if let Some((_, image)) = self.change_at_read.take_if(|(read, _)| *read == self.read_count) {
            for (name, data) in image {
                let index = self.names[&name];
                self.files[index].data = data;
            }
        }
        self.read_count += 1;
    }
}

impl MemDisk {
    pub(super) fn from_image(image: Image) -> MemDisk {
        let disk = MemDisk::default();
        let mut world = disk.world();
        for (index, (name, data)) in image.into_iter().enumerate() {
            world.files.push(Content { synced: data.clone(), data });
            world.names.insert(name, index);
        }
        world.names_synced = world.names.clone();
        drop(world);
        disk
    }

    /// What is there.
    pub(super) fn image(&self) -> Image {
        let world = self.world();
        world.names.iter().map(|(name, index)| (name.clone(), world.files[*index].data.clone())).collect()
    }

    /// What is there after a crash that loses all that was not synced.
    pub(super) fn image_synced(&self) -> Image {
        let world = self.world();
        let synced = |(name, index): (&String, &usize)| (name.clone(), world.files[*index].synced.clone());
        world.names_synced.iter().map(synced).collect()
    }

    /// How many changing operations there were.
    pub(super) fn step_count(&self) -> usize {
        self.world().step_count
    }

    /// Lets the changing operation of that number fail; those after it work again.
    pub(super) fn fail_at(&self, step: usize, failure: Failure) {
        self.world().fail_at = Some((step, failure));
    }

    /// Gives the files these contents right before the read of that number: somebody else has written.
    pub(super) fn change_at_read(&self, read: usize, image: Image) {
        self.world().change_at_read = Some((read, image));
    }

    fn world(&self) -> MutexGuard<'_, World> {
        self.0.lock().unwrap()
    }

    /// Counts a changing operation.
    fn step(&self) -> (MutexGuard<'_, World>, Option<Failure>) {
        let mut world = self.world();
        let failure = world.fail_at.filter(|(at, _)| *at == world.step_count).map(|(_, failure)| failure);
        world.step_count += 1;
        (world, failure)
    }

    fn step_or_error(&self) -> io::Result<MutexGuard<'_, World>> {
        match self.step() {
            (world, None | Some(Failure::ShortWrite)) => Ok(world),
            (_, Some(Failure::Error)) => Err(io::Error::other("planted")),
            (_, Some(Failure::DiskFull)) => Err(io::ErrorKind::StorageFull.into()),
        }
    }
}

impl Disk for MemDisk {
    type File = MemFile;

    fn list(&self) -> io::Result<Vec<String>> {
        Ok(self.world().names.keys().cloned().collect())
    }

    fn create(&self, name: &str, size_bytes: u64) -> io::Result<MemFile> {
        let (mut world, failure) = self.step();
        if world.names.contains_key(name) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        // A failed creation leaves a part of the file.
        let size = usize::try_from(size_bytes).unwrap();
        let size = if matches!(failure, None | Some(Failure::ShortWrite)) { size } else { size / 2 };
        let index = world.files.len();
        world.files.push(Content { data: vec![0; size], synced: vec![0; size] });
        world.names.insert(name.to_owned(), index);
        match failure {
            None | Some(Failure::ShortWrite) => Ok(MemFile { disk: self.clone(), index }),
            Some(Failure::Error) => Err(io::Error::other("planted")),
            Some(Failure::DiskFull) => Err(io::ErrorKind::StorageFull.into()),
        }
    }

    fn open(&self, name: &str, _: Access) -> io::Result<MemFile> {
        let world = self.world();
        let index = *world.names.get(name).ok_or(io::ErrorKind::NotFound)?;
        Ok(MemFile { disk: self.clone(), index })
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut world = self.step_or_error()?;
        let index = world.names.remove(from).ok_or(io::ErrorKind::NotFound)?;
        world.names.insert(to.to_owned(), index);
        Ok(())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        let mut world = self.step_or_error()?;
        world.names.remove(name).ok_or(io::ErrorKind::NotFound)?;
        Ok(())
    }

    fn sync_dir(&self) -> io::Result<()> {
        let mut world = self.step_or_error()?;
        world.names_synced = world.names.clone();
        Ok(())
    }
}

impl DiskFile for MemFile {
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        let mut world = self.disk.world();
        world.change_if_due();
        let data = &world.files[self.index].data;
        let from = usize::try_from(offset).unwrap().min(data.len());
        let count = buf.len().min(data.len() - from);
        buf[..count].copy_from_slice(&data[from..from + count]);
        Ok(count)
    }

    fn write_at(&self, buf: &[u8], offset: u64) -> io::Result<usize> {
        let (mut world, failure) = self.disk.step();
        let from = usize::try_from(offset).unwrap();
        let count = if failure.is_some() { buf.len() / 1_024 * 512 } else { buf.len() };
        world.files[self.index].data[from..from + count].copy_from_slice(&buf[..count]);
        match failure {
            None | Some(Failure::ShortWrite) => Ok(count),
            Some(Failure::Error) => Err(io::Error::other("planted")),
            Some(Failure::DiskFull) => Err(io::ErrorKind::StorageFull.into()),
        }
    }

    fn sync(&self) -> io::Result<()> {
        let mut world = self.disk.step_or_error()?;
        let file = &mut world.files[self.index];
        file.synced = file.data.clone();
        Ok(())
    }

    fn size_bytes(&self) -> io::Result<u64> {
        Ok(self.disk.world().files[self.index].data.len() as u64)
    }
}
