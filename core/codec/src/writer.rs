//! Puts fields one after the other.

use alloc::vec::Vec;

use crate::stored::Stored;

/// Appends fields to a payload.
pub(crate) struct Writer<'a>(&'a mut Vec<u8>);

impl<'a> Writer<'a> {
    pub(crate) fn new(payload: &'a mut Vec<u8>) -> Writer<'a> {
        Writer(payload)
    }

    /// Appends a field; returns itself, so that a form reads as a chain of its fields.
    pub(crate) fn put<T: Stored>(&mut self, value: &T) -> &mut Writer<'a> {
        value.write(self);
        self
    }

    /// Appends bytes as they are.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }
}
