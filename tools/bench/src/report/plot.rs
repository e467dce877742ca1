//! Plots as SVG, written by hand: bars for what an arm costs, and a dot for each pair of a comparison.

use std::fmt::Write as _;

const WIDTH: f64 = 860.0;
const LABEL_WIDTH: f64 = 190.0;
const VALUE_WIDTH: f64 = 110.0;
const ROW_HEIGHT: f64 = 26.0;
const AXIS_HEIGHT: f64 = 22.0;
const BAR_HEIGHT: f64 = 14.0;

/// A bar with its value.
pub(super) struct Bar {
    pub(super) label: String,
    pub(super) value: f64,
    pub(super) shown: String,
}

/// A row of dots, one of them the median.
pub(super) struct Dots {
    pub(super) label: String,
    pub(super) values: Vec<f64>,
    pub(super) median: f64,
    pub(super) shown: String,
}

/// Bars from zero.
pub(super) fn bars(bars: &[Bar]) -> String {
    let max = bars.iter().map(|bar| bar.value).fold(f64::MIN_POSITIVE, f64::max);
    let mut svg = Svg::new(bars.len());
    for (row, bar) in bars.iter().enumerate() {
        let width = (bar.value / max * Svg::PLOT_WIDTH).max(1.0);
        let y = Svg::middle(row) - BAR_HEIGHT / 2.0;
        svg.row(row, &bar.label, &bar.shown);
        svg.add(format_args!(
            "<rect class=\"bar\" x=\"{LABEL_WIDTH}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{BAR_HEIGHT}\"/>"
        ));
    }
    svg.end()
}

/// Dots on an axis where each step of the same length multiplies by the same number.
pub(super) fn dots(rows: &[Dots]) -> String {
    let all = || rows.iter().flat_map(|row| row.values.iter().copied()).filter(|value| *value > 0.0);
    let (low, high) = (all().fold(1.0, f64::min).log10() - 0.05, all().fold(1.0, f64::max).log10() + 0.05);
    let x = |value: f64| {
        LABEL_WIDTH + (value.max(f64::MIN_POSITIVE).log10() - low) / (high - low) * Svg::PLOT_WIDTH
    };
    let mut svg = Svg::new(rows.len());
    let (bottom, one) = (rows.len() as f64 * ROW_HEIGHT, x(1.0));
    svg.add(format_args!(
        "<line class=\"one\" x1=\"{one:.1}\" y1=\"0\" x2=\"{one:.1}\" y2=\"{bottom:.1}\"/>"
    ));
    let text_y = bottom + 15.0;
    svg.add(format_args!(
        "<text class=\"axis\" x=\"{one:.1}\" y=\"{text_y:.1}\" text-anchor=\"middle\">1</text>"
    ));
    for (row, dots) in rows.iter().enumerate() {
        let y = Svg::middle(row);
        svg.row(row, &dots.label, &dots.shown);
        for value in dots.values.iter().filter(|value| **value > 0.0) {
            let x = x(*value);
            svg.add(format_args!("<circle class=\"dot\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"4\"/>"));
        }
        let (x, top, bottom) = (x(dots.median), y - 9.0, y + 9.0);
        svg.add(format_args!(
            "<line class=\"median\" x1=\"{x:.1}\" y1=\"{top:.1}\" x2=\"{x:.1}\" y2=\"{bottom:.1}\"/>"
        ));
    }
    svg.end()
}

/// Text that stands for itself in HTML and SVG.
pub(super) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

struct Svg(String);

impl Svg {
    const PLOT_WIDTH: f64 = WIDTH - LABEL_WIDTH - VALUE_WIDTH;

    fn new(rows: usize) -> Svg {
        let height = rows as f64 * ROW_HEIGHT + AXIS_HEIGHT;
        Svg(format!("<svg viewBox=\"0 0 {WIDTH} {height}\" role=\"img\">\n"))
    }

    fn middle(row: usize) -> f64 {
        (row as f64 + 0.5) * ROW_HEIGHT
    }

    fn row(&mut self, row: usize, label: &str, shown: &str) {
        let (y, label_x) = (Svg::middle(row) + 4.0, LABEL_WIDTH - 8.0);
        let (label, shown) = (escaped(label), escaped(shown));
        self.add(format_args!("<text x=\"{label_x}\" y=\"{y:.1}\" text-anchor=\"end\">{label}</text>"));
        self.add(format_args!(
            "<text class=\"value\" x=\"{WIDTH}\" y=\"{y:.1}\" text-anchor=\"end\">{shown}</text>"
        ));
    }

    fn add(&mut self, element: std::fmt::Arguments<'_>) {
        writeln!(self.0, "{element}").expect("a text takes more text");
    }

    fn end(self) -> String {
        self.0 + "</svg>\n"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn longest_bar_fills_the_plot_and_the_others_are_in_proportion() {
        let bar = |value| Bar { label: "a".into(), value, shown: "<1>".into() };
        let svg = bars(&[bar(2.0), bar(1.0)]);
        assert!(svg.contains("width=\"560.0\"") && svg.contains("width=\"280.0\""), "{svg}");
        assert!(svg.contains("&lt;1&gt;"), "{svg}");
    }

    #[test]
    fn every_value_has_a_dot() {
        let row = Dots { label: "a".into(), values: vec![0.5, 1.0, 200.0], median: 1.0, shown: "1".into() };
        let svg = dots(&[row]);
        assert_eq!(svg.matches("<circle").count(), 3);
        assert_eq!(svg.matches("class=\"median\"").count(), 1);
        assert!(!svg.contains("NaN"), "{svg}");
    }
}
