//! Room for what may still be sold, made ready before it is.
//!
//! A page that is used for the first time has to be found and zeroed by the kernel, and in a virtual machine by its host as well: 2
//! MiB took from 0.2 to 26 ms here. A writer whose state grows in the rush stands still for that, and everybody with it. So a
//! thread that gives way takes memory from the allocator when units come on sale, touches every page and gives it back. The allocator
//! keeps it ([`keep_freed`]), and whoever asks next gets pages that are there. When a good part of it may have been used, and what is left
//! is too little for the units that are left, the thread does so again. The pages where idempotency keys are remembered are reserved from
//! the start, and it touches them as well.

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
/// When this part of the room may have been used, it is looked at again.
const USED_PART: u64 = 4;
/// Facts that are not worth a look.
const USED_COUNT_MIN: u64 = PIECE_SIZE_BYTES as u64 / ORDER_SIZE_BYTES;

/// One shard's way to the thread that makes room. The thread ends when nobody has one any more.
#[derive(Clone)]
pub(super) struct Room {
    counts: Arc<Counts>,
    /// Says that there may be more to be made. One word is enough: whoever hears it looks at the numbers.
    told: SyncSender<()>,
    /// This shard's part of the units that are left, when it looked last.
    unit_count: u64,
}

/// Of all shards.
struct Counts {
    /// Units that are left, for which room is wanted.
    wanted: AtomicU64,
    /// Facts that have come since somebody said how many.
    recent: AtomicU64,
    /// After so many it is said.
    recent_max: AtomicU64,
    /// Facts that it was said of, and that the thread has not heard of.
    used: AtomicU64,
}

/// How much room there is: what was made without what may have been used since.
struct Ready {
    size_bytes: u64,
    size_bytes_max: u64,
}

