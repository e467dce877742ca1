use alloc::vec;
use alloc::vec::Vec;

use domain::{
    Actor, BuyerId, Currency, ItemIndex, ItemTerms, KeyDigest, OrderState, SaleId, SaleStatus, SaleTerms,
    Seq, ShardId, Slug, Wish, Wishes,
};

use super::*;

const NOW: UnixMs = UnixMs(UnixMs::EPOCH.0 + 1_000_000);

fn create() -> Request {
    let terms = SaleTerms::new("Concert", Currency::new("EUR").unwrap(), 10);
    let item = ItemTerms::new(Slug::new("ga").unwrap(), "Standing", 6_000);
    let slug = Slug::new("concert").unwrap();
    Request::Command(Command::CreateSale { slug, terms: terms.into(), items: vec![(item, 2)] })
}

fn open() -> Request {
    Request::Command(Command::MoveSale { sale: SaleId(0), to: SaleStatus::Open })
}

fn place(buyer: &str, key: &str) -> Request {
    Request::Command(Command::PlaceOrder {
        sale: SaleId(0),
        buyer: BuyerId::from_text(buyer),
        key: KeyDigest::from_text(key),
        wishes: Wishes::one(Wish { item: ItemIndex(0), quantity: 1 }),
    })
}

fn sequencer() -> Sequencer<u32> {
    Sequencer::new(State::new(ShardId::FIRST, 7), UnixMs(0))
}

fn round(
    sequencer: &mut Sequencer<u32>,
    clock: UnixMs,
    requests: Vec<Request>,
) -> (usize, Vec<(u32, Outcome)>) {
    sequencer.begin(clock);
    (0..).zip(requests).for_each(|(ticket, request)| sequencer.take(ticket, request));
    let fact_count = sequencer.facts().len();
    (fact_count, sequencer.release().collect())
}

#[test]
fn each_request_is_decided_on_what_the_earlier_ones_left() {
    let mut sequencer = sequencer();
    let requests = vec![create(), open(), place("a", "1"), place("b", "1"), place("c", "1"), place("a", "1")];
    let (fact_count, outcomes) = round(&mut sequencer, NOW, requests);
    assert_eq!(fact_count, 5, "sale, item, opened, two orders");
    let tickets: Vec<u32> = outcomes.iter().map(|(ticket, _)| *ticket).collect();
    assert_eq!(tickets, [0, 1, 2, 3, 4, 5]);
    assert!(matches!(outcomes[4].1, Err(Refusal::StockExhausted { left: 0, .. })));
    assert_eq!(outcomes[2].1, outcomes[5].1, "the same key gives the first answer again");
}

#[test]
fn time_never_runs_backwards() {
    let mut sequencer = sequencer();
    round(&mut sequencer, NOW, vec![create(), open()]);
    round(&mut sequencer, UnixMs(NOW.0 - 3_600_000), vec![place("a", "1")]);
    assert_eq!(sequencer.time(), NOW);
    round(&mut sequencer, UnixMs(NOW.0 + 9_999), vec![]);
    assert_eq!(sequencer.facts().len(), 0);
    sequencer.begin(UnixMs(NOW.0 + 10_000));
    assert!(matches!(sequencer.facts(), [Fact::OrderExpired { .. }]));
}

#[test]
fn reading_sees_the_requests_before_it() {
    let mut sequencer = sequencer();
    round(&mut sequencer, NOW, vec![create(), open(), place("a", "1")]);
    let buyer = BuyerId::from_text("a");
    let order = sequencer.state().order_by_key(buyer, KeyDigest::from_text("1")).unwrap();
    let cancel = Request::Command(Command::CancelOrder { order, by: Actor::Buyer(buyer) });
    let show = |by| Request::ShowOrder { order, by };
    let stranger = Actor::Buyer(BuyerId::from_text("b"));
    let requests = vec![show(Actor::Organiser), cancel, show(Actor::Organiser), show(stranger)];
    let (fact_count, outcomes) = round(&mut sequencer, NOW, requests);
    let states: Vec<_> = outcomes
        .iter()
        .map(|(_, outcome)| match outcome {
            Ok(Answer::Order(view)) => Ok((view.state, view.seq)),
            other => Err(other.clone()),
        })
        .collect();
    assert_eq!(fact_count, 1);
    assert_eq!(states[0], Ok((OrderState::Held, Seq(4))));
    assert_eq!(states[2], Ok((OrderState::Cancelled, Seq(5))));
    assert_eq!(states[3], Err(Err(Refusal::OrderNotFound)));
}

#[test]
#[should_panic(expected = "when the one before is durable")]
fn batch_does_not_begin_before_the_one_before_is_durable() {
    let mut sequencer = sequencer();
    sequencer.begin(NOW);
    sequencer.begin(NOW);
}
