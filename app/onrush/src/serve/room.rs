//! Room for what may still be sold, made ready before it is.
//!
//! A page that is used for the first time has to be found and zeroed by the kernel, and in a virtual machine by its host as well: 2
//! MiB took from 0.2 to 26 ms here. A writer whose state grows in the rush stands still for that, and everybody with it. So a
//! thread that gives way takes memory from the allocator when units come on sale, touches every page and gives it back. The allocator
//! keeps it ([`keep_freed`]), and whoever asks next gets pages that are there. When a good part of it may have been used, the
//! thread does so again. The pages where idempotency keys are remembered are reserved from the start, and it touches them as well.

use std::fs;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use anyhow::Context;
use domain::SaleStatus;
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
    counts: Arc<Counts>,
    /// Says that there is more to be made. One word is enough: whoever hears it looks at the numbers.
    told: SyncSender<()>,
    /// This shard's part of the units that are wanted.
    unit_count: u64,
}

/// Of all shards.
struct Counts {
    /// For so many units room is wanted.
    wanted: AtomicU64,
    /// So many facts have come since room was made.
    used: AtomicU64,
    /// After so many there is more to be made.
    used_max: u64,
}

impl Room {
    /// Starts the thread, which makes room for so many bytes at most, for all shards together, and beside it for keys.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub(super) fn start(catalog: Catalog, size_bytes_max: u64) -> anyhow::Result<Room> {
        keep_freed();
        let size_bytes_max = size_bytes_max.min(memory_size_bytes() / MEMORY_PART);
        let (room, heard) = Room::new(size_bytes_max);
        let counts = Arc::clone(&room.counts);
        thread::Builder::new()
            .name("room".to_owned())
            .spawn(move || make(&heard, &counts, &catalog, size_bytes_max))
            .context("cannot start the thread that makes room")?;
        Ok(room)
    }

    fn new(size_bytes_max: u64) -> (Room, Receiver<()>) {
        let (told, heard) = sync_channel(1);
        // Without room nobody asks for more.
        let used_max = match size_bytes_max / ORDER_SIZE_BYTES / USED_PART {
            0 => u64::MAX,
            used_max => used_max,
        };
        let counts = Counts { wanted: AtomicU64::new(0), used: AtomicU64::new(0), used_max };
        (Room { counts: Arc::new(counts), told, unit_count: 0 }, heard)
    }

    /// Looks at how many units the shard may still sell, and has room made for those that are new.
    pub(super) fn look(&mut self, state: &State) {
        let unit_count = units_on_sale(state);
        if unit_count > self.unit_count {
            self.counts.wanted.fetch_add(unit_count - self.unit_count, Ordering::SeqCst);
            self.unit_count = unit_count;
            self.tell();
        }
    }

    /// Says that a round brought so many facts, and has more room made when they may have used a good part of it.
    pub(super) fn used(&self, fact_count: u64) {
        let before = self.counts.used.fetch_add(fact_count, Ordering::SeqCst);
        if before + fact_count >= self.counts.used_max {
            self.tell();
        }
    }

    fn tell(&self) {
        // A word that waits already will do.
        let _ = self.told.try_send(());
    }
}

/// Units that are free in sales that are not over.
fn units_on_sale(state: &State) -> u64 {
    let sales = state.sales().filter(|(_, sale)| sale.status() != SaleStatus::Closed);
    sales.flat_map(|(_, sale)| sale.items()).map(|item| u64::from(item.levels().free)).sum()
}

fn make(heard: &Receiver<()>, counts: &Counts, catalog: &Catalog, size_bytes_max: u64) {
    give_way();
    let mut ready_size_bytes = 0;
    for () in heard {
        let wanted = counts.wanted.load(Ordering::SeqCst).saturating_mul(ORDER_SIZE_BYTES);
        let size_bytes = wanted.min(size_bytes_max);
        let is_used = counts.take_used();
        if size_bytes > ready_size_bytes || (is_used && size_bytes > 0) {
            catalog.expect_keys();
            touch(size_bytes);
            tracing::debug!(size_bytes, "there is room for orders");
            ready_size_bytes = size_bytes;
        }
    }
}

impl Counts {
    /// Whether a good part may have been used; then it counts anew.
    fn take_used(&self) -> bool {
        let is_used = self.used.load(Ordering::SeqCst) >= self.used_max;
        if is_used {
            self.used.store(0, Ordering::SeqCst);
        }
        is_used
    }
}

fn touch(size_bytes: u64) {
    let size_bytes = usize::try_from(size_bytes).expect("a part of this machine's memory");
    // All of it is taken first, or the allocator would give out what is ready already; and given back piece by piece, so that
    // others go without what was ready as shortly as can be.
    let pieces: Vec<Vec<u8>> = piece_sizes(size_bytes).map(Vec::with_capacity).collect();
    pieces.into_iter().for_each(touch_pages);
}

/// What so many bytes are taken in, the last smaller than the others if need be.
fn piece_sizes(size_bytes: usize) -> impl Iterator<Item = usize> {
    (0..size_bytes).step_by(PIECE_SIZE_BYTES).map(move |from| PIECE_SIZE_BYTES.min(size_bytes - from))
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
            (heard.try_iter().count(), room.counts.wanted.load(Ordering::SeqCst))
        };
        let change = |change| Command::ChangeStock { sale: SaleId(0), item: ItemIndex(0), change, key: None };
        assert_eq!(told(create_sale(1_000), &mut room), (1, 1_000));
        assert_eq!(told(change(-400), &mut room), (0, 1_000), "what was made ready stays");
        assert_eq!(told(change(500), &mut room), (1, 1_100), "only what is more than ever");
    }

    #[test]
    fn shard_that_is_not_heard_at_once_is_counted_all_the_same() {
        let (room, heard) = Room::new(u64::MAX);
        let mut state = State::new(ShardId::FIRST, 1);
        run(&mut state, &create_sale(7));
        let mut shards = vec![room.clone(); 100];
        shards.iter_mut().for_each(|room| room.look(&state));
        assert_eq!((heard.try_iter().count(), room.counts.wanted.load(Ordering::SeqCst)), (1, 700));
    }

    #[test]
    fn room_is_asked_for_again_when_all_shards_together_may_have_used_a_part() {
        let (room, heard) = Room::new(3 * USED_PART * ORDER_SIZE_BYTES);
        let shards = [room.clone(), room];
        let told = |shard: usize, fact_count| {
            shards[shard].used(fact_count);
            (heard.try_iter().count(), shards[shard].counts.take_used())
        };
        assert_eq!([told(0, 1), told(1, 1), told(0, 1)], [(0, false), (0, false), (1, true)]);
        assert_eq!([told(1, 2), told(0, 5)], [(0, false), (1, true)], "it counts anew");
    }

    #[test]
    fn pieces_are_all_of_the_room_and_no_more_however_small_it_is() {
        let sizes = |size_bytes| piece_sizes(size_bytes).collect::<Vec<_>>();
        assert!(sizes(0).is_empty());
        assert_eq!(sizes(1), [1]);
        assert_eq!(sizes(PIECE_SIZE_BYTES), [PIECE_SIZE_BYTES]);
        assert_eq!(sizes(2 * PIECE_SIZE_BYTES + 1), [PIECE_SIZE_BYTES, PIECE_SIZE_BYTES, 1]);
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
