//! The report for a terminal.

use std::fmt;

use super::{Compared, Medians, Report};
use crate::figure::{Figure, Spread};
use crate::machine::Facts;
use crate::series::Settings;
use crate::targets::{Judged, JudgedPart};

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Settings { seconds, pairs, .. } = self.settings;
        writeln!(f, "\n{}", machine(&self.machine))?;
        writeln!(f, "{pairs} pairs wanted, {seconds} s per measurement; {}", cores(self.settings))?;
        self.comparisons.iter().try_for_each(|compared| write_compared(f, compared))?;
        writeln!(f, "\nfigures")?;
        for (name, figure) in &self.figures {
            writeln!(f, "  {name:<32} {}", shown(figure))?;
        }
        writeln!(f, "\ntargets")?;
        let measured = |target: &&Judged| target.parts.iter().any(|part| part.measured.is_some());
        self.targets.iter().filter(measured).try_for_each(|target| write_target(f, target))?;
        let met = self.targets.iter().filter(|target| target.met).count();
        let left_out = self.targets.iter().filter(|target| !measured(target)).count();
        writeln!(f, "{met} of {} met, {left_out} not measured in this run", self.targets.len())
    }
}

/// Who has which cores.
pub(super) fn cores(settings: Settings) -> &'static str {
    match settings.is_apart {
        true => "the generator on a core of its own",
        false => {
            "comparisons on all cores, the generator's included; where waiting is measured, it has one of its own"
        }
    }
}

/// The machine in one line.
pub(super) fn machine(facts: &Facts) -> String {
    let Facts { cpu, cores, memory_gib, kernel, is_virtual, file_system } = facts;
    let guest = if *is_virtual { ", a virtual machine" } else { "" };
    format!("{cores} cores {cpu}{guest}, {memory_gib} GiB, Linux {kernel}, journal on {file_system}")
}

fn write_target(f: &mut fmt::Formatter<'_>, target: &Judged) -> fmt::Result {
    for JudgedPart { what, target: aim, measured, met, .. } in &target.parts {
        let mark = if *met { "met   " } else { "MISSED" };
        let measured = measured.as_ref().map_or("not measured".to_owned(), shown);
        writeln!(f, "  {:<4} {mark} {what}: {aim}; {measured}", target.id)?;
    }
    Ok(())
}

/// A figure with its spread and what speaks against it.
pub(super) fn shown(figure: &Figure) -> String {
    let Spread { median, min, max } = figure.spread;
    let mut text = number(median);
    if figure.count > 1 {
        text += &format!(" ({} to {}, of {})", number(min), number(max), figure.count);
    }
    for note in &figure.notes {
        text += &format!("; {note}");
    }
    for reason in &figure.void {
        text += &format!("; VOID: {reason}");
    }
    text
}

/// Three digits behind the point where they say something.
pub(super) fn number(value: f64) -> String {
    match value.abs() {
        size if size >= 1_000.0 => format!("{value:.0}"),
        size if size >= 20.0 => format!("{value:.1}"),
        _ => format!("{value:.3}"),
    }
}

fn write_compared(f: &mut fmt::Formatter<'_>, compared: &Compared) -> fmt::Result {
    let comparison = compared.comparison;
    writeln!(f, "\n{} ({} connections)", comparison.id, comparison.connections)?;
    writeln!(f, "  {:<18} {:>14} {:>12}  µs by threads", "", "CPU µs/request", "requests/s")?;
    for (arm, medians) in compared.sides() {
        write_side(f, &arm.name(), medians)?;
    }
    let (used, disturbed) = (compared.pair_count, compared.disturbed_count);
    match compared.is_disturbed {
        true => writeln!(f, "  DISTURBED: all {used} pairs; there was no quiet one")?,
        false => writeln!(f, "  {used} pairs; {disturbed} more were disturbed and thrown away")?,
    }
    match compared.void.as_slice() {
        [] => writeln!(f, "  checked: every answer, every store"),
        void => void.iter().try_for_each(|reason| writeln!(f, "  VOID: {reason}")),
    }
}

fn write_side(f: &mut fmt::Formatter<'_>, name: &str, side: &Medians) -> fmt::Result {
    write!(f, "  {name:<18} {:>14.2} {:>12.0} ", side.cpu_us_per_request, side.requests_per_second)?;
    side.threads_cpu_us_per_request
        .iter()
        .filter(|(_, time)| **time >= 0.05)
        .try_for_each(|(thread, time)| write!(f, " {thread} {time:.2}"))?;
    writeln!(f, "{}", if side.is_generator_the_limit { "  (the generator was the limit)" } else { "" })
}

#[cfg(test)]
mod tests {
    use crate::report::tests::report;

    #[test]
    fn terminal_shows_what_was_measured_and_nothing_else() {
        let text = report(Vec::new()).to_string();
        assert!(text.contains("R1   met    durable order against hello of the same stack, CPU: ≥ 0.8; 0.800 (0.500 to 1.000, of 3)"), "{text}");
        assert!(text.contains("3 pairs; 1 more were disturbed and thrown away"), "{text}");
        assert!(!text.contains("R2 "), "{text}");
        assert!(text.contains("1 of 17 met, 16 not measured in this run"), "{text}");
    }

    #[test]
    fn void_is_said_loudly() {
        let text = report(vec!["OVERSOLD: 5 units of 0".into()]).to_string();
        assert!(text.contains("VOID: OVERSOLD") && text.contains("R1   MISSED"), "{text}");
    }
}
