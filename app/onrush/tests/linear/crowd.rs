//! Sixty-four clients of one sale, and the server that is killed under them.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::thread;

use fastrand::Rng;
use parking_lot::{Condvar, Mutex};
use payments::Signer;
use serde_json::{Value, json};

use crate::client::Client;
use crate::history::{History, Recorded};
use crate::model::Number;
use crate::support::PATIENCE;
use crate::support::sale::Shop;
use crate::support::server::{House, Server, WITH_SIMULATOR};
use crate::support::until;

pub(crate) const CLIENT_COUNT: usize = 64;
/// Four clients act for each.
pub(crate) const BUYER_COUNT: usize = 16;
/// The first one is hot.
pub(crate) const ITEMS: [&str; 12] =
    ["hot", "a1", "a2", "a3", "b1", "b2", "b3", "c1", "c2", "c3", "d1", "d2"];
/// What each client does in one round.
const ASK_COUNT: usize = 16;
const KILL_COUNT: u64 = 2;
/// Few, so that all that can be refused is refused.
const STOCK: u32 = 14;
const PER_BUYER_MAX: u32 = 3;
pub(crate) const UNIT_PRICE: u64 = 1_200;
/// Far longer than a round.
const HOLD_TTL_SECONDS: u32 = 3_600;

/// The provider never calls by itself: the clients do. Small segments and frequent snapshots, so that kills hit them.
const SETTINGS: [&str; 5] = [
    WITH_SIMULATOR[0],
    WITH_SIMULATOR[1],
    "payments.simulator.never_percent=100",
    "journal.segment_size_bytes=1048576",
    "snapshot.every_facts=1000",
];

/// What the clients of one round share.
pub(crate) struct Crowd<'a> {
    pub(crate) sale: &'a str,
    pub(crate) tokens: &'a [String],
    pub(crate) admin_key: String,
    pub(crate) signer: Signer,
    pub(crate) door: Door,
    pub(crate) answered: AtomicU64,
    pub(crate) next_key: AtomicU32,
    clock: AtomicU64,
    numbers: Mutex<HashMap<String, Number>>,
    /// By buyer: keys that were sent, whatever became of them.
    pub(crate) tried: Vec<Mutex<Vec<Tried>>>,
    /// By buyer: orders that one of their clients was told of.
    pub(crate) known: Vec<Mutex<Vec<Known>>>,
}

#[derive(Clone, Copy)]
pub(crate) struct Tried {
    pub(crate) item: usize,
    pub(crate) key: Number,
    pub(crate) quantity: u32,
}

#[derive(Clone)]
pub(crate) struct Known {
    pub(crate) item: usize,
    pub(crate) order: Number,
    pub(crate) code: Arc<str>,
    pub(crate) quantity: u32,
}

/// Where the server is now. Its lives are counted.
pub(crate) struct Door {
    state: Mutex<DoorState>,
    opened: Condvar,
}

struct DoorState {
    life: u64,
    address: SocketAddr,
    is_open: bool,
}

/// A house with a server in it, for many rounds.
pub(crate) struct Arena {
    house: House,
    tokens: Vec<String>,
    server: Option<Server>,
    pub(crate) kill_count: u64,
}

impl Arena {
    pub(crate) fn new() -> Arena {
        let house = House::new();
        let server = Some(house.serve(&SETTINGS));
        let count = u32::try_from(BUYER_COUNT).expect("a few");
        let tokens = crate::support::onrush::tokens(&house.data(), "buyer", count);
        Arena { house, tokens, server, kill_count: 0 }
    }

    /// A sale of its own, from its opening to the last client's last answer, with kills. One history per item.
    pub(crate) fn round(&mut self, round: u64, rng: &mut Rng) -> Vec<History> {
        let sale: &'static str = Box::leak(format!("linear-{round}").into_boxed_str());
        let server = self.server.take().expect("there is one between rounds");
        drop(Shop::open(&self.house, &server, (sale, &definition(sale))));
        let crowd = self.crowd(sale, server.address);
        let (server, recorded) = thread::scope(|scope| {
            let clients: Vec<_> = (0..CLIENT_COUNT)
                .map(|number| {
                    let client = Client::new(&crowd, number % BUYER_COUNT, rng.fork());
                    scope.spawn(move || client.run(ASK_COUNT))
                })
                .collect();
            let server = self.kill_and_start_again(server, &crowd, rng);
            let recorded =
                clients.into_iter().map(|client| client.join().expect("a client found something wrong"));
            (server, recorded.flatten().collect::<Vec<_>>())
        });
        self.server = Some(server);
        self.kill_count += KILL_COUNT;
        by_item(recorded)
    }

