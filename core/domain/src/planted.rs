//! Bugs planted on purpose, so that the proofs are proven: a test that cannot fail proves nothing.
//!
//! Each [`Bug`] stands where it would hurt as one line that asks [`planted!`](crate::planted!). In a shipped program the
//! question is a constant `false` and leaves no trace. With the feature `planted` one of them can be woken by the
//! variable `ONRUSH_PLANTED`; `cargo xtask mutants` wakes each and shows who finds it
//! (`docs/adr/0010-bugs-are-planted-behind-a-feature.md`). The variable and the feature `std` behind it
//! are the one exception to what `core` may know, and never shipped.

/// Whether a bug is awake: `planted!(RetrySync)`.
#[macro_export]
macro_rules! planted {
    ($bug:ident) => {
        $crate::planted::is_awake($crate::planted::Bug::$bug)
    };
}

/// Lists the bugs with what each does, and with it their names.
macro_rules! bugs {
    ($($(#[doc = $what:literal])+ $bug:ident,)+) => {
        /// A bug that can be planted.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub enum Bug {
            $($(#[doc = $what])+ $bug,)+
        }

        impl Bug {
            /// Every bug with its name and what it does.
            pub const ALL: &[(Bug, &str, &str)] =
                &[$((Bug::$bug, stringify!($bug), concat!($($what),+).trim_ascii())),+];
        }
    };
}

bugs! {
    // The journal.
    /// A write is taken for durable without a sync.
    AcknowledgeBeforeDurable,
    /// The directory is not synced when a segment gets its name.
    ForgetDirectorySync,
    /// A write that stored only a part is taken for whole.
    AcceptShortWrite,
    /// The journal goes on after a failed write.
    GoOnAfterFailure,
    /// A failed sync is tried again, and believed.
    RetrySync,
    /// A torn tail is found, but not cut.
    LeaveTornTail,
    /// Whatever stands behind the last batch is called a torn tail and cut.
    CallAnythingTorn,
    /// A block is accepted whatever block its chain goes on from.
    SkipChainCheck,
    /// A record is accepted whatever its checksum says.
    SkipRecordChecksum,
    /// A part of a batch is recovered as if it were the whole.
    AcceptPartOfBatch,
    /// What recovery read from the page cache is not made durable.
    SkipSettling,
    /// A new leader takes the term of the last one.
    KeepOldTerm,
    /// Several old segments are removed before one sync of the directory.
    RemoveSegmentsTogether,
    /// A segment is dropped one record too early.
    TruncateOneTooMany,
    // Shard, snapshots and views.
    /// A fact of a batch is decided and answered, but not stored.
    LoseLastFact,
    /// A snapshot gets its name before its bytes are durable.
    RenameUnsyncedSnapshot,
    /// Facts are dropped that only the newest snapshot stands for.
    TrustNewestSnapshot,
    /// A damaged snapshot is loaded as far as it goes.
    SkipSnapshotChecksum,
    /// The catalogue forgets that an expired order gave units back.
    ForgetExpiryInCatalog,
    /// The filter of keys is not told about a new order.
    ForgetKeyInFilter,
    // The sequencer.
    /// Time follows a clock that jumps back.
    LetTimeRunBack,
    // The engine: deciding.
    /// A repeated request is not looked up by its key.
    SkipKeyLookup,
    /// One key is good for two different requests.
    AcceptReusedKey,
    /// A buyer gets one unit more than the limit.
    LimitOffByOne,
    /// Only the first line of a basket must find its units free.
    CheckFirstLineOnly,
    /// One unit too many may be sold.
    StockOffByOne,
    /// A late payment takes units without asking whether the limit allows it.
    PayLateBeyondLimit,
    /// A late payment always gets its money back.
    NeverPayLate,
    /// A second payment for an order is forgotten.
    ForgetSurplus,
    /// A payment of a wrong amount is taken.
    AcceptAnyAmount,
    /// Everybody may see every order.
    ShowOrderToAnybody,
    /// A change of stock is made again when it is repeated.
    RepeatStockChange,
    /// A hold ends a moment early.
    ExpireEarly,
    /// A hold never ends by itself.
    NeverExpire,
    // The engine: applying.
    /// A hold that ended gives its units back twice.
    ReleaseHoldTwice,
    /// Units that came back still count for their buyer's limit.
    KeepCountingReturnedUnits,
    /// Refunded units go back on sale, whatever was asked for.
    AlwaysRestock,
    /// A repeated request is answered with the order as it stands now.
    AnswerWithLatest,
}

/// Whether the variable names this bug. Asked once, remembered for the life of the process.
#[cfg(feature = "planted")]
pub fn is_awake(bug: Bug) -> bool {
    extern crate std;
    static AWAKE: std::sync::OnceLock<Option<Bug>> = std::sync::OnceLock::new();
    let named = || {
        let name = std::env::var("ONRUSH_PLANTED").ok()?;
        let found = Bug::ALL.iter().find(|(_, known, _)| *known == name);
        Some(found.unwrap_or_else(|| panic!("ONRUSH_PLANTED names no bug: {name}")).0)
    };
    *AWAKE.get_or_init(named) == Some(bug)
}

/// Never: this program was built without them.
#[cfg(not(feature = "planted"))]
#[inline(always)]
pub const fn is_awake(_bug: Bug) -> bool {
    false
}
