//! Remembers which idempotency keys were certainly never used, in a fixed amount of memory.

use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use domain::{BuyerId, KeyDigest};

/// A Bloom filter of accepted (buyer, key): "certainly new" or "perhaps known".
///
/// All probes of a pair fall in one cache line (F. Putze, P. Sanders, J. Singler, "Cache-, Hash- and
/// Space-Efficient Bloom Filters", 2007), so that remembering costs the writer one cache miss. With 2²⁷ bits,
/// 16 MiB, and ten million keys some two new pairs in a hundred are taken for perhaps known; they then only go
/// the longer way through the writer. Nothing is ever forgotten while the process lives.
///
/// The first keys go into small filters of their own, as in P. Almeida et al., "Scalable Bloom Filters", 2007: a sale of two
/// thousand orders is remembered in a near cache, one of some ten thousand in a far one, and whoever asks in a rush finds it there.
///
/// Any number of threads ask; one remembers, with the [`KeyWriter`]. So remembering takes no locked instruction, which would
/// wait for the line, and for everything that the thread has stored before.
pub(crate) struct KeyFilter {
    /// Ever larger ones; the last is the whole size.
    tiers: [Box<[Line]>; TIER_COUNT],
    /// Pairs that were inserted one by one.
    count: AtomicU64,
    /// How many tiers have any.
    used_count: AtomicUsize,
    /// Whether there is a writer.
    has_writer: AtomicBool,
}

/// 512 bits: one cache line.
#[repr(align(64))]
#[derive(Default)]
struct Line([AtomicU64; 8]);

const LINE_BITS_LOG2: u32 = 9;
const PROBES: u32 = 4;
const TIER_COUNT: usize = 3;
/// Of the first keys, 4 and 64 KiB. In a rush a line is asked for again after a few thousand others at most, before the
/// cache has lost it.
const LINE_COUNTS_MAX: [u64; TIER_COUNT] = [1 << 6, 1 << 10, u64::MAX];
/// Pairs for whose lines a writer waits together: of thousands, the first would be gone again before they are needed.
const PIECE_LEN: usize = 64;
/// At thirteen bits a key, as the whole has with ten million; the last tier takes all.
const KEYS_PER_LINE: u64 = 39;
/// In each page of so many bytes there is a line that is touched, to have it.
const PAGE_SIZE_BYTES: usize = 4 << 10;

impl KeyFilter {
    /// An empty filter of 2^`bits_log2` bits.
    ///
    /// # Panics
    /// Unless `bits_log2` is from 9 to 36.
    pub(crate) fn new(bits_log2: u32) -> KeyFilter {
        assert!((LINE_BITS_LOG2..=36).contains(&bits_log2), "bits_log2={bits_log2}");
        let line_count = 1_u64 << (bits_log2 - LINE_BITS_LOG2);
        let lines = |count: u64| (0..count).map(|_| Line::default()).collect();
        KeyFilter {
            tiers: LINE_COUNTS_MAX.map(|count_max| lines(line_count.min(count_max))),
            count: AtomicU64::new(0),
            used_count: AtomicUsize::new(0),
            has_writer: AtomicBool::new(false),
        }
    }

    /// `false`: the pair was certainly never inserted.
    pub(crate) fn may_contain(&self, buyer: BuyerId, key: KeyDigest) -> bool {
        let hash = hash(buyer, key);
        self.used().iter().any(|lines| has(lines, hash))
    }

    /// Begins to bring near what [`KeyFilter::may_contain`] will look at.
    pub(crate) fn foresee(&self, buyer: BuyerId, key: KeyDigest) {
        let hash = hash(buyer, key);
        self.used().iter().for_each(|lines| touch(lines, hash));
    }

    /// Has the system find the memory, which it does for each page when it is written first. Any thread may, at any time: nothing
    /// changes.
    pub(crate) fn expect(&self) {
        for page in self.tiers.iter().flat_map(|lines| lines.chunks(PAGE_SIZE_BYTES / size_of::<Line>())) {
            // A load would be given the zeros that all share. Where this fails, somebody wrote already.
            let _ = page[0].0[0].compare_exchange(0, 0, Ordering::Relaxed, Ordering::Relaxed);
        }
    }

