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
    /// The power went off after something was written and before it was durable.
    CrashBetweenAppendAndDurable,
    /// The process died and the disk's cache lived on.
    ProcessRestarted,
    /// A write, sync, rename or creation failed, and the writer stopped.
    StoppedByDisk,
    /// A file could not be made for want of space.
    DiskWasFull,
    /// A process that had stopped on a full disk came up again.
    RestartedAfterFull,
    /// A batch took long to be stored.
    SlowCommit,
    /// A hold was over when its first answer left: storing it took that long.
    HoldEndedWhileStored,
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
    /// A bit of the journal flipped, and recovery named the damage.
    BitFlippedInJournal,
    /// A bit of a snapshot flipped, and recovery fell back and named it.
    BitFlippedInSnapshot,
    /// A bit flipped where nothing depends on it, and recovery came to the same state.
    BitFlippedInVain,
    /// The clock jumped ahead.
    ClockJumpedAhead,
    /// The clock jumped back.
    ClockJumpedBack,
    /// A day began.
    DayTurned,
    /// A message was lost.
    MessageLost,
    /// A message arrived twice.
    MessageRepeated,
    /// A message arrived late.
    MessageLate,
    /// A message arrived after one that was sent later.
    MessageOvertaken,
    /// Somebody got no answer in time and asked again.
    AskedAgain,
    /// The gate refused a request: too many were waiting.
    RequestShed,
    /// The gate refused a request: the disk was so slow that the answer would have come too late.
    RequestShedByLatency,
    /// The edge said by itself that an item was sold out.
    SoldOutAtEdge,
    /// The edge said by itself that a sale takes no orders.
    RefusedAtEdge,
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
    /// One key stood for two orders in two shards.
    KeyInTwoShards,
    /// Somebody asked for somebody else's order.
    SpiedInVain,
    /// The wrong amount was paid.
    PaidWrongAmount,
    /// An item was sold out.
    StockExhausted,
    /// More units were wanted than an order may have.
    QuantityOutOfRange,
    /// A buyer had reached the limit of a day.
    DayLimitReached,
    /// A buyer had reached a limit of a sale or an item.
    LimitReached,
    /// An order came while the sale was paused.
    SalePaused,
    /// An order came while no sale was open yet.
    SaleNotOpen,
    /// An order came after a sale was closed.
    SaleClosed,
    /// The clock opened a sale.
    SaleOpenedByClock,
    /// The clock closed a sale.
    SaleClosedByClock,
    /// A hold expired.
    Expired,
    /// A hold was extended.
    Extended,
    /// A hold was to be extended a second time.
    ExtendedTwiceInVain,
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
    /// A payment came before the buyer knew of the order.
    PaidBeforeBuyerKnew,
    /// A payment came after one that failed.
    PaidAfterFailure,
    /// A payment was told twice.
    PaymentToldTwice,
    /// A payment was told to have failed after it had come.
    PaymentFailedAfterSuccess,
    /// The second payment came before the first.
    SecondPaymentFirst,
    /// An order's money went back.
    Refunded,
    /// An order's money could not go back.
    RefundFailed,
    /// Money that came on top went back.
    SurplusReturned,
    /// Money that came on top could not go back.
    ReturnFailed,
    /// Stock was added.
    StockAdded,
    /// Stock was withdrawn.
    StockWithdrawn,
    /// A change of stock got its first answer again.
    FirstReceiptAgain,
    /// The journal still had its first record at rest, and the naive twin read it all and agreed.
    TwinAgreed,
    /// At rest no unit was held, and no money was on its way back.
    AllFreed,
}

impl Mark {
    /// Every mark.
    pub const ALL: [Mark; 78] = [
        Mark::PowerCutAtRest,
        Mark::PowerCutInStep,
        Mark::PowerCutInRecovery,
        Mark::PowerCutInUpkeep,
        Mark::CrashBetweenAppendAndDurable,
        Mark::ProcessRestarted,
        Mark::StoppedByDisk,
        Mark::DiskWasFull,
        Mark::RestartedAfterFull,
        Mark::SlowCommit,
        Mark::HoldEndedWhileStored,
        Mark::RecoveryFailed,
        Mark::SectorsLost,
        Mark::NamesLost,
        Mark::TornTailCut,
        Mark::CleanRecovery,
        Mark::SnapshotTaken,
        Mark::SnapshotFailed,
        Mark::RecoveredFromSnapshot,
        Mark::JournalTruncated,
        Mark::BitFlippedInJournal,
        Mark::BitFlippedInSnapshot,
        Mark::BitFlippedInVain,
        Mark::ClockJumpedAhead,
        Mark::ClockJumpedBack,
        Mark::DayTurned,
        Mark::MessageLost,
        Mark::MessageRepeated,
        Mark::MessageLate,
        Mark::MessageOvertaken,
        Mark::AskedAgain,
        Mark::RequestShed,
        Mark::RequestShedByLatency,
        Mark::SoldOutAtEdge,
        Mark::RefusedAtEdge,
        Mark::FoundOrderOnRetry,
        Mark::PlacedOrderOnRetry,
        Mark::ClickedTwice,
        Mark::CameLateAgain,
        Mark::FirstAnswerAgain,
        Mark::KeyReused,
        Mark::KeyInTwoShards,
        Mark::SpiedInVain,
        Mark::PaidWrongAmount,
        Mark::StockExhausted,
        Mark::QuantityOutOfRange,
        Mark::DayLimitReached,
        Mark::LimitReached,
        Mark::SalePaused,
        Mark::SaleNotOpen,
        Mark::SaleClosed,
        Mark::SaleOpenedByClock,
        Mark::SaleClosedByClock,
        Mark::Expired,
        Mark::Extended,
        Mark::ExtendedTwiceInVain,
        Mark::Cancelled,
        Mark::Paid,
        Mark::PaidLate,
        Mark::PaidLateStockTaken,
        Mark::PaidLateLimitReached,
        Mark::PaidAfterCancel,
        Mark::PaidTwice,
        Mark::PaymentFailed,
        Mark::PaidBeforeBuyerKnew,
        Mark::PaidAfterFailure,
        Mark::PaymentToldTwice,
        Mark::PaymentFailedAfterSuccess,
        Mark::SecondPaymentFirst,
        Mark::Refunded,
        Mark::RefundFailed,
        Mark::SurplusReturned,
        Mark::ReturnFailed,
        Mark::StockAdded,
        Mark::StockWithdrawn,
        Mark::FirstReceiptAgain,
        Mark::TwinAgreed,
        Mark::AllFreed,
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

    /// How many different states were reached.
    pub fn state_count(&self) -> usize {
        self.0.len()
    }

    /// What was never reached.
    pub fn missing(&self) -> Vec<Mark> {
        Mark::ALL.into_iter().filter(|mark| self.count(*mark) == 0).collect()
    }
}
