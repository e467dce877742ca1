//! A bulk as JSON lines. A line of the answer is the very body that its order would have been answered with alone; an
//! order's begins with `"status":201` besides.

use domain::{Answer, BuyerId, ItemIndex, KeyDigest, OrderWanted, Refusal, limits};
use serde_json::Value;
use views::Front;

use super::{Answering, Wanted};
use crate::hot::order::{Asked, lines_of};
use crate::json::scan;
use crate::json::{Faults, Field, OrderPen};
use crate::problem::Problem;
use crate::request;

/// Room for the answer to a one-line order without growing.
pub(super) const ANSWER_SIZE_BYTES_USUAL: usize = 256;

/// The lines that are still to be read.
pub(super) struct Lines<'a> {
    rest: &'a [u8],
    /// The item of the line before: in a bulk it is mostly the same again.
    last: Option<(&'a [u8], ItemIndex)>,
}

impl<'a> Lines<'a> {
    pub(super) fn new(body: &'a [u8]) -> Lines<'a> {
        Lines { rest: body, last: None }
    }

    /// Reads the next line; `false` when there is none.
    pub(super) fn read_next(&mut self, front: &Front, wanted: &mut Wanted) -> Result<bool, Problem> {
        if self.rest.is_empty() {
            return Ok(false);
        }
        let rest = self.rest;
        if let Some((order, size_bytes)) = self.scan(rest, front) {
            self.rest = &rest[size_bytes..];
            wanted.push(order, None);
            return Ok(true);
        }
        let end = rest.iter().position(|byte| *byte == b'\n');
        let (line, behind) = end.map_or((rest, &[][..]), |end| (&rest[..end], &rest[end + 1..]));
        self.rest = behind;
        let read = read_slowly(line, front);
        let (order, unknown) = read.map_err(|problem| problem.in_line(wanted.orders.len() + 1))?;
        wanted.push(order, unknown);
        Ok(true)
    }

    fn scan(&mut self, bytes: &'a [u8], front: &Front) -> Option<(OrderWanted, usize)> {
        let last = &mut self.last;
        scan::bulk_line(bytes, |code| match last {
            Some((known, item)) if *known == code => Some(*item),
            _ => {
                let item = front.item(code)?;
                *last = Some((code, item));
                Some(item)
            }
        })
    }
}

/// The same for every line; says everything that is wrong with it.
pub(super) fn read_slowly(line: &[u8], front: &Front) -> Result<(OrderWanted, Option<String>), Problem> {
    let value: Value = serde_json::from_slice(line).map_err(|error| Problem::json_malformed(&error))?;
    let faults = Faults::default();
    let read = read_order(Field::root(&value, &faults), front);
    faults.finish(read)
}

fn read_order(field: Field<'_>, front: &Front) -> Option<(OrderWanted, Option<String>)> {
    let body = field.object(&["buyer", "key", "lines"])?;
    let buyer = body.get("buyer").text(1..=limits::LABEL_SIZE_BYTES_MAX);
    let key = body.get("key");
    let key = key.text(1..=limits::KEY_SIZE_BYTES_MAX).and_then(|text| {
        let fault = || key.fault("value", "must be of visible ASCII characters");
        if request::is_key(text) { Some(text) } else { fault() }
    });
    let lines = lines_of(body.get("lines"));
    let (buyer, key, lines) = (buyer?, key?, lines?);
    let lines = lines.iter().map(|line| (line.item, line.quantity));
    // An item that stands twice is a fault that was noted; what is made of it is thrown away.
    let Asked { wishes, unknown } = Asked::of(lines, front)?;
    let order = OrderWanted { buyer: BuyerId::from_text(buyer), key: KeyDigest::from_text(key), wishes };
    Some((order, unknown))
}

/// Writes the lines of some answers, of which the first is that of order `first`.
pub(super) fn push_answers(
    out: &mut Vec<u8>,
    (outcomes, first): (&[Result<Answer, Refusal>], usize),
    with: &Answering<'_>,
) {
    let mut pen = OrderPen::new(out, with.sale);
    // A crowd that comes too late is told the same line many times.
    let mut last_refusal: Option<(Refusal, std::ops::Range<usize>)> = None;
    for (outcome, order) in outcomes.iter().zip(first..) {
        match outcome {
            Ok(Answer::Order(view)) => {
                pen.out.extend_from_slice(b"{\"status\":201,");
                pen.push_members(&with.codec.encode(view.order), view);
                pen.out.extend_from_slice(b"}\n");
            }
            Ok(other) => unreachable!("placed an order, answered {other:?}"),
            Err(Refusal::ItemNotFound { .. }) if with.unknown.of(order).is_some() => {
                Problem::item_not_found(with.unknown.of(order).unwrap_or_default()).push(pen.out);
                pen.out.push(b'\n');
            }
            Err(refusal) => match &last_refusal {
                Some((last, line)) if last == refusal => pen.out.extend_from_within(line.clone()),
                _ => {
                    let start = pen.out.len();
                    Problem::refusal(refusal, Some(with.sale)).push(pen.out);
                    pen.out.push(b'\n');
                    last_refusal = Some((*refusal, start..pen.out.len()));
                }
            },
        }
    }
}
