//! What Onrush wants to reach, R1 to R17, and whether it does.

use std::fmt;

use serde::Serialize;

use crate::figure::{Figure, Figures};

/// A target: reached when every part is.
struct Target {
    id: &'static str,
    parts: &'static [Part],
}

/// A part of a target: which figure it looks at.
struct Part {
    what: &'static str,
    aim: Aim,
    figure: &'static str,
}

/// Where a figure has to be.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) enum Aim {
    AtLeast(f64),
    AtMost(f64),
}

use Aim::{AtLeast, AtMost};

const fn part(what: &'static str, aim: Aim, figure: &'static str) -> Part {
    Part { what, aim, figure }
}

/// The table. Where a target names no unit, it is the CPU time per order, the first figure of the method. Ratios say how often Onrush's figure is better than the other's, but where "by" says otherwise.
const TARGETS: [Target; 17] = [
    Target {
        id: "R1",
        parts: &[part(
            "durable order against hello of the same stack, CPU",
            AtLeast(0.80),
            "order-hello.cpu",
        )],
    },
    Target {
        id: "R2",
        parts: &[part(
            "durable order against nginx with a fixed answer, CPU",
            AtLeast(0.95),
            "order-nginx.cpu",
        )],
    },
    Target {
        id: "R3",
        parts: &[
            part("durable order against Redis, always, CPU", AtLeast(5.0), "order-redis-always.cpu"),
            part("durable order against Redis, everysec, CPU", AtLeast(3.0), "order-redis-everysec.cpu"),
        ],
    },
    Target {
        id: "R4",
        parts: &[part(
            "durable order against PostgreSQL, 64 clients, CPU",
            AtLeast(100.0),
            "order-postgres.cpu",
        )],
    },
    Target {
        id: "R5",
        parts: &[part("durable order against MariaDB, 16 clients, CPU", AtLeast(20.0), "order-mariadb.cpu")],
    },
    Target {
        id: "R6",
        parts: &[part("one hot item against 1,000 items, CPU", AtLeast(1.0), "one-item-1000-items.cpu")],
    },
    Target {
        id: "R7",
        parts: &[part("sold-out answer against hello, CPU", AtLeast(0.97), "sold-out-hello.cpu")],
    },
    Target {
        id: "R8",
        parts: &[part("refusal at the gate against hello, CPU", AtLeast(1.0), "refused-hello.cpu")],
    },
    Target {
        id: "R9",
        parts: &[
            part("orders/s at 10 times the load by the most", AtLeast(0.95), "overload.useful"),
            part("p99 of the admitted by p99 at 0.8 of the most", AtMost(2.0), "overload.p99"),
        ],
    },
    Target {
        id: "R10",
        parts: &[part("orders replayed a second by orders/s", AtLeast(30.0), "restart.ratio")],
    },
    Target {
        id: "R11",
        parts: &[
            part("CPU per order at 5 M buyers by that at 100,000", AtMost(1.05), "crowd.cost"),
            part("CPU per order of 10,000 items by that of one", AtMost(1.05), "10000-items-one-item.cost"),
            part(
                "CPU per order beside 15,000 idle connections by that beside 100",
                AtMost(1.05),
                "idle.cost",
            ),
        ],
    },
    Target {
        id: "R12",
        parts: &[
            part("orders/s in batches by single orders/s", AtLeast(6.0), "batch.ratio"),
            part("orders/s in batches", AtLeast(1e6), "batch.rate"),
        ],
    },
    Target {
        id: "R13",
        parts: &[part(
            "orders/s with a disk by orders/s in memory",
            AtLeast(0.90),
            "order-order-in-memory.rate",
        )],
    },
    Target {
        id: "R14",
        parts: &[part("p50 of a lone order by hello + one raw durable write", AtMost(1.25), "light.ratio")],
    },
    Target { id: "R15", parts: &[part("p99.9 by p50 at half load", AtMost(6.0), "half-load.tail")] },
    Target {
        id: "R16",
        parts: &[part("instructions in user space per order", AtMost(8_000.0), "instructions.order")],
    },
    Target {
        id: "R17",
        parts: &[
            part("bytes of records per order", AtMost(64.0), "journal.bytes-per-order"),
            part(
                "bytes of the journal's writes by bytes of records, at saturation",
                AtMost(1.1),
                "journal.amplification",
            ),
        ],
    },
];