    fn used(&self) -> &[Box<[Line]>] {
        &self.tiers[..self.used_count.load(Ordering::Acquire)]
    }

    /// All lines: what does not fit before goes there.
    fn last(&self) -> &[Line] {
        &self.tiers[TIER_COUNT - 1]
    }

    /// Has whoever asks look at so many tiers, at least.
    fn use_tiers(&self, count: usize) {
        if self.used_count.load(Ordering::Relaxed) < count {
            self.used_count.store(count, Ordering::Release);
        }
    }
}

/// The only one who tells a filter anything, as long as it lives.
pub struct KeyWriter {
    filter: Arc<KeyFilter>,
    /// Hashes of pairs that are being inserted; kept for its memory.
    hashes: Vec<u64>,
}

impl KeyWriter {
    /// The writer of a filter.
    ///
    /// # Panics
    /// When there is one already.
    pub(crate) fn new(filter: Arc<KeyFilter>) -> KeyWriter {
        // Acquire: goes on where the writer before ended.
        let had_writer = filter.has_writer.swap(true, Ordering::Acquire);
        assert!(!had_writer, "a filter has one writer");
        KeyWriter { filter, hashes: Vec::new() }
    }

    /// Remembers the pairs, and waits for the memory of [`PIECE_LEN`] of them at the same time.
    pub fn insert(&mut self, pairs: impl IntoIterator<Item = (BuyerId, KeyDigest)>) {
        let KeyWriter { filter, hashes } = self;
        hashes.extend(pairs.into_iter().map(|(buyer, key)| hash(buyer, key)));
        let inserted_count = filter.count.load(Ordering::Relaxed);
        let (mut rest, mut before) = (hashes.as_slice(), inserted_count);
        for (tier, lines) in filter.tiers.iter().enumerate() {
            let is_last = tier + 1 == TIER_COUNT;
            let capacity = if is_last { u64::MAX } else { lines.len() as u64 * KEYS_PER_LINE };
            let room = usize::try_from(capacity.saturating_sub(before)).unwrap_or(usize::MAX);
            let (here, others) = rest.split_at(room.min(rest.len()));
            if !here.is_empty() {
                for piece in here.chunks(PIECE_LEN) {
                    piece.iter().for_each(|hash| touch(lines, *hash));
                    piece.iter().for_each(|hash| put(lines, *hash));
                }
                filter.use_tiers(tier + 1);
            }
            (rest, before) = (others, before.saturating_sub(capacity));
        }
        filter.count.store(inserted_count + hashes.len() as u64, Ordering::Relaxed);
        hashes.clear();
    }

    /// Where pairs are noted, for [`KeyWriter::merge`].
    pub fn notes(&self) -> KeyNotes {
        let lines = vec![NotedLine::default(); self.filter.last().len()].into();
        KeyNotes { lines, waiting: vec![Vec::new(); 1 << REGIONS_LOG2].into() }
    }

    /// Remembers all that were noted.
    pub fn merge(&mut self, notes: KeyNotes) {
        let mut is_any = false;
        for (line, noted) in self.filter.last().iter().zip(&notes.into_lines()) {
            for (word, bits) in line.0.iter().zip(&noted.0).filter(|(_, bits)| **bits != 0) {
                add(word, *bits);
                is_any = true;
            }
        }
        if is_any {
            self.filter.use_tiers(TIER_COUNT);
        }
    }
}

impl Drop for KeyWriter {
    fn drop(&mut self) {
        self.filter.has_writer.store(false, Ordering::Release);
    }
}

/// Brings the line into the processor's caches.
fn touch(lines: &[Line], hash: u64) {
    let (index, _probes) = place(hash, mask_of(lines));
    black_box(lines[index].0[0].load(Ordering::Relaxed));
}

fn put(lines: &[Line], hash: u64) {
    let (index, probes) = place(hash, mask_of(lines));
    probes.for_each(|(word, bit)| add(&lines[index].0[word], bit));
}

/// Nobody else stores.
fn add(word: &AtomicU64, bits: u64) {
    word.store(word.load(Ordering::Relaxed) | bits, Ordering::Release);
}

/// What picks a line by a hash: there are a power of two.
fn mask_of<L>(lines: &[L]) -> u64 {
    lines.len() as u64 - 1
}