impl Room {
    /// Starts the thread, which makes room for so many bytes at most, for all shards together, and beside it for keys.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub(super) fn start(catalog: Catalog, size_bytes_max: u64) -> anyhow::Result<Room> {
        keep_freed();
        let size_bytes_max = size_bytes_max.min(memory_size_bytes() / MEMORY_PART);
        let (room, heard) = Room::new();
        let counts = Arc::clone(&room.counts);
        thread::Builder::new()
            .name("room".to_owned())
            .spawn(move || make(&heard, &counts, &catalog, size_bytes_max))
            .context("cannot start the thread that makes room")?;
        Ok(room)
    }

    fn new() -> (Room, Receiver<()>) {
        let (told, heard) = sync_channel(1);
        // Until there is room, nothing uses it.
        let [wanted, recent, recent_max, used] = [0, 0, u64::MAX, 0].map(AtomicU64::new);
        let counts = Counts { wanted, recent, recent_max, used };
        (Room { counts: Arc::new(counts), told, unit_count: 0 }, heard)
    }

    /// Looks at how many units the shard may still sell, and has room made for those that are new.
    pub(super) fn look(&mut self, state: &State) {
        let (before, unit_count) = (self.unit_count, units_on_sale(state));
        self.unit_count = unit_count;
        if unit_count > before {
            self.counts.wanted.fetch_add(unit_count - before, Ordering::SeqCst);
            self.tell();
        } else {
            self.counts.wanted.fetch_sub(before - unit_count, Ordering::SeqCst);
        }
    }

    /// Says that a round brought so many facts. When they may have used a good part of the room, it is looked at again.
    pub(super) fn used(&mut self, fact_count: u64, state: &State) {
        let Counts { recent, recent_max, used, .. } = &*self.counts;
        if recent.fetch_add(fact_count, Ordering::SeqCst) + fact_count >= recent_max.load(Ordering::SeqCst) {
            used.fetch_add(recent.swap(0, Ordering::SeqCst), Ordering::SeqCst);
            self.look(state);
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
    let mut ready = Ready { size_bytes: 0, size_bytes_max };
    for () in heard {
        let used = counts.used.swap(0, Ordering::SeqCst);
        let more = ready.more(used, counts.wanted.load(Ordering::SeqCst));
        counts.recent_max.store(ready.recent_max(), Ordering::SeqCst);
        if let Some(size_bytes) = more {
            catalog.expect_keys();
            touch(size_bytes);
            tracing::debug!(size_bytes, "there is room for orders");
        }
    }
}

impl Ready {
    /// How much room to make for so many units, since so many facts may have used some; `None`: there is enough.
    fn more(&mut self, fact_count: u64, unit_count: u64) -> Option<u64> {
        let size_bytes_of = |count: u64| count.saturating_mul(ORDER_SIZE_BYTES);
        self.size_bytes = self.size_bytes.saturating_sub(size_bytes_of(fact_count));
        let wanted = size_bytes_of(unit_count).min(self.size_bytes_max);
        (wanted > self.size_bytes).then(|| {
            self.size_bytes = wanted;
            wanted
        })
    }

    /// After how many facts to look again.
    fn recent_max(&self) -> u64 {
        match self.size_bytes_max {
            0 => u64::MAX,
            _ => (self.size_bytes / ORDER_SIZE_BYTES / USED_PART).max(USED_COUNT_MIN),
        }
    }
}

fn touch(size_bytes: u64) {
    let size_bytes = usize::try_from(size_bytes).expect("a part of this machine's memory");
    // All of it is taken first, or the allocator would give out what is ready already; and given back piece by piece, so that
    // others go without what was ready as shortly as can be.
    let mut pieces: Vec<Vec<u8>> = Vec::new();
    for size_bytes in piece_sizes(size_bytes) {
        let mut piece = Vec::new();
        if piece.try_reserve_exact(size_bytes).is_err() {
            let ready_size_bytes = pieces.len() * PIECE_SIZE_BYTES;
            tracing::warn!(ready_size_bytes, size_bytes, "the system gives no more memory to make ready");
            break;
        }
        pieces.push(piece);
    }
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
    fn room_is_asked_for_when_units_come_on_sale() {
        let mut state = State::new(ShardId::FIRST, 1);
        let (mut room, heard) = Room::new();
        room.look(&state);
        assert!(heard.try_recv().is_err(), "nothing is on sale");
        let mut told = |command: Command, room: &mut Room| {
            run(&mut state, &command);
            room.look(&state);
            (heard.try_iter().count(), room.counts.wanted.load(Ordering::SeqCst))
        };
        let change = |change| Command::ChangeStock { sale: SaleId(0), item: ItemIndex(0), change, key: None };
        assert_eq!(told(create_sale(1_000), &mut room), (1, 1_000));
        assert_eq!(told(change(-400), &mut room), (0, 600));
        assert_eq!(told(change(500), &mut room), (1, 1_100));
    }

    #[test]
    fn shard_that_is_not_heard_at_once_is_counted_all_the_same() {
        let (room, heard) = Room::new();
        let mut state = State::new(ShardId::FIRST, 1);
        run(&mut state, &create_sale(7));
        let mut shards = vec![room.clone(); 100];
        shards.iter_mut().for_each(|room| room.look(&state));
        assert_eq!((heard.try_iter().count(), room.counts.wanted.load(Ordering::SeqCst)), (1, 700));
    }

    #[test]
    fn room_is_looked_at_again_when_all_shards_together_may_have_used_a_part() {
        let mut state = State::new(ShardId::FIRST, 1);
        run(&mut state, &create_sale(9));
        let (room, heard) = Room::new();
        let counts = Arc::clone(&room.counts);
        let mut shards = [room.clone(), room];
        let mut told = |shard: usize, fact_count| {
            shards[shard].used(fact_count, &state);
            let (used, wanted) =
                (counts.used.swap(0, Ordering::SeqCst), counts.wanted.load(Ordering::SeqCst));
            (heard.try_iter().count(), used, wanted)
        };
        assert_eq!(told(0, 1_000), (0, 0, 0), "there is no room yet");
        counts.recent_max.store(1_003, Ordering::SeqCst);
        assert_eq!([told(0, 1), told(1, 1)], [(0, 0, 0), (0, 0, 0)]);
        assert_eq!(told(0, 1), (1, 1_003, 9), "with what is left by now");
        assert_eq!([told(1, 1_002), told(0, 5)], [(0, 0, 9), (1, 1_007, 9)], "it counts anew");
    }

    #[test]
    fn room_is_made_again_only_when_more_is_left_to_sell_than_it_is_for() {
        const UNIT: u64 = ORDER_SIZE_BYTES;
        let mut ready = Ready { size_bytes: 0, size_bytes_max: 80_000 * UNIT };
        assert_eq!(ready.more(0, 40_000), Some(40_000 * UNIT));
        assert_eq!(ready.recent_max(), 10_000);
        assert_eq!(ready.more(10_000, 30_000), None, "who bought has used the room that was theirs");
        assert_eq!(ready.more(10_000, 30_000), Some(30_000 * UNIT), "units came back, and are sold again");
        assert_eq!(ready.more(0, 500_000), Some(80_000 * UNIT), "not more than the most");
        assert_eq!(ready.more(20_000, 480_000), Some(80_000 * UNIT));
        assert_eq!(ready.more(u64::MAX, 0), None, "nothing is left");
        assert_eq!(ready.recent_max(), USED_COUNT_MIN, "a look for next to nothing is not worth it");
        let mut none = Ready { size_bytes: 0, size_bytes_max: 0 };
        assert_eq!((none.more(1, 1_000), none.recent_max()), (None, u64::MAX));
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
