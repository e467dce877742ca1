use std::num::NonZeroU16;

use domain::{
    Answer, BuyerId, Command, Currency, ItemIndex, ItemTerms, KeyDigest, Levels, Refusal, Request, SaleId,
    SaleStatus, SaleTerms, ShardId, Slug, Term, UnixMs, Wish, Wishes,
};
use engine::State;
use journal::{Journal, Memory, Options, OsDisk};
use views::{Catalog, Position, SnapshotStore};

use super::*;

const NOW: UnixMs = UnixMs(UnixMs::EPOCH.0 + 1_000_000);

fn catalog() -> Catalog {
    Catalog::new(NonZeroU16::MIN, 16)
}

fn settings() -> Settings {
    let journal = Options { segment_size_bytes: 64 << 10, ..Options::default() };
    Settings { shard: ShardId::FIRST, hash_seed: 1, journal }
}

fn create() -> Request {
    create_with(1_000)
}

fn create_with(stock: u32) -> Request {
    let terms = SaleTerms::new("Concert", Currency::new("EUR").unwrap(), 10);
    let item = ItemTerms::new(Slug::new("ga").unwrap(), "Standing", 6_000);
    let slug = Slug::new("concert").unwrap();
    Request::Command(Command::CreateSale { slug, terms: terms.into(), items: vec![(item, stock)] })
}

fn open() -> Request {
    Request::Command(Command::MoveSale { sale: SaleId(0), to: SaleStatus::Open })
}

fn place(buyer: &str) -> Request {
    Request::Command(Command::PlaceOrder {
        sale: SaleId(0),
        buyer: BuyerId::from_text(buyer),
        key: KeyDigest::from_text("key"),
        wishes: Wishes::one(Wish { item: ItemIndex(0), quantity: 1 }),
    })
}

fn round<J: Journal>(
    shard: &mut Shard<J, u32>,
    clock: UnixMs,
    requests: Vec<Request>,
) -> Vec<Result<Answer, Refusal>> {
    shard.decide(clock, (0..).zip(requests));
    shard.commit().unwrap();
    shard.release().map(|(_, outcome)| outcome).collect()
}

#[test]
fn catalogue_shows_what_was_answered() {
    let catalog = catalog();
    let journal = Memory::new();
    let mut shard = Shard::new(journal, State::new(ShardId::FIRST, 1), NOW, catalog.clone());
    round(&mut shard, NOW, vec![create(), open(), place("a"), place("b")]);
    let sale = catalog.sale("concert").unwrap().read();
    assert_eq!((sale.status, sale.seq), (SaleStatus::Open, shard.state().seq()));
    assert_eq!(sale.levels[0], Levels { stock: 1_000, free: 998, held: 2, ..Levels::default() });
    assert!(!catalog.is_key_new(ShardId::FIRST, BuyerId::from_text("a"), KeyDigest::from_text("key")));
    round(&mut shard, UnixMs(NOW.0 + 10_000), vec![]);
    assert_eq!(catalog.sale("concert").unwrap().free(ItemIndex(0)), 1_000, "holds expired");
}

#[test]
#[should_panic(expected = "nothing is answered before it is durable")]
fn nothing_is_answered_before_it_is_durable() {
    let mut shard = Shard::new(Memory::new(), State::new(ShardId::FIRST, 1), NOW, catalog());
    shard.decide(NOW, [(0, create())].into_iter());
    shard.release();
}

