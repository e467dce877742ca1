//! Takes fields one after the other; every step is checked.

use crate::error::DecodeError;
use crate::stored::Stored;

/// Reads the fields of a payload from its start. Small, so that a whole entry is read without a call: a start reads
/// millions of them.
pub(crate) struct Reader<'a> {
    size_bytes: usize,
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    #[inline]
    pub(crate) fn new(payload: &'a [u8]) -> Reader<'a> {
        Reader { size_bytes: payload.len(), rest: payload }
    }

    /// Takes the next field.
    #[inline]
    pub(crate) fn get<T: Stored>(&mut self, field: &'static str) -> Result<T, DecodeError> {
        T::read(self, field)
    }

    /// Takes the next field and turns it into what it means; `None` from `make` says that it is illegal.
    #[inline]
    pub(crate) fn get_as<T: Stored, U>(
        &mut self,
        field: &'static str,
        make: impl FnOnce(T) -> Option<U>,
    ) -> Result<U, DecodeError> {
        let offset = self.offset();
        make(self.get(field)?).ok_or(DecodeError::Illegal { field, offset })
    }

    /// Takes the next `N` bytes.
    #[inline]
    pub(crate) fn array<const N: usize>(&mut self, field: &'static str) -> Result<[u8; N], DecodeError> {
        let Some((taken, rest)) = self.rest.split_first_chunk() else {
            return Err(DecodeError::TooShort { field, offset: self.offset() });
        };
        self.rest = rest;
        Ok(*taken)
    }

    /// Takes the next `count` bytes.
    pub(crate) fn slice(&mut self, field: &'static str, count: usize) -> Result<&'a [u8], DecodeError> {
        let Some((taken, rest)) = self.rest.split_at_checked(count) else {
            return Err(DecodeError::TooShort { field, offset: self.offset() });
        };
        self.rest = rest;
        Ok(taken)
    }

    /// Where the next field begins.
    #[inline]
    pub(crate) fn offset(&self) -> usize {
        self.size_bytes - self.rest.len()
    }

    /// Checks that nothing is left, and hands the decoded value on.
    #[inline]
    pub(crate) fn finish<T>(self, value: T) -> Result<T, DecodeError> {
        match self.rest.len() {
            0 => Ok(value),
            count => Err(DecodeError::TooLong { offset: self.offset(), count }),
        }
    }
}
