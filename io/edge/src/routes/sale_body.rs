//! The definition of a sale, and changes to one, as they come over the wire.

use std::collections::HashSet;

use domain::{Currency, ItemPatch, ItemTerms, SalePatch, SaleTerms, Slug, limits};
use serde_json::Value;
use views::{Front, SaleEntry};

use crate::json::{Faults, Field, Object};
use crate::problem::Problem;

/// A sale to be made.
pub(crate) struct NewSale {
    pub(crate) slug: Slug,
    pub(crate) terms: SaleTerms,
    pub(crate) items: Vec<(ItemTerms, u32)>,
}

const HOLD_TTL_S_DEFAULT: u16 = 600;
const CODE: &str = "a code of 1 to 48 of a-z 0-9 - _ . that begins with a letter or a digit";
const ITEM_FIELDS: [&str; 5] = ["item", "name", "unit_price", "stock", "limits"];

/// Reads `POST /v1/sales`.
pub(crate) fn new_sale(value: &Value) -> Result<NewSale, Problem> {
    let faults = Faults::default();
    let read = read_new_sale(value, &faults);
    faults.finish(read)
}

fn read_new_sale(value: &Value, faults: &Faults) -> Option<NewSale> {
    let known = ["sale", "name", "currency", "opens_at", "closes_at", "hold_ttl_seconds", "limits", "items"];
    let body = Field::root(value, faults).object(&known)?;
    let slug = body.get("sale").word(CODE, Slug::new);
    let name = name_of(&body);
    let currency = body.get("currency").word("three capital letters of ISO 4217", Currency::new);
    let opens_at = optional(body.get("opens_at"), |field| field.time());
    let closes_at = optional(body.get("closes_at"), |field| field.time());
    let hold_ttl_s = match body.get("hold_ttl_seconds").if_present() {
        Some(field) => hold_ttl(&field),
        None => Some(HOLD_TTL_S_DEFAULT),
    };
    let limits = SaleLimits::read(&body);
    let items = body.get("items").list(1..=usize::from(limits::ITEM_COUNT_MAX)).map(read_new_items);
    let terms = SaleTerms {
        name: name?,
        currency: currency?,
        opens_at: opens_at?,
        closes_at: closes_at?,
        hold_ttl_s: hold_ttl_s?,
        per_order_max: limits.per_order.flatten(),
        per_buyer_max: limits.per_buyer.flatten(),
        per_buyer_day_max: limits.per_buyer_per_day.flatten(),
    };
    Some(NewSale { slug: slug?, terms, items: items?? })
}

fn read_new_items(entries: Vec<Field<'_>>) -> Option<Vec<(ItemTerms, u32)>> {
    let mut codes = HashSet::new();
    let items: Vec<Option<(ItemTerms, u32)>> = entries
        .into_iter()
        .map(|entry| {
            let item = entry.object(&ITEM_FIELDS)?;
            let (terms, stock) = new_item(&item)?;
            if !codes.insert(terms.code.clone()) {
                return item.get("item").fault("duplicate", "an earlier item has this code");
            }
            Some((terms, stock))
        })
        .collect();
    items.into_iter().collect()
}

fn new_item(item: &Object<'_>) -> Option<(ItemTerms, u32)> {
    let code = item.get("item").word(CODE, Slug::new);
    let name = name_of(item);
    let unit_price = number_u32(&item.get("unit_price"), 0, limits::UNIT_PRICE_MAX);
    let stock = number_u32(&item.get("stock"), 0, limits::STOCK_MAX);
    let (per_order, per_buyer) = item_limits(item);
    let terms = ItemTerms {
        code: code?,
        name: name?,
        unit_price: unit_price?,
        per_order_max: per_order.flatten(),
        per_buyer_max: per_buyer.flatten(),
    };
    Some((terms, stock?))
}

/// Reads `PATCH /v1/sales/{sale}`.
pub(crate) fn patch(value: &Value, sale: &SaleEntry) -> Result<SalePatch, Problem> {
    let faults = Faults::default();
    let read = read_patch(value, &faults, &sale.front());
    faults.finish(read)
}

