use domain::{Seq, Term, UnixMs};
use journal::{Batch, Journal};
use tempfile::TempDir;

use super::*;
use crate::world::{self, SHARD};

#[test]
fn follower_comes_to_the_state_of_the_facts_in_bounded_steps() {
    let facts = world::facts(50);
    let journal = world::journal(&facts);
    let mut follower = Follower::from_start(SHARD, 1, journal.cursor(Seq(1)).unwrap());
    let mut counts = Vec::new();
    while let count @ 1.. = follower.poll(7).unwrap() {
        counts.push(count);
    }
    assert!(counts.iter().all(|count| *count <= 7));
    assert_eq!(counts.iter().sum::<usize>(), facts.len());
    assert_eq!(*follower.state().unwrap(), world::state(&facts));
    let tip = journal.tip();
    let Position { shard, seq, term, time } = follower.position();
    assert_eq!((shard, seq, term, time), (SHARD, tip.seq, tip.term, tip.time));
    assert_eq!(engine::invariants::check(follower.state().unwrap()), Ok(()));
}

#[test]
fn follower_sees_what_is_appended_later() {
    let facts = world::facts(10);
    let (first, later) = facts.split_at(15);
    let mut journal = world::journal(first);
    let mut follower = Follower::from_start(SHARD, 1, journal.cursor(Seq(1)).unwrap());
    assert_eq!(follower.poll(1_000).unwrap(), first.len());
    assert_eq!(follower.poll(1_000).unwrap(), 0);
    world::append(&mut journal, later);
    assert_eq!(follower.poll(1_000).unwrap(), later.len());
    assert_eq!(*follower.state().unwrap(), world::state(&facts));
}

#[test]
fn snapshot_and_the_facts_after_it_are_the_whole() {
    let facts = world::facts(40);
    let journal = world::journal(&facts);
    let mut follower = Follower::from_start(SHARD, 1, journal.cursor(Seq(1)).unwrap());
    follower.poll(30).unwrap();
    let folder = TempDir::new().unwrap();
    let store = SnapshotStore::new(journal::OsDisk::open(folder.path()).unwrap());
    follower.snapshot(&store).unwrap();
    let (position, state) = store.load(SHARD, 2).unwrap().newest.unwrap();
    assert_eq!(position, follower.position());
    let cursor = journal.cursor(position.seq.next()).unwrap();
    let mut recovered = Follower::new((position, state), cursor);
    assert_eq!(recovered.poll(1_000).unwrap(), facts.len() - 30);
    assert_eq!(*recovered.state().unwrap(), world::state(&facts));
}

#[test]
fn fact_of_a_later_version_stops_the_follower_for_good() {
    let facts = world::facts(5);
    let mut journal = world::journal(&facts);
    let mut batch = Batch::new();
    batch.push(127, b"from the future");
    let (kind, payload) = {
        let mut payload = Vec::new();
        let kind = codec::encode(&domain::Fact::TermStarted { term: Term(9) }, &mut payload);
        (kind, payload)
    };
    batch.push(kind, &payload);
    journal.append(&batch, UnixMs(9_000_000)).unwrap();
    let mut follower = Follower::from_start(SHARD, 1, journal.cursor(Seq(1)).unwrap());
    let seq = Seq(facts.len() as u64).next();
    for _ in 0..2 {
        match follower.poll(1_000) {
            Err(FollowError::Undecodable(stopped)) => {
                assert_eq!(
                    stopped,
                    Undecodable { seq, source: codec::DecodeError::UnknownKind { kind: 127 } }
                );
            }
            other => panic!("{other:?}"),
        }
        assert_eq!(*follower.state().unwrap(), world::state(&facts));
    }
}
