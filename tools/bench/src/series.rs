//! Pairs of measurements of one arm and of the hello, until enough of them are undisturbed.

use std::path::Path;
use std::process::Command;
use std::thread::sleep;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use serde::Serialize;

use crate::arm::Arm;
use crate::cpu::Machine;
use crate::house::{Site, Sold};
use crate::load::{Load, Part, Seen};
use crate::sample::Sample;
use crate::server::Server;

/// Pairs are measured up to so many times the wanted number; then the disturbed ones have to do.
const TRIES_MAX: u32 = 2;
/// A pair begins when the machine was quiet for so long, or at the latest after so many tries.
const QUIET: Duration = Duration::from_secs(1);
const QUIET_TRIES_MAX: u32 = 30;

/// How to measure.
#[derive(Clone, Copy, Serialize)]
pub(crate) struct Settings {
    pub(crate) pairs: u32,
    pub(crate) seconds: u32,
    pub(crate) warm_up_seconds: u32,
    pub(crate) connections: u32,
    /// A measurement is disturbed from this part of the machine on.
    pub(crate) disturbance_max: f64,
}

/// Two measurements, one right after the other.
#[derive(Serialize)]
pub(crate) struct Pair {
    pub(crate) hello: Sample,
    pub(crate) arm: Sample,
    pub(crate) is_hello_first: bool,
    pub(crate) is_disturbed: bool,
}

/// All of one arm.
pub(crate) struct Series {
    pub(crate) arm: Arm,
    pub(crate) pairs: Vec<Pair>,
    /// What was wrong with the answers or the journal, each time.
    pub(crate) void: Vec<String>,
}

/// What every series of a run shares.
pub(crate) struct Bench<'a> {
    pub(crate) site: &'a Site,
    /// Tokens for the measured runs, and others for what goes before them.
    pub(crate) tokens: &'a Path,
    pub(crate) warm_up_tokens: &'a Path,
    pub(crate) settings: Settings,
}

impl Bench<'_> {
    /// Measures one arm beside the hello.
    ///
    /// # Errors
    /// When something cannot be started; what an arm answers wrongly is in [`Series::void`].
    pub(crate) fn series(&self, arm: Arm) -> anyhow::Result<Series> {
        let Settings { pairs: wanted, connections, .. } = self.settings;
        let load = Load::new(&arm.shape(), self.site.folder(), connections)?;
        let mut series = Series { arm, pairs: Vec::new(), void: Vec::new() };
        for number in 0..wanted * TRIES_MAX {
            wait_for_quiet(self.settings.disturbance_max)?;
            // A B B A: what changes slowly falls on both alike.
            let is_hello_first = number % 2 == 0;
            let (hello, sample) = if is_hello_first {
                let hello = self.hello(&load)?;
                (hello, self.onrush(&load, &mut series)?)
            } else {
                let sample = self.onrush(&load, &mut series)?;
                (self.hello(&load)?, sample)
            };
            let is_disturbed = hello.disturbance().max(sample.disturbance()) > self.settings.disturbance_max;
            let pair = Pair { hello, arm: sample, is_hello_first, is_disturbed };
            tell(number + 1, arm, &pair);
            series.pairs.push(pair);
            if series.clean_count() >= usize::try_from(wanted)? {
                break;
            }
        }
        Ok(series)
    }

    fn hello(&self, load: &Load) -> anyhow::Result<Sample> {
        let own = std::env::current_exe().context("cannot tell where this program is")?;
        let server = Server::start(Command::new(own).args(["hello", "--listen", "127.0.0.1:0"]))?;
        load.run(server.address, self.warm_up())?;
        Ok(Sample::take(&server, load, self.measured())?.0)
    }

    fn onrush(&self, load: &Load, series: &mut Series) -> anyhow::Result<Sample> {
        let house = self.site.open(&mut self.site.command("serve"), series.arm)?;
        house.try_once(series.arm, &first_line(self.warm_up_tokens)?)?;
        let warm_up = load.run(house.server.address, self.warm_up())?;
        let (sample, seen) = Sample::take(&house.server, load, self.measured())?;
        let checked = check_answers(series.arm, &warm_up, &seen).and_then(|()| {
            // The one before the load, and those of either run that were under way when it ended.
            let acknowledged = 1 + warm_up.completed + seen.completed;
            check_sold(series.arm, house.close()?, acknowledged..=acknowledged + 2 * load.under_way_max())
        });
        series.void.extend(checked.err().map(|error| format!("{error:#}")));
        Ok(sample)
    }

    fn warm_up(&self) -> Part<'_> {
        let (seconds, tokens) = (self.settings.warm_up_seconds, self.warm_up_tokens);
        Part { seconds, tokens, key_prefix: "warm-up-", counts_statuses: true }
    }

    fn measured(&self) -> Part<'_> {
        let (seconds, tokens) = (self.settings.seconds, self.tokens);
        Part { seconds, tokens, key_prefix: "measured-", counts_statuses: false }
    }
}

