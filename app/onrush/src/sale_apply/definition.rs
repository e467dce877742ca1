//! A sale as it stands in a file.

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

/// A sale definition: the fields of `POST /v1/sales`, in TOML. What is left out has its default.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Definition {
    /// The code in addresses.
    pub sale: String,
    /// The name that buyers read.
    pub name: String,
    /// Three capital letters.
    pub currency: String,
    /// Opens by itself: RFC 3339 with its zone, as text or as a TOML date-time.
    #[serde(default, deserialize_with = "instant")]
    pub opens_at: Option<String>,
    /// Closes by itself.
    #[serde(default, deserialize_with = "instant")]
    pub closes_at: Option<String>,
    /// How long an order claims its units before it is paid.
    #[serde(default = "hold_ttl_seconds_default")]
    pub hold_ttl_seconds: u16,
    /// Limits over all items.
    #[serde(default)]
    pub limits: SaleLimits,
    /// What is sold.
    pub items: Vec<ItemDefinition>,
}

/// An item of a sale.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ItemDefinition {
    /// The code in orders.
    pub item: String,
    /// The name that buyers read.
    pub name: String,
    /// In minor units of the sale's currency.
    pub unit_price: u32,
    /// Units on sale or sold; those that were withdrawn do not count.
    pub stock: u32,
    /// Limits of this item.
    #[serde(default)]
    pub limits: ItemLimits,
}

/// Limits over all items; nothing: no limit.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct SaleLimits {
    /// Units in one order.
    pub per_order: Option<u32>,
    /// Units of one buyer.
    pub per_buyer: Option<u32>,
    /// Units of one buyer in orders of one day (UTC).
    pub per_buyer_per_day: Option<u32>,
}

/// Limits of one item; nothing: no limit.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ItemLimits {
    /// Units in one order.
    pub per_order: Option<u32>,
    /// Units of one buyer.
    pub per_buyer: Option<u32>,
}

impl Definition {
    /// The definition in a file's text.
    ///
    /// # Errors
    /// The line and the key that cannot be, and why.
    pub fn parse(text: &str) -> anyhow::Result<Definition> {
        let definition: Definition = toml::from_str(text).context("this is no sale definition")?;
        definition.check()?;
        Ok(definition)
    }

    /// What the file alone shows to be wrong; everything else is the server's to judge.
    fn check(&self) -> anyhow::Result<()> {
        anyhow::ensure!(domain::Slug::new(&self.sale).is_some(), "sale: {:?} {SLUG_RULE}", self.sale);
        anyhow::ensure!(!self.items.is_empty(), "items: a sale has at least one item");
        for (index, item) in self.items.iter().enumerate() {
            let code = &item.item;
            anyhow::ensure!(domain::Slug::new(code).is_some(), "items[{index}].item: {code:?} {SLUG_RULE}");
            let twice = self.items[..index].iter().any(|other| other.item == *code);
            anyhow::ensure!(!twice, "items[{index}].item: {code:?} stands in the file twice");
        }
        Ok(())
    }
}

const SLUG_RULE: &str = "is not a code of 1 to 48 of a-z 0-9 - _ . that begins with a letter or a digit";

fn hold_ttl_seconds_default() -> u16 {
    600
}

/// An instant in either form, as RFC 3339 in UTC with milliseconds: as the server writes it.
fn instant<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    use serde::de::Error as _;
    let text = match toml::Value::deserialize(deserializer)? {
        toml::Value::String(text) => text,
        toml::Value::Datetime(datetime) => datetime.to_string(),
        other => return Err(D::Error::custom(format!("an instant is wanted, not {}", other.type_str()))),
    };
    match text.parse::<jiff::Timestamp>() {
        Ok(timestamp) => Ok(Some(format!("{timestamp:.3}"))),
        Err(_) => {
            let wanted = "an instant with its zone is wanted, like 2026-12-01T20:00:00+01:00";
            Err(D::Error::custom(format!("{wanted}, not {text:?}")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: &str = r#"
sale = "s"
name = "S"
currency = "EUR"
opens_at = 2026-12-01T20:00:00+01:00
closes_at = "2026-12-01T20:00:00.5Z"

[[items]]
item = "a"
name = "A"
unit_price = 1
stock = 2
"#;

    fn refused(text: &str) -> String {
        format!("{:#}", Definition::parse(text).unwrap_err())
    }

    #[test]
    fn times_are_taken_in_both_forms_and_defaults_filled_in() {
        let definition = Definition::parse(SMALL).unwrap();
        assert_eq!(definition.opens_at.as_deref(), Some("2026-12-01T19:00:00.000Z"));
        assert_eq!(definition.closes_at.as_deref(), Some("2026-12-01T20:00:00.500Z"));
        assert_eq!((definition.hold_ttl_seconds, definition.limits.per_order), (600, None));
    }

    #[test]
    fn wrong_file_is_refused_with_the_place() {
        let unknown = refused(&SMALL.replace("unit_price", "price"));
        assert!(unknown.contains("unknown field `price`") && unknown.contains("line 11"), "{unknown}");
        let negative = refused(&SMALL.replace("stock = 2", "stock = -2"));
        assert!(negative.contains("line 12") && negative.contains("-2"), "{negative}");
        let local = refused(&SMALL.replace("+01:00", ""));
        assert!(local.contains("with its zone") && local.contains("line 5"), "{local}");
        assert!(refused(&SMALL.replace("\"s\"", "\"S!\"")).contains("sale: \"S!\""));
        let twice = format!("{SMALL}\n[[items]]\nitem = \"a\"\nname = \"A\"\nunit_price = 1\nstock = 2\n");
        assert!(refused(&twice).contains("items[1].item: \"a\" stands in the file twice"));
        assert!(refused("sale = 1").contains("line 1"));
    }

    #[test]
    fn examples_are_definitions() {
        for text in [
            include_str!("../../../../examples/concert.toml"),
            include_str!("../../../../examples/sneaker-drop.toml"),
            include_str!("../../../../examples/flash-sale.toml"),
        ] {
            Definition::parse(text).unwrap();
        }
        let drop = Definition::parse(include_str!("../../../../examples/sneaker-drop.toml")).unwrap();
        assert_eq!((drop.items.len(), drop.limits.per_buyer), (12, Some(1)));
        let flash = Definition::parse(include_str!("../../../../examples/flash-sale.toml")).unwrap();
        assert_eq!((flash.items.len(), flash.items[0].stock), (1, 100));
        let concert = Definition::parse(include_str!("../../../../examples/concert.toml")).unwrap();
        assert_eq!(concert.items.iter().map(|item| item.stock).sum::<u32>(), 2_000);
    }
}
