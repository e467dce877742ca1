//! Where a sequencer is in its round.

/// A batch is begun, filled, and released when it is durable.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Standing {
    /// No batch: everything that was decided is durable.
    Idle,
    /// A batch is being filled or written.
    Filling,
}

impl Standing {
    pub(crate) fn begin(self) -> Standing {
        assert_eq!(self, Standing::Idle, "a batch begins when the one before is durable");
        Standing::Filling
    }

    pub(crate) fn release(self) -> Standing {
        assert_eq!(self, Standing::Filling, "outcomes are released once, when their batch is durable");
        Standing::Idle
    }
}