fn read_patch(value: &Value, faults: &Faults, front: &Front) -> Option<SalePatch> {
    let known = ["name", "opens_at", "closes_at", "hold_ttl_seconds", "limits", "items"];
    let body = Field::root(value, faults).object(&known)?;
    let limits = SaleLimits::read(&body);
    let mut patch = SalePatch {
        name: body.get("name").if_present().and_then(|field| name(&field)),
        opens_at: body.get("opens_at").if_present().and_then(|field| field.or_null(|field| field.time())),
        closes_at: body.get("closes_at").if_present().and_then(|field| field.or_null(|field| field.time())),
        hold_ttl_s: body.get("hold_ttl_seconds").if_present().and_then(|field| hold_ttl(&field)),
        per_order_max: limits.per_order,
        per_buyer_max: limits.per_buyer,
        per_buyer_day_max: limits.per_buyer_per_day,
        items: Vec::new(),
        items_added: Vec::new(),
    };
    let entries = body.get("items").if_present();
    let entries = entries.map(|field| field.list(1..=usize::from(limits::ITEM_COUNT_MAX)));
    let mut codes = HashSet::new();
    for entry in entries.flatten().unwrap_or_default() {
        let Some(item) = entry.object(&ITEM_FIELDS) else { continue };
        let Some(code) = item.get("item").word(CODE, Slug::new) else { continue };
        match front.item(code.as_str().as_bytes()) {
            Some(index) => patch.items.push(changed_item(&item, index)),
            None => patch.items_added.extend(new_item(&item)),
        }
        if !codes.insert(code) {
            let _: Option<()> = item.get("item").fault("duplicate", "an earlier item has this code");
        }
    }
    Some(patch)
}

fn changed_item(item: &Object<'_>, index: domain::ItemIndex) -> ItemPatch {
    if let Some(stock) = item.get("stock").if_present() {
        let detail = "an item's stock is changed by POST /v1/sales/{sale}/items/{item}/stock";
        let _: Option<()> = stock.fault("immutable", detail);
    }
    let (per_order_max, per_buyer_max) = item_limits(item);
    let unit_price = item.get("unit_price").if_present();
    ItemPatch {
        item: index,
        name: item.get("name").if_present().and_then(|field| name(&field)),
        unit_price: unit_price.and_then(|field| number_u32(&field, 0, limits::UNIT_PRICE_MAX)),
        per_order_max,
        per_buyer_max,
    }
}

/// The limits of a sale: not given, given as none, or given.
#[derive(Default)]
struct SaleLimits {
    per_order: Option<Option<u32>>,
    per_buyer: Option<Option<u32>>,
    per_buyer_per_day: Option<Option<u32>>,
}

impl SaleLimits {
    fn read(body: &Object<'_>) -> SaleLimits {
        let field = body.get("limits").if_present();
        let known = ["per_order", "per_buyer", "per_buyer_per_day"];
        field.and_then(|field| field.object(&known)).map_or_else(SaleLimits::default, |limits| SaleLimits {
            per_order: limit(&limits, "per_order"),
            per_buyer: limit(&limits, "per_buyer"),
            per_buyer_per_day: limit(&limits, "per_buyer_per_day"),
        })
    }
}

type Limit = Option<Option<u32>>;

/// Per order and per buyer.
fn item_limits(item: &Object<'_>) -> (Limit, Limit) {
    let field = item.get("limits").if_present();
    match field.and_then(|field| field.object(&["per_order", "per_buyer"])) {
        Some(limits) => (limit(&limits, "per_order"), limit(&limits, "per_buyer")),
        None => (None, None),
    }
}

fn limit(limits: &Object<'_>, name: &str) -> Limit {
    limits.get(name).if_present()?.or_null(|field| number_u32(&field, 1, u32::MAX))
}

fn optional<'a, T>(field: Field<'a>, read: impl FnOnce(Field<'a>) -> Option<T>) -> Option<Option<T>> {
    match field.if_present() {
        Some(field) => field.or_null(read),
        None => Some(None),
    }
}

fn name_of(object: &Object<'_>) -> Option<Box<str>> {
    name(&object.get("name"))
}

fn name(field: &Field<'_>) -> Option<Box<str>> {
    field.text(1..=limits::NAME_SIZE_BYTES_MAX).map(Box::from)
}

fn hold_ttl(field: &Field<'_>) -> Option<u16> {
    let range = i64::from(limits::HOLD_TTL_S_MIN)..=i64::from(limits::HOLD_TTL_S_MAX);
    field.whole(range).and_then(|seconds| u16::try_from(seconds).ok())
}

fn number_u32(field: &Field<'_>, min: u32, max: u32) -> Option<u32> {
    let number = field.whole(i64::from(min)..=i64::from(max))?;
    u32::try_from(number).ok()
}