// covers: I5
#[test]
fn recovery_gives_every_answer_again() {
    let directory = tempfile::tempdir().unwrap();
    let disk = || OsDisk::open(directory.path()).unwrap();
    let mut answers = Vec::new();
    let mut sequences = Vec::new();
    // Three lives: from nothing, from the journal, from a snapshot and the journal's tail.
    for life in 0..3 {
        let catalog = catalog();
        let (mut shard, recovered) =
            recover::<_, u32>(disk(), settings(), catalog.clone(), NOW, |_| {}).unwrap();
        assert_eq!(recovered.term, Term(life + 1));
        assert_eq!(recovered.snapshot.is_some(), life == 2);
        if life == 0 {
            round(&mut shard, NOW, vec![create(), open()]);
        }
        assert!(catalog.sale("concert").is_some(), "published by recovery");
        let again = (0..answers.len()).map(|buyer| place(&buyer.to_string())).collect();
        assert_eq!(round(&mut shard, NOW, again), answers, "one key, one outcome, in life {life}");
        for _ in 0..50 {
            let buyer = answers.len().to_string();
            answers.extend(round(&mut shard, NOW, vec![place(&buyer)]));
        }
        sequences.push(shard.state().seq());
        if life == 1 {
            let tip = shard.journal().tip();
            let position = Position { shard: ShardId::FIRST, seq: tip.seq, term: tip.term, time: tip.time };
            SnapshotStore::new(disk()).write(position, shard.state()).unwrap();
        }
    }
    assert!(answers.iter().all(Result::is_ok));
    assert!(sequences.is_sorted());
}

#[test]
fn shard_is_refused_when_the_journal_ends_before_the_snapshot() {
    let directory = tempfile::tempdir().unwrap();
    let disk = || OsDisk::open(directory.path()).unwrap();
    {
        let (mut shard, _) = recover::<_, u32>(disk(), settings(), catalog(), NOW, |_| {}).unwrap();
        round(&mut shard, NOW, vec![create(), open(), place("a")]);
        let tip = shard.journal().tip();
        let position = Position { shard: ShardId::FIRST, seq: tip.seq, term: tip.term, time: tip.time };
        SnapshotStore::new(disk()).write(position, shard.state()).unwrap();
    }
    for entry in std::fs::read_dir(directory.path()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "seg") {
            std::fs::remove_file(path).unwrap();
        }
    }
    let refused = recover::<_, u32>(disk(), settings(), catalog(), NOW, |_| {}).map(|_| ());
    assert!(matches!(refused, Err(RecoverError::Tail(_))), "{refused:?}");
}

#[test]
fn one_round_takes_no_more_than_a_batch() {
    let mut shard = Shard::new(Memory::new(), State::new(ShardId::FIRST, 1), NOW, catalog());
    round(&mut shard, NOW, vec![create(), open()]);
    let requests =
        (0..domain::limits::BATCH_FACT_COUNT_MAX + 10).map(|buyer| place(&buyer.to_string())).collect();
    let first = round(&mut shard, NOW, requests);
    assert_eq!(first.len(), domain::limits::BATCH_FACT_COUNT_MAX);
    assert_eq!(first.iter().filter(|outcome| outcome.is_ok()).count(), 1_000, "exactly the stock");
}

#[test]
fn batch_that_is_full_within_a_piece_leaves_nobody_out_and_everybody_in_order() {
    let mut shard = Shard::new(Memory::new(), State::new(ShardId::FIRST, 1), NOW, catalog());
    let places = (0..domain::limits::BATCH_FACT_COUNT_MAX + 100).map(|buyer| place(&buyer.to_string()));
    // The term, the sale and its item are facts of the first batch, too.
    let mut inbox = (0..).zip([create_with(10_000), open()].into_iter().chain(places));
    let (mut tickets, mut orders, mut waiting) = (Vec::new(), Vec::new(), Vec::new());
    for _round in 0..2 {
        shard.decide(NOW, &mut inbox);
        shard.commit().unwrap();
        for (ticket, outcome) in shard.release() {
            tickets.push(ticket);
            if let Ok(Answer::Order(order)) = outcome {
                orders.push(order.order);
            }
        }
        waiting.push(shard.waiting_count());
    }
    assert_eq!((waiting, inbox.count()), (vec![2, 0], 0));
    assert_eq!(tickets, (0..tickets.len()).collect::<Vec<_>>(), "in the order in which they came");
    assert_eq!(orders.len(), domain::limits::BATCH_FACT_COUNT_MAX + 100);
    assert!(orders.is_sorted_by(|a, b| a < b));
}
