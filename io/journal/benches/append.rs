//! What a durable append costs, and how fast a journal is read: `cargo bench -p journal [-- DIR]`.
//!
//! DIR (default: the system's temporary directory) says which disk is measured.
#![allow(clippy::print_stdout, reason = "a benchmark talks to its terminal")]

use std::error::Error;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use domain::{Seq, UnixMs};
use journal::{Batch, Cursor, Journal, Local, Options, OsDisk, scan};

const RUN_TIME: Duration = Duration::from_secs(3);
const PAYLOAD: [u8; 44] = [7; 44];
const NOW: UnixMs = UnixMs(1_800_000_000_000);

fn main() -> Result<(), Box<dyn Error>> {
    let parent = std::env::args().skip(1).find(|arg| !arg.starts_with('-'));
    let parent = parent.map_or_else(std::env::temp_dir, PathBuf::from);
    let path = parent.join(format!("onrush-journal-bench-{}", std::process::id()));
    let disk = OsDisk::open_or_create(&path)?;
    let result = run(&disk);
    std::fs::remove_dir_all(&path)?;
    result
}

fn run(disk: &OsDisk) -> Result<(), Box<dyn Error>> {
    let (mut journal, _) = Local::open(disk.clone(), Options::default(), NOW)?;
    let preparer = journal.preparer();
    let (stop, stopped) = std::sync::mpsc::channel::<()>();
    let helper = std::thread::spawn(move || {
        let pause = Duration::from_millis(1);
        while stopped.recv_timeout(pause) == Err(std::sync::mpsc::RecvTimeoutError::Timeout) {
            let _ = preparer.prepare(); // the append that needs the segment will report it
        }
    });
    for record_count in [1, 16, 500, 4_096] {
        measure_appends(&mut journal, record_count)?;
    }
    drop(stop);
    helper.join().map_err(|_| "the preparing thread panicked")?;
    measure_replay(&journal)?;
    drop(journal);

    let started = Instant::now();
    let (_, recovery) = Local::open(disk.clone(), Options::default(), NOW)?;
    report("recovery", recovery.extent.record_count(), started.elapsed());
    let started = Instant::now();
    let checked = scan(disk, &mut |_| ())?;
    report("scan", checked.extent.record_count(), started.elapsed());
    Ok(())
}

fn measure_appends(journal: &mut Local<OsDisk>, record_count: usize) -> Result<(), Box<dyn Error>> {
    let mut batch = Batch::new();
    let mut times = Vec::new();
    let started = Instant::now();
    while started.elapsed() < RUN_TIME {
        let begun = Instant::now();
        batch.clear();
        for _ in 0..record_count {
            batch.push(1, &PAYLOAD);
        }
        journal.append(&batch, NOW)?;
        times.push(begun.elapsed());
    }
    let elapsed = started.elapsed();
    times.sort_unstable();
    let at = |percent: usize| times[(times.len() - 1) * percent / 100].as_micros();
    println!(
        "append of {record_count:>4} records: {:>7.0} appends/s, {:>9.0} records/s, p50 {} µs, p99 {} µs, max {} µs",
        per_second(times.len() as u64, elapsed),
        per_second((times.len() * record_count) as u64, elapsed),
        at(50),
        at(99),
        at(100),
    );
    Ok(())
}

fn measure_replay(journal: &Local<OsDisk>) -> Result<(), Box<dyn Error>> {
    let mut cursor = journal.cursor(Seq(1))?;
    let mut size_bytes = 0;
    let started = Instant::now();
    while cursor.read(8_192, &mut |record| size_bytes += record.payload.len())? > 0 {}
    report("replay by cursor", cursor.next_seq().0 - 1, started.elapsed());
    assert_eq!(size_bytes as u64, (cursor.next_seq().0 - 1) * PAYLOAD.len() as u64);
    Ok(())
}

fn report(what: &str, record_count: u64, elapsed: Duration) {
    println!(
        "{what}: {record_count} records in {:.3} s, {:.0} records/s",
        elapsed.as_secs_f64(),
        per_second(record_count, elapsed)
    );
}

#[allow(clippy::cast_precision_loss, reason = "for people's eyes")]
fn per_second(count: u64, elapsed: Duration) -> f64 {
    count as f64 / elapsed.as_secs_f64()
}
