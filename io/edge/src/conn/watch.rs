//! What every connection is doing, and for how long.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::task::{Context, Waker};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use slab::Slab;
use tokio::sync::Notify;

use crate::config::Config;

/// What a connection is doing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(crate) enum Phase {
    /// Nothing came yet.
    FirstByte = 0,
    /// Between requests.
    Idle = 1,
    /// The head of a request is coming.
    Head = 2,
    /// The request is being answered; its body may still be coming.
    Busy = 3,
    /// The answer is going out.
    Writing = 4,
}

impl Phase {
    const ALL: [Phase; 5] = [Phase::FirstByte, Phase::Idle, Phase::Head, Phase::Busy, Phase::Writing];

    fn deadline(self, config: &Config) -> Duration {
        match self {
            Phase::FirstByte => config.first_byte_deadline,
            Phase::Idle => config.idle_deadline,
            Phase::Head => config.head_deadline,
            Phase::Busy => config.body_deadline + config.answer_deadline,
            Phase::Writing => config.write_deadline,
        }
    }
}

/// What a connection has been told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(crate) enum Word {
    /// Go on.
    GoOn = 0,
    /// Finish the request that is being answered, and end.
    Finish = 1,
    /// End now.
    End = 2,
}

/// A connection as it and its listener see it.
pub(crate) struct Watch {
    /// The phase in the low three bits, above them how many phases there were: so the same phase entered
    /// anew is another value.
    state: AtomicU64,
    word: AtomicU8,
    waker: Mutex<Option<Waker>>,
}

impl Watch {
    pub(crate) fn new() -> Watch {
        let state = AtomicU64::new(u64::from(Phase::FirstByte as u8));
        Watch { state, word: AtomicU8::new(Word::GoOn as u8), waker: Mutex::new(None) }
    }

    pub(crate) fn phase(&self) -> Phase {
        phase_of(self.state.load(Ordering::Relaxed))
    }

    /// Only who has the connection calls this (its lane's line, or hyper's task behind it), so there is no race to lose.
    pub(crate) fn enter(&self, phase: Phase) {
        let state = self.state.load(Ordering::Relaxed);
        self.state.store(((state >> 3) + 1) << 3 | u64::from(phase as u8), Ordering::Relaxed);
    }

    pub(crate) fn word(&self) -> Word {
        match self.word.load(Ordering::Acquire) {
            0 => Word::GoOn,
            1 => Word::Finish,
            _ => Word::End,
        }
    }

    /// What the connection has been told. The first time, when it is not known yet, its task's waker is kept, for
    /// [`Watch::tell`].
    pub(crate) fn listen(&self, is_known: &mut bool, cx: &Context<'_>) -> Word {
        if !*is_known {
            *is_known = true;
            *self.waker.lock() = Some(cx.waker().clone());
        }
        self.word()
    }

    pub(crate) fn tell(&self, word: Word) {
        self.word.fetch_max(word as u8, Ordering::AcqRel);
        self.wake();
    }

    /// Has the connection's task look again.
    pub(crate) fn wake(&self) {
        if let Some(waker) = &*self.waker.lock() {
            waker.wake_by_ref();
        }
    }
}

fn phase_of(state: u64) -> Phase {
    let number = usize::try_from(state & 7).expect("three bits");
    Phase::ALL[number]
}

/// The live connections of one listener.
pub(crate) struct Connections {
    live: Mutex<Slab<Live>>,
    ended: Notify,
    config: Config,
}

struct Live {
    watch: Arc<Watch>,
    /// The state that the last sweep saw, and when it saw it first.
    state: u64,
    since: Instant,
}

/// A connection's entry among the live ones; gone with it.
pub(crate) struct Place {
    connections: Arc<Connections>,
    index: usize,
    pub(crate) watch: Arc<Watch>,
}

impl Connections {
    /// Parts of a sweep at most, and connections of one part as long as there are fewer parts.
    const PART_COUNT_MAX: usize = 16;
    const PART_LEN: usize = 500;

    pub(crate) fn new(config: Config) -> Arc<Connections> {
        Arc::new(Connections { live: Mutex::new(Slab::new()), ended: Notify::new(), config })
    }

    pub(crate) fn add(self: &Arc<Connections>, now: Instant) -> Place {
        let watch = Arc::new(Watch::new());
        let state = watch.state.load(Ordering::Relaxed);
        let index = self.live.lock().insert(Live { watch: watch.clone(), state, since: now });
        Place { connections: self.clone(), index, watch }
    }

