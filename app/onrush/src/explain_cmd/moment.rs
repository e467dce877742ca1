//! One fact of a story, with what stood around it.

use std::io::Write;

use serde::Serialize;

use super::levels::Step;
use crate::journal_cmd::row::Row;

/// What happened, why, and what it did to the stock.
#[derive(Serialize)]
pub(super) struct Moment {
    #[serde(flatten)]
    pub(super) row: Row,
    pub(super) told: String,
    pub(super) why: Vec<String>,
    pub(super) levels: Vec<Step>,
}

impl Moment {
    /// As one line of JSON, or as a paragraph for people.
    pub(super) fn write(&self, out: &mut dyn Write, json: bool) -> anyhow::Result<()> {
        if json {
            serde_json::to_writer(&mut *out, self)?;
            return Ok(out.write_all(b"\n")?);
        }
        writeln!(out, "{}  record {}", self.row.time, self.row.seq)?;
        writeln!(out, "    {}", self.told)?;
        for why in &self.why {
            writeln!(out, "    because {why}")?;
        }
        for step in &self.levels {
            writeln!(out, "    {}", step.text())?;
        }
        Ok(())
    }
}
