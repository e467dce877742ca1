//! The network between clients and the edge: every message takes its time, and some are lost, repeated, or late by
//! seconds, so that they overtake one another.

use std::collections::BTreeMap;

use crate::dice::Dice;
use crate::errand::Errand;
use crate::system::Outcome;

/// Usual time on the way, at most.
const DELAY_MS_MAX: u64 = 40;
/// Time on the way of a late one, at most.
const LATE_MS_MAX: u64 = 8_000;

/// A message on its way.
#[derive(Clone, Debug)]
pub enum Message {
    /// To the edge.
    Request(Errand),
    /// To whoever asked.
    Answer(Errand, Reply),
}

/// What the edge says.
#[derive(Clone, Debug)]
pub enum Reply {
    /// The answer, or the refusal.
    Said(Outcome),
    /// 503: nothing happened, ask again later.
    Busy {
        /// When.
        retry_after_s: u16,
    },
}

/// How bad the network is, in messages of a thousand.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Weather {
    /// Never arrive.
    pub lost: u64,
    /// Arrive twice.
    pub repeated: u64,
    /// Arrive seconds later.
    pub late: u64,
}

/// What became of a message that was sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fate {
    /// It is on its way.
    Sent,
    /// It will never arrive.
    Lost,
    /// It will arrive twice.
    Repeated,
    /// It will arrive late.
    Late,
}

/// A message that arrived.
#[derive(Debug)]
pub struct Arrived {
    /// The message.
    pub message: Message,
    /// Whether one that was sent later was here before.
    pub overtaken: bool,
}

/// The network.
#[derive(Debug)]
pub struct Network {
    weather: Weather,
    /// By the instant of arrival, then by number.
    on_their_way: BTreeMap<(u64, u64), Message>,
    sent_count: u64,
    latest_arrived: u64,
    dice: Dice,
}

impl Network {
    /// A network with nothing on its way.
    pub fn new(dice: Dice, weather: Weather) -> Network {
        Network { weather, on_their_way: BTreeMap::new(), sent_count: 0, latest_arrived: 0, dice }
    }

    /// From now on the network is this bad.
    pub fn set_weather(&mut self, weather: Weather) {
        self.weather = weather;
    }

    /// Sends a message.
    pub fn send(&mut self, now_ms: u64, message: Message) -> Fate {
        let Weather { lost, repeated, late } = self.weather;
        if self.dice.per_mille(lost) {
            return Fate::Lost;
        }
        if self.dice.per_mille(repeated) {
            self.post(now_ms, message.clone());
            let again_ms = self.dice.below(LATE_MS_MAX);
            self.post(now_ms + again_ms, message);
            return Fate::Repeated;
        }
        let is_late = self.dice.per_mille(late);
        let late_ms = if is_late { self.dice.between(1_000, LATE_MS_MAX) } else { 0 };
        self.post(now_ms + late_ms, message);
        if is_late { Fate::Late } else { Fate::Sent }
    }

    /// Whether nothing is on its way.
    pub fn is_empty(&self) -> bool {
        self.on_their_way.is_empty()
    }

    fn post(&mut self, now_ms: u64, message: Message) {
        self.sent_count += 1;
        let arrives_ms = now_ms + self.dice.below(DELAY_MS_MAX);
        self.on_their_way.insert((arrives_ms, self.sent_count), message);
    }

    /// The next message that has arrived by now.
    pub fn next_arrived(&mut self, now_ms: u64) -> Option<Arrived> {
        let entry = self.on_their_way.first_entry().filter(|entry| entry.key().0 <= now_ms)?;
        let ((_, number), message) = entry.remove_entry();
        let overtaken = number < self.latest_arrived;
        self.latest_arrived = self.latest_arrived.max(number);
        Some(Arrived { message, overtaken })
    }
}
