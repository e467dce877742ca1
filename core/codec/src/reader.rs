//! Takes fields one after the other; every step is checked.

use crate::error::DecodeError;
use crate::stored::Stored;

/// Reads the fields of a payload from its start.
pub(crate) struct Reader<'a> {
    payload: &'a [u8],
    offset: usize,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(payload: &'a [u8]) -> Reader<'a> {
        Reader { payload, offset: 0 }
    }

    /// Takes the next field.
    pub(crate) fn get<T: Stored>(&mut self, field: &'static str) -> Result<T, DecodeError> {
        T::read(self, field)
    }

    /// Takes the next field and turns it into what it means; `None` from `make` says that it is illegal.
    pub(crate) fn get_as<T: Stored, U>(
        &mut self,
        field: &'static str,
        make: impl FnOnce(T) -> Option<U>,
    ) -> Result<U, DecodeError> {
        let offset = self.offset;
        make(self.get(field)?).ok_or(DecodeError::Illegal { field, offset })
    }

    /// Takes the next `N` bytes.
    pub(crate) fn array<const N: usize>(&mut self, field: &'static str) -> Result<[u8; N], DecodeError> {
        Ok(self.slice(field, N)?.try_into().expect("a slice of N bytes is N bytes long"))
    }

    /// Takes the next `count` bytes.
    pub(crate) fn slice(&mut self, field: &'static str, count: usize) -> Result<&'a [u8], DecodeError> {
        let rest = &self.payload[self.offset..];
        let Some((taken, _)) = rest.split_at_checked(count) else {
            return Err(DecodeError::TooShort { field, offset: self.offset });
        };
        self.offset += count;
        Ok(taken)
    }

    /// Where the next field begins.
    pub(crate) fn offset(&self) -> usize {
        self.offset
    }

    /// Checks that nothing is left, and hands the decoded value on.
    pub(crate) fn finish<T>(self, value: T) -> Result<T, DecodeError> {
        match self.payload.len() - self.offset {
            0 => Ok(value),
            count => Err(DecodeError::TooLong { offset: self.offset, count }),
        }
    }
}
