//! Where the units of each sale are, read from the catalogue when somebody asks for the metrics.

use domain::Levels;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::gauge::ConstGauge;
use views::Catalog;

/// Sales that are shown: a scrape must not grow without bound.
const SALE_COUNT_MAX: usize = 1_000;

/// Shows the units of the newest sales, and whether they add up (invariant I1).
#[derive(Debug)]
pub(crate) struct Units(pub(crate) CatalogHandle);

/// A catalogue that can be printed, as a collector has to be.
pub(crate) struct CatalogHandle(pub(crate) Catalog);

impl std::fmt::Debug for CatalogHandle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Catalog")
    }
}

impl Collector for Units {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let sales = self.0.0.sales();
        let newest = &sales[sales.len().saturating_sub(SALE_COUNT_MAX)..];
        let sums: Vec<(&str, Sums)> =
            newest.iter().map(|sale| (sale.slug().as_str(), Sums::of(&sale.read().levels))).collect();
        let help = "Units of a sale by place; stock is the sum of the others";
        let gauge = ConstGauge::new(0_i64);
        let mut units = encoder.encode_descriptor("sale_units", help, None, gauge.metric_type())?;
        for (sale, sums) in &sums {
            for (place, count) in sums.places() {
                let labels = [("sale", *sale), ("place", place)];
                ConstGauge::new(count).encode(units.encode_family(&labels)?)?;
            }
        }
        let help = "Units of a sale that are in no place or in two; anything but 0 is a bug: stop selling";
        let mut lost =
            encoder.encode_descriptor("sale_units_unaccounted", help, None, gauge.metric_type())?;
        for (sale, sums) in &sums {
            ConstGauge::new(sums.unaccounted()).encode(lost.encode_family(&[("sale", *sale)])?)?;
        }
        Ok(())
    }
}

/// The units of a whole sale.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
struct Sums {
    stock: i64,
    free: i64,
    held: i64,
    paid: i64,
    withdrawn: i64,
}

impl Sums {
    fn of(levels: &[Levels]) -> Sums {
        levels.iter().fold(Sums::default(), |sums, levels| Sums {
            stock: sums.stock + i64::from(levels.stock),
            free: sums.free + i64::from(levels.free),
            held: sums.held + i64::from(levels.held),
            paid: sums.paid + i64::from(levels.paid),
            withdrawn: sums.withdrawn + i64::from(levels.withdrawn),
        })
    }

    fn places(self) -> [(&'static str, i64); 5] {
        let Sums { stock, free, held, paid, withdrawn } = self;
        [("stock", stock), ("free", free), ("held", held), ("paid", paid), ("withdrawn", withdrawn)]
    }

    fn unaccounted(self) -> i64 {
        self.stock - self.free - self.held - self.paid - self.withdrawn
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_that_do_not_add_up_show() {
        let sound = Levels { stock: 10, free: 4, held: 3, paid: 2, withdrawn: 1 };
        assert_eq!(Sums::of(&[sound, sound]).unaccounted(), 0);
        assert_eq!(Sums::of(&[sound, Levels { stock: 11, ..sound }]).unaccounted(), 1);
    }
}
