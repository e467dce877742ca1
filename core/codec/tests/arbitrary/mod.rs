//! Any fact and any snapshot entry within the bounds of the system.

use domain::limits::{ITEM_COUNT_MAX, LINE_COUNT_MAX, SALE_COUNT_MAX, SHARD_COUNT_MAX};
use domain::{
    Amount, BuyerId, Cause, Currency, Fact, ItemIndex, ItemTerms, KeyDigest, Levels, Line, Lines, OrderId,
    OrderState, PaymentId, RefundCause, SaleId, SaleStatus, SaleTerms, Seq, ShardId, Slug, StockReceipt,
    Surplus, Term, UnixMs,
};
use engine::snapshot::{Entry, Extension, Head, ItemEntry, OrderEntry, SaleEntry, Turnover};
use proptest::prelude::*;
use proptest::sample::select;

fn order() -> impl Strategy<Value = OrderId> {
    (0..u64::MAX >> 1).prop_map(|raw| OrderId::from_raw(raw).unwrap())
}

fn sale() -> impl Strategy<Value = SaleId> {
    (0..SALE_COUNT_MAX).prop_map(SaleId)
}

fn item() -> impl Strategy<Value = ItemIndex> {
    (0..ITEM_COUNT_MAX).prop_map(ItemIndex)
}

fn buyer() -> impl Strategy<Value = BuyerId> {
    ".{0,9}".prop_map(|text| BuyerId::from_text(&text))
}

fn payment() -> impl Strategy<Value = PaymentId> {
    ".{0,9}".prop_map(|text| PaymentId::from_text(&text))
}

fn key() -> impl Strategy<Value = KeyDigest> {
    any::<u64>().prop_map(KeyDigest)
}

fn time() -> impl Strategy<Value = UnixMs> {
    any::<u64>().prop_map(UnixMs)
}

fn seq() -> impl Strategy<Value = Seq> {
    any::<u64>().prop_map(Seq)
}

fn amount() -> impl Strategy<Value = Amount> {
    any::<u64>().prop_map(Amount)
}

fn slug() -> impl Strategy<Value = Slug> {
    "[a-z0-9][a-z0-9._-]{0,47}".prop_map(|text| Slug::new(&text).unwrap())
}

fn name() -> impl Strategy<Value = Box<str>> {
    ".{1,50}".prop_map(Box::from)
}

fn limit() -> impl Strategy<Value = Option<u32>> {
    prop::option::of(any::<u32>())
}

fn lines(count_max: usize) -> impl Strategy<Value = Lines> {
    let entry = (item(), 1..=u16::MAX, any::<u32>());
    prop::collection::vec(entry, 1..=count_max).prop_map(|mut entries| {
        entries.sort_by_key(|entry| entry.0);
        entries.dedup_by_key(|entry| entry.0);
        let line = |(item, quantity, unit_price)| Line { item, quantity, unit_price };
        Lines::new(entries.into_iter().map(line).collect()).unwrap()
    })
}

prop_compose! {
    fn sale_terms()(
        name in name(),
        currency in "[A-Z]{3}",
        (opens_at, closes_at) in (prop::option::of(time()), prop::option::of(time())),
        hold_ttl_s in 1..=u16::MAX,
        (per_order_max, per_buyer_max, per_buyer_day_max) in (limit(), limit(), limit()),
    ) -> SaleTerms {
        let currency = Currency::new(&currency).unwrap();
        SaleTerms {
            name, currency, opens_at, closes_at, hold_ttl_s, per_order_max, per_buyer_max, per_buyer_day_max,
        }
    }
}

prop_compose! {
    fn item_terms()(
        code in slug(),
        name in name(),
        unit_price: u32,
        per_order_max in limit(),
        per_buyer_max in limit(),
    ) -> ItemTerms {
        ItemTerms { code, name, unit_price, per_order_max, per_buyer_max }
    }
}

fn held(line_count_max: usize) -> impl Strategy<Value = Fact> {
    (order(), sale(), buyer(), key(), 1..=u16::MAX, lines(line_count_max)).prop_map(
        |(order, sale, buyer, key, hold_ttl_s, lines)| Fact::OrderHeld {
            order,
            sale,
            buyer,
            key,
            hold_ttl_s,
            lines,
        },
    )
}

fn sale_fact() -> impl Strategy<Value = Fact> {
    let boxed_sale = || sale_terms().prop_map(Box::new);
    let boxed_item = || item_terms().prop_map(Box::new);
    prop_oneof![
        any::<u32>().prop_map(|term| Fact::TermStarted { term: Term(term) }),
        (sale(), slug(), boxed_sale()).prop_map(|(sale, slug, terms)| Fact::SaleCreated {
            sale,
            slug,
            terms
        }),
        (sale(), boxed_sale()).prop_map(|(sale, terms)| Fact::SaleEdited { sale, terms }),
        (sale(), item(), boxed_item(), any::<u32>()).prop_map(|(sale, item, terms, stock)| Fact::ItemAdded {
            sale,
            item,
            terms,
            stock
        }),
        (sale(), item(), boxed_item()).prop_map(|(sale, item, terms)| Fact::ItemEdited { sale, item, terms }),
        (sale(), select(&SaleStatus::ALL[..]), select(&[Cause::Clock, Cause::Organiser][..]))
            .prop_map(|(sale, to, cause)| Fact::SaleMoved { sale, to, cause }),
        (sale(), item(), any::<i32>(), prop::option::of(key()))
            .prop_map(|(sale, item, change, key)| Fact::StockChanged { sale, item, change, key }),
    ]
}

