//! The report as a page that stands alone: no script, nothing from elsewhere.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::plot::{self, Bar, Dots, escaped};
use super::table::{cores, machine, number, shown};
use super::{Compared, Pair, Report};
use crate::arm::Arm;
use crate::figure::Spread;
use crate::targets::Judged;

const STYLE: &str = "
:root { color-scheme: light dark; --line: #8886; --bar: #3b7dd8; --good: #2a8a4a; --bad: #c0392b; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: .3rem .6rem; border-bottom: 1px solid var(--line); vertical-align: top; }
.met { color: var(--good); font-weight: 600; } .missed { color: var(--bad); font-weight: 600; }
svg { width: 100%; height: auto; } svg text { font: 13px system-ui, sans-serif; fill: currentColor; }
.bar, .dot { fill: var(--bar); } .dot { fill-opacity: .45; }
.median { stroke: currentColor; stroke-width: 2.5; } .one { stroke: var(--line); stroke-dasharray: 4 3; }
.void { color: var(--bad); } .small { opacity: .75; font-size: 13px; }
";

/// The page.
pub(super) fn page(report: &Report) -> String {
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<title>Onrush side by side</title>\n\
         <style>{STYLE}</style>\n<h1>Onrush side by side</h1>\n<p>{}<br>{}</p>\n",
        escaped(&machine(&report.machine)),
        escaped(cores(report.settings))
    );
    let mut section = |title: &str, words: &str, body: String| {
        let words = escaped(words);
        write!(page, "<h2>{title}</h2>\n<p class=\"small\">{words}</p>\n{body}")
            .expect("a text takes more text");
    };
    section(
        "Targets",
        "Median, least and greatest of the ratios of undisturbed pairs. What is not measured is not met.",
        targets(&report.targets),
    );
    section(
        "CPU per request",
        "Microseconds of all processes of the arm, programs and kernel, medians. Shorter is better.",
        plot::bars(&arm_bars(&report.comparisons, |medians| medians.cpu_us_per_request)),
    );
    section(
        "Requests a second",
        "Closed loop with the generator on the same machine, medians. Longer is better.",
        plot::bars(&arm_bars(&report.comparisons, |medians| medians.requests_per_second)),
    );
    section(
        "CPU ratio of each pair",
        "CPU per request of the second by that of the first: to the right of 1 the first is cheaper. Each factor has \
         the same length.",
        plot::dots(&ratio_dots(&report.comparisons, "cpu", Pair::cpu_ratio)),
    );
    section(
        "Rate ratio of each pair",
        "Requests a second of the first by those of the second: to the right of 1 the first is faster.",
        plot::dots(&ratio_dots(&report.comparisons, "rate", Pair::rate_ratio)),
    );
    section("All figures", "By name, as in the JSON file.", figures(report));
    page + "</html>\n"
}

fn targets(targets: &[Judged]) -> String {
    let mut rows = String::from("<table><tr><th>id<th>what<th>target<th>measured<th></tr>\n");
    for target in targets {
        for part in &target.parts {
            let measured = part.measured.as_ref().map_or("not measured".to_owned(), shown);
            let (class, word) = if part.met { ("met", "met") } else { ("missed", "missed") };
            let cells = [target.id, part.what, &part.target, &measured].map(escaped).join("<td>");
            rows += &format!("<tr><td>{cells}<td class=\"{class}\">{word}</tr>\n");
        }
    }
    rows + "</table>\n"
}

/// A bar for each arm: the median of the medians, for an arm may be in several comparisons.
fn arm_bars(comparisons: &[Compared], value: fn(&super::Medians) -> f64) -> Vec<Bar> {
    let mut values = BTreeMap::<Arm, Vec<f64>>::new();
    for (arm, medians) in comparisons.iter().flat_map(Compared::sides) {
        values.entry(arm).or_default().push(value(medians));
    }
    let bar = |(arm, values): (Arm, Vec<f64>)| {
        let value = Spread::of(values).median;
        Bar { label: arm.name(), value, shown: number(value) }
    };
    values.into_iter().map(bar).collect()
}

fn ratio_dots(comparisons: &[Compared], figure: &str, ratio: fn(&Pair) -> f64) -> Vec<Dots> {
    let dots = |compared: &Compared| {
        let id = compared.comparison.id;
        let values: Vec<f64> = compared.used().into_iter().map(ratio).collect();
        let median = compared.figures()[&format!("{id}.{figure}")].spread.median;
        Dots { label: id.to_owned(), values, median, shown: number(median) }
    };
    comparisons.iter().map(dots).collect()
}

fn figures(report: &Report) -> String {
    let mut rows = String::from("<table>\n");
    for (name, figure) in &report.figures {
        let class = if figure.void.is_empty() { "" } else { " class=\"void\"" };
        rows += &format!("<tr><td>{}<td{class}>{}</tr>\n", escaped(name), escaped(&shown(figure)));
    }
    rows + "</table>\n"
}

#[cfg(test)]
mod tests {
    use crate::report::tests::report;

    #[test]
    fn page_stands_alone_and_shows_every_target() {
        let page = report(vec!["<b>OVERSOLD</b>".into()]).html();
        for id in 1..=17 {
            assert!(page.contains(&format!("<td>R{id}<td>")), "R{id}");
        }
        assert!(page.contains("VOID: &lt;b&gt;OVERSOLD"), "{page}");
        for foreign in ["<script", "src=", "href=", "url(", "@import"] {
            assert!(!page.contains(foreign), "{foreign}");
        }
        assert_eq!(page.matches("<circle").count(), 2 * 3, "a dot for each undisturbed pair in either plot");
    }
}
