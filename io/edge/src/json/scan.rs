//! The usual order, alone or in the line of a bulk, by hand: members in their usual order, texts of plain ASCII, no white
//! space but a space behind a comma or a colon. Whatever is unusual is not taken, and left to those who can say what is
//! wrong.

use domain::{BuyerId, ItemIndex, KeyDigest, OrderWanted, Wish, Wishes, limits};

use crate::ascii;

/// Reads the body of an order. `item` finds the items; a body with a code that it does not know is not taken.
pub(crate) fn order_body<'a>(
    bytes: &'a [u8],
    mut item: impl FnMut(&'a [u8]) -> Option<ItemIndex>,
) -> Option<Wishes> {
    let mut scan = Scan { rest: bytes };
    scan.expect(b"{")?;
    let wishes = scan.lines(&mut item)?;
    scan.expect(b"}")?;
    scan.rest.is_empty().then_some(wishes)
}

/// Reads the line of a bulk that `bytes` begin with. Returns the order, and how many bytes its line has with its end.
/// `item` finds the items; a line with a code that it does not know is not taken.
pub(crate) fn bulk_line<'a>(
    bytes: &'a [u8],
    mut item: impl FnMut(&'a [u8]) -> Option<ItemIndex>,
) -> Option<(OrderWanted, usize)> {
    let mut scan = Scan { rest: bytes };
    scan.name(b"{\"buyer\":")?;
    let buyer = scan.text(limits::LABEL_SIZE_BYTES_MAX)?;
    scan.comma()?;
    scan.name(b"\"key\":")?;
    let key = scan.text(limits::KEY_SIZE_BYTES_MAX)?;
    scan.comma()?;
    let wishes = scan.lines(&mut item)?;
    scan.expect(b"}")?;
    scan.end_of_line()?;
    let order = OrderWanted { buyer: BuyerId::from_ascii(buyer)?, key: KeyDigest::from_bytes(key), wishes };
    Some((order, bytes.len() - scan.rest.len()))
}

struct Scan<'a> {
    rest: &'a [u8],
}

impl<'a> Scan<'a> {
    fn expect(&mut self, token: &[u8]) -> Option<()> {
        self.rest = self.rest.strip_prefix(token)?;
        Some(())
    }

    fn gap(&mut self) {
        if let [b' ', rest @ ..] = self.rest {
            self.rest = rest;
        }
    }

    fn name(&mut self, name: &[u8]) -> Option<()> {
        self.expect(name)?;
        self.gap();
        Some(())
    }

    fn comma(&mut self) -> Option<()> {
        self.name(b",")
    }

