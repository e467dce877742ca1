//! What a file changes about a sale that exists. Pure: two JSON values in, the steps and their description out.

use std::fmt;

use anyhow::bail;
use serde_json::{Map, Value, json};

use super::definition::{Definition, ItemDefinition};

/// The fields of a sale that a file may change, and those of an item.
const SALE_FIELDS: [&str; 7] = [
    "name",
    "opens_at",
    "closes_at",
    "hold_ttl_seconds",
    "limits.per_order",
    "limits.per_buyer",
    "limits.per_buyer_per_day",
];
const ITEM_FIELDS: [&str; 4] = ["name", "unit_price", "limits.per_order", "limits.per_buyer"];

/// From the sale as it is to the sale as the file has it.
#[derive(PartialEq, Debug)]
pub(crate) struct Difference {
    /// The body of `PATCH /v1/sales/{sale}`; empty when that is not needed.
    pub(crate) patch: Map<String, Value>,
    /// Stock to add or withdraw.
    pub(crate) stock: Vec<StockStep>,
    lines: Vec<Line>,
    unchanged_count: usize,
}

/// Units to add (positive) or to withdraw.
#[derive(PartialEq, Eq, Debug)]
pub(crate) struct StockStep {
    pub(crate) item: String,
    pub(crate) change: i64,
}

#[derive(PartialEq, Debug)]
enum Line {
    Changed { path: String, from: Value, to: Value },
    Added { path: String, what: String },
    Kept { path: String },
}

impl Difference {
    /// `sale` is the answer to `GET /v1/sales/{sale}`, `stock` that to `GET /v1/sales/{sale}/stock`.
    ///
    /// # Errors
    /// When the file wants what cannot be changed.
    pub(crate) fn between(sale: &Value, stock: &Value, wanted: &Definition) -> anyhow::Result<Difference> {
        let mut difference =
            Difference { patch: Map::new(), stock: Vec::new(), lines: Vec::new(), unchanged_count: 0 };
        if sale["currency"] != json!(wanted.currency) {
            let now = &sale["currency"];
            bail!("currency: a sale keeps its currency; it is {now}, the file has {:?}", wanted.currency);
        }
        let wanted_json = serde_json::to_value(wanted)?;
        difference.patch = difference.compare("", &SALE_FIELDS, [sale, &wanted_json]);
        let none = Vec::new();
        let (items, levels) =
            (sale["items"].as_array().unwrap_or(&none), stock["items"].as_array().unwrap_or(&none));
        let mut item_patches = Vec::new();
        for item in &wanted.items {
            let is_it = |other: &&Value| other["item"] == json!(item.item);
            match (items.iter().find(is_it), levels.iter().find(is_it)) {
                (Some(now), Some(levels)) => {
                    item_patches.extend(difference.change_item(item, now)?);
                    difference.change_stock(item, levels);
                }
                _ => item_patches.push(difference.add_item(item)?),
            }
        }
        let is_wanted = |item: &&Value| wanted.items.iter().any(|wanted| item["item"] == json!(wanted.item));
        for item in items.iter().filter(|item| !is_wanted(item)) {
            difference.lines.push(Line::Kept { path: path("", &item["item"]) });
        }
        if !item_patches.is_empty() {
            difference.patch.insert("items".to_owned(), Value::Array(item_patches));
        }
        Ok(difference)
    }

    /// Whether the sale is as the file has it.
    pub(crate) fn is_empty(&self) -> bool {
        self.patch.is_empty() && self.stock.is_empty()
    }

    fn change_item(&mut self, wanted: &ItemDefinition, now: &Value) -> anyhow::Result<Option<Value>> {
        let prefix = path("", &json!(wanted.item)) + ".";
        let mut patch = self.compare(&prefix, &ITEM_FIELDS, [now, &serde_json::to_value(wanted)?]);
        if patch.is_empty() {
            return Ok(None);
        }
        patch.insert("item".to_owned(), json!(wanted.item));
        Ok(Some(Value::Object(patch)))
    }

    fn change_stock(&mut self, wanted: &ItemDefinition, levels: &Value) {
        let level = |name: &str| levels[name].as_i64().unwrap_or(0);
        let now = level("stock") - level("withdrawn");
        let change = i64::from(wanted.stock) - now;
        if change == 0 {
            self.unchanged_count += 1;
            return;
        }
        let path = path("", &json!(wanted.item)) + ".stock";
        self.lines.push(Line::Changed { path, from: json!(now), to: json!(wanted.stock) });
        self.stock.push(StockStep { item: wanted.item.clone(), change });
    }

    fn add_item(&mut self, wanted: &ItemDefinition) -> anyhow::Result<Value> {
        let what = format!("{:?} at {}, {} units", wanted.name, wanted.unit_price, wanted.stock);
        self.lines.push(Line::Added { path: path("", &json!(wanted.item)), what });
        Ok(serde_json::to_value(wanted)?)
    }

