//! The world of one seed: what happens in which order. Start with `World::rush`.

mod rest;
mod trouble;

use domain::{Answer, Command, ItemIndex, OrderState, Request, Seq};

use crate::auditor::{Auditor, Verdict};
use crate::clock::{Clock, Went};
use crate::crowd::{Crowd, Deed};
use crate::dice::Dice;
use crate::disk::SimDisk;
use crate::organiser::Organiser;
use crate::reached::{Mark, Reached};
use crate::shape::Shape;
use crate::story::Story;
use crate::system::{Outcome, System};

/// Everything there is.
pub struct World {
    shape: Shape,
    dice: Dice,
    clock: Clock,
    disk: SimDisk,
    /// The process, while it lives.
    system: Option<System>,
    /// Faults of the disk before this process began.
    faults_before: u64,
    crowd: Crowd,
    organiser: Organiser,
    auditor: Auditor,
    /// Deeds that were answered, and may come once more.
    echoes: Vec<(usize, Deed)>,
    /// What happened.
    pub story: Story,
}

/// Somebody's request on its way.
#[derive(Clone, Debug)]
enum Errand {
    Buyer(usize, Deed),
    /// An old request of a buyer, once more.
    Echo(usize, Deed),
    Organiser(Command),
}

impl World {
    /// The world of a seed, before anything happened.
    pub fn new(seed: u64, shape: Shape, prints: bool) -> World {
        // Not the dice that made the shape.
        let mut dice = Dice::new(!seed);
        let item_count = u64::try_from(shape.items.len()).expect("few items");
        World {
            disk: SimDisk::new(dice.fork()),
            crowd: Crowd::new(dice.fork(), shape.buyer_count, item_count),
            organiser: Organiser::new(dice.fork(), shape.terms.clone(), shape.items.clone()),
            dice,
            shape,
            clock: Clock::new(),
            system: None,
            faults_before: 0,
            auditor: Auditor::default(),
            echoes: Vec::new(),
            story: Story::new(prints),
        }
    }

    /// What was reached so far.
    pub fn reached(&self) -> &Reached {
        &self.auditor.reached
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
        self.disk.set_fault_rates(self.shape.faults);
        for _ in 0..self.shape.step_count {
            self.story.begin_step();
            self.pass_time();
            self.cut_power_or_kill();
            self.revive()?;
            self.want();
            let errands = self.errands();
            self.light_fuse();
            self.serve(&errands)?;
            self.upkeep()?;
        }
        Ok(())
    }

    fn pass_time(&mut self) {
        match self.clock.advance(&mut self.dice, self.shape.clock_jump) {
            Went::On => {}
            Went::Ahead => self.mark(Mark::ClockJumpedAhead),
            Went::Back => self.mark(Mark::ClockJumpedBack),
        }
        self.story.tell(&format!("it is {}", self.clock.now().0));
    }

    /// Somebody gets the idea of something new.
    fn want(&mut self) {
        if let Some(sale) = self.organiser.sale() {
            for _ in 0..self.dice.below(self.shape.purchase_count_max + 1) {
                self.crowd.want(sale);
            }
        }
        // Some come before the sale is opened.
        if self.dice.per_mille(300) && self.organiser.take_first_opening() {
            self.organiser.open();
        }
        if self.dice.per_mille(self.shape.organiser) {
            self.think();
        }
    }

    fn think(&mut self) {
        if self.organiser.task().is_some() {
            return;
        }
        self.organiser.think();
        if let Some(Command::ChangeStock { sale, item, change, .. }) = self.organiser.task() {
            self.auditor.expect_change((*sale, *item), *change);
        }
    }

    /// What is sent in this step, in which order.
    fn errands(&mut self) -> Vec<Errand> {
        let mut errands = Vec::new();
        for (index, deed) in self.crowd.due(self.clock.now()) {
            if self.dice.below(2) == 0 {
                continue;
            }
            if self.dice.per_mille(self.shape.click_twice) {
                self.auditor.reached.mark(Mark::ClickedTwice);
                errands.push(Errand::Buyer(index, deed.clone()));
            }
            errands.push(Errand::Buyer(index, deed));
        }
        if !self.echoes.is_empty() && self.dice.per_mille(self.shape.come_late_again) {
            let (index, deed) = self.dice.pick(&self.echoes);
            self.mark(Mark::CameLateAgain);
            errands.push(Errand::Echo(index, deed));
        }
        if let Some(task) = self.organiser.task() {
            let clicks = if self.dice.per_mille(self.shape.click_twice) { 2 } else { 1 };
            errands.extend(std::iter::repeat_n(Errand::Organiser(task.clone()), clicks));
        }
        for last in (1..errands.len()).rev() {
            errands.swap(last, self.dice.index(last + 1));
        }
        errands
    }

