//! One bit that flips while nobody looks.

use std::ops::Range;

use super::platter::{FileId, Platter, SECTOR_SIZE_BYTES};

/// A bit that flipped.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Flipped {
    /// In which file.
    pub file: String,
    /// In which byte.
    pub offset: usize,
    /// Which of its bits.
    pub bit: u8,
}

#[derive(Clone, Copy)]
pub(super) struct Rot {
    file: FileId,
    offset: usize,
    mask: u8,
}

impl Platter {
    pub(super) fn flip_bit(&mut self) -> Option<Flipped> {
        let name = self.pick_file()?;
        let file = self.names.get(&name)?;
        let offset = self.pick_offset(file)?;
        let bit = u8::try_from(self.dice.below(8)).expect("it is below 8");
        let rot = Rot { file, offset, mask: 1 << bit };
        self.flip(rot);
        self.rot = Some(rot);
        self.tally.bits_flipped += 1;
        Some(Flipped { file: name, offset, bit })
    }

    pub(super) fn heal(&mut self) {
        if let Some(rot) = self.rot.take() {
            self.flip(rot);
        }
    }

    /// Whoever writes there says anew what is to be seen; what lies below is what the mirror has.
    pub(super) fn overwrite_rot(&mut self, file: FileId, range: Range<usize>) {
        let is_there = |rot: &Rot| rot.file == file && range.contains(&rot.offset);
        if let Some(rot) = self.rot.take_if(|rot| is_there(rot)) {
            self.files[file.0].durable[rot.offset] ^= rot.mask;
        }
    }

    fn flip(&mut self, rot: Rot) {
        let content = &mut self.files[rot.file.0];
        for bytes in [&mut content.visible, &mut content.durable] {
            if let Some(byte) = bytes.get_mut(rot.offset) {
                *byte ^= rot.mask;
            }
        }
    }

    /// A segment or a snapshot, each kind as often as the other.
    fn pick_file(&mut self) -> Option<String> {
        let suffix = if self.dice.below(2) == 0 { ".seg" } else { ".snap" };
        let lies_still = |name: &String| {
            let file = self.names.get(name);
            name.ends_with(suffix) && file.is_some_and(|file| self.files[file.0].dirty.is_empty())
        };
        let names: Vec<String> = self.names.list().into_iter().filter(lies_still).collect();
        if names.is_empty() { None } else { Some(self.dice.pick(&names)) }
    }

    /// Mostly among bytes that mean something: the next one that is not zero. Else anywhere.
    fn pick_offset(&mut self, file: FileId) -> Option<usize> {
        let size_bytes = self.files[file.0].visible.len();
        if size_bytes == 0 {
            return None;
        }
        let from = self.dice.index(size_bytes);
        if self.dice.below(4) == 0 {
            return Some(from);
        }
        let visible = &self.files[file.0].visible;
        let used = visible.iter().rposition(|byte| *byte != 0).map_or(1, |last| last + 1);
        let from = from % used.next_multiple_of(SECTOR_SIZE_BYTES).min(size_bytes);
        let behind = visible[from..].iter().position(|byte| *byte != 0).map(|ahead| from + ahead);
        Some(behind.unwrap_or(from))
    }
}
