//! The usual line of a bulk, by hand: members in their usual order, texts of plain ASCII, no white space but a space
//! behind a comma or a colon. Whatever is unusual is not taken, and left to those who can say what is wrong.

use domain::{BuyerId, ItemIndex, KeyDigest, OrderWanted, Wish, Wishes, limits};

/// Reads the line that `bytes` begin with. Returns the order, and how many bytes its line has with its end.
/// `item` finds the items; a line with a code that it does not know is not taken.
pub(super) fn order<'a>(
    bytes: &'a [u8],
    mut item: impl FnMut(&'a str) -> Option<ItemIndex>,
) -> Option<(OrderWanted, usize)> {
    let mut scan = Scan { rest: bytes };
    scan.name(b"{\"buyer\":")?;
    let buyer = scan.text(limits::LABEL_SIZE_BYTES_MAX)?;
    scan.comma()?;
    scan.name(b"\"key\":")?;
    let key = scan.text(limits::KEY_SIZE_BYTES_MAX)?;
    scan.comma()?;
    scan.name(b"\"lines\":")?;
    scan.expect(b"[")?;
    let first = scan.wish(&mut item)?;
    let wishes = match scan.rest.first()? {
        b']' => Wishes::one(first),
        _ => scan.more_wishes(first, &mut item)?,
    };
    scan.expect(b"]}")?;
    scan.end_of_line()?;
    let order = OrderWanted { buyer: BuyerId::from_text(buyer), key: KeyDigest::from_text(key), wishes };
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
    fn text(&mut self, size_bytes_max: usize) -> Option<&'a str> {
        self.expect(b"\"")?;
        let is_plain = |byte: &u8| (b' '..=b'~').contains(byte) && !matches!(*byte, b'"' | b'\\');
        let end = self.rest.iter().position(|byte| !is_plain(byte))?;
        let (text, rest) = self.rest.split_at(end);
        self.rest = rest;
        self.expect(b"\"")?;
        if (1..=size_bytes_max).contains(&end) { std::str::from_utf8(text).ok() } else { None }
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

    fn wish(&mut self, item: &mut impl FnMut(&'a str) -> Option<ItemIndex>) -> Option<Wish> {
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
        item: &mut impl FnMut(&'a str) -> Option<ItemIndex>,
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
