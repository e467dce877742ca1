//! The next segment, made ahead: filling 64 MiB with zeros takes 100 ms or more, which no order should wait for.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::contract::DiskError;
use crate::disk::{Disk, failed};

/// The name of a segment that is not one yet. Whatever has it when a journal is opened is removed.
pub(super) const NAME: &str = "segment.tmp";

/// Room for one spare segment, shared by the writer and the [`Preparer`].
pub(super) struct Shelf<F> {
    wanted: AtomicBool,
    /// Locked while a spare is being made: a writer that needs it then waits for the rest of that time only.
    spare: Mutex<Option<Spare<F>>>,
}

struct Spare<F> {
    file: F,
    size_bytes: u64,
}

impl<F> Shelf<F> {
    pub(super) fn new() -> Shelf<F> {
        Shelf { wanted: AtomicBool::new(false), spare: Mutex::new(None) }
    }

    /// Says that a spare will be needed.
    pub(super) fn want(&self) {
        self.wanted.store(true, Ordering::Relaxed);
    }

    /// The spare, or a new file if there is none of exactly that size. Nothing but zeros is in it.
    pub(super) fn take<D: Disk<File = F>>(&self, disk: &D, size_bytes: u64) -> Result<F, DiskError> {
        let mut spare = self.lock();
        self.wanted.store(false, Ordering::Relaxed);
        match spare.take() {
            Some(spare) if spare.size_bytes == size_bytes => Ok(spare.file),
            Some(_) => {
                disk.remove(NAME).map_err(failed("remove", NAME))?;
                create(disk, size_bytes)
            }
            None => create(disk, size_bytes),
        }
    }

    /// A panic while the lock was held leaves no spare, or a whole one.
    fn lock(&self) -> MutexGuard<'_, Option<Spare<F>>> {
        self.spare.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn create<D: Disk>(disk: &D, size_bytes: u64) -> Result<D::File, DiskError> {
    disk.create(NAME, size_bytes).map_err(|source| {
        // A part of it may be there and take the space that is missing. The first error is the one to tell.
        let _ = disk.remove(NAME);
        failed("create", NAME)(source)
    })
}

/// Makes a journal's next segment ahead. Without it all works too, but the append that fills a segment waits.
pub struct Preparer<D: Disk> {
    disk: D,
    shelf: Arc<Shelf<D::File>>,
    size_bytes: u64,
}

impl<D: Disk> Preparer<D> {
    pub(super) fn new(disk: D, shelf: Arc<Shelf<D::File>>, size_bytes: u64) -> Preparer<D> {
        Preparer { disk, shelf, size_bytes }
    }

    /// Makes the next segment if the current one is more than half full and it was not made yet; returns whether
    /// it did. To be called now and then from a thread that may wait for the disk.
    ///
    /// # Errors
    /// When the disk is full or failed. The journal itself goes on until it needs the segment.
    pub fn prepare(&self) -> Result<bool, DiskError> {
        if !self.shelf.wanted.load(Ordering::Relaxed) {
            return Ok(false);
        }
        let mut spare = self.shelf.lock();
        // Asked again under the lock: the writer may just have helped itself.
        if spare.is_some() || !self.shelf.wanted.load(Ordering::Relaxed) {
            return Ok(false);
        }
        *spare = Some(Spare { file: create(&self.disk, self.size_bytes)?, size_bytes: self.size_bytes });
        Ok(true)
    }
}
