//! A measured figure: the median of what was measured several times, and how far the values lie apart.

use std::collections::BTreeMap;

use serde::Serialize;

/// Median, least and greatest.
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(crate) min: f64,
    pub(crate) max: f64,
}

/// A figure, and why it may mean nothing.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub(crate) struct Figure {
    #[serde(flatten)]
    pub(crate) spread: Spread,
    /// How many values it is the median of.
    pub(crate) count: usize,
    /// What was wrong with what was measured: the figure means nothing then.
    pub(crate) void: Vec<String>,
    /// Whether it was measured as the targets want it; if not, a note says why, and it reaches none.
    pub(crate) is_fit: bool,
    /// What has to be known to understand it.
    pub(crate) notes: Vec<String>,
}

/// Figures by their names: `COMPARISON.cpu`, `instructions.order`, …
pub(crate) type Figures = BTreeMap<String, Figure>;

impl Spread {
    /// Of at least one value.
    pub(crate) fn of(values: impl IntoIterator<Item = f64>) -> Spread {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        let middle = values.len() / 2;
        let median = match values.len() % 2 {
            0 => f64::midpoint(values[middle - 1], values[middle]),
            _ => values[middle],
        };
        Spread { median, min: values[0], max: values[values.len() - 1] }
    }
}

impl Figure {
    /// Of at least one value.
    pub(crate) fn of(values: impl IntoIterator<Item = f64>) -> Figure {
        let values: Vec<f64> = values.into_iter().collect();
        Figure {
            spread: Spread::of(values.iter().copied()),
            count: values.len(),
            void: Vec::new(),
            is_fit: true,
            notes: Vec::new(),
        }
    }

    pub(crate) fn void(self, void: &[String]) -> Figure {
        Figure { void: void.to_vec(), ..self }
    }

    /// The same figure, measured in a way that says nothing about a target.
    pub(crate) fn unfit(self, why: &str) -> Figure {
        Figure { is_fit: false, ..self.note(why) }
    }

    pub(crate) fn note(mut self, note: &str) -> Figure {
        self.notes.push(note.to_owned());
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn median_of_an_even_number_is_between_the_middle_two() {
        let spread = |values: &[f64]| Spread::of(values.iter().copied());
        assert_eq!(spread(&[3.0, 1.0, 2.0]), Spread { median: 2.0, min: 1.0, max: 3.0 });
        assert_eq!(spread(&[4.0, 1.0, 2.0, 3.0]), Spread { median: 2.5, min: 1.0, max: 4.0 });
        assert_eq!(spread(&[1.0]), Spread { median: 1.0, min: 1.0, max: 1.0 });
    }
}
