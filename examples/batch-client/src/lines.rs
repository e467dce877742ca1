//! Batches as JSON lines.

use std::io::Write as _;
use std::ops::Range;

use crate::Outcome;

/// Writes a line for each number: one unit of the item for the buyer of that number.
pub(crate) fn write(body: &mut Vec<u8>, (buyers, item): (&str, &str), numbers: Range<u64>) {
    for number in numbers {
        writeln!(
            body,
            r#"{{"buyer":"{buyers}-{number}","key":"order-{number}","lines":[{{"item":"{item}","quantity":1}}]}}"#
        )
        .expect("writing into memory cannot fail");
    }
}

/// Counts the answers. A program that needs more of them parses each line: it is an order, or a problem.
pub(crate) fn read(answer: &[u8]) -> Outcome {
    let (mut outcome, mut from) = (Outcome::default(), 0);
    for end in memchr::memchr_iter(b'\n', answer) {
        match answer[from..end].starts_with(br#"{"status":201,"#) {
            true => outcome.placed += 1,
            false => outcome.refused += 1,
        }
        from = end + 1;
    }
    outcome
}
