//! Interesting states, and how often a run came there. A simulation that never gets into trouble proves
//! nothing: a run of many seeds fails when one of these was never reached.

use std::collections::BTreeMap;

/// An interesting state.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Mark {
    /// The power went off between two steps.
    PowerCutAtRest,
    /// The power went off while a batch was being stored.
    PowerCutInStep,
    /// The power went off while the system recovered.
    PowerCutInRecovery,
    /// The power went off while a snapshot or a segment was being made.
    PowerCutInUpkeep,
    /// The process died and the disk's cache lived on.
    ProcessRestarted,
    /// A write, sync, rename or creation failed, and the writer stopped.
    StoppedByDisk,
    /// Recovery failed because the disk did, and was tried again.
    RecoveryFailed,
    /// Sectors were lost to the power.
    SectorsLost,
    /// Creations, renames or removals were lost to the power.
    NamesLost,
    /// Recovery cut a torn tail.
    TornTailCut,
    /// Recovery found a journal that ended cleanly, and not empty.
    CleanRecovery,
    /// A snapshot was taken.
    SnapshotTaken,
    /// A snapshot could not be taken.
    SnapshotFailed,
    /// Recovery started from a snapshot.
    RecoveredFromSnapshot,
    /// Old segments were dropped.
    JournalTruncated,
    /// The clock jumped ahead.
    ClockJumpedAhead,
    /// The clock jumped back.
    ClockJumpedBack,
    /// An answer was lost on its way.
    AnswerLost,
    /// A buyer who got no answer asked again and found the order there.
    FoundOrderOnRetry,
    /// A buyer who got no answer asked again and had to be given a new order.
    PlacedOrderOnRetry,
    /// A click came twice in one batch.
    ClickedTwice,
    /// An old request came again, long after its answer.
    CameLateAgain,
    /// An order got its first answer again.
    FirstAnswerAgain,
    /// A key was used for another request.
    KeyReused,
    /// Somebody asked for somebody else's order.
    SpiedInVain,
    /// The wrong amount was paid.
    PaidWrongAmount,
    /// An item was sold out.
    StockExhausted,
    /// A buyer had reached a limit.
    LimitReached,
    /// An order came while the sale was paused.
    SalePaused,
    /// An order came while no sale was open yet.
    SaleNotOpen,
    /// A hold expired.
    Expired,
    /// A hold was extended.
    Extended,
    /// An order was cancelled.
    Cancelled,
    /// An order was paid in time.
    Paid,
    /// An order was paid late and got its units again.
    PaidLate,
    /// An order was paid late and its units were gone.
    PaidLateStockTaken,
    /// An order was paid late and the buyer had reached a limit.
    PaidLateLimitReached,
    /// A cancelled order was paid.
    PaidAfterCancel,
    /// An order was paid twice.
    PaidTwice,
    /// A payment failed.
    PaymentFailed,
    /// An order's money went back.
    Refunded,
    /// An order's money could not go back.
    RefundFailed,
    /// Money that came on top went back.
    SurplusReturned,
    /// Stock was added.
    StockAdded,
    /// Stock was withdrawn.
    StockWithdrawn,
    /// A change of stock got its first answer again.
    FirstReceiptAgain,
    /// The journal still had its first record at rest, and the naive twin read it all and agreed.
    TwinAgreed,
}

impl Mark {
    /// Every mark.
    pub const ALL: [Mark; 47] = [
        Mark::PowerCutAtRest,
        Mark::PowerCutInStep,
        Mark::PowerCutInRecovery,
        Mark::PowerCutInUpkeep,
        Mark::ProcessRestarted,
        Mark::StoppedByDisk,
        Mark::RecoveryFailed,
        Mark::SectorsLost,
        Mark::NamesLost,
        Mark::TornTailCut,
        Mark::CleanRecovery,
        Mark::SnapshotTaken,
        Mark::SnapshotFailed,
        Mark::RecoveredFromSnapshot,
        Mark::JournalTruncated,
        Mark::ClockJumpedAhead,
        Mark::ClockJumpedBack,
        Mark::AnswerLost,
        Mark::FoundOrderOnRetry,
        Mark::PlacedOrderOnRetry,
        Mark::ClickedTwice,
        Mark::CameLateAgain,
        Mark::FirstAnswerAgain,
        Mark::KeyReused,
        Mark::SpiedInVain,
        Mark::PaidWrongAmount,
        Mark::StockExhausted,
        Mark::LimitReached,
        Mark::SalePaused,
        Mark::SaleNotOpen,
        Mark::Expired,
        Mark::Extended,
        Mark::Cancelled,
        Mark::Paid,
        Mark::PaidLate,
        Mark::PaidLateStockTaken,
        Mark::PaidLateLimitReached,
        Mark::PaidAfterCancel,
        Mark::PaidTwice,
        Mark::PaymentFailed,
        Mark::Refunded,
        Mark::RefundFailed,
        Mark::SurplusReturned,
        Mark::StockAdded,
        Mark::StockWithdrawn,
        Mark::FirstReceiptAgain,
        Mark::TwinAgreed,
    ];
}

/// How often each state was reached.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Reached(BTreeMap<Mark, u64>);

impl Reached {
    /// It was reached once more.
    pub fn mark(&mut self, mark: Mark) {
        *self.0.entry(mark).or_default() += 1;
    }

    /// How often it was reached.
    pub fn count(&self, mark: Mark) -> u64 {
        self.0.get(&mark).copied().unwrap_or_default()
    }

    /// Adds what another run reached.
    pub fn add(&mut self, other: &Reached) {
        for (mark, count) in &other.0 {
            *self.0.entry(*mark).or_default() += count;
        }
    }

    /// What was never reached.
    pub fn missing(&self) -> Vec<Mark> {
        Mark::ALL.into_iter().filter(|mark| self.count(*mark) == 0).collect()
    }
}
