//! Open, pause, resume or close a sale.

use domain::{Cause, Fact, Phase, Refusal, SaleId, SaleStatus, UnixMs};

use super::{Facts, already_so, one};
use crate::state::State;

pub(super) fn decide(state: &State, sale_id: SaleId, to: SaleStatus, now: UnixMs) -> Result<Facts, Refusal> {
    let sale = state.sale(sale_id).ok_or(Refusal::SaleNotFound)?;
    // The clock may have closed the sale before a tick says so.
    let from = match sale.phase(now) {
        Phase::Closed => SaleStatus::Closed,
        _ => sale.status,
    };
    if to == from {
        return already_so();
    }
    if !from.may_become(to) {
        return Err(Refusal::SaleState { from, to });
    }
    one(Fact::SaleMoved { sale: sale_id, to, cause: Cause::Organiser })
}