/// A target and what was measured of it.
#[derive(Serialize)]
pub(crate) struct Judged {
    pub(crate) id: &'static str,
    pub(crate) met: bool,
    pub(crate) parts: Vec<JudgedPart>,
}

/// A part and its figure.
#[derive(Serialize)]
pub(crate) struct JudgedPart {
    pub(crate) what: &'static str,
    /// Such as `≥ 0.8`.
    pub(crate) target: String,
    /// The name of the figure.
    pub(crate) figure: &'static str,
    /// `None`: it was not measured in this run.
    pub(crate) measured: Option<Figure>,
    pub(crate) met: bool,
}

impl Aim {
    fn is_met(self, value: f64) -> bool {
        match self {
            AtLeast(least) => value >= least,
            AtMost(most) => value <= most,
        }
    }
}

impl fmt::Display for Aim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AtLeast(least) => write!(f, "≥ {least}"),
            AtMost(most) => write!(f, "≤ {most}"),
        }
    }
}

/// Every target beside what was measured. A figure that is void, or unfit, reaches nothing, and what was not measured is not
/// met.
pub(crate) fn judge(figures: &Figures) -> Vec<Judged> {
    let judge_part = |part: &'static Part| {
        let measured = figures.get(part.figure).cloned();
        let is_met = |figure: &Figure| {
            figure.is_fit && figure.void.is_empty() && part.aim.is_met(figure.spread.median)
        };
        let met = measured.as_ref().is_some_and(is_met);
        let target = part.aim.to_string();
        JudgedPart { what: part.what, target, figure: part.figure, measured, met }
    };
    let judge_target = |target: &'static Target| {
        let parts: Vec<JudgedPart> = target.parts.iter().map(judge_part).collect();
        Judged { id: target.id, met: parts.iter().all(|part| part.met), parts }
    };
    TARGETS.iter().map(judge_target).collect()
}

/// The figures that a target looks at; `None` when there is no such target.
pub(crate) fn figures_of(id: &str) -> Option<impl Iterator<Item = &'static str>> {
    let target = TARGETS.iter().find(|target| target.id.eq_ignore_ascii_case(id))?;
    Some(target.parts.iter().map(|part| part.figure))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(figures: &[(&str, Figure)], id: &str) -> bool {
        let figures = figures.iter().map(|(name, figure)| ((*name).to_owned(), figure.clone())).collect();
        judge(&figures).into_iter().find(|target| target.id == id).unwrap().met
    }

    #[test]
    fn every_target_is_there_once() {
        let ids: Vec<&str> = TARGETS.iter().map(|target| target.id).collect();
        let expected: Vec<String> = (1..=17).map(|number| format!("R{number}")).collect();
        assert_eq!(ids, expected);
    }

    #[test]
    fn median_decides_on_either_side() {
        let figure = |median| Figure::of([median]);
        assert!(judged(&[("order-hello.cpu", figure(0.80))], "R1"));
        assert!(!judged(&[("order-hello.cpu", figure(0.79))], "R1"));
        assert!(judged(&[("half-load.tail", figure(6.0))], "R15"));
        assert!(!judged(&[("half-load.tail", figure(6.1))], "R15"));
    }

    #[test]
    fn void_figure_reaches_nothing() {
        let figure = Figure::of([1.0]).void(&["OVERSOLD".to_owned()]);
        assert!(!judged(&[("order-hello.cpu", figure)], "R1"));
    }

    #[test]
    fn figure_that_was_measured_otherwise_reaches_nothing() {
        assert!(!judged(&[("order-hello.cpu", Figure::of([1.0]).unfit("every pair was disturbed"))], "R1"));
    }

    #[test]
    fn every_part_must_be_reached_and_measured() {
        let (always, everysec) = ("order-redis-always.cpu", "order-redis-everysec.cpu");
        let figure = |median| Figure::of([median]);
        assert!(judged(&[(always, figure(5.0)), (everysec, figure(3.0))], "R3"));
        assert!(!judged(&[(always, figure(5.0)), (everysec, figure(2.9))], "R3"));
        assert!(!judged(&[(always, figure(5.0))], "R3"));
    }
}
