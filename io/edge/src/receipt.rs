//! The receipt of an answer about an order: one word that commits to a shard's whole journal up to the answer.
//!
//! ```text
//! r1-0-TQHVKSRKYGZH5R0R-6-7-9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
//! │  │ │                │ │ └ the hash chain's value behind the block that ends with the tip
//! │  │ │                │ └ the tip: the journal's last durable record when the answer left
//! │  │ │                └ the record that the answer rests on, the order's `seq`
//! │  │ └ the order's code
//! │  └ the shard
//! └ the form of what follows
//! ```
//! Letters, digits and hyphens only, so that it survives mails, shells and addresses. A hyphen stands in no part,
//! and every part can be written in one way only. Why it is a header: `docs/adr/0012-a-receipt-is-a-header.md`.

use std::cell::RefCell;
use std::fmt;
use std::str::FromStr;

use bytes::Bytes;
use domain::order_code::ORDER_CODE_SIZE_BYTES;
use domain::{Seq, ShardId};
use http::{HeaderName, HeaderValue};

use crate::backend::Tip;
use crate::body::Reply;
use crate::json::push_number;

pub(crate) const HEADER: HeaderName = HeaderName::from_static("onrush-receipt");

/// Begins every receipt of this form.
const FORM: &str = "r1";
const PART_COUNT: usize = 6;
const CHAIN_SIZE_BYTES: usize = 32;
const SIZE_BYTES_USUAL: usize = 112;

/// What a receipt says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Receipt {
    /// Whose journal.
    pub shard: ShardId,
    /// The order's code: capital letters and digits.
    pub order: [u8; ORDER_CODE_SIZE_BYTES],
    /// The record that the answer rests on: it is about the order, and not behind the tip.
    pub seq: Seq,
    /// Where the journal ended when the answer left.
    pub tip: Tip,
}

/// Why a text is no receipt.
#[derive(thiserror::Error, Clone, Copy, PartialEq, Eq, Debug)]
pub enum ReceiptError {
    /// It may be one of a later version.
    #[error("it does not begin with `{FORM}-`, the form that this program knows")]
    Form,
    /// There are more or fewer parts.
    #[error("it does not have {PART_COUNT} parts with hyphens between them; was all of it copied?")]
    PartCount,
    /// A part is not what should stand there, or is written in an unusual way.
    #[error("its {0} is not written as this program writes one")]
    Part(&'static str),
}

impl Receipt {
    /// Writes the receipt: on the way of every order, so by hand.
    pub(crate) fn push(&self, out: &mut Vec<u8>) {
        with_ends(self.shard, self.tip, |beginning, end| {
            out.extend_from_slice(beginning);
            out.extend_from_slice(&self.order);
            out.push(b'-');
            push_number(out, self.seq.0);
            out.extend_from_slice(end);
        });
    }

    /// Puts the receipt into an answer.
    pub(crate) fn attach(&self, reply: &mut Reply) {
        let mut out = Vec::with_capacity(SIZE_BYTES_USUAL);
        self.push(&mut out);
        reply.headers_mut().insert(HEADER, header_value(out.into()));
    }
}

/// The receipt of every order of a bulk, with the names of what is each order's own in its places.
pub(crate) fn template(shard: ShardId, tip: Tip) -> Vec<u8> {
    with_ends(shard, tip, |beginning, end| [beginning, b"{order}-{seq}", end].concat())
}

/// What stands around an order's own parts.
#[derive(Default)]
struct Ends {
    of: Option<(ShardId, Tip)>,
    beginning: Vec<u8>,
    end: Vec<u8>,
}

thread_local! {
    /// The last that were written: all orders of a batch have the same.
    static LAST: RefCell<Ends> = RefCell::default();
}

fn with_ends<T>(shard: ShardId, tip: Tip, write: impl FnOnce(&[u8], &[u8]) -> T) -> T {
    LAST.with_borrow_mut(|Ends { of, beginning, end }| {
        if *of != Some((shard, tip)) {
            *of = Some((shard, tip));
            beginning.clear();
            beginning.extend_from_slice(FORM.as_bytes());
            beginning.push(b'-');
            push_number(beginning, shard.get().into());
            beginning.push(b'-');
            end.clear();
            end.push(b'-');
            push_number(end, tip.seq.0);
            end.push(b'-');
            end.extend_from_slice(hex(&tip.chain).as_flattened());
        }
        write(beginning, end)
    })
}

/// The bytes of a receipt or an address as a header's value, without copying them.
pub(crate) fn header_value(bytes: Bytes) -> HeaderValue {
    HeaderValue::from_maybe_shared(bytes).expect("letters, digits, slashes, hyphens and braces")
}

impl fmt::Display for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = Vec::with_capacity(SIZE_BYTES_USUAL);
        self.push(&mut out);
        f.write_str(&String::from_utf8_lossy(&out))
    }
}

impl FromStr for Receipt {
    type Err = ReceiptError;