    pub(crate) fn count(&self) -> usize {
        self.live.lock().len()
    }

    pub(crate) fn is_full(&self) -> bool {
        self.count() >= self.config.connection_count_max
    }

    /// Waits until a connection ended.
    pub(crate) async fn ended(&self) {
        self.ended.notified().await;
    }

    /// Parts that are looked at one after the other in a sweep's interval: the thread is not woken up for a few connections
    /// more often than it has to be.
    pub(crate) fn part_count(&self) -> usize {
        self.live.lock().capacity().div_ceil(Connections::PART_LEN).clamp(1, Connections::PART_COUNT_MAX)
    }

    /// Ends the connections that do the same for too long; says how many.
    #[cfg(test)]
    pub(crate) fn sweep(&self, now: Instant) -> u64 {
        self.sweep_part(0, 1, now)
    }

    /// The same for one of so many parts. All at once, thousands of slow clients would be ended in one go, and everybody else
    /// on the thread would wait for that.
    pub(crate) fn sweep_part(&self, part: usize, part_count: usize, now: Instant) -> u64 {
        let mut cut = 0;
        let mut all = self.live.lock();
        for index in (part..all.capacity()).step_by(part_count) {
            let Some(live) = all.get_mut(index) else { continue };
            let state = live.watch.state.load(Ordering::Relaxed);
            if state != live.state {
                (live.state, live.since) = (state, now);
            } else if now.saturating_duration_since(live.since) >= phase_of(state).deadline(&self.config)
                && live.watch.word() != Word::End
            {
                live.watch.tell(Word::End);
                cut += 1;
            }
        }
        cut
    }

    /// Tells every connection.
    pub(crate) fn tell_all(&self, word: Word) {
        for (_, live) in self.live.lock().iter() {
            live.watch.tell(word);
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.connections.live.lock().remove(self.index);
        self.connections.ended.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn swept_in(phase: Phase) -> Duration {
        let connections = Connections::new(Config::default());
        let start = Instant::now();
        let place = connections.add(start);
        place.watch.enter(phase);
        (0..200).map(Duration::from_secs).find(|later| connections.sweep(start + *later) == 1).unwrap()
    }

    #[test]
    fn crowd_is_ended_part_by_part() {
        let connections = Connections::new(Config::default());
        let start = Instant::now();
        assert_eq!(connections.part_count(), 1, "nobody is there");
        let places: Vec<Place> = (0..Connections::PART_LEN * Connections::PART_COUNT_MAX + 3)
            .map(|_| connections.add(start))
            .collect();
        let late = start + Config::default().first_byte_deadline;
        let count = connections.part_count();
        assert_eq!(count, Connections::PART_COUNT_MAX);
        let cuts: Vec<u64> = (0..count).map(|part| connections.sweep_part(part, count, late)).collect();
        assert!(cuts.iter().all(|cut| [500, 501].contains(cut)), "{cuts:?}");
        assert_eq!(cuts.iter().sum::<u64>(), places.len() as u64, "each of them once");
    }

    #[test]
    fn every_phase_has_its_deadline() {
        let config = Config::default();
        assert_eq!(swept_in(Phase::FirstByte), config.first_byte_deadline);
        assert_eq!(swept_in(Phase::Idle), config.idle_deadline);
        assert_eq!(swept_in(Phase::Head), config.head_deadline);
        assert_eq!(swept_in(Phase::Busy), config.body_deadline + config.answer_deadline);
        assert_eq!(swept_in(Phase::Writing), config.write_deadline);
    }

    #[test]
    fn the_same_phase_entered_anew_has_its_whole_time_again() {
        let config = Config::default();
        let connections = Connections::new(config.clone());
        let start = Instant::now();
        let place = connections.add(start);
        for round in 0..100 {
            place.watch.enter(Phase::Idle);
            assert_eq!(connections.sweep(start + config.idle_deadline * round), 0);
        }
        assert_eq!(connections.sweep(start + config.idle_deadline * 100), 1);
        assert_eq!(connections.sweep(start + config.idle_deadline * 200), 0, "told once");
        assert_eq!(place.watch.word(), Word::End);
    }

    #[test]
    fn an_ended_connection_makes_room() {
        let connections = Connections::new(Config { connection_count_max: 1, ..Config::default() });
        let place = connections.add(Instant::now());
        assert!(connections.is_full());
        drop(place);
        assert!(!connections.is_full());
        assert_eq!(connections.count(), 0);
    }
}
