//! The world of one seed: what happens in which order. Start with `World::rush`.

mod clients;
mod compare;
mod rest;
mod rot;
mod server;
mod trouble;

use domain::{ItemIndex, ShardId};
use gate::Shedder;

use crate::auditor::{Auditor, Verdict};
use crate::clock::{Clock, Went};
use crate::crowd::{Crowd, Deed, Moment};
use crate::dice::Dice;
use crate::machine::Machine;
use crate::network::{Fate, Message, Network};
use crate::organiser::Organiser;
use crate::place::{Place, SaleRef};
use crate::reached::{Mark, Reached};
use crate::shape::Shape;
use crate::story::Story;
use crate::system::System;
use server::Inbox;

/// How many requests the gate takes a writer to decide in a round: few, so that a slow disk means a long wait.
const ROUND_LEN_MAX: u32 = 10;
/// How long the gate lets anybody wait; a slow operation of a disk takes up to seconds.
const WAIT_US_MAX: u64 = 1_000_000;

/// Everything there is.
pub struct World {
    shape: Shape,
    dice: Dice,
    clock: Clock,
    machine: Machine,
    network: Network,
    /// The process, while it lives.
    system: Option<System>,
    /// What waits for its writers, by shard.
    inboxes: Vec<Inbox>,
    shedder: Shedder,
    /// How long the disk took in their last rounds, by shard.
    last_rounds_us: Vec<u64>,
    /// Faults of the disks before this process began.
    faults_before: u64,
    /// Files that could not be made before this process began.
    refused_full_before: u64,
    /// Faults that were injected elsewhere.
    faults_elsewhere: u64,
    /// The last process stopped on a full disk.
    stopped_by_full: bool,
    crowd: Crowd,
    organisers: Vec<Organiser>,
    /// Their sales, once an answer said that they are made, by organiser.
    made: Vec<Option<SaleRef>>,
    auditor: Auditor,
    /// Deeds that were answered, and may come once more.
    echoes: Vec<(usize, Deed)>,
    /// What happened.
    pub story: Story,
}

impl World {
    /// The world of a seed, before anything happened.
    pub fn new(seed: u64, shape: Shape, prints: bool) -> World {
        // Not the dice that made the shape.
        let mut dice = Dice::new(!seed);
        let organisers: Vec<Organiser> =
            shape.sales.iter().map(|sale| Organiser::new(dice.fork(), sale.clone())).collect();
        World {
            machine: Machine::new(&mut dice, shape.shard_count),
            network: Network::new(dice.fork(), shape.weather),
            crowd: Crowd::new(dice.fork(), shape.buyer_count),
            made: vec![None; organisers.len()],
            organisers,
            dice,
            clock: Clock::new(shape.start),
            system: None,
            inboxes: (0..shape.shard_count).map(|_| Inbox::new()).collect(),
            shedder: Shedder {
                inbox_len_max: shape.inbox_len_max,
                round_len_max: ROUND_LEN_MAX,
                wait_us_max: WAIT_US_MAX,
            },
            last_rounds_us: vec![0; shape.shard_count.into()],
            shape,
            faults_before: 0,
            refused_full_before: 0,
            faults_elsewhere: 0,
            stopped_by_full: false,
            auditor: Auditor::default(),
            echoes: Vec::new(),
            story: Story::new(prints),
        }
    }

    /// What was reached so far.
    pub fn reached(&self) -> &Reached {
        &self.auditor.reached
    }

    /// How much time has passed.
    pub fn elapsed_ms(&self) -> u64 {
        self.clock.elapsed_ms()
    }

    /// How many faults were injected.
    pub fn fault_count(&self) -> u64 {
        let tally = self.machine.tally();
        tally.faults + tally.slow + tally.bits_flipped + self.faults_elsewhere
    }

    /// All of it: the rush with all its trouble, then rest.
    ///
    /// # Errors
    /// What went wrong.
    pub fn play(&mut self) -> Verdict {
        self.story.tell(&format!("{:?}", self.shape));
        self.rush()?;
        self.rest()
    }