impl Series {
    pub(crate) fn clean_count(&self) -> usize {
        self.pairs.iter().filter(|pair| !pair.is_disturbed).count()
    }
}

/// Waits until the machine does next to nothing, but not for ever.
fn wait_for_quiet(busy_max: f64) -> anyhow::Result<()> {
    let cores = u32::try_from(std::thread::available_parallelism()?.get())?;
    for _ in 0..QUIET_TRIES_MAX {
        let before = Machine::now()?;
        sleep(QUIET);
        let passed = Machine::now()? - before;
        if (passed.busy + passed.stolen).as_secs_f64() <= busy_max * (QUIET * cores).as_secs_f64() {
            break;
        }
    }
    Ok(())
}

fn first_line(path: &Path) -> anyhow::Result<String> {
    let mut line = String::new();
    std::io::BufRead::read_line(&mut std::io::BufReader::new(std::fs::File::open(path)?), &mut line)?;
    Ok(line.trim_end().to_owned())
}

/// Every answer of the warm-up has the arm's status; of the measured run wrk counts only those from 400 on.
fn check_answers(arm: Arm, warm_up: &Seen, seen: &Seen) -> anyhow::Result<()> {
    let status = arm.status();
    let right = warm_up.statuses.get(&status.to_string()).copied().unwrap_or(0);
    ensure!(right == warm_up.completed, "not every answer was {status}: {:?}", warm_up.statuses);
    let expected = if status < 400 { 0 } else { seen.completed };
    let errors = seen.status_errors;
    ensure!(errors == expected, "{errors} answers had a status from 400 on, expected {expected}");
    for seen in [warm_up, seen] {
        ensure!(seen.completed > 0, "nothing was answered");
        ensure!(seen.socket_errors == 0, "{} connections broke", seen.socket_errors);
        ensure!(seen.timeouts == 0, "{} answers took longer than two seconds", seen.timeouts);
    }
    Ok(())
}

/// Every confirmed order is in the journal, and no more than those that were sent; no unit is lost.
fn check_sold(arm: Arm, sold: Sold, confirmed: std::ops::RangeInclusive<u64>) -> anyhow::Result<()> {
    let Sold { orders, units, stock, free, held } = sold;
    ensure!(
        stock == u64::from(arm.stock()),
        "{stock} units are in the journal, {} were on sale",
        arm.stock()
    );
    ensure!(stock == free + held, "stock {stock} is not free {free} + held {held}");
    ensure!(units == held && orders == units, "{orders} orders of one unit hold {held} units");
    let expected = if arm == Arm::Order { confirmed } else { 0..=0 };
    ensure!(expected.contains(&orders), "{orders} orders are in the journal, expected {expected:?}");
    Ok(())
}

fn tell(number: u32, arm: Arm, pair: &Pair) {
    let one = |name: &str, sample: &Sample| {
        format!(
            "{name} {:6.2} µs {:7.0}/s (foreign {:.1} %, stolen {:.1} %)",
            sample.cpu_us_per_request,
            sample.requests_per_second,
            sample.foreign_load * 100.0,
            sample.stolen * 100.0
        )
    };
    let note = if pair.is_disturbed { "  DISTURBED" } else { "" };
    let (hello, arm) = (one("hello", &pair.hello), one(arm.name(), &pair.arm));
    eprintln!("pair {number:2}: {hello}  {arm}{note}");
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOLD: Sold = Sold { orders: 5, units: 5, stock: 1_000_000_000, free: 999_999_995, held: 5 };

    fn refused(sold: Sold) -> String {
        check_sold(Arm::Order, sold, 4..=6).unwrap_err().to_string()
    }

    #[test]
    fn orders_may_be_more_than_answers_by_those_under_way_only() {
        check_sold(Arm::Order, SOLD, 5..=6).unwrap();
        check_sold(Arm::Order, SOLD, 3..=5).unwrap();
        assert!(check_sold(Arm::Order, SOLD, 6..=9).is_err(), "a confirmed order is lost");
        assert!(check_sold(Arm::Order, SOLD, 2..=4).is_err(), "an order that nobody sent");
    }

    #[test]
    fn lost_unit_makes_the_arm_void() {
        assert!(refused(Sold { free: 999_999_994, ..SOLD }).contains("is not free"));
        assert!(refused(Sold { orders: 4, ..SOLD }).contains("hold 5 units"));
        assert!(refused(Sold { stock: 1, ..SOLD }).contains("were on sale"));
    }

    #[test]
    fn sold_out_sale_sells_nothing() {
        let nothing = Sold { orders: 0, units: 0, stock: 0, free: 0, held: 0 };
        check_sold(Arm::SoldOut, nothing, 5..=6).unwrap();
        assert!(check_sold(Arm::SoldOut, SOLD, 5..=6).is_err());
    }
}