    /// A text of at least one byte that stands as it is.
    fn text(&mut self, size_bytes_max: usize) -> Option<&'a [u8]> {
        self.expect(b"\"")?;
        let (text, rest) = self.rest.split_at(ascii::find_end_of_text(self.rest)?);
        self.rest = rest;
        self.expect(b"\"")?;
        (1..=size_bytes_max).contains(&text.len()).then_some(text)
    }

    fn quantity(&mut self) -> Option<u16> {
        let mut quantity = 0_u16;
        let mut digit_count = 0;
        while let [digit @ b'0'..=b'9', rest @ ..] = self.rest {
            quantity = quantity.checked_mul(10)?.checked_add(u16::from(digit - b'0'))?;
            // JSON has no number that begins with a zero but zero, which is no quantity.
            if quantity == 0 {
                return None;
            }
            self.rest = rest;
            digit_count += 1;
        }
        let is_right = digit_count > 0 && quantity <= limits::LINE_QUANTITY_MAX;
        is_right.then_some(quantity)
    }

    fn lines(&mut self, item: &mut impl FnMut(&'a [u8]) -> Option<ItemIndex>) -> Option<Wishes> {
        self.name(b"\"lines\":")?;
        self.expect(b"[")?;
        let first = self.wish(item)?;
        let wishes = match self.rest.first()? {
            b']' => Wishes::one(first),
            _ => self.more_wishes(first, item)?,
        };
        self.expect(b"]")?;
        Some(wishes)
    }

    fn wish(&mut self, item: &mut impl FnMut(&'a [u8]) -> Option<ItemIndex>) -> Option<Wish> {
        self.name(b"{\"item\":")?;
        let code = self.text(limits::SLUG_SIZE_BYTES_MAX)?;
        self.comma()?;
        self.name(b"\"quantity\":")?;
        let quantity = self.quantity()?;
        self.expect(b"}")?;
        Some(Wish { item: item(code)?, quantity })
    }

    fn more_wishes(
        &mut self,
        first: Wish,
        item: &mut impl FnMut(&'a [u8]) -> Option<ItemIndex>,
    ) -> Option<Wishes> {
        let mut wishes = vec![first];
        while self.rest.first()? != &b']' {
            if wishes.len() == limits::LINE_COUNT_MAX {
                return None;
            }
            self.comma()?;
            wishes.push(self.wish(item)?);
        }
        Wishes::new(wishes).ok()
    }

    fn end_of_line(&mut self) -> Option<()> {
        match self.rest {
            [] => {}
            [b'\n', rest @ ..] | [b'\r', b'\n', rest @ ..] => self.rest = rest,
            _ => return None,
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(code: &[u8]) -> Option<ItemIndex> {
        ["a", "bb"]
            .iter()
            .position(|known| known.as_bytes() == code)
            .map(|at| ItemIndex(u16::try_from(at).unwrap()))
    }

    /// What serde makes of a body: item and quantity of each line, if there is nothing else in it.
    fn read(bytes: &[u8]) -> Option<Vec<(String, u64)>> {
        let body: serde_json::Value = serde_json::from_slice(bytes).ok()?;
        let lines = body.as_object().filter(|body| body.len() == 1)?.get("lines")?.as_array()?;
        let line = |line: &serde_json::Value| {
            let line = line.as_object().filter(|line| line.len() == 2)?;
            Some((line.get("item")?.as_str()?.to_owned(), line.get("quantity")?.as_u64()?))
        };
        lines.iter().map(line).collect()
    }

    #[test]
    fn usual_bodies_are_taken_with_and_without_spaces() {
        let one = order_body(br#"{"lines":[{"item":"bb","quantity":12}]}"#, item).unwrap();
        assert_eq!(one.as_slice(), [Wish { item: ItemIndex(1), quantity: 12 }]);
        let two = br#"{"lines": [{"item": "a", "quantity": 1}, {"item": "bb", "quantity": 2}]}"#;
        assert_eq!(order_body(two, item).unwrap().as_slice().len(), 2);
    }

    #[test]
    fn whatever_one_byte_is_changed_serde_reads_the_same_of_what_is_taken() {
        let good = br#"{"lines":[{"item":"a","quantity":10},{"item":"bb","quantity":2}]}"#;
        let mut taken_count = 0;
        for at in 0..good.len() {
            for byte in 0..=u8::MAX {
                let mut body = good.to_vec();
                body[at] = byte;
                let Some(wishes) = order_body(&body, item) else { continue };
                taken_count += 1;
                let expected = read(&body).unwrap_or_else(|| panic!("{}", String::from_utf8_lossy(&body)));
                let mut expected: Vec<_> = expected
                    .iter()
                    .map(|(code, quantity)| (item(code.as_bytes()).unwrap(), *quantity))
                    .collect();
                expected.sort_unstable();
                let wishes = wishes.iter().map(|wish| (wish.item, u64::from(wish.quantity)));
                assert_eq!(wishes.collect::<Vec<_>>(), expected);
            }
            assert!(order_body(&good[..at], item).is_none(), "{at} bytes");
        }
        assert!(taken_count > good.len(), "every byte may be what it is");
    }

    #[test]
    fn what_is_unusual_is_left_to_others() {
        for body in [
            r#" {"lines":[{"item":"a","quantity":1}]}"#,
            r#"{"lines":[{"item":"a","quantity":1}]} "#,
            r#"{"lines":[{"quantity":1,"item":"a"}]}"#,
            r#"{"lines":[{"item":"\u0061","quantity":1}]}"#,
            r#"{"lines":[{"item":"a","quantity":01}]}"#,
            r#"{"lines":[{"item":"a","quantity":0}]}"#,
            r#"{"lines":[{"item":"a","quantity":1},{"item":"a","quantity":1}]}"#,
            r#"{"lines":[{"item":"unknown","quantity":1}]}"#,
            r#"{"lines":[]}"#,
        ] {
            assert!(order_body(body.as_bytes(), item).is_none(), "{body}");
        }
    }
}
