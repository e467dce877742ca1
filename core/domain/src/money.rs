//! Money in whole minor units: no fraction, no float, no conversion.

use core::fmt;

/// An amount in minor units (cents) of a currency that is known from where it stands.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Amount(pub u64);

/// A currency: three capital letters of ISO 4217. That it exists is not checked.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency([u8; 3]);

impl Currency {
    /// `None` unless it is three capital ASCII letters.
    pub fn new(text: &str) -> Option<Currency> {
        let bytes: [u8; 3] = text.as_bytes().try_into().ok()?;
        bytes.iter().all(u8::is_ascii_uppercase).then_some(Currency(bytes))
    }

    /// The three letters.
    pub fn as_str(&self) -> &str {
        core::str::from_utf8(&self.0).expect("a currency is ASCII")
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn currency_is_three_capital_letters() {
        assert_eq!(Currency::new("EUR").unwrap().as_str(), "EUR");
        for wrong in ["", "EU", "EURO", "eur", "E R", "€"] {
            assert_eq!(Currency::new(wrong), None, "{wrong}");
        }
    }
}