    /// Waits for so many answers each time, that every kill finds all clients waiting for one.
    fn kill_and_start_again(&self, mut server: Server, crowd: &Crowd<'_>, rng: &mut Rng) -> Server {
        let part = u64::try_from(CLIENT_COUNT * ASK_COUNT).expect("some thousands") / (KILL_COUNT + 1);
        for kill in 0..KILL_COUNT {
            let enough = kill * part + rng.u64(1..=part);
            until("enough answers", || (crowd.answered.load(Ordering::Relaxed) >= enough).then_some(()));
            crowd.door.shut();
            server.kill();
            server = self.house.serve(&SETTINGS);
            crowd.door.open_at(server.address);
        }
        server
    }

    /// Nothing may be wrong with the last server.
    pub(crate) fn stop(self) {
        self.server.expect("there is one between rounds").stop();
    }

    fn crowd<'a>(&'a self, sale: &'a str, address: SocketAddr) -> Crowd<'a> {
        let secret =
            std::fs::read_to_string(self.house.data().join("secrets/payments.key")).expect("a secret");
        Crowd {
            sale,
            tokens: &self.tokens,
            admin_key: self.house.admin_key(),
            signer: Signer::new(secret.trim().as_bytes()).expect("long enough"),
            door: Door::new(address),
            answered: AtomicU64::new(0),
            next_key: AtomicU32::new(0),
            clock: AtomicU64::new(1),
            numbers: Mutex::default(),
            tried: (0..BUYER_COUNT).map(|_| Mutex::default()).collect(),
            known: (0..BUYER_COUNT).map(|_| Mutex::default()).collect(),
        }
    }
}

impl Crowd<'_> {
    /// The next instant: smaller than that of everything that begins after this returned.
    pub(crate) fn now(&self) -> u64 {
        self.clock.fetch_add(1, Ordering::SeqCst)
    }

    /// The number of the order with this code.
    pub(crate) fn number_of(&self, code: &str) -> Number {
        let mut numbers = self.numbers.lock();
        let next = Number::try_from(numbers.len()).expect("a few hundred");
        *numbers.entry(code.to_owned()).or_insert(next)
    }

    /// Lets all clients of a buyer know of an order.
    pub(crate) fn learn(&self, buyer: usize, known: Known) {
        let mut all = self.known[buyer].lock();
        if all.iter().all(|other| other.order != known.order) {
            all.push(known);
        }
    }
}

impl Door {
    fn new(address: SocketAddr) -> Door {
        Door { state: Mutex::new(DoorState { life: 0, address, is_open: true }), opened: Condvar::new() }
    }

    /// Waits until there is a server; says which life it lives, and where. Lives before it have ended by then.
    pub(crate) fn enter(&self) -> (u64, SocketAddr) {
        let mut state = self.state.lock();
        self.opened.wait_while_for(&mut state, |state| !state.is_open, PATIENCE);
        assert!(state.is_open, "the server of life {} is gone, and no other came", state.life);
        (state.life, state.address)
    }

    /// Somebody found the server of that life gone.
    pub(crate) fn is_gone(&self, life: u64) {
        let mut state = self.state.lock();
        if state.life == life {
            state.is_open = false;
        }
    }

    fn shut(&self) {
        self.state.lock().is_open = false;
    }

    fn open_at(&self, address: SocketAddr) {
        let mut state = self.state.lock();
        *state = DoorState { life: state.life + 1, address, is_open: true };
        self.opened.notify_all();
    }
}

fn definition(sale: &str) -> Value {
    let item = |code: &str| {
        json!({
            "item": code, "name": code, "unit_price": UNIT_PRICE, "stock": STOCK,
            "limits": {"per_buyer": PER_BUYER_MAX},
        })
    };
    let items: Vec<Value> = ITEMS.into_iter().map(item).collect();
    json!({
        "sale": sale, "name": "Linear", "currency": "EUR", "hold_ttl_seconds": HOLD_TTL_SECONDS, "items": items,
    })
}

fn by_item(recorded: Vec<(usize, Recorded)>) -> Vec<History> {
    let announced = History { operations: vec![Recorded::announcement(STOCK, PER_BUYER_MAX)] };
    let mut histories = vec![announced; ITEMS.len()];
    for (item, recorded) in recorded {
        histories[item].operations.push(recorded);
    }
    histories
}
