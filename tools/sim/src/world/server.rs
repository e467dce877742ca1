//! The process at work: a request passes the edge's own answer and the gate, waits in its shard's inbox, is decided,
//! stored and answered.

use domain::{Answer, Command, Request, SaleStatus, Seq, ShardId};
use gate::{Permit, Pressure, Reason, Round, Work};
use views::{Claim, foresee_refusal};

use super::{World, shard_of};
use crate::auditor::Verdict;
use crate::crowd::Deed;
use crate::errand::Errand;
use crate::network::{Message, Reply};
use crate::place::SaleRef;
use crate::reached::Mark;
use crate::system::Outcome;

/// What waits for a writer. The gate has let all of it in.
pub(super) type Inbox = Vec<(Errand, Request, Permit)>;

/// A request as the edge reads it.
struct Asked {
    shard: ShardId,
    work: Work,
    request: Request,
}

impl World {
    /// A request arrives at the edge. When no process runs, nobody hears it.
    pub(super) fn arrive(&mut self, errand: Errand) -> Verdict {
        let Some(asked) = self.read(&errand) else {
            self.story.tell(&format!("nobody hears {errand:?}"));
            return Ok(());
        };
        if let Some(refusal) = self.foresee(&asked) {
            let is_sold_out = matches!(refusal, domain::Refusal::StockExhausted { .. });
            self.mark(if is_sold_out { Mark::SoldOutAtEdge } else { Mark::RefusedAtEdge });
            return self.leave(&errand, Err(refusal), Seq(0));
        }
        match self.shedder.admit(asked.work, self.pressure(asked.shard)) {
            Ok(permit) => {
                self.story.tell(&format!("waits in {:?}: {errand:?}", asked.shard));
                self.inboxes[usize::from(asked.shard.get())].push((errand, asked.request, permit));
            }
            Err(refused) => {
                self.story.tell(&format!("shed: {errand:?}, {:?}", refused.reason));
                self.mark(match refused.reason {
                    Reason::Depth => Mark::RequestShed,
                    Reason::Latency => Mark::RequestShedByLatency,
                });
                let reply = Reply::Busy { retry_after_s: refused.retry_after_s };
                self.send(Message::Answer(errand, reply));
            }
        }
        Ok(())
    }

    /// What a writer tells the gate: once something waits for it, its round is as good as begun.
    fn pressure(&self, shard: ShardId) -> Pressure {
        let index = usize::from(shard.get());
        let inbox_len = u32::try_from(self.inboxes[index].len()).expect("the gate keeps it short");
        let round = Round { age_us: 0, last_us: self.last_rounds_us[index] };
        Pressure { inbox_len, round: (inbox_len > 0).then_some(round) }
    }

    fn read(&mut self, errand: &Errand) -> Option<Asked> {
        let system = self.system.as_ref()?;
        Some(match errand {
            Errand::Deed { purchase, deed, .. } => {
                let purchase = &self.crowd.purchases()[*purchase];
                if let (Deed::StartRefund { .. }, Some((order, _))) = (deed, &purchase.given) {
                    self.auditor.expect_refund(order.order);
                }
                let currency = self.shape.sales[0].terms.currency;
                let request = deed.request(purchase, currency);
                Asked { shard: purchase.sale.shard, work: deed.work(), request }
            }
            Errand::Task { organiser, task } => {
                let shard = shard_of(&self.organisers[*organiser], system);
                Asked { shard, work: Work::Promise, request: Request::Command(task.clone()) }
            }
        })
    }

    /// What the edge says by itself: the very function that the edge calls.
    fn foresee(&self, asked: &Asked) -> Option<domain::Refusal> {
        let Request::Command(Command::PlaceOrder { sale, buyer, key, wishes }) = &asked.request else {
            return None;
        };
        let catalog = self.system.as_ref()?.catalog();
        let entry = catalog.sale_by_id(asked.shard, *sale)?;
        let claim = Claim { buyer: *buyer, key: *key, now: self.clock.now() };
        foresee_refusal(catalog, (&entry, &entry.front()), claim, wishes)
    }