fn has(lines: &[Line], hash: u64) -> bool {
    let (index, mut probes) = place(hash, mask_of(lines));
    probes.all(|(word, bit)| lines[index].0[word].load(Ordering::Acquire) & bit != 0)
}

/// Pairs that a filter will be told at once: nobody else sees them, so noting needs no atomic operation. A start notes
/// millions, at random places of a memory that no cache holds; so they are sorted roughly first, and those of one
/// region, which a cache does hold, are noted together.
pub struct KeyNotes {
    lines: Box<[NotedLine]>,
    /// Hashes that are not in `lines` yet, by the highest bits of their line.
    waiting: Box<[Vec<u64>]>,
}

#[repr(align(64))]
#[derive(Clone, Default)]
struct NotedLine([u64; 8]);

const REGIONS_LOG2: u32 = 6;
/// Hashes of one region that wait at most: 8 KiB.
const WAITING_LEN_MAX: usize = 1 << 10;

impl KeyNotes {
    /// Notes a pair.
    pub fn note(&mut self, buyer: BuyerId, key: KeyDigest) {
        let hash = hash(buyer, key);
        let mask = mask_of(&self.lines);
        let region = (hash & mask) >> mask.count_ones().saturating_sub(REGIONS_LOG2);
        let waiting = &mut self.waiting[usize::try_from(region).expect("six bits")];
        waiting.push(hash);
        if waiting.len() == WAITING_LEN_MAX {
            set(&mut self.lines, waiting);
        }
    }

    /// All lines, with everything that was noted.
    fn into_lines(mut self) -> Box<[NotedLine]> {
        self.waiting.iter_mut().for_each(|waiting| set(&mut self.lines, waiting));
        self.lines
    }
}

/// Sets the bits of the hashes, which are gone then.
fn set(lines: &mut [NotedLine], hashes: &mut Vec<u64>) {
    let mask = mask_of(lines);
    for hash in hashes.drain(..) {
        let (index, probes) = place(hash, mask);
        let line = &mut lines[index].0;
        probes.for_each(|(word, bit)| line[word] |= bit);
    }
}

/// The line of a pair's hash, and its bits there: word and mask.
fn place(hash: u64, mask: u64) -> (usize, impl Iterator<Item = (usize, u64)>) {
    let index = usize::try_from(hash & mask).expect("the lines are in memory");
    let bits = mix(hash);
    let probes = (0..PROBES).map(move |probe| {
        let bit = (bits >> (probe * LINE_BITS_LOG2)) & ((1 << LINE_BITS_LOG2) - 1);
        (usize::try_from(bit / 64).expect("three bits"), 1_u64 << (bit % 64))
    });
    (index, probes)
}

/// Not a secret hash: who makes two pairs collide only sends one of them the longer way.
fn hash(buyer: BuyerId, key: KeyDigest) -> u64 {
    let (low, high) = buyer.0.as_bytes().split_at(8);
    let word = |bytes: &[u8]| u64::from_le_bytes(bytes.try_into().expect("a label has 16 bytes"));
    mix(mix(mix(key.0) ^ word(low)) ^ word(high))
}

