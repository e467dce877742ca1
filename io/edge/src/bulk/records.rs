//! A bulk in its compact binary form, drawn byte by byte in `docs/formats/batch.md`.

use domain::order_code::ORDER_CODE_SIZE_BYTES;
use domain::{
    Answer, BuyerId, ItemIndex, KeyDigest, OrderView, OrderWanted, Refusal, ShardId, Slug, Wish, Wishes,
    label::Label, limits,
};
use views::Front;

use super::{Answering, Wanted};
use crate::backend::Tip;
use crate::problem::Problem;

const REQUEST_MAGIC: [u8; 4] = *b"ONRB";
const ANSWER_MAGIC: [u8; 4] = *b"ONRA";
const VERSION: u16 = 1;
const ORDER_SIZE_BYTES_MIN: usize = 32;
const ANSWER_HEAD_SIZE_BYTES: usize = 56;
const ANSWER_SIZE_BYTES: usize = 48;

/// The orders that are still to be read, and the codes of the items that they name by number.
pub(super) struct Records<'a> {
    rest: Bytes<'a>,
    codes: Vec<&'a str>,
    /// What the codes are in the sale; filled when the first order is read.
    items: Vec<ItemIndex>,
    left: usize,
}

impl<'a> Records<'a> {
    pub(super) fn open(body: &'a [u8], len_max: usize) -> Result<Records<'a>, Problem> {
        let mut rest = Bytes(body);
        let head = rest.head().ok_or(Problem::bulk_malformed("it ends within its head"))?;
        if head.magic != REQUEST_MAGIC || head.version != VERSION {
            return Err(Problem::bulk_malformed("it does not begin with ONRB and version 1"));
        }
        if head.order_count > len_max {
            return Err(Problem::bulk_too_long(len_max));
        }
        if !(1..=usize::from(limits::ITEM_COUNT_MAX)).contains(&head.item_count) {
            return Err(Problem::bulk_malformed("it has no items, or more than a sale can have"));
        }
        let code = |_| rest.code().ok_or(Problem::bulk_malformed("a code of its items is none"));
        let codes = (0..head.item_count).map(code).collect::<Result<Vec<&str>, Problem>>()?;
        Ok(Records { rest, codes, items: Vec::new(), left: head.order_count })
    }

    /// Reads the next order; `false` when there is none.
    pub(super) fn read_next(&mut self, front: &Front, wanted: &mut Wanted) -> Result<bool, Problem> {
        if self.left == 0 {
            let is_over = self.rest.0.is_empty();
            let more = || Problem::bulk_malformed("bytes stand behind its last order");
            return if is_over { Ok(false) } else { Err(more()) };
        }
        if self.items.is_empty() {
            // As many as the body has room for, whatever its head says.
            wanted.orders.reserve(self.left.min(self.rest.0.len() / ORDER_SIZE_BYTES_MIN));
            let item = |code: &&str| front.item(code.as_bytes()).unwrap_or(ItemIndex::UNKNOWN);
            self.items = self.codes.iter().map(item).collect();
        }
        let read = self.read_order();
        let (order, unknown) =
            read.map_err(|why| Problem::bulk_malformed(why).in_line(wanted.orders.len() + 1))?;
        wanted.push(order, unknown);
        self.left -= 1;
        Ok(true)
    }

    fn read_order(&mut self) -> Result<(OrderWanted, Option<String>), &'static str> {
        const ENDS: &str = "the body ends within this order";
        let buyer = Label::from_bytes(self.rest.array().ok_or(ENDS)?).filter(|label| label.as_bytes()[0] > 0);
        let buyer = BuyerId(buyer.ok_or("the buyer is not a label of a name of 1 to 255 bytes")?);
        let key = KeyDigest(u64::from_le_bytes(self.rest.array().ok_or(ENDS)?));
        let line_count = usize::from(self.rest.u16().ok_or(ENDS)?);
        if self.rest.u16().ok_or(ENDS)? != 0 {
            return Err("the two bytes behind the number of lines are not zero");
        }
        let mut unknown = None;
        let mut wish = || {
            let (item, quantity) = (self.rest.u16().ok_or(ENDS)?, self.rest.u16().ok_or(ENDS)?);
            let index = *self.items.get(usize::from(item)).ok_or("a line names no item of the table")?;
            if !(1..=limits::LINE_QUANTITY_MAX).contains(&quantity) {
                return Err("a quantity is not from 1 to 10000");
            }
            if index == ItemIndex::UNKNOWN {
                unknown.get_or_insert_with(|| self.codes[usize::from(item)].to_owned());
            }
            Ok(Wish { item: index, quantity })
        };
        let wishes = match line_count {
            1 => Wishes::one(wish()?),
            2..=limits::LINE_COUNT_MAX => {
                let wishes = (0..line_count).map(|_| wish()).collect::<Result<Vec<Wish>, _>>()?;
                Wishes::new(wishes).map_err(|_twice| "an item stands in two lines; add the quantities")?
            }
            _ => return Err("it does not have from 1 to 16 lines"),
        };
        Ok((OrderWanted { buyer, key, wishes }, unknown))
    }
}

