//! What a cut of the power may leave of a directory, after any prefix of the operations on it.
//!
//! The model is that of [`journal::Disk`]. Of a write that no sync of its file followed, every 512-byte sector is old or
//! new, in any mixture. Of the creations, renames and removals that no sync of the directory followed, each is kept or
//! lost. What was synced stays. A creation that was cut off leaves its name with a part of the file.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::ram::Image;
use crate::dice::Dice;

const SECTOR_SIZE_BYTES: usize = 512;
/// Of so few changed sectors every subset is tried.
const SECTOR_COUNT_FOR_ALL_SUBSETS: usize = 7;

/// An operation that changes something. Files are numbered: those there at first by name, then as they were made.
#[derive(Clone, Debug)]
pub enum Op {
    /// A file full of zeros.
    Create {
        /// Its name.
        name: String,
        /// Its size in bytes.
        size: usize,
    },
    /// Bytes into a file.
    Write {
        /// Which file.
        file: usize,
        /// From which offset on.
        from: usize,
        /// Which bytes.
        bytes: Vec<u8>,
    },
    /// A file's writes are durable.
    Sync {
        /// Which file.
        file: usize,
    },
    /// A file gets another name.
    Rename {
        /// The name it has.
        from: String,
        /// The name it gets.
        to: String,
    },
    /// A file is removed.
    Remove {
        /// Its name.
        name: String,
    },
    /// Names are durable.
    SyncDir,
}

/// A directory, and what of it is durable.
#[derive(Clone, Default)]
pub struct Platter {
    files: Vec<File>,
    names: BTreeMap<String, usize>,
    names_pending: Vec<NameOp>,
}

#[derive(Clone)]
struct File {
    durable: Arc<Vec<u8>>,
    visible: Arc<Vec<u8>>,
    /// Sectors that differ.
    changed: Vec<usize>,
}

#[derive(Clone)]
enum NameOp {
    Make(String, usize),
    /// From a name to another, of this file: a directory's entry names a file, not another entry.
    Rename(String, String, usize),
    Remove(String),
}

/// Which of what was pending arrived.
#[derive(Clone, Copy, Debug)]
pub struct Arrived {
    /// A bit for each pending operation on names.
    pub names: u32,
    /// Which changed sectors.
    pub sectors: Pattern,
}

/// Which of the changed sectors arrived, by their index among them.
#[derive(Clone, Copy, Debug)]
pub enum Pattern {
    /// Those whose bit is set.
    Subset(u32),
    /// The first so many.
    Prefix(usize),
    /// All from this one on.
    Suffix(usize),
    /// All but this one.
    Hole(usize),
    /// This one alone.
    Island(usize),
    /// As the dice of this seed say.
    Random(u64),
}

impl Platter {
    /// All of the image is durable.
    pub fn of(image: &Image) -> Platter {
        let mut platter = Platter::default();
        for (index, (name, bytes)) in image.iter().enumerate() {
            platter.files.push(File::durable(bytes));
            platter.names.insert(name.clone(), index);
        }
        platter
    }

    /// Does what the tape says.
    pub fn apply(&mut self, op: &Op) {
        match op {
            Op::Create { name, size } => {
                self.names_pending.push(NameOp::Make(name.clone(), self.files.len()));
                self.files.push(File::durable(&Arc::new(vec![0; *size])));
            }
            Op::Write { file, from, bytes } => self.files[*file].write(*from, bytes),
            Op::Sync { file } => self.files[*file].sync(),
            Op::Rename { from, to } => {
                let file = self.names_after(u32::MAX)[from];
                self.names_pending.push(NameOp::Rename(from.clone(), to.clone(), file));
            }
            Op::Remove { name } => self.names_pending.push(NameOp::Remove(name.clone())),
            Op::SyncDir => {
                self.names = self.names_after(u32::MAX);
                self.names_pending.clear();
            }
        }
    }

    /// Everything that a cut of the power may leave now; `random_count` of the tears of a long write are random.
    pub fn arrivals(&self, random_count: u64, seed: u64) -> Vec<Arrived> {
        let patterns = patterns(self.changed_count(), random_count, seed);
        let names = 0..1_u32 << self.names_pending.len();
        names
            .flat_map(|names| patterns.iter().map(move |sectors| Arrived { names, sectors: *sectors }))
            .collect()
    }

