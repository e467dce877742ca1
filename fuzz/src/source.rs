//! Taking an input apart, byte by byte. What is missing at its end is zero.

/// The rest of an input.
pub(crate) struct Source<'a>(pub(crate) &'a [u8]);

impl<'a> Source<'a> {
    /// Whether nothing is left.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The next byte.
    pub(crate) fn u8(&mut self) -> u8 {
        let (byte, rest) = self.0.split_first().unwrap_or((&0, &[]));
        self.0 = rest;
        *byte
    }

    /// The next two bytes.
    pub(crate) fn u16(&mut self) -> u16 {
        u16::from_le_bytes([self.u8(), self.u8()])
    }

    /// At most so many bytes.
    pub(crate) fn take(&mut self, count: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(count.min(self.0.len()));
        self.0 = rest;
        taken
    }
}

/// Changes that disks make and nobody computes: so few flipped bits that a CRC-32C of these sizes always tells
/// (its Hamming distance is 4), zeroed sectors, and pages in another place.
pub(crate) fn damage(source: &mut Source<'_>, files: &mut [Vec<u8>]) -> Damaged {
    const FLIP_COUNT_MAX: u32 = 3;
    const CHANGE_COUNT_MAX: usize = 8;
    let mut damaged = Damaged::default();
    for _ in 0..CHANGE_COUNT_MAX {
        if source.is_empty() || files.is_empty() {
            break;
        }
        let (kind, file, at) = (source.u8(), usize::from(source.u8()) % files.len(), source.u16());
        let bytes = &mut files[file];
        if bytes.is_empty() {
            continue;
        }
        let at = usize::from(at) % bytes.len();
        match kind % 5 {
            0 | 1 if damaged.flipped_bits < FLIP_COUNT_MAX => {
                bytes[at] ^= 1 << (kind >> 5);
                damaged.flipped_bits += 1;
            }
            2 => {
                let sector = at & !511;
                let end = bytes.len().min(sector + 512);
                bytes[sector..end].fill(0);
                damaged.is_rough = true;
            }
            3 => {
                bytes.truncate(at & !4_095);
                damaged.is_rough = true;
            }
            4 => {
                let (from, to) = (at & !4_095, (at & !4_095) + 4_096);
                if bytes.len() >= to + 4_096 {
                    let (left, right) = bytes.split_at_mut(to);
                    left[from..].swap_with_slice(&mut right[..4_096]);
                }
                damaged.is_rough = true;
            }
            _ => {}
        }
    }
    damaged
}

/// What [`damage`] did.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct Damaged {
    /// How many bits were flipped; one that was flipped twice counts twice.
    pub(crate) flipped_bits: u32,
    /// Whether whole sectors or pages are lost or elsewhere.
    pub(crate) is_rough: bool,
}