/// Bytes that are read from their beginning.
struct Bytes<'a>(&'a [u8]);

struct Head {
    magic: [u8; 4],
    version: u16,
    item_count: usize,
    order_count: usize,
}

impl<'a> Bytes<'a> {
    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (array, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*array)
    }

    fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_le_bytes)
    }

    fn head(&mut self) -> Option<Head> {
        Some(Head {
            magic: self.array()?,
            version: self.u16()?,
            item_count: usize::from(self.u16()?),
            order_count: usize::try_from(u32::from_le_bytes(self.array()?)).ok()?,
        })
    }

    fn code(&mut self) -> Option<&'a str> {
        let [size_bytes] = self.array()?;
        let (code, rest) = self.0.split_at_checked(usize::from(size_bytes))?;
        self.0 = rest;
        std::str::from_utf8(code).ok().filter(|code| Slug::new(code).is_some())
    }
}

/// The head of an answer, with room for so many records behind it.
pub(super) fn answer_head(shard: ShardId, tip: Tip, order_count: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(ANSWER_HEAD_SIZE_BYTES + order_count * ANSWER_SIZE_BYTES);
    out.extend_from_slice(&ANSWER_MAGIC);
    out.extend_from_slice(&VERSION.to_le_bytes());
    out.extend_from_slice(&shard.get().to_le_bytes());
    let order_count = u32::try_from(order_count).expect("a bulk has a few thousand orders");
    out.extend_from_slice(&order_count.to_le_bytes());
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(&tip.seq.0.to_le_bytes());
    out.extend_from_slice(&tip.chain);
    out
}

/// Writes the records of some answers.
pub(super) fn push_answers(out: &mut Vec<u8>, outcomes: &[Result<Answer, Refusal>], with: &Answering<'_>) {
    for outcome in outcomes {
        let record = match outcome {
            Ok(Answer::Order(view)) => AnswerRecord::order(view, with.codec.encode(view.order)),
            Ok(other) => unreachable!("placed an order, answered {other:?}"),
            Err(refusal) => AnswerRecord::refusal(refusal),
        };
        out.extend_from_slice(&record.bytes());
    }
}

/// An answer, field by field.
#[derive(Default)]
struct AnswerRecord {
    status: u16,
    reason: u16,
    number: u32,
    order: [u8; ORDER_CODE_SIZE_BYTES],
    seq: u64,
    time: u64,
    total: u64,
}

impl AnswerRecord {
    fn order(view: &OrderView, order: [u8; ORDER_CODE_SIZE_BYTES]) -> AnswerRecord {
        let (time, total) = (view.expires_at.0, view.total().0);
        AnswerRecord { status: 201, reason: 0, number: 0, order, seq: view.seq.0, time, total }
    }

    fn refusal(refusal: &Refusal) -> AnswerRecord {
        let number = match *refusal {
            Refusal::QuantityOutOfRange { quantity_max, .. } => quantity_max,
            Refusal::BuyerLimitReached { limit, .. } => limit,
            Refusal::StockExhausted { left, .. } => left,
            _ => 0,
        };
        let time = match *refusal {
            Refusal::SaleNotOpen { opens_at: Some(opens_at) } => opens_at.0,
            _ => 0,
        };
        let status = Problem::refusal_status(refusal).as_u16();
        AnswerRecord { status, reason: reason(refusal), number, time, ..AnswerRecord::default() }
    }

    fn bytes(&self) -> [u8; ANSWER_SIZE_BYTES] {
        let mut bytes = [0; ANSWER_SIZE_BYTES];
        bytes[0..2].copy_from_slice(&self.status.to_le_bytes());
        bytes[2..4].copy_from_slice(&self.reason.to_le_bytes());
        bytes[4..8].copy_from_slice(&self.number.to_le_bytes());
        bytes[8..24].copy_from_slice(&self.order);
        bytes[24..32].copy_from_slice(&self.seq.to_le_bytes());
        bytes[32..40].copy_from_slice(&self.time.to_le_bytes());
        bytes[40..48].copy_from_slice(&self.total.to_le_bytes());
        bytes
    }
}

/// The reason's number, for ever.
pub(super) fn reason(refusal: &Refusal) -> u16 {
    match refusal {
        Refusal::IdempotencyKeyReused => 1,
        Refusal::SaleNotFound => 2,
        Refusal::SaleNotOpen { .. } => 3,
        Refusal::SalePaused => 4,
        Refusal::SaleClosed => 5,
        Refusal::ItemNotFound { .. } => 6,
        Refusal::QuantityOutOfRange { .. } => 7,
        Refusal::BuyerLimitReached { .. } => 8,
        Refusal::StockExhausted { .. } => 9,
        Refusal::CapacityExhausted { .. } => 10,
        // Not to an order as the engine is today; whoever reads this asks again in JSON lines.
        _ => u16::MAX,
    }
}
