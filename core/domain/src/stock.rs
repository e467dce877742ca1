//! Where the units of an item are.

/// The levels of one item. Always `stock == free + held + paid + withdrawn` (invariant I1).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Levels {
    /// All units there ever were.
    pub stock: u32,
    /// To be had.
    pub free: u32,
    /// Claimed by orders that are not paid yet.
    pub held: u32,
    /// The buyers'; units of an order whose money is on its way back are still here.
    pub paid: u32,
    /// Taken out of the sale by the organiser.
    pub withdrawn: u32,
}

impl Levels {
    /// Whether every unit is in exactly one place.
    #[inline]
    pub fn is_conserved(&self) -> bool {
        let [free, held, paid, withdrawn] = [self.free, self.held, self.paid, self.withdrawn].map(u64::from);
        u64::from(self.stock) == free + held + paid + withdrawn
    }
}
