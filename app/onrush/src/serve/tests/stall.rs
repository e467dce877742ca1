//! What the gate makes of a disk that stalls: the server's own writer on a journal that waits until it is told to go on.
//! No time passes in here: instants are made up, on the safe side of what the clock of a busy machine may say.

use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use domain::{Seq, Term, UnixMs};
use gate::{Pressure, Round, Shedder, Work};
use journal::{AppendError, Batch, Journal, Memory, MemoryCursor, ReadError, Tip, TruncateError};

use super::{create_sale, writer};
use crate::serve::inbox::Inbox;
use crate::serve::outbox::{Outbox, Ticket};
use crate::serve::pace::Pace;

const SHEDDER: Shedder = Shedder { inbox_len_max: 800, round_len_max: 100, wait_us_max: 800_000 };
const HOUR: Duration = Duration::from_secs(3_600);

/// A journal that says when a write begins, and waits until it may end; once nobody tells it any more, it does not wait.
struct Stalling {
    memory: Memory,
    begun: mpsc::Sender<()>,
    may_end: mpsc::Receiver<()>,
}

impl Journal for Stalling {
    type Cursor = MemoryCursor;

    fn append(&mut self, batch: &Batch, time: UnixMs) -> Result<Tip, AppendError> {
        let _ = self.begun.send(());
        let _ = self.may_end.recv();
        self.memory.append(batch, time)
    }

    fn tip(&self) -> Tip {
        self.memory.tip()
    }

    fn term(&self) -> Term {
        self.memory.term()
    }

    fn cursor(&self, from: Seq) -> Result<MemoryCursor, ReadError> {
        self.memory.cursor(from)
    }

    fn truncate_before(&mut self, seq: Seq) -> Result<u64, TruncateError> {
        self.memory.truncate_before(seq)
    }
}

/// Whether questions, orders and promises come in at an instant.
fn let_in(pace: &Pace, inbox: &Inbox, now: Instant) -> [bool; 3] {
    let pressure = Pressure { inbox_len: u32::try_from(inbox.len()).unwrap(), round: pace.round(now) };
    [Work::Question, Work::Order, Work::Promise].map(|work| SHEDDER.admit(work, pressure).is_ok())
}

#[test]
fn stalled_write_turns_people_away_and_its_end_lets_them_in() {
    let (begun_sender, begun) = mpsc::channel();
    let (end, may_end) = mpsc::channel();
    let journal = Stalling { memory: Memory::new(), begun: begun_sender, may_end };
    let before = Instant::now();
    let (inbox, pace, outbox) = (Inbox::new(800, Arc::default()), Pace::new(before), Outbox::new());
    let writer = writer(journal, &inbox, &[outbox], &pace);
    let writer = thread::spawn(move || writer.run().unwrap());

    inbox.push(Ticket::new(0, Instant::now()).0, create_sale("first")).unwrap();
    begun.recv().unwrap();
    let ms = Duration::from_millis;
    assert_eq!(let_in(&pace, &inbox, before), [true; 3], "it has just begun");
    assert!(let_in(&pace, &inbox, Instant::now() + ms(401)).starts_with(&[false]), "no questions");
    assert!(let_in(&pace, &inbox, Instant::now() + ms(701)).starts_with(&[false, false]), "no orders");
    assert_eq!(let_in(&pace, &inbox, Instant::now() + ms(801)), [false; 3], "nothing");

    inbox.push(Ticket::new(0, Instant::now()).0, create_sale("second")).unwrap();
    end.send(()).unwrap();
    begun.recv().unwrap();
    assert_eq!(let_in(&pace, &inbox, Instant::now() + HOUR), [false; 3], "the next one stalls too");
    drop(end);
    inbox.close();
    writer.join().unwrap();
    assert_eq!(let_in(&pace, &inbox, Instant::now() + HOUR), [true; 3], "whatever the last write took");
}

#[test]
fn pace_tells_the_round_under_way_and_the_one_before() {
    let origin = Instant::now();
    let at = |us| origin + Duration::from_micros(us);
    let pace = Pace::new(origin);
    let round = |us| pace.round(at(us)).map(|Round { age_us, last_us }| (age_us, last_us));
    assert_eq!(round(7), None, "it has not begun");
    pace.begin(at(0));
    assert_eq!(round(250), Some((250, 0)));
    pace.begin(at(300));
    assert_eq!((round(300), round(310)), (Some((0, 300)), Some((10, 300))));
    assert_eq!(round(200), Some((0, 300)), "who looked at the clock before it began");
    pace.rest();
    assert_eq!(round(1_000_000), None);
    pace.begin(at(2_000_000));
    assert_eq!(round(2_000_001), Some((1, 0)), "a sleep is no round");
}