    /// Takes only what [`Receipt`]'s `Display` writes, to the letter.
    fn from_str(text: &str) -> Result<Receipt, ReceiptError> {
        let parts: Vec<&str> = text.split('-').collect();
        if parts[0] != FORM {
            return Err(ReceiptError::Form);
        }
        let [_, shard, order, seq, tip, chain] = parts[..] else { return Err(ReceiptError::PartCount) };
        let part = ReceiptError::Part;
        let shard_number = whole(shard).and_then(|number| u16::try_from(number).ok());
        Ok(Receipt {
            shard: shard_number.and_then(ShardId::new).ok_or(part("shard"))?,
            order: code(order).ok_or(part("order code"))?,
            seq: whole(seq).map(Seq).ok_or(part("sequence number"))?,
            tip: Tip {
                seq: whole(tip).map(Seq).ok_or(part("tip"))?,
                chain: unhex(chain).ok_or(part("chain value"))?,
            },
        })
    }
}

/// A number as it is printed: no sign, no zero before it.
fn whole(text: &str) -> Option<u64> {
    text.parse().ok().filter(|number: &u64| number.to_string() == text)
}

fn code(text: &str) -> Option<[u8; ORDER_CODE_SIZE_BYTES]> {
    let plain = text.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    text.as_bytes().try_into().ok().filter(|_| plain)
}

/// Arithmetic instead of a table, so that it becomes a few vector instructions.
fn hex(bytes: &[u8; CHAIN_SIZE_BYTES]) -> [[u8; 2]; CHAIN_SIZE_BYTES] {
    let digit = |nibble: u8| nibble + if nibble < 10 { b'0' } else { b'a' - 10 };
    bytes.map(|byte| [digit(byte >> 4), digit(byte & 15)])
}

fn unhex(text: &str) -> Option<[u8; CHAIN_SIZE_BYTES]> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let mut bytes = [0; CHAIN_SIZE_BYTES];
    if pairs.len() != bytes.len() || !rest.is_empty() {
        return None;
    }
    for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
        *byte = digit(*high)? << 4 | digit(*low)?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn receipt() -> Receipt {
        let mut chain = [0; CHAIN_SIZE_BYTES];
        chain.iter_mut().zip(0..).for_each(|(byte, index)| *byte = index * 8 + 7);
        Receipt {
            shard: ShardId::new(12).unwrap(),
            order: *b"TQHVKSRKYGZH5R0R",
            seq: Seq(6),
            tip: Tip { seq: Seq(u64::MAX), chain },
        }
    }

    #[test]
    fn receipt_reads_back_and_is_safe_to_copy() {
        let text = receipt().to_string();
        assert_eq!(
            text,
            "r1-12-TQHVKSRKYGZH5R0R-6-18446744073709551615-\
             070f171f272f373f474f575f676f777f878f979fa7afb7bfc7cfd7dfe7eff7ff"
        );
        assert_eq!(text.parse(), Ok(receipt()));
        assert!(text.bytes().all(|byte| byte == b'-' || byte.is_ascii_alphanumeric()));
    }

    #[test]
    fn receipts_of_other_tips_and_shards_are_told_apart() {
        let none = Receipt { tip: Tip::default(), ..receipt() };
        let other = Receipt { shard: ShardId::FIRST, ..none };
        for receipt in [none, other, none, receipt(), receipt(), none] {
            assert_eq!(receipt.to_string().parse(), Ok(receipt));
        }
    }

    #[test]
    fn template_with_an_orders_own_is_its_receipt() {
        let Receipt { shard, tip, .. } = receipt();
        let template = String::from_utf8(template(shard, tip)).unwrap();
        let filled = template.replace("{order}", "TQHVKSRKYGZH5R0R").replace("{seq}", "6");
        assert_eq!(filled, receipt().to_string());
    }

    #[test]
    fn every_changed_character_is_another_receipt_or_none() {
        let text = receipt().to_string();
        for place in 0..text.len() {
            for other in (b' '..=b'~').filter(|other| *other != text.as_bytes()[place]) {
                let mut changed = text.clone().into_bytes();
                changed[place] = other;
                let changed = String::from_utf8(changed).unwrap();
                if let Ok(read) = changed.parse::<Receipt>() {
                    assert_ne!(read, receipt(), "{changed}");
                    assert_eq!(read.to_string(), changed, "written in one way only");
                }
            }
        }
    }

    #[test]
    fn text_that_is_not_whole_or_not_usual_is_refused_with_the_reason() {
        let text = receipt().to_string();
        let refused = |text: &str| text.parse::<Receipt>().unwrap_err();
        for end in 0..text.len() {
            refused(&text[..end]);
        }
        assert_eq!(refused(""), ReceiptError::Form);
        assert_eq!(refused(&text.replace("r1", "r2")), ReceiptError::Form);
        assert_eq!(refused(&format!(" {text}")), ReceiptError::Form);
        assert_eq!(refused(&format!("{text}-")), ReceiptError::PartCount);
        assert_eq!(refused(&text.replace("-6-", "-06-")), ReceiptError::Part("sequence number"));
        assert_eq!(refused(&text.replace("-6-", "-+6-")), ReceiptError::Part("sequence number"));
        assert_eq!(refused(&text.replace("-12-", "-1024-")), ReceiptError::Part("shard"));
        assert_eq!(refused(&text.replace("709551615", "709551616")), ReceiptError::Part("tip"));
        assert_eq!(refused(&text.replace("TQHV", "tqhv")), ReceiptError::Part("order code"));
        assert_eq!(refused(&text.replace("070f", "070F")), ReceiptError::Part("chain value"));
        assert_eq!(refused(&format!("{text}\n")), ReceiptError::Part("chain value"));
    }
}
