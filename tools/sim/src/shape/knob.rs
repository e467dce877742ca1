//! The kinds of trouble that can be switched off one by one, by hand or to find the shortest story.

use super::Shape;

/// A kind of trouble.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, clap::ValueEnum)]
#[value(rename_all = "snake_case")]
#[expect(missing_docs, reason = "each is described where it is a field of the shape")]
pub enum Knob {
    PowerCut,
    Fuse,
    Kill,
    WriteError,
    WriteShort,
    SyncError,
    NameError,
    DiskFull,
    SlowDisk,
    BitFlip,
    ClockJump,
    MessageLost,
    MessageRepeated,
    MessageLate,
    ClickTwice,
    ComeLateAgain,
    Snapshot,
    Truncate,
    Organiser,
    SmallInbox,
}

impl Knob {
    /// Every knob.
    pub const ALL: [Knob; 20] = [
        Knob::PowerCut,
        Knob::Fuse,
        Knob::Kill,
        Knob::WriteError,
        Knob::WriteShort,
        Knob::SyncError,
        Knob::NameError,
        Knob::DiskFull,
        Knob::SlowDisk,
        Knob::BitFlip,
        Knob::ClockJump,
        Knob::MessageLost,
        Knob::MessageRepeated,
        Knob::MessageLate,
        Knob::ClickTwice,
        Knob::ComeLateAgain,
        Knob::Snapshot,
        Knob::Truncate,
        Knob::Organiser,
        Knob::SmallInbox,
    ];

    /// Its name on the command line.
    pub fn name(self) -> String {
        let value = clap::ValueEnum::to_possible_value(&self).expect("no knob is hidden");
        value.get_name().to_owned()
    }
}

impl Shape {
    /// The same world without that trouble.
    #[must_use]
    pub fn without(mut self, knob: Knob) -> Shape {
        *match knob {
            Knob::PowerCut => &mut self.power_cut,
            Knob::Fuse => &mut self.fuse,
            Knob::Kill => &mut self.kill,
            Knob::WriteError => &mut self.faults.write_error,
            Knob::WriteShort => &mut self.faults.write_short,
            Knob::SyncError => &mut self.faults.sync_error,
            Knob::NameError => &mut self.faults.name_error,
            Knob::DiskFull => &mut self.disk_full,
            Knob::SlowDisk => &mut self.faults.slow,
            Knob::BitFlip => &mut self.bit_flip,
            Knob::ClockJump => &mut self.clock_jump,
            Knob::MessageLost => &mut self.weather.lost,
            Knob::MessageRepeated => &mut self.weather.repeated,
            Knob::MessageLate => &mut self.weather.late,
            Knob::ClickTwice => &mut self.click_twice,
            Knob::ComeLateAgain => &mut self.come_late_again,
            Knob::Snapshot => &mut self.snapshot,
            Knob::Organiser => &mut self.organiser,
            Knob::Truncate => {
                self.truncates = false;
                return self;
            }
            Knob::SmallInbox => {
                self.inbox_len_max = 1 << 20;
                return self;
            }
        } = 0;
        self
    }
}
