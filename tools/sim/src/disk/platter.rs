//! What the disk holds: of every file, what is seen now and what would be there after a loss of power.

use std::collections::BTreeSet;
use std::io;

use super::names::Names;
use super::rot::Rot;
use super::{FaultRates, Tally};
use crate::dice::Dice;

/// The unit that a drive writes at once.
pub(super) const SECTOR_SIZE_BYTES: usize = 512;
/// What a slow operation takes.
const SLOW_MS_MIN: u64 = 20;
const SLOW_MS_MAX: u64 = 3_000;

/// A file, whatever its name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct FileId(pub(super) usize);

/// A kind of operation, for the message when it fails.
#[derive(Clone, Copy, Debug)]
pub(super) enum Op {
    Create,
    Write,
    Sync,
    Name,
}

#[derive(Clone)]
pub(super) struct Platter {
    pub(super) names: Names,
    pub(super) rates: FaultRates,
    pub(super) fuse: Option<u64>,
    pub(super) is_off: bool,
    pub(super) process: u64,
    pub(super) is_full: bool,
    /// What slow operations took so far.
    pub(super) busy_ms: u64,
    pub(super) tally: Tally,
    pub(super) files: Vec<Content>,
    /// The bit that flipped last, until it is healed or overwritten.
    pub(super) rot: Option<Rot>,
    pub(super) dice: Dice,
}

#[derive(Clone, Default)]
pub(super) struct Content {
    pub(super) visible: Vec<u8>,
    pub(super) durable: Vec<u8>,
    /// Sectors written since the last sync.
    pub(super) dirty: BTreeSet<usize>,
}

impl Platter {
    pub(super) fn new(dice: Dice) -> Platter {
        Platter {
            names: Names::default(),
            rates: FaultRates::default(),
            fuse: None,
            is_off: false,
            process: 0,
            is_full: false,
            busy_ms: 0,
            tally: Tally::default(),
            files: Vec::new(),
            rot: None,
            dice,
        }
    }

    /// The same bytes; nothing goes wrong with them.
    pub(super) fn copy(&self) -> Platter {
        let rates = FaultRates::default();
        Platter { rates, fuse: None, is_off: false, is_full: false, ..self.clone() }
    }

    pub(super) fn has_unsynced(&self) -> bool {
        self.files.iter().any(|content| !content.dirty.is_empty())
    }

    /// Every operation that changes something starts here, and may end here: by the power or by chance.
    pub(super) fn begin(&mut self, op: Op, rate: u64) -> io::Result<()> {
        self.tally.operations += 1;
        match &mut self.fuse {
            Some(0) => {
                self.is_off = true;
                return Err(io::Error::other("the power went off"));
            }
            Some(left) => *left -= 1,
            None => {}
        }
        if self.dice.per_mille(self.rates.slow) {
            self.tally.slow += 1;
            self.busy_ms += self.dice.between(SLOW_MS_MIN, SLOW_MS_MAX);
        }
        if !self.dice.per_mille(rate) {
            return Ok(());
        }
        self.tally.faults += 1;
        Err(io::Error::other(format!("simulated failure: {op:?}")))
    }

    pub(super) fn begin_create(&mut self) -> io::Result<()> {
        self.begin(Op::Create, 0)?;
        if !self.is_full {
            return Ok(());
        }
        self.tally.faults += 1;
        self.tally.refused_full += 1;
        Err(io::ErrorKind::StorageFull.into())
    }

    pub(super) fn begin_name(&mut self) -> io::Result<()> {
        let rate = self.rates.name_error;
        self.begin(Op::Name, rate)
    }

    /// Less than all of it.
    pub(super) fn part_of(&mut self, size_bytes: usize) -> usize {
        if size_bytes == 0 { 0 } else { self.dice.index(size_bytes) }
    }

    /// Less than all of a write, to the end of a sector.
    fn sectors_of(&mut self, size_bytes: usize, offset: usize) -> usize {
        let end = offset + self.part_of(size_bytes);
        (end / SECTOR_SIZE_BYTES * SECTOR_SIZE_BYTES).saturating_sub(offset)
    }

    pub(super) fn make_file(&mut self, size_bytes: usize) -> FileId {
        let zeros = vec![0; size_bytes];
        self.files.push(Content { visible: zeros.clone(), durable: zeros, dirty: BTreeSet::new() });
        FileId(self.files.len() - 1)
    }

    pub(super) fn size_bytes(&self, file: FileId) -> usize {
        self.files[file.0].visible.len()
    }

    pub(super) fn read(&self, file: FileId, buf: &mut [u8], offset: usize) -> usize {
        let rest = self.files[file.0].visible.get(offset..).unwrap_or_default();
        let count = rest.len().min(buf.len());
        buf[..count].copy_from_slice(&rest[..count]);
        count
    }

    pub(super) fn write(&mut self, file: FileId, buf: &[u8], offset: usize) -> io::Result<usize> {
        let rate = self.rates.write_error;
        if let Err(error) = self.begin(Op::Write, rate) {
            let part = self.sectors_of(buf.len(), offset);
            self.put(file, &buf[..part], offset);
            return Err(error);
        }
        let is_short = self.dice.per_mille(self.rates.write_short);
        self.tally.faults += u64::from(is_short);
        let count = if is_short { self.sectors_of(buf.len(), offset) } else { buf.len() };
        self.put(file, &buf[..count], offset);
        Ok(count)
    }

    fn put(&mut self, file: FileId, bytes: &[u8], offset: usize) {
        if bytes.is_empty() {
            return;
        }
        let content = &mut self.files[file.0];
        let end = offset + bytes.len();
        assert!(end <= content.visible.len(), "a file's size never changes: write to {end}");
        content.visible[offset..end].copy_from_slice(bytes);
        self.overwrite_rot(file, offset..end);
        let content = &mut self.files[file.0];
        content.dirty.extend(offset / SECTOR_SIZE_BYTES..=(end - 1) / SECTOR_SIZE_BYTES);
    }

    pub(super) fn sync(&mut self, file: FileId) -> io::Result<()> {
        let rate = self.rates.sync_error;
        let said_no = self.begin(Op::Sync, rate);
        if self.is_off {
            return said_no;
        }
        let content = &mut self.files[file.0];
        for sector in std::mem::take(&mut content.dirty) {
            // After a failure the others stay visible and clean, and never become durable.
            if said_no.is_ok() || self.dice.per_mille(500) {
                content.settle(sector);
            }
        }
        said_no
    }

    pub(super) fn cycle_power(&mut self) {
        self.is_off = false;
        self.fuse = None;
        for content in &mut self.files {
            for sector in std::mem::take(&mut content.dirty) {
                if self.dice.per_mille(500) {
                    self.tally.sectors_kept += 1;
                    content.settle(sector);
                } else {
                    self.tally.sectors_lost += 1;
                }
            }
            content.visible.clone_from(&content.durable);
        }
        self.tally.names_lost += self.names.lose(&mut self.dice);
        let names = &self.names;
        for (index, content) in self.files.iter_mut().enumerate() {
            if !names.has(FileId(index)) {
                *content = Content::default();
            }
        }
    }
}

impl Content {
    /// A sector becomes durable as it is seen.
    fn settle(&mut self, sector: usize) {
        let start = sector * SECTOR_SIZE_BYTES;
        let end = (start + SECTOR_SIZE_BYTES).min(self.visible.len());
        self.durable[start..end].copy_from_slice(&self.visible[start..end]);
    }
}
