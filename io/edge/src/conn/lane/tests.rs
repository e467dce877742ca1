//! The lane and its seat, with a clerk who answers when the test says so.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};
use tokio::sync::oneshot;

use super::*;

const REQUEST: &[u8] = b"POST /v1/sales/a/orders HTTP/1.1\r\nhost: x\r\n\r\n";

/// Answers a request with what it is told about it.
#[derive(Default)]
struct Clerk(Mutex<VecDeque<oneshot::Receiver<&'static str>>>);

/// What a clerk is told who then panics.
const BUG: &str = "a bug";

impl Desk for Clerk {
    type Waiting = oneshot::Receiver<&'static str>;

    fn begin(&self, _: &head::Request<'_>, _: &mut Vec<u8>) -> Option<Self::Waiting> {
        Some(self.0.lock().pop_front().expect("the test has an answer for each request"))
    }

    fn poll(&self, waiting: &mut Self::Waiting, cx: &mut Context<'_>, out: &mut Vec<u8>) -> Poll<()> {
        Pin::new(waiting).poll(cx).map(|told| {
            let told = told.unwrap();
            assert_ne!(told, BUG);
            out.extend_from_slice(told.as_bytes());
        })
    }

    fn too_slow(&self, _: &mut Vec<u8>) {}

    fn size_limits(&self) -> SizeLimits {
        SizeLimits { head_size_bytes_max: 1_000, body_size_bytes_max: 1_000 }
    }

    fn body_deadline(&self) -> Duration {
        Duration::from_secs(1)
    }
}

/// Counts how often the lane's task was to look again.
#[derive(Default)]
struct Task(AtomicUsize);

impl Wake for Task {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// A lane that nobody polls but the test.
struct World {
    clerk: Arc<Clerk>,
    watch: Arc<Watch>,
    lane: Lane<Clerk, DuplexStream>,
    task: Arc<Task>,
    client: DuplexStream,
}

impl World {
    fn new(buffer_size_bytes: usize) -> World {
        let (client, stream) = duplex(buffer_size_bytes);
        let (clerk, watch) = (Arc::new(Clerk::default()), Arc::new(Watch::new()));
        let lane = Lane::new(clerk.clone(), stream, watch.clone());
        World { clerk, watch, lane, task: Arc::default(), client }
    }

    /// The task looks, as often as it is to; whether the lane is over.
    fn look(&mut self) -> bool {
        let waker = Waker::from(self.task.clone());
        loop {
            self.task.0.store(0, Ordering::Relaxed);
            let result = Pin::new(&mut self.lane).poll(&mut Context::from_waker(&waker));
            if result.is_ready() || self.wake_count() == 0 {
                return result.is_ready();
            }
        }
    }

    fn wake_count(&self) -> usize {
        self.task.0.load(Ordering::Relaxed)
    }

    /// The client sends a request, which is begun; its answer is what is sent here.
    async fn ask(&mut self) -> oneshot::Sender<&'static str> {
        let (sender, receiver) = oneshot::channel();
        self.clerk.0.lock().push_back(receiver);
        self.client.write_all(REQUEST).await.unwrap();
        assert!(!self.look());
        sender
    }

    /// What the client has received by now.
    fn received(&mut self) -> String {
        let mut bytes = [0; 100];
        let mut buffer = tokio::io::ReadBuf::new(&mut bytes);
        let _ = Pin::new(&mut self.client).poll_read(&mut Context::from_waker(Waker::noop()), &mut buffer);
        String::from_utf8(buffer.filled().to_vec()).unwrap()
    }
}

#[tokio::test]
async fn answer_is_written_where_it_is_told_and_the_task_sleeps_on() {
    let mut world = World::new(1_000);
    for answer in ["one", "two"] {
        let sender = world.ask().await;
        assert_eq!(world.received(), "");
        sender.send(answer).unwrap();
        assert_eq!((world.received().as_str(), world.wake_count()), (answer, 0));
    }
}

#[tokio::test]
async fn answers_leave_in_the_order_of_their_requests_whatever_is_told_first() {
    let mut world = World::new(1_000);
    let (first, second) = (world.ask().await, world.ask().await);
    second.send("two").unwrap();
    world.look();
    assert_eq!(world.received(), "");
    first.send("one").unwrap();
    world.look();
    assert_eq!(world.received(), "onetwo");
}

#[tokio::test]
async fn task_writes_what_does_not_fit_at_once() {
    let mut world = World::new(REQUEST.len());
    let sender = world.ask().await;
    const ANSWER: &str =
        "an answer that is longer than the buffer between the two, so that it takes two writes";
    sender.send(ANSWER).unwrap();
    let mut received = String::new();
    while received.len() < ANSWER.len() {
        world.look();
        received += &world.received();
    }
    assert_eq!(received, ANSWER);
    world.look();
    let sender = world.ask().await;
    sender.send("next").unwrap();
    assert_eq!((world.received().as_str(), world.wake_count()), ("next", 0));
}

#[tokio::test]
async fn lane_that_is_told_to_finish_ends_behind_the_answer() {
    let mut world = World::new(1_000);
    let sender = world.ask().await;
    world.watch.tell(Word::Finish);
    assert!(!world.look(), "the answer is to come");
    sender.send("one").unwrap();
    assert_eq!((world.received().as_str(), world.wake_count()), ("one", 1));
    assert!(world.look());
}

#[tokio::test]
async fn client_that_has_sent_all_it_will_gets_its_answer() {
    let mut world = World::new(1_000);
    let sender = world.ask().await;
    world.client.shutdown().await.unwrap();
    assert!(!world.look());
    sender.send("one").unwrap();
    assert!(world.look());
    let mut rest = String::new();
    world.client.read_to_string(&mut rest).await.unwrap();
    assert_eq!(rest, "one");
}

#[tokio::test]
async fn answer_that_is_told_while_somebody_has_the_line_is_its_tasks() {
    let mut world = World::new(1_000);
    let sender = world.ask().await;
    let seat = Arc::clone(&world.lane.seat);
    let line = seat.line.lock();
    sender.send("one").unwrap();
    drop(line);
    assert_eq!((world.received().as_str(), world.wake_count()), ("", 1));
    world.look();
    assert_eq!(world.received(), "one");
}

#[tokio::test]
async fn seat_that_is_woken_too_early_loses_no_answer() {
    let mut world = World::new(1_000);
    let sender = world.ask().await;
    Arc::clone(&world.lane.seat).wake();
    assert_eq!((world.received().as_str(), world.wake_count()), ("", 1));
    world.look();
    sender.send("one").unwrap();
    assert_eq!((world.received().as_str(), world.wake_count()), ("one", 0));
}

#[tokio::test]
async fn bug_in_an_answer_ends_its_connection_and_not_who_tells_it() {
    let mut world = World::new(1_000);
    let sender = world.ask().await;
    sender.send(BUG).unwrap();
    assert_eq!(world.wake_count(), 1);
    assert!(world.look(), "it is over");
    assert_eq!(world.received(), "");
}

#[tokio::test]
async fn connection_that_is_over_keeps_nothing_for_an_answer_to_come() {
    let mut world = World::new(1_000);
    let sender = world.ask().await;
    let World { clerk, lane, .. } = world;
    drop(lane);
    assert!(sender.send("too late").is_err());
    assert_eq!(Arc::strong_count(&clerk), 1);
}
