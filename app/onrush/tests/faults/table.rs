//! What came of the trials.

use std::collections::BTreeMap;
use std::fmt::{self, Display, Formatter};

use crate::judge::Outcome;
use crate::matrix::{Call, Fault, Place};
use crate::trial::FALSE_ACKNOWLEDGEMENT;

/// Counted by call and fault.
#[derive(Default)]
pub(crate) struct Table {
    rows: BTreeMap<(Call, Fault), Row>,
    wrongs: Vec<String>,
}

#[derive(Clone, Copy, Default)]
struct Row {
    run_count: usize,
    stopped_count: usize,
    went_on_count: usize,
    false_acknowledgement_count: usize,
    hang_count: usize,
    other_count: usize,
}

impl Table {
    pub(crate) fn count(&mut self, place: Place, ending: Result<Outcome, String>) {
        let row = self.rows.entry((place.call, place.fault)).or_default();
        row.run_count += 1;
        match ending {
            Ok(Outcome::Missed) => {}
            Ok(Outcome::Stopped) => row.stopped_count += 1,
            Ok(Outcome::WentOn) => row.went_on_count += 1,
            Err(wrong) => {
                if wrong.contains(FALSE_ACKNOWLEDGEMENT) {
                    row.false_acknowledgement_count += 1;
                } else if wrong.contains("waited ") {
                    row.hang_count += 1;
                } else {
                    row.other_count += 1;
                }
                self.wrongs.push(wrong);
            }
        }
    }

    pub(crate) fn run_count(&self) -> usize {
        self.rows.values().map(|row| row.run_count).sum()
    }

    /// Trials in which a call did fail.
    pub(crate) fn struck_count(&self) -> usize {
        self.rows.values().map(|row| row.stopped_count + row.went_on_count).sum()
    }

    pub(crate) fn wrongs(&self) -> &[String] {
        &self.wrongs
    }
}

impl Display for Table {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "| call | fault | runs | stopped cleanly | went on rightly | false acknowledgements | hangs | other |"
        )?;
        writeln!(f, "|---|---|---|---|---|---|---|---|")?;
        for ((call, fault), row) in &self.rows {
            let name = format!("{fault:?}").to_uppercase();
            write!(f, "| {} | {name} | {} | {} |", call.name(), row.run_count, row.stopped_count)?;
            let wrong = (row.false_acknowledgement_count, row.hang_count, row.other_count);
            writeln!(f, " {} | {} | {} | {} |", row.went_on_count, wrong.0, wrong.1, wrong.2)?;
        }
        Ok(())
    }
}
