//! Several connections that send at the same time.

use std::sync::Barrier;
use std::thread;
use std::time::{Duration, SystemTime};

use crate::support::http::{Ask, Reply};
use crate::support::server::Server;

/// What one connection sends in one packet, and the instant for it; `None`: as soon as all are there.
pub(crate) struct Packet {
    pub(crate) at: Option<SystemTime>,
    pub(crate) asks: Vec<Ask>,
}

impl Packet {
    pub(crate) fn new(ask: Ask) -> Packet {
        Packet { at: None, asks: vec![ask] }
    }
}

/// Every lane is a connection with one packet for each round; each round begins when all lanes are there. Returns the
/// answers by lane and round.
pub(crate) fn race<const N: usize>(server: &Server, lanes: [Vec<Packet>; N]) -> [Vec<Vec<Reply>>; N] {
    assert!(lanes.iter().all(|lane| lane.len() == lanes[0].len()), "every lane has every round");
    let start = Barrier::new(N);
    let run = |lane: Vec<Packet>| {
        let mut connection = server.connect();
        let send = |packet: Packet| {
            start.wait();
            packet.at.into_iter().for_each(sleep_until);
            connection.ask_at_once(&packet.asks).expect("the server is there")
        };
        lane.into_iter().map(send).collect()
    };
    thread::scope(|scope| {
        let running = lanes.map(|lane| scope.spawn(|| run(lane)));
        running.map(|lane| lane.join().expect("every request is answered"))
    })
}

fn sleep_until(instant: SystemTime) {
    if let Ok(left) = instant.duration_since(SystemTime::now()) {
        // The last stretch is too short for a timer.
        thread::sleep(left.saturating_sub(Duration::from_millis(1)));
        while SystemTime::now() < instant {
            std::hint::spin_loop();
        }
    }
}