/// The finaliser of SplitMix64 (G. Steele, D. Lea, C. Flood, "Fast Splittable Pseudorandom Number
/// Generators", 2014).
fn mix(value: u64) -> u64 {
    let value = value.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    value ^ (value >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(number: u64) -> (BuyerId, KeyDigest) {
        (BuyerId::from_text(&format!("buyer-{}", number % 1_000)), KeyDigest(number))
    }

    /// A filter, and its writer.
    fn made(bits_log2: u32) -> (Arc<KeyFilter>, KeyWriter) {
        let filter = Arc::new(KeyFilter::new(bits_log2));
        (filter.clone(), KeyWriter::new(filter))
    }

    #[test]
    fn what_was_inserted_is_never_taken_for_new() {
        let (filter, mut writer) = made(16);
        for number in 0..10_000 {
            let (buyer, key) = pair(number);
            writer.insert([(buyer, key)]);
            assert!(filter.may_contain(buyer, key));
        }
        assert!((0..10_000).map(pair).all(|(buyer, key)| filter.may_contain(buyer, key)));
    }

    #[test]
    fn nearly_everything_new_is_known_to_be_new_at_thirteen_bits_a_key() {
        let (filter, mut writer) = made(17);
        let mut notes = writer.notes();
        writer.insert([pair(0)]);
        (1..10_000).map(pair).for_each(|(buyer, key)| notes.note(buyer, key));
        writer.merge(notes);
        assert!((0..10_000).map(pair).all(|(buyer, key)| filter.may_contain(buyer, key)));
        let wrong =
            (10_000..20_000).map(pair).filter(|(buyer, key)| filter.may_contain(*buyer, *key)).count();
        assert!(wrong < 250, "{wrong} of 10,000 new keys were taken for known");
    }

    /// How many keys go into each tier but the last, with those before it.
    fn capacities(filter: &KeyFilter) -> [u64; TIER_COUNT - 1] {
        let [first, second, _] = filter.tiers.each_ref().map(|lines| lines.len() as u64 * KEYS_PER_LINE);
        [first, first + second]
    }

    #[test]
    fn keys_of_every_tier_are_remembered_alike() {
        let (filter, mut writer) = made(LINE_BITS_LOG2 + 12);
        let [first, second] = capacities(&filter);
        let is_known = |number| filter.may_contain(pair(number).0, pair(number).1);
        for number in 0..second + 100 {
            let used = 1 + usize::from(number >= first) + usize::from(number >= second);
            writer.insert([pair(number)]);
            assert!(is_known(number));
            assert_eq!(filter.used().len(), used, "{number}");
        }
        assert!((0..second + 100).all(is_known));
        let wrong = (second + 100..second + 10_100).filter(|number| is_known(*number)).count();
        assert!(wrong < 400, "{wrong} of 10,000 new keys were taken for known");
    }

    #[test]
    fn keys_that_come_at_once_may_go_in_all_tiers() {
        let (filter, mut writer) = made(LINE_BITS_LOG2 + 12);
        let numbers = 0..capacities(&filter)[1] + 100;
        writer.insert(numbers.clone().map(pair));
        assert_eq!(filter.used().len(), TIER_COUNT);
        assert_eq!(filter.count.load(Ordering::Relaxed), numbers.end);
        assert!(numbers.map(pair).all(|(buyer, key)| filter.may_contain(buyer, key)));
    }

    #[test]
    fn nothing_is_forgotten_while_memory_is_found() {
        let pairs: Vec<_> = (0..10_000).map(pair).collect();
        for round in 0..20 {
            // A page for each tier.
            let (filter, mut writer) = made(LINE_BITS_LOG2 + 6);
            std::thread::scope(|scope| {
                let inserting = scope.spawn(|| pairs.iter().for_each(|pair| writer.insert([*pair])));
                while !inserting.is_finished() {
                    filter.expect();
                }
            });
            assert!(pairs.iter().all(|(buyer, key)| filter.may_contain(*buyer, *key)), "{round}");
        }
    }

    #[test]
    fn next_writer_goes_on_where_the_last_one_ended() {
        let (filter, mut writer) = made(16);
        let pairs: Vec<_> = (0..1_000).map(pair).collect();
        let insert = |writer: &mut KeyWriter, pairs: &[(BuyerId, KeyDigest)]| {
            pairs.iter().for_each(|pair| writer.insert([*pair]));
        };
        insert(&mut writer, &pairs[..500]);
        drop(writer);
        std::thread::scope(|scope| {
            scope.spawn(|| insert(&mut KeyWriter::new(filter.clone()), &pairs[500..]));
        });
        assert!(pairs.iter().all(|(buyer, key)| filter.may_contain(*buyer, *key)));
        assert_eq!(filter.count.load(Ordering::Relaxed), 1_000);
    }

    #[test]
    #[should_panic(expected = "a filter has one writer")]
    fn nobody_writes_beside_the_writer() {
        let (filter, _writer) = made(LINE_BITS_LOG2);
        KeyWriter::new(filter);
    }

    #[test]
    fn another_buyer_has_other_keys() {
        let (filter, mut writer) = made(20);
        writer.insert([(BuyerId::from_text("alice"), KeyDigest(7))]);
        assert!(!filter.may_contain(BuyerId::from_text("bob"), KeyDigest(7)));
        assert!(!filter.may_contain(BuyerId::from_text("alice"), KeyDigest(8)));
    }
}
