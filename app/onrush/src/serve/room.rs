//! Room for what may still be sold, made ready before it is.
//!
//! A page that is used for the first time has to be found and zeroed by the kernel, and in a virtual machine by its host as well: 2
//! MiB took from 0.2 to 6 ms here. A writer whose state grows in the rush stands still for that, and everybody with it. So a
//! thread that gives way takes memory from the allocator when units come on sale, touches every page and gives it back. The allocator
//! keeps it ([`keep_freed`]), and whoever asks next gets pages that are there. When a good part of it was used, the thread does
//! so again. The pages where idempotency keys are remembered are reserved from the start, and it touches those of as many keys.

use std::fs;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use anyhow::Context;
use domain::{SaleStatus, Seq};
use engine::State;
use views::Catalog;

use super::background::give_way;

/// What an order takes, about, in the writer's state, the follower's and the views, with indexes that grow.
const ORDER_SIZE_BYTES: u64 = 512;
/// Not more than this part of the memory that there is.
const MEMORY_PART: u64 = 4;
/// Taken at once: about as much as a state's own chunks, of which the allocator has to find one for each.
const PIECE_SIZE_BYTES: usize = 2 << 20;
const PAGE_SIZE_BYTES: usize = 4 << 10;
/// When this part of the room may have been used, there is more to be made.
const USED_PART: u64 = 4;

/// One shard's way to the thread that makes room. The thread ends when nobody has one any more.
#[derive(Clone)]
pub(super) struct Room {
    /// So many units of all shards may still be sold.
    wanted_count: Arc<AtomicU64>,
    /// Says that room is to be made. One word is enough: whoever hears it looks at the number.
    told: SyncSender<()>,
    /// This shard's part of the number, and the position where it was counted.
    unit_count: u64,
    seq: Seq,
    /// After so many facts a part of the room may be used; never, if there is none.
    fact_count: u64,
}

impl Room {
    /// Starts the thread, which makes room for so many bytes at most, for all shards together, and beside it for keys.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub(super) fn start(catalog: Catalog, size_bytes_max: u64) -> anyhow::Result<Room> {
        keep_freed();
        let size_bytes_max = size_bytes_max.min(memory_size_bytes() / MEMORY_PART);
        let (room, heard) = Room::new(size_bytes_max / u64::from(catalog.shard_count().get()));
        let wanted_count = Arc::clone(&room.wanted_count);
        thread::Builder::new()
            .name("room".to_owned())
            .spawn(move || make(&heard, &wanted_count, (&catalog, size_bytes_max)))
            .context("cannot start the thread that makes room")?;
        Ok(room)
    }

    /// For shards of which each has such a part of the room.
    fn new(part_size_bytes: u64) -> (Room, Receiver<()>) {
        let (told, heard) = sync_channel(1);
        let fact_count = match part_size_bytes / ORDER_SIZE_BYTES / USED_PART {
            0 => u64::MAX,
            fact_count => fact_count,
        };
        (Room { wanted_count: Arc::default(), told, unit_count: 0, seq: Seq(0), fact_count }, heard)
    }

    /// Looks at how many units the shard may still sell, and has room made when there are more than before, or some of it
    /// was used.
    pub(super) fn look(&mut self, state: &State) {
        let unit_count = units_on_sale(state);
        let is_wanted = unit_count > self.unit_count || self.is_used(state);
        // Wraps round when there are fewer, and back in the sum.
        self.wanted_count.fetch_add(unit_count.wrapping_sub(self.unit_count), Ordering::SeqCst);
        (self.unit_count, self.seq) = (unit_count, state.seq());
        if is_wanted {
            // A word that waits already will do.
            let _ = self.told.try_send(());
        }
    }

    /// Whether a good part of the room may have been used since the last look.
    pub(super) fn is_used(&self, state: &State) -> bool {
        state.seq().0 - self.seq.0 >= self.fact_count
    }
}

/// Units that are free in sales that are not over.
fn units_on_sale(state: &State) -> u64 {
    let sales = state.sales().filter(|(_, sale)| sale.status() != SaleStatus::Closed);
    sales.flat_map(|(_, sale)| sale.items()).map(|item| u64::from(item.levels().free)).sum()
}

fn make(heard: &Receiver<()>, wanted_count: &AtomicU64, (catalog, size_bytes_max): (&Catalog, u64)) {
    give_way();
    for () in heard {
        let wanted_count = wanted_count.load(Ordering::SeqCst);
        let size_bytes = wanted_count.saturating_mul(ORDER_SIZE_BYTES).min(size_bytes_max);
        if size_bytes > 0 {
            catalog.expect_keys(wanted_count);
            touch(size_bytes);
            tracing::debug!(size_bytes, "there is room for orders");
        }
    }
}

fn touch(size_bytes: u64) {
    let count = usize::try_from(size_bytes).unwrap_or(usize::MAX) / PIECE_SIZE_BYTES;
    // All of it is taken first, or the allocator would give out what is ready already; and given back piece by piece, so that
    // nobody goes without what was ready.
    let pieces: Vec<Vec<u8>> = (0..count).map(|_| Vec::with_capacity(PIECE_SIZE_BYTES)).collect();
    pieces.into_iter().for_each(touch_pages);
}

fn touch_pages(mut piece: Vec<u8>) {
    for page in piece.spare_capacity_mut().chunks_mut(PAGE_SIZE_BYTES) {
        page[0].write(0);
    }
    // Nobody reads what was written; without this it need not be.
    black_box(piece);
}

