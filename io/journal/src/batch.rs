//! A buffer for records on their way into the journal.

use crate::PAYLOAD_SIZE_BYTES_MAX;
use crate::format::record;

/// Records that become durable together or not at all, in their order. Keeps its memory when cleared.
#[derive(Default, Debug)]
pub struct Batch {
    /// Records as stored, but for checksum, seq and term, which only the journal knows.
    images: Vec<u8>,
    count: usize,
}

impl Batch {
    /// An empty batch.
    pub fn new() -> Batch {
        Batch::default()
    }

    /// Takes all records out and keeps the memory.
    pub fn clear(&mut self) {
        self.images.clear();
        self.count = 0;
    }

    /// Adds a record.
    ///
    /// # Panics
    /// When the payload is longer than [`PAYLOAD_SIZE_BYTES_MAX`].
    pub fn push(&mut self, kind: u8, payload: &[u8]) {
        self.push_with(|out| {
            out.extend_from_slice(payload);
            kind
        });
    }

    /// Adds a record whose payload is appended, where it will stand, to what is there; `append` says its kind.
    ///
    /// # Panics
    /// As [`Batch::push`].
    pub fn push_with(&mut self, append: impl FnOnce(&mut Vec<u8>) -> u8) {
        let start = self.images.len();
        self.images.extend_from_slice(&[0; record::HEADER_SIZE_BYTES]);
        let kind = append(&mut self.images);
        let draft = &mut self.images[start..];
        let size_bytes = draft.len() - record::HEADER_SIZE_BYTES;
        assert!(size_bytes <= PAYLOAD_SIZE_BYTES_MAX, "a payload has at most 65,535 bytes: {size_bytes}");
        record::begin(draft, kind);
        self.count += 1;
    }

    /// How many records it holds.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// How many bytes its records take when stored, without block headers and padding.
    pub fn size_bytes(&self) -> usize {
        self.images.len()
    }

    /// The drafts of its records, one by one.
    pub(crate) fn drafts(&self) -> impl Iterator<Item = &[u8]> {
        let mut rest = &self.images[..];
        core::iter::from_fn(move || {
            if rest.is_empty() {
                return None;
            }
            let (draft, behind) = rest.split_at(record::draft_size_bytes(rest));
            rest = behind;
            Some(draft)
        })
    }
}
