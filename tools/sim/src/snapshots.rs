//! Snapshots under attack: the power goes off at every single operation of the disk while one is taken, and the
//! newer one rots.

use domain::{
    Answer, BuyerId, Command, Currency, ItemIndex, ItemTerms, KeyDigest, Request, SaleId, SaleStatus,
    SaleTerms, Seq, Slug, UnixMs, Wish, Wishes,
};
use engine::State;
use journal::Options;

use crate::dice::Dice;
use crate::machine::Machine;
use crate::system::System;

const OPTIONS: Options = Options { segment_size_bytes: 4_096 * 4, block_size_bytes_max: 4_096 * 17 };
const NOW: UnixMs = UnixMs(UnixMs::EPOCH.0 + 1_000_000);
const SALE: SaleId = SaleId(0);
const SEED_COUNT: u64 = 8;

fn start(machine: &Machine) -> System {
    System::recover(machine, OPTIONS, NOW).unwrap().0
}

fn ask(system: &mut System, command: Command) -> Answer {
    let outcomes = system.shard_mut(0).step(NOW, vec![(0, Request::Command(command))]).unwrap();
    outcomes.into_iter().next().unwrap().1.unwrap()
}

fn make_sale(system: &mut System) {
    let terms = SaleTerms::new("Rush", Currency::new("EUR").unwrap(), 600);
    let items = vec![(ItemTerms::new(Slug::new("a").unwrap(), "Item", 5), 1_000)];
    ask(system, Command::CreateSale { slug: Slug::new("rush").unwrap(), terms: terms.into(), items });
    ask(system, Command::MoveSale { sale: SALE, to: SaleStatus::Open });
}

/// Orders in batches of one, so that a few of them fill a segment.
fn place_orders(system: &mut System, keys: std::ops::Range<u64>) {
    for key in keys {
        let wishes = Wishes::one(Wish { item: ItemIndex(0), quantity: 1 });
        let buyer = BuyerId::from_text(&format!("buyer-{key}"));
        ask(system, Command::PlaceOrder { sale: SALE, buyer, key: KeyDigest(key), wishes });
    }
}

/// What is in the journal; the term that a process starts by itself is not there yet.
fn copy(system: &mut System) -> State {
    System::copy(system.shard_mut(0).followed().unwrap()).unwrap()
}

/// A machine whose journal has several segments and one snapshot already, and what its state comes to.
fn machine_with_snapshot(seed: u64) -> (Machine, State) {
    let machine = Machine::new(&mut Dice::new(seed), 1);
    let mut system = start(&machine);
    make_sale(&mut system);
    place_orders(&mut system, 0..10);
    system.shard_mut(0).take_snapshot().unwrap();
    place_orders(&mut system, 10..20);
    (machine, copy(&mut system))
}

/// Takes a snapshot and drops what it stands for; how many segments.
fn take_and_truncate(system: &mut System) -> anyhow::Result<u64> {
    let written = system.shard_mut(0).take_snapshot()?;
    let seq = written.droppable_before.expect("it is the second one");
    system.shard_mut(0).truncate_before(seq)
}

// covers: I5
#[test]
fn power_cut_at_any_operation_of_taking_a_snapshot_changes_nothing() {
    for seed in 0..SEED_COUNT {
        let (base, expected) = machine_with_snapshot(seed);
        let mut crash_count = 0;
        for operation in 0.. {
            let machine = base.copy().for_next_process();
            let mut system = start(&machine);
            machine.burn_after(0, operation);
            let taken = take_and_truncate(&mut system);
            if let Ok(dropped) = taken {
                assert!(dropped > 2, "the last attempt got to the end and dropped {dropped} segments");
                break;
            }
            crash_count += 1;
            assert!(machine.is_off(), "seed {seed}, operation {operation}: {taken:?}");
            drop(system);
            machine.cycle_power();
            let (mut again, recovered) = System::recover(&machine.for_next_process(), OPTIONS, NOW)
                .unwrap_or_else(|error| panic!("seed {seed}, operation {operation}: {error:#}"));
            assert!(recovered[0].snapshots_damaged.is_empty(), "seed {seed}, operation {operation}");
            assert_eq!(copy(&mut again), expected, "seed {seed}, operation {operation}");
        }
        assert!(crash_count > 8, "only {crash_count} operations were interrupted");
    }
}

// covers: I5
#[test]
fn older_snapshot_and_its_tail_stand_in_for_a_newer_one_that_rots() {
    let mut found = 0;
    for seed in 0..SEED_COUNT {
        let (base, expected) = machine_with_snapshot(seed);
        take_and_truncate(&mut start(&base.for_next_process())).unwrap();
        for _ in 0..100 {
            let Some(flipped) = base.disks()[0].flip_bit() else { continue };
            let recovered = System::recover(&base.for_next_process(), OPTIONS, NOW);
            base.disks()[0].heal();
            let is_newer = flipped.file == format!("snapshot-{:020}.snap", expected.seq().0);
            let Ok((mut system, recovered)) = recovered else {
                assert!(flipped.file.ends_with(".seg"), "{flipped:?} kept the shard from starting");
                continue;
            };
            assert_eq!(copy(&mut system), expected, "seed {seed}: {flipped:?}");
            let [recovered] = &recovered[..] else { panic!("one shard") };
            if is_newer {
                let damaged: Vec<&str> =
                    recovered.snapshots_damaged.iter().map(|damaged| damaged.file.as_str()).collect();
                assert_eq!(damaged, [flipped.file.as_str()], "{flipped:?}");
                assert!(recovered.snapshot.is_some_and(|seq| Seq(0) < seq && seq < expected.seq()));
                assert!(recovered.tail_fact_count > 0);
                found += 1;
            }
        }
    }
    assert!(found > 50, "the newer snapshot rotted only {found} times");
}