    /// Every writer takes a round.
    pub(super) fn serve(&mut self) -> Verdict {
        for shard in 0..self.inboxes.len() {
            if self.system.is_some() {
                self.serve_shard(shard)?;
            }
        }
        self.check()
    }

    fn serve_shard(&mut self, shard: usize) -> Verdict {
        let Some(system) = &mut self.system else { return Ok(()) };
        let (mut errands, mut requests) = (Vec::new(), Vec::new());
        for (ticket, (errand, request, _permit)) in self.inboxes[shard].drain(..).enumerate() {
            errands.push(errand);
            requests.push((ticket, request));
        }
        let (clock, before) = (self.clock.now(), system.shard_mut(shard).state().seq());
        let stepped = system.shard_mut(shard).step(clock, requests);
        let busy_ms = self.spend_busy_time();
        self.last_rounds_us[shard] = busy_ms * 1_000;
        if busy_ms > 0 {
            self.mark(Mark::SlowCommit);
        }
        let outcomes = match stepped {
            Ok(outcomes) => outcomes,
            Err(error) => {
                errands.iter().for_each(|errand| self.leave_unanswered(errand));
                return self.stopped(Mark::PowerCutInStep, &error);
            }
        };
        if outcomes.len() != errands.len() {
            return Err(format!("{} requests, {} outcomes", errands.len(), outcomes.len()));
        }
        for (ticket, outcome) in outcomes {
            self.leave(&errands[ticket], outcome, before)?;
        }
        let Some(system) = &self.system else { return Ok(()) };
        let member = &system.shards()[shard];
        self.auditor.check_holds(member.id(), clock, |order| member.state().order(order))?;
        self.mark_moves(shard);
        Ok(())
    }

    /// It was decided, and nobody will ever hear how.
    fn leave_unanswered(&mut self, errand: &Errand) {
        if let Errand::Deed { purchase, deed, .. } = errand
            && deed.is_claim()
        {
            self.crowd.purchase_mut(*purchase).unanswered += 1;
        }
    }

    /// An answer leaves; `before` is the position before this round.
    fn leave(&mut self, errand: &Errand, outcome: Outcome, before: Seq) -> Verdict {
        self.story.tell(&format!("{errand:?} -> {outcome:?}"));
        match errand {
            Errand::Deed { purchase: index, deed, .. } => {
                let is_new = matches!(&outcome, Ok(Answer::Order(view)) if view.seq > before);
                self.auditor.judge(&self.crowd.purchases()[*index], deed, &outcome)?;
                self.mark_times(*index, deed, &outcome, is_new);
                if let (Deed::Place, Ok(Answer::Order(view))) = (deed, &outcome) {
                    let given_ms = self.clock.elapsed_ms();
                    self.crowd.purchase_mut(*index).given.get_or_insert_with(|| (view.clone(), given_ms));
                }
            }
            Errand::Task { organiser, task } => {
                let made = self.note_made(*organiser, &outcome);
                self.auditor.judge_organiser(made, task, &outcome)?;
            }
        }
        self.send(Message::Answer(errand.clone(), Reply::Said(outcome)));
        Ok(())
    }

    /// The sale of an organiser, if an answer to them says, or had said, that it is made.
    fn note_made(&mut self, organiser: usize, outcome: &Outcome) -> Option<SaleRef> {
        if let (None, Ok(Answer::Sale { sale, .. })) = (self.made[organiser], outcome) {
            let shard = shard_of(&self.organisers[organiser], self.system.as_ref()?);
            let sale = SaleRef { shard, sale: *sale };
            self.auditor.expect_sale(sale, self.organisers[organiser].shape());
            self.made[organiser] = Some(sale);
        }
        self.made[organiser]
    }

    fn mark_moves(&mut self, shard: usize) {
        let Some(system) = &mut self.system else { return };
        for to in system.shard_mut(shard).take_clock_moves() {
            match to {
                SaleStatus::Open => self.mark(Mark::SaleOpenedByClock),
                SaleStatus::Closed => self.mark(Mark::SaleClosedByClock),
                SaleStatus::Scheduled | SaleStatus::Paused => {}
            }
        }
    }
}