fn payment_fact() -> impl Strategy<Value = Fact> {
    prop_oneof![
        (order(), payment(), amount()).prop_map(|(order, payment, amount)| Fact::OrderPaid {
            order,
            payment,
            amount
        }),
        (order(), payment()).prop_map(|(order, payment)| Fact::PaymentFailed { order, payment }),
        (order(), payment(), amount(), select(&RefundCause::ALL[..])).prop_map(
            |(order, payment, amount, cause)| Fact::PaymentUnmatched { order, payment, amount, cause }
        ),
        (order(), payment(), amount()).prop_map(|(order, payment, amount)| Fact::PaymentSurplus {
            order,
            payment,
            amount
        }),
        (order(), payment()).prop_map(|(order, payment)| Fact::SurplusReturned { order, payment }),
        (order(), any::<bool>()).prop_map(|(order, restock)| Fact::RefundStarted { order, restock }),
        order().prop_map(|order| Fact::OrderRefunded { order }),
        order().prop_map(|order| Fact::RefundFailed { order }),
    ]
}

/// Any fact.
pub(crate) fn fact() -> impl Strategy<Value = Fact> {
    prop_oneof![
        sale_fact(),
        held(1),
        held(LINE_COUNT_MAX),
        (order(), key(), time()).prop_map(|(order, key, expires_at)| Fact::HoldExtended {
            order,
            key,
            expires_at
        }),
        (order(), any::<bool>())
            .prop_map(|(order, by_organiser)| Fact::OrderCancelled { order, by_organiser }),
        order().prop_map(|order| Fact::OrderExpired { order }),
        payment_fact(),
    ]
}

fn levels() -> impl Strategy<Value = Levels> {
    any::<[u32; 5]>().prop_map(|[stock, free, held, paid, withdrawn]| Levels {
        stock,
        free,
        held,
        paid,
        withdrawn,
    })
}

fn turnover() -> impl Strategy<Value = Turnover> {
    any::<[u64; 4]>().prop_map(|[taken, cancelled, expired, refunded]| Turnover {
        taken,
        cancelled,
        expired,
        refunded,
    })
}

fn extension() -> impl Strategy<Value = Extension> {
    (key(), seq(), time()).prop_map(|(key, seq, expires_at)| Extension { key, seq, expires_at })
}

prop_compose! {
    fn order_entry()(
        (order, sale, buyer, key) in (order(), sale(), buyer(), key()),
        hold_ttl_s in 1..=u16::MAX,
        lines in lines(LINE_COUNT_MAX),
        state in select(&OrderState::ALL[..]),
        (held_seq, changed_seq) in (seq(), seq()),
        extension in prop::option::of(extension()),
        payments_failed: u8,
        payment in prop::option::of(payment()),
        refund_cause in prop::option::of(select(&RefundCause::ALL[..])),
        (has_units, restock) in any::<(bool, bool)>(),
    ) -> OrderEntry {
        OrderEntry {
            order, sale, buyer, key, hold_ttl_s, lines, state, held_seq, changed_seq, extension, payments_failed,
            payment, refund_cause, has_units, restock,
        }
    }
}

prop_compose! {
    fn head()(
        shard in 0..SHARD_COUNT_MAX,
        seq in seq(),
        last_order in prop::option::of(order()),
        sale_count: u16,
        order_count: u64,
    ) -> Head {
        Head { shard: ShardId::new(shard).unwrap(), seq, last_order, sale_count, order_count }
    }
}

prop_compose! {
    fn sale_entry()(
        (sale, slug, terms) in (sale(), slug(), sale_terms()),
        status in select(&SaleStatus::ALL[..]),
        (money_taken, money_returned) in (amount(), amount()),
    ) -> SaleEntry {
        SaleEntry { sale, slug, terms, status, money_taken, money_returned }
    }
}

/// Any snapshot entry.
pub(crate) fn entry() -> impl Strategy<Value = Entry> {
    prop_oneof![
        head().prop_map(Entry::Head),
        sale_entry().prop_map(Entry::Sale),
        (sale(), item(), item_terms(), levels(), turnover()).prop_map(
            |(sale, item, terms, levels, turnover)| {
                Entry::Item(ItemEntry { sale, item, terms, levels, turnover })
            }
        ),
        (key(), sale(), item(), any::<i32>(), levels(), seq()).prop_map(
            |(key, sale, item, change, levels, seq)| {
                Entry::StockKey { key, receipt: StockReceipt { sale, item, change, levels, seq } }
            }
        ),
        order_entry().prop_map(Entry::Order),
        (order(), payment(), amount(), any::<bool>()).prop_map(|(order, payment, amount, returned)| {
            Entry::Surplus { order, surplus: Surplus { payment, amount, returned } }
        }),
    ]
}