    /// One step of the system.
    fn serve(&mut self, errands: &[Errand]) -> Verdict {
        let Some(system) = &mut self.system else { return Ok(()) };
        let before = system.state().seq();
        let mut requests = Vec::new();
        for (ticket, errand) in errands.iter().enumerate() {
            requests.push((ticket, request(errand, &self.crowd, &self.shape)));
        }
        match system.step(self.clock.now(), requests) {
            Ok(outcomes) => {
                for (ticket, outcome) in &outcomes {
                    self.deliver(&errands[*ticket], outcome, before)?;
                }
                ensure_all_answered(errands.len(), outcomes.len())?;
                self.check()
            }
            Err(error) => {
                errands.iter().for_each(|errand| self.unanswered(errand));
                self.stopped(Mark::PowerCutInStep, &error)
            }
        }
    }

    fn deliver(&mut self, errand: &Errand, outcome: &Outcome, before: Seq) -> Verdict {
        if self.dice.per_mille(self.shape.answer_lost) {
            self.story.tell(&format!("lost: {errand:?} -> {outcome:?}"));
            self.mark(Mark::AnswerLost);
            self.unanswered(errand);
            return Ok(());
        }
        self.story.tell(&format!("{errand:?} -> {outcome:?}"));
        match errand {
            Errand::Buyer(index, deed) => {
                self.auditor.judge(&self.crowd.purchases()[*index], deed, outcome)?;
                self.tell_buyer(*index, deed, outcome, before);
                Ok(())
            }
            Errand::Echo(index, deed) => self.auditor.judge(&self.crowd.purchases()[*index], deed, outcome),
            Errand::Organiser(task) => {
                self.auditor.judge_organiser(task, outcome)?;
                if let (Command::CreateSale { .. }, Ok(Answer::Sale { sale, .. })) = (task, outcome) {
                    self.made(*sale);
                }
                self.organiser.done();
                Ok(())
            }
        }
    }

    fn tell_buyer(&mut self, index: usize, deed: &Deed, outcome: &Outcome, before: Seq) {
        let now = self.clock.latest();
        let purchase = self.crowd.purchase_mut(index);
        match (deed, outcome) {
            (Deed::Place, Ok(Answer::Order(view))) => {
                let retried = purchase.unanswered > 0 && purchase.order.is_none();
                purchase.placed(view);
                if retried {
                    self.mark(if view.seq <= before {
                        Mark::FoundOrderOnRetry
                    } else {
                        Mark::PlacedOrderOnRetry
                    });
                }
            }
            (Deed::Place, _) => purchase.refuse(),
            _ => purchase.done(deed),
        }
        if let (Deed::Pay(_), Ok(Answer::Order(view))) = (deed, outcome)
            && view.state == OrderState::Paid
            && view.expires_at <= now
            && view.seq > before
        {
            self.mark(Mark::PaidLate);
        }
        if self.crowd.purchases()[index].order.is_some() {
            self.echoes.push((index, deed.clone()));
        }
    }

    fn made(&mut self, sale: domain::SaleId) {
        if self.organiser.sale().is_some() {
            return;
        }
        self.organiser.made(sale);
        for (item, (_, stock)) in (0..).map(ItemIndex).zip(&self.shape.items) {
            self.auditor.expect_item((sale, item), *stock);
        }
    }

    fn unanswered(&mut self, errand: &Errand) {
        if let Errand::Buyer(index, Deed::Place) = errand {
            self.crowd.purchase_mut(*index).unsure();
        }
    }

    /// What must be so after every step.
    fn check(&mut self) -> Verdict {
        let system = self.system.as_ref().ok_or("the system is gone")?;
        let state = system.state();
        engine::invariants::check(state).map_err(|broken| format!("an invariant is broken: {broken:?}"))?;
        self.auditor.check_not_oversold()?;
        let Some(sale) = self.organiser.sale() else { return Ok(()) };
        for item in (0..self.shape.items.len()).filter_map(|index| u16::try_from(index).ok()).map(ItemIndex) {
            let levels = state.levels(sale, item).ok_or("an item is gone")?;
            self.auditor.check_levels((sale, item), levels)?;
        }
        Ok(())
    }

    fn mark(&mut self, mark: Mark) {
        self.auditor.reached.mark(mark);
    }
}

fn request(errand: &Errand, crowd: &Crowd, shape: &Shape) -> Request {
    match errand {
        Errand::Buyer(index, deed) | Errand::Echo(index, deed) => {
            deed.request(&crowd.purchases()[*index], shape.terms.currency)
        }
        Errand::Organiser(task) => Request::Command(task.clone()),
    }
}

fn ensure_all_answered(asked: usize, answered: usize) -> Verdict {
    match asked == answered {
        true => Ok(()),
        false => Err(format!("{asked} requests, {answered} outcomes")),
    }
}
