//! What the writer would answer to an order, as far as the catalogue can tell (`docs/adr/0008-sold-out-at-the-edge.md`).

use domain::{BuyerId, KeyDigest, Phase, Refusal, UnixMs, Wishes};

use crate::catalog::{Catalog, Front, SaleEntry};

/// Who claims units, under which key, and when.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Claim {
    /// For whom.
    pub buyer: BuyerId,
    /// The buyer's idempotency key.
    pub key: KeyDigest,
    /// The clock of whoever asks.
    pub now: UnixMs,
}

/// What the engine would say, as far as the catalogue can tell without the writer: the sale does not take
/// orders, or an item is sold out. Only for a key that is certainly new, for a known key's answer is the
/// first one again. Levels are read before the key: whoever took the last unit under this very key was
/// remembered before the level was published. `front` is the sale's of just now.
pub fn foresee_refusal(
    catalog: &Catalog,
    (sale, front): (&SaleEntry, &Front),
    claim: Claim,
    wishes: &Wishes,
) -> Option<Refusal> {
    let refusal = match front.status.phase(&front.terms, claim.now) {
        Phase::NotYetOpen { opens_at } => Some(Refusal::SaleNotOpen { opens_at }),
        Phase::Paused => Some(Refusal::SalePaused),
        Phase::Closed => Some(Refusal::SaleClosed),
        Phase::Open => sold_out(front, wishes),
    };
    sale.note_refused(refusal.is_some());
    refusal.filter(|_| catalog.is_key_new(sale.shard(), claim.buyer, claim.key))
}

/// The first wish that cannot be had, if nothing at all is left of it, and the engine would not find
/// something else first: an unknown item or too many units.
fn sold_out(front: &Front, wishes: &Wishes) -> Option<Refusal> {
    // First what takes one look at a dense list: nearly always there are enough.
    let mut levels = wishes.iter().map(|wish| (*wish, front.free(wish.item)));
    let (wish, left) = levels.find(|(wish, left)| *left < wish.quantity)?;
    let within = |max: Option<u32>, quantity: u32| max.is_none_or(|max| quantity <= max);
    let total: u32 = wishes.iter().map(|wish| u32::from(wish.quantity)).sum();
    let in_range = wishes.iter().all(|wish| {
        let terms = front.item_terms(wish.item);
        terms.is_some_and(|terms| within(terms.per_order_max, u32::from(wish.quantity)))
    });
    if !in_range || !within(front.terms.per_order_max, total) {
        return None;
    }
    (left == 0).then_some(Refusal::StockExhausted { wish, left: 0 })
}
