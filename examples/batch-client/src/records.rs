//! Batches in the binary form of `docs/formats/batch.md`.

use std::io::Write as _;
use std::ops::Range;

use anyhow::Context as _;
use sha2::{Digest as _, Sha256};
use siphasher::sip::SipHasher24;

use crate::Outcome;

const HEAD_SIZE_BYTES: usize = 56;
const RECORD_SIZE_BYTES: usize = 48;

/// Writes an order for each number: one unit of the item for the buyer of that number.
pub(crate) fn write(
    body: &mut Vec<u8>,
    (buyers, item): (&str, &str),
    numbers: Range<u64>,
) -> anyhow::Result<()> {
    let order_count = u32::try_from(numbers.end - numbers.start)?;
    body.extend_from_slice(b"ONRB");
    body.extend_from_slice(&1_u16.to_le_bytes());
    body.extend_from_slice(&1_u16.to_le_bytes());
    body.extend_from_slice(&order_count.to_le_bytes());
    body.push(u8::try_from(item.len()).context("the item's code is too long")?);
    body.extend_from_slice(item.as_bytes());
    let mut text = Vec::new();
    for number in numbers {
        text.clear();
        write!(text, "{buyers}-{number}")?;
        body.extend_from_slice(&label(&text));
        text.clear();
        write!(text, "order-{number}")?;
        body.extend_from_slice(&SipHasher24::new().hash(&text).to_le_bytes());
        body.extend_from_slice(&[1, 0, 0, 0, 0, 0, 1, 0]);
    }
    Ok(())
}

/// A name of up to 15 bytes with its length before it, or `FF` and the beginning of its digest.
fn label(name: &[u8]) -> [u8; 16] {
    let mut label = [0; 16];
    match u8::try_from(name.len()) {
        Ok(len @ 1..=15) => {
            label[0] = len;
            label[1..=usize::from(len)].copy_from_slice(name);
        }
        _ => {
            label[0] = 0xFF;
            label[1..].copy_from_slice(&Sha256::digest(name)[..15]);
        }
    }
    label
}

/// Counts the answers; `None` when they are in another form. The rest of a record says which order, until when it
/// holds its units, or why not.
pub(crate) fn read(answer: &[u8]) -> Option<Outcome> {
    let (head, records) = answer.split_at_checked(HEAD_SIZE_BYTES)?;
    if !head.starts_with(b"ONRA\x01\x00") || !records.len().is_multiple_of(RECORD_SIZE_BYTES) {
        return None;
    }
    let mut outcome = Outcome::default();
    for record in records.chunks_exact(RECORD_SIZE_BYTES) {
        match u16::from_le_bytes([record[0], record[1]]) {
            201 => outcome.placed += 1,
            _ => outcome.refused += 1,
        }
    }
    Some(outcome)
}