    /// The fields that differ, as a patch.
    fn compare(&mut self, prefix: &str, fields: &[&str], [now, wanted]: [&Value; 2]) -> Map<String, Value> {
        let mut patch = Map::new();
        for field in fields {
            let pointer = format!("/{}", field.replace('.', "/"));
            let value = |of: &Value| of.pointer(&pointer).cloned().unwrap_or(Value::Null);
            let (from, to) = (value(now), value(wanted));
            if from == to {
                self.unchanged_count += 1;
                continue;
            }
            match field.split_once('.') {
                None => {
                    patch.insert((*field).to_owned(), to.clone());
                }
                Some((outer, inner)) => {
                    let limits = patch.entry(outer).or_insert_with(|| json!({}));
                    limits[inner] = to.clone();
                }
            }
            self.lines.push(Line::Changed { path: format!("{prefix}{field}"), from, to });
        }
        patch
    }
}

fn path(prefix: &str, item: &Value) -> String {
    format!("{prefix}items[{}]", item.as_str().unwrap_or("?"))
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in &self.lines {
            match line {
                Line::Changed { path, from, to } => {
                    writeln!(f, "  ~ {path}: {} → {}", shown(from), shown(to))?
                }
                Line::Added { path, what } => writeln!(f, "  + {path}: {what}")?,
                Line::Kept { path } => {
                    writeln!(f, "  ! {path}: is not in the file and stays (items are never removed)")?
                }
            }
        }
        writeln!(f, "  = {} more fields stay as they are", self.unchanged_count)
    }
}

fn shown(value: &Value) -> String {
    if value.is_null() { "none".to_owned() } else { value.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn concert() -> Definition {
        Definition::parse(include_str!("../../../../examples/concert.toml")).unwrap()
    }

    /// The sale and the stock as the server shows them after it took the definition.
    fn served(definition: &Definition) -> (Value, Value) {
        let sale = serde_json::to_value(definition).unwrap();
        let level = |item: &ItemDefinition| json!({ "item": item.item, "stock": item.stock, "free": item.stock, "held": 0, "paid": 0, "withdrawn": 0 });
        let items: Vec<Value> = definition.items.iter().map(level).collect();
        (sale, json!({ "items": items }))
    }

    #[test]
    fn same_definition_changes_nothing() {
        let (sale, stock) = served(&concert());
        let difference = Difference::between(&sale, &stock, &concert()).unwrap();
        assert!(difference.is_empty(), "{difference}");
        assert_eq!(difference.to_string(), "  = 22 more fields stay as they are\n");
    }

    #[test]
    fn changes_are_shown_and_patched_and_nothing_else_is() {
        let (sale, stock) = served(&concert());
        let mut wanted = concert();
        wanted.name = "New".to_owned();
        wanted.limits.per_buyer = None;
        wanted.opens_at = Some("2026-12-01T19:00:00.000Z".to_owned());
        wanted.items[0].unit_price = 6_500;
        wanted.items[0].stock = 1_500;
        wanted.items[2].limits.per_order = Some(1);
        let mut vip = wanted.items[1].clone();
        vip.item = "vip".to_owned();
        wanted.items.push(vip);
        wanted.items.remove(1);
        let difference = Difference::between(&sale, &stock, &wanted).unwrap();
        let vip = json!({ "item": "vip", "name": "Balcony, seated", "unit_price": 8500, "stock": 500,
            "limits": { "per_order": null, "per_buyer": null } });
        let expected = json!({
            "name": "New",
            "opens_at": "2026-12-01T19:00:00.000Z",
            "limits": { "per_buyer": null },
            "items": [
                { "item": "ga", "unit_price": 6500 },
                { "item": "front", "limits": { "per_order": 1 } },
                vip,
            ],
        });
        assert_eq!(Value::Object(difference.patch.clone()), expected);
        assert_eq!(difference.stock, [StockStep { item: "ga".to_owned(), change: 100 }]);
        let text = difference.to_string();
        for line in [
            "~ limits.per_buyer: 6 → none",
            "~ items[ga].unit_price: 6000 → 6500",
            "~ items[ga].stock: 1400 → 1500",
            "+ items[vip]: \"Balcony, seated\" at 8500, 500 units",
            "! items[balcony]: is not in the file and stays",
        ] {
            assert!(text.contains(line), "{line} is not in\n{text}");
        }
    }

    #[test]
    fn withdrawn_units_do_not_count_as_stock() {
        let (sale, mut stock) = served(&concert());
        stock["items"][0]["free"] = json!(1_300);
        stock["items"][0]["withdrawn"] = json!(100);
        let mut wanted = concert();
        wanted.items[0].stock = 1_300;
        assert!(Difference::between(&sale, &stock, &wanted).unwrap().is_empty());
    }

    #[test]
    fn currency_cannot_be_changed() {
        let (sale, stock) = served(&concert());
        let wanted = Definition { currency: "CHF".to_owned(), ..concert() };
        let refused = Difference::between(&sale, &stock, &wanted).unwrap_err().to_string();
        assert!(refused.contains("keeps its currency"), "{refused}");
    }
}
