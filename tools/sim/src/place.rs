//! Where a thing is sold.

use domain::{ItemIndex, SaleId, ShardId};

/// A sale of the installation: its number counts within its shard.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct SaleRef {
    /// In which shard.
    pub shard: ShardId,
    /// Its number there.
    pub sale: SaleId,
}

/// An item of a sale.
pub type Place = (SaleRef, ItemIndex);
