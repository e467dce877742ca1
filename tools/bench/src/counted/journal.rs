//! What the journal writes at saturation, as the server's own metrics and the kernel count it.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use crate::arm::Arm;
use crate::figure::{Figure, Figures};
use crate::http_client::Client;
use crate::load::Load;
use crate::plan::CONNECTIONS_OF_SATURATION;
use crate::series::Bench;
use crate::stand::onrush::House;

/// The thread that writes orders; all others write what can be made again.
const WRITER: &str = "writer-0";
/// In /proc/diskstats, whatever the disk has.
const SECTOR_SIZE_BYTES: f64 = 512.0;

/// What was written up to an instant.
#[derive(Clone, Copy)]
struct Written {
    facts: f64,
    record_bytes: f64,
    writer_bytes: f64,
    all_bytes: f64,
    disk_bytes: f64,
}

/// `journal.bytes-per-order`; `journal.amplification`, which is what the writer thread wrote by the bytes of the
/// records; `journal.amplification-all`, with the zeros that fill segments ahead and with snapshots; and
/// `journal.amplification-disk`, what reached the disk of this folder from whomever.
///
/// # Errors
/// When the server does not say, or the kernel.
pub(crate) fn figures(bench: &Bench<'_>) -> anyhow::Result<Figures> {
    let shape = Arm::Order.shape().context("an order is asked for")?;
    let load = Load::new(shape, CONNECTIONS_OF_SATURATION);
    let house = House::open(bench.site, &mut bench.site.command("serve"), Arm::Order)?;
    let mut client = Client::connect(house.server.address)?;
    client.send(&load.shape().request(bench.warm_up_tokens.get(0), "first"))?;
    client.receive()?;
    let before = Written::now(&house)?;
    load.run(house.server.address, bench.measured("journal-"))?;
    let after = Written::now(&house)?;
    let orders = house.close()?.orders;
    let records = after.record_bytes - before.record_bytes;
    let per_order = records / (after.facts - before.facts);
    let by_records = |bytes: fn(&Written) -> f64| (bytes(&after) - bytes(&before)) / records;
    let note = format!("over {orders} orders");
    Ok([
        ("bytes-per-order", per_order),
        ("amplification", by_records(|written| written.writer_bytes)),
        ("amplification-all", by_records(|written| written.all_bytes)),
        ("amplification-disk", by_records(|written| written.disk_bytes)),
    ]
    .map(|(name, value)| (format!("journal.{name}"), Figure::of([value]).note(&note)))
    .into())
}

impl Written {
    fn now(house: &House<'_>) -> anyhow::Result<Written> {
        let server = &house.server;
        let pid = server.pid();
        Ok(Written {
            facts: server.metric("onrush_journal_facts_total")?,
            record_bytes: server.metric("onrush_journal_record_bytes_total")?,
            writer_bytes: written(&task(pid, WRITER)?.join("io"))?,
            all_bytes: written(&PathBuf::from(format!("/proc/{pid}/io")))?,
            disk_bytes: disk_written(house.data.path())?,
        })
    }
}

/// The folder of a thread in /proc.
fn task(pid: u32, name: &str) -> anyhow::Result<PathBuf> {
    let tasks = std::fs::read_dir(format!("/proc/{pid}/task"))?.flatten().map(|entry| entry.path());
    let is_it =
        |path: &PathBuf| std::fs::read_to_string(path.join("comm")).is_ok_and(|text| text.trim_end() == name);
    tasks.into_iter().find(is_it).with_context(|| format!("there is no thread {name}"))
}

/// Bytes handed to the kernel (proc(5), `wchar`). Its `write_bytes` counts whole folios, which are up to a
/// megabyte where a single block of them was changed.
fn written(path: &PathBuf) -> anyhow::Result<f64> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let bytes = text.lines().find_map(|line| line.strip_prefix("wchar: ")?.parse().ok());
    bytes.with_context(|| format!("cannot understand {}", path.display()))
}

/// Bytes that were written to the disk of this folder since the machine was started; 0 where there is none.
fn disk_written(folder: &Path) -> anyhow::Result<f64> {
    let device = std::fs::metadata(folder)?.dev();
    let (major, minor) = (rustix::fs::major(device), rustix::fs::minor(device));
    let text = std::fs::read_to_string("/proc/diskstats").context("cannot read /proc/diskstats")?;
    Ok(sectors_written(&text, (major, minor)).unwrap_or(0.0) * SECTOR_SIZE_BYTES)
}

/// `major minor name reads … writes merged sectors …` (Linux, Documentation/admin-guide/iostats.rst).
fn sectors_written(text: &str, device: (u32, u32)) -> Option<f64> {
    let fields = text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let is_it = |fields: &Vec<&str>| {
        let number = |index: usize| fields.get(index).and_then(|text| text.parse().ok());
        (number(0), number(1)) == (Some(device.0), Some(device.1))
    };
    fields.into_iter().find(is_it)?.get(9)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn disk_is_found_by_its_numbers() {
        let text = " 253 1 vda1 1 2 3 4 5 6 70 8 9\n 253 0 vda 1 2 3 4 5 6 77 8 9\n";
        assert_eq!(sectors_written(text, (253, 0)), Some(77.0));
        assert_eq!(sectors_written(text, (8, 0)), None);
    }
}