/// Has the allocator keep what is freed, instead of giving it back to the system after a second: what was needed once, for a
/// snapshot or an index that grew, is needed again.
fn keep_freed() {
    use libmimalloc_sys::{mi_option_set, mi_option_t, mi_option_use_numa_nodes};
    /// `mi_option_purge_delay` of mimalloc.h, for which the crate has no name: it stands right before.
    const PURGE_DELAY: mi_option_t = mi_option_use_numa_nodes - 1;
    const NEVER: core::ffi::c_long = -1;
    #[expect(unsafe_code, reason = "the allocator's options have no other way in")]
    // SAFETY: it stores a number; mimalloc lets any thread do so at any time.
    unsafe {
        mi_option_set(PURGE_DELAY, NEVER);
    }
}

/// What the machine has, or less where this process may not have all of it.
fn memory_size_bytes() -> u64 {
    let info = rustix::system::sysinfo();
    let machine = info.totalram.saturating_mul(u64::from(info.mem_unit));
    let groups = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let limit = |file: PathBuf| fs::read_to_string(file).ok()?.trim().parse::<u64>().ok();
    limit_files(&groups).into_iter().filter_map(limit).fold(machine, u64::min)
}

/// Where limits of this process's memory may stand: its control group's, and those of the groups around it (cgroups(7)).
fn limit_files(groups: &str) -> Vec<PathBuf> {
    const ROOT: &str = "/sys/fs/cgroup";
    let of = |line: &str| match line.splitn(3, ':').collect::<Vec<_>>()[..] {
        [_, "", path] => Some((Path::new(ROOT).join(path.trim_start_matches('/')), "memory.max")),
        [_, "memory", path] => {
            Some((Path::new(ROOT).join("memory").join(path.trim_start_matches('/')), "memory.limit_in_bytes"))
        }
        _ => None,
    };
    let around = |(group, file): (PathBuf, &str)| {
        let groups = group.ancestors().take_while(|group| group.starts_with(ROOT));
        groups.map(|group| group.join(file)).collect::<Vec<_>>()
    };
    groups.lines().filter_map(of).flat_map(around).collect()
}

#[cfg(test)]
mod tests {
    use domain::{Command, Currency, ItemIndex, ItemTerms, SaleId, SaleTerms, ShardId, Slug, UnixMs};

    use super::*;

    fn create_sale(stock: u32) -> Command {
        let terms = SaleTerms::new("Concert", Currency::new("EUR").unwrap(), 600);
        let item = ItemTerms::new(Slug::new("ga").unwrap(), "Standing", 6_000);
        Command::CreateSale {
            slug: Slug::new("concert").unwrap(),
            terms: terms.into(),
            items: vec![(item, stock)],
        }
    }

    fn run(state: &mut State, command: &Command) {
        let facts = engine::decide(state, command, UnixMs(0)).unwrap();
        facts.iter().for_each(|fact| engine::apply(state, fact));
    }

    #[test]
    fn room_is_asked_for_once_for_all_units_that_come_on_sale() {
        let mut state = State::new(ShardId::FIRST, 1);
        let (mut room, heard) = Room::new(u64::MAX);
        room.look(&state);
        assert!(heard.try_recv().is_err(), "nothing is on sale");
        let mut told = |command: Command, room: &mut Room| {
            run(&mut state, &command);
            room.look(&state);
            (heard.try_iter().count(), room.wanted_count.load(Ordering::SeqCst))
        };
        let change = |change| Command::ChangeStock { sale: SaleId(0), item: ItemIndex(0), change, key: None };
        assert_eq!(told(create_sale(1_000), &mut room), (1, 1_000));
        assert_eq!(told(change(-400), &mut room), (0, 600), "what was made ready stays");
        assert_eq!(told(change(500), &mut room), (1, 1_100), "for those that are new");
    }

    #[test]
    fn room_is_asked_for_again_when_a_part_of_it_may_be_used() {
        let mut state = State::new(ShardId::FIRST, 1);
        run(&mut state, &create_sale(1_000));
        let (mut room, heard) = Room::new(3 * USED_PART * ORDER_SIZE_BYTES);
        room.look(&state);
        assert_eq!(heard.try_iter().count(), 1);
        let change = Command::ChangeStock { sale: SaleId(0), item: ItemIndex(0), change: -1, key: None };
        for number in 1..=7 {
            run(&mut state, &change);
            assert_eq!(room.is_used(&state), number % 3 == 0, "three facts are a part");
            if room.is_used(&state) {
                room.look(&state);
                assert_eq!(heard.try_iter().count(), 1);
            }
        }
        assert_eq!(room.wanted_count.load(Ordering::SeqCst), 994, "what may still be sold");
        assert!(!Room::new(0).0.is_used(&state), "nobody looks for what is not wanted");
    }

    #[test]
    fn shard_that_is_not_heard_at_once_is_counted_all_the_same() {
        let (room, heard) = Room::new(u64::MAX);
        let mut state = State::new(ShardId::FIRST, 1);
        run(&mut state, &create_sale(7));
        let mut shards = vec![room.clone(); 100];
        shards.iter_mut().for_each(|room| room.look(&state));
        assert_eq!((heard.try_iter().count(), room.wanted_count.load(Ordering::SeqCst)), (1, 700));
    }

    #[test]
    fn limits_are_looked_for_in_every_group_around_the_process() {
        let files = |groups: &str| {
            limit_files(groups).iter().map(|file| file.display().to_string()).collect::<Vec<_>>()
        };
        assert_eq!(
            files("0::/a.slice/b\n1:name=systemd:/x\n"),
            [
                "/sys/fs/cgroup/a.slice/b/memory.max",
                "/sys/fs/cgroup/a.slice/memory.max",
                "/sys/fs/cgroup/memory.max",
            ]
        );
        assert_eq!(
            files("4:memory:/\n"),
            ["/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory.limit_in_bytes",]
        );
        assert!(files("").is_empty());
        assert!(memory_size_bytes() > 0);
    }
}