    /// Everybody wants something, and everything goes wrong.
    fn rush(&mut self) -> Verdict {
        self.machine.set_fault_rates(self.shape.faults);
        for _ in 0..self.shape.step_count {
            self.story.begin_step();
            self.pass_time();
            self.cut_power_or_kill();
            self.fill_disk();
            self.revive()?;
            self.want();
            self.send_all();
            self.receive_all()?;
            self.light_fuse();
            self.serve()?;
            self.upkeep()?;
        }
        Ok(())
    }

    fn pass_time(&mut self) {
        let day = self.clock.latest().day();
        match self.clock.advance(&mut self.dice, self.shape.clock_jump) {
            Went::On => {}
            Went::Ahead => self.inject(Mark::ClockJumpedAhead),
            Went::Back => self.inject(Mark::ClockJumpedBack),
        }
        if self.clock.latest().day() > day {
            self.mark(Mark::DayTurned);
        }
        self.auditor.look_at_clock(self.clock.latest());
        self.story.tell(&format!("it is {}", self.clock.now().0));
    }

    /// The disks took their time.
    fn spend_busy_time(&mut self) -> u64 {
        let busy_ms = self.machine.take_busy_ms();
        if busy_ms > 0 {
            self.clock.spend_ms(busy_ms);
            self.auditor.look_at_clock(self.clock.latest());
            self.story.tell(&format!("the disk took {busy_ms} ms"));
        }
        busy_ms
    }

    /// Somebody gets the idea of something new.
    fn want(&mut self) {
        for _ in 0..self.dice.below(self.shape.purchase_count_max + 1) {
            if self.crowd.want() {
                self.mark(Mark::KeyInTwoShards);
            }
        }
        for index in 0..self.organisers.len() {
            // Some come before the sale is opened.
            if self.dice.per_mille(300) && self.organisers[index].take_first_opening() {
                self.organisers[index].open();
            }
            if self.dice.per_mille(self.shape.organiser) && self.organisers[index].task().is_none() {
                self.organisers[index].think();
                self.expect_task(index);
            }
        }
    }

    fn expect_task(&mut self, organiser: usize) {
        if let (Some(sale), Some(task)) =
            (self.organisers[organiser].sale(), self.organisers[organiser].task())
        {
            self.auditor.expect_task(sale, task);
        }
    }

    fn send(&mut self, message: Message) {
        match self.network.send(self.clock.elapsed_ms(), message) {
            Fate::Sent => {}
            Fate::Lost => {
                self.story.tell("lost");
                self.inject(Mark::MessageLost);
            }
            Fate::Repeated => self.inject(Mark::MessageRepeated),
            Fate::Late => self.inject(Mark::MessageLate),
        }
    }

    /// What must be so after every step.
    fn check(&mut self) -> Verdict {
        let Some(system) = &self.system else { return Ok(()) };
        self.auditor.check_not_oversold()?;
        for member in system.shards() {
            let state = member.state();
            engine::invariants::check(state)
                .map_err(|broken| format!("an invariant is broken: {broken:?}"))?;
        }
        for ((sale, item), levels) in self.levels()? {
            self.auditor.check_levels((sale, item), levels)?;
        }
        Ok(())
    }

    /// Every item of every sale that is made, and its levels.
    fn levels(&self) -> Result<Vec<(Place, domain::Levels)>, String> {
        let system = self.system.as_ref().ok_or("the system is gone")?;
        let mut found = Vec::new();
        for organiser in &self.organisers {
            let Some(sale) = organiser.sale() else { continue };
            let state = system.shard(sale.shard).state();
            for (item, _) in (0..).map(ItemIndex).zip(&organiser.shape().items) {
                let levels = state.levels(sale.sale, item).ok_or("an item is gone")?;
                found.push(((sale, item), levels));
            }
        }
        Ok(found)
    }

    fn moment(&self) -> Moment {
        Moment { elapsed_ms: self.clock.elapsed_ms(), latest: self.clock.latest() }
    }

    fn mark(&mut self, mark: Mark) {
        self.auditor.reached.mark(mark);
    }

    /// Something goes wrong on purpose.
    fn inject(&mut self, mark: Mark) {
        self.faults_elsewhere += 1;
        self.mark(mark);
    }
}

/// The shard that a task is for; of a sale that is not made yet, the one that will have it.
fn shard_of(organiser: &Organiser, system: &System) -> ShardId {
    organiser.sale().map_or_else(|| system.catalog().shard_of_slug(organiser.slug()), |sale| sale.shard)
}