    /// The directory when only this arrived.
    pub fn image(&self, arrived: Arrived) -> Image {
        let pattern = arrived.sectors.expand(self.changed_count());
        let mut wanted = pattern.into_iter();
        let files: Vec<Arc<Vec<u8>>> = self.files.iter().map(|file| file.with(&mut wanted)).collect();
        let names = self.names_after(arrived.names);
        names.into_iter().map(|(name, index)| (name, Arc::clone(&files[index]))).collect()
    }

    /// The directory when nothing arrived that was not synced.
    pub fn image_synced(&self) -> Image {
        self.image(Arrived { names: 0, sectors: Pattern::Prefix(0) })
    }

    /// How many sectors were written and not synced.
    pub fn changed_count(&self) -> usize {
        self.files.iter().map(|file| file.changed.len()).sum()
    }

    fn names_after(&self, arrived: u32) -> BTreeMap<String, usize> {
        let mut names = self.names.clone();
        for (number, op) in self.names_pending.iter().enumerate() {
            if arrived & 1 << number == 0 {
                continue;
            }
            match op {
                NameOp::Make(name, index) => drop(names.insert(name.clone(), *index)),
                NameOp::Rename(from, to, index) => {
                    names.remove(from);
                    names.insert(to.clone(), *index);
                }
                NameOp::Remove(name) => drop(names.remove(name)),
            }
        }
        names
    }
}

impl File {
    fn durable(bytes: &Arc<Vec<u8>>) -> File {
        File { durable: Arc::clone(bytes), visible: Arc::clone(bytes), changed: Vec::new() }
    }

    fn write(&mut self, from: usize, bytes: &[u8]) {
        Arc::make_mut(&mut self.visible)[from..from + bytes.len()].copy_from_slice(bytes);
        let sectors = from / SECTOR_SIZE_BYTES..(from + bytes.len()).div_ceil(SECTOR_SIZE_BYTES);
        for sector in sectors {
            let range = sector_range(sector, self.durable.len());
            let differs = self.durable[range.clone()] != self.visible[range];
            if differs && !self.changed.contains(&sector) {
                self.changed.push(sector);
            }
        }
    }

    fn sync(&mut self) {
        self.durable = Arc::clone(&self.visible);
        self.changed.clear();
    }

    fn with(&self, arrived: &mut impl Iterator<Item = bool>) -> Arc<Vec<u8>> {
        let mut bytes = Arc::clone(&self.durable);
        for sector in &self.changed {
            if arrived.next().unwrap_or(false) {
                let range = sector_range(*sector, bytes.len());
                Arc::make_mut(&mut bytes)[range.clone()].copy_from_slice(&self.visible[range]);
            }
        }
        bytes
    }
}

impl Pattern {
    /// What it says of each of `count` sectors.
    fn expand(self, count: usize) -> Vec<bool> {
        let mut dice = Dice::new(if let Pattern::Random(seed) = self { seed } else { 0 });
        // How much arrives differs from tear to tear, too.
        let rate = dice.between(20, 980);
        let arrived = |index: usize, dice: &mut Dice| match self {
            Pattern::Subset(bits) => bits & 1 << index != 0,
            Pattern::Prefix(end) => index < end,
            Pattern::Suffix(start) => index >= start,
            Pattern::Hole(at) => index != at,
            Pattern::Island(at) => index == at,
            Pattern::Random(_) => dice.per_mille(rate),
        };
        (0..count).map(|index| arrived(index, &mut dice)).collect()
    }
}

/// The tears of a write that changed `count` sectors.
fn patterns(count: usize, random_count: u64, seed: u64) -> Vec<Pattern> {
    if count <= SECTOR_COUNT_FOR_ALL_SUBSETS {
        return (0..1 << count).map(Pattern::Subset).collect();
    }
    let mut dice = Dice::new(seed);
    let prefixes = (0..=count).map(Pattern::Prefix);
    let suffixes = (1..count).map(Pattern::Suffix);
    let holes = (0..count).map(Pattern::Hole);
    let islands = (0..count).map(Pattern::Island);
    let random = (0..random_count).map(|_| Pattern::Random(dice.bits()));
    prefixes.chain(suffixes).chain(holes).chain(islands).chain(random).collect()
}

fn sector_range(sector: usize, size: usize) -> std::ops::Range<usize> {
    sector * SECTOR_SIZE_BYTES..((sector + 1) * SECTOR_SIZE_BYTES).min(size)
}
