//! The end: nothing fails any more, everybody gets their answer, everything is compared, and every order reaches an
//! end.

use domain::{OrderId, OrderState, OrderView};

use super::World;
use crate::auditor::Verdict;
use crate::crowd::Deed;
use crate::disk::FaultRates;
use crate::errand::{By, Errand};
use crate::network::Weather;
use crate::reached::Mark;

/// Steps within which everybody must have got all their answers.
const STEP_COUNT_MAX: u64 = 400;
/// Longer than any hold of any shape.
const ALL_HOLDS_S: u16 = 60;
/// More than will ever wait.
const INBOX_LEN_MAX: u32 = 1 << 20;

impl World {
    pub(super) fn rest(&mut self) -> Verdict {
        self.calm_down();
        self.answer_everybody()?;
        self.compare_at_rest()?;
        self.compare_after_restart()?;
        self.end_all_holds()?;
        self.end_all_refunds()?;
        self.sell_what_is_left()
    }

    fn calm_down(&mut self) {
        self.story.tell("calm");
        self.mend();
        self.network.set_weather(Weather::default());
        self.shedder.inbox_len_max = INBOX_LEN_MAX;
        self.crowd.lose_patience();
        self.organisers.iter_mut().for_each(|organiser| organiser.wait_until(0));
        self.shape.faults = FaultRates::default();
        for rate in [
            &mut self.shape.power_cut,
            &mut self.shape.fuse,
            &mut self.shape.kill,
            &mut self.shape.bit_flip,
            &mut self.shape.clock_jump,
            &mut self.shape.come_late_again,
            &mut self.shape.snapshot,
            &mut self.shape.organiser,
        ] {
            *rate = 0;
        }
    }

    /// Liveness: with disks and a network that work, everybody gets their answers.
    fn answer_everybody(&mut self) -> Verdict {
        let mut has_reconsidered = false;
        for _ in 0..STEP_COUNT_MAX {
            self.calm_step()?;
            let is_done = self.organisers.iter().all(|organiser| organiser.task().is_none());
            if !is_done || !self.crowd.is_content() || !self.network.is_empty() {
                continue;
            }
            if has_reconsidered {
                return Ok(());
            }
            // Not before the last late refusal was heard.
            self.crowd.reconsider();
            has_reconsidered = true;
        }
        Err("somebody still waits for an answer".to_owned())
    }

    fn calm_step(&mut self) -> Verdict {
        self.story.begin_step();
        self.clock.pass_s(1);
        self.auditor.look_at_clock(self.clock.latest());
        self.revive()?;
        self.send_all();
        self.receive_all()?;
        self.serve()
    }

    /// Liveness: time alone brings back every unit that was not paid.
    fn end_all_holds(&mut self) -> Verdict {
        self.clock.pass_s(ALL_HOLDS_S);
        self.calm_step()?;
        for (place, levels) in self.levels()? {
            if levels.held > 0 || !levels.is_conserved() {
                return Err(format!("{place:?} has {levels:?} though every hold is over"));
            }
        }
        self.refresh()
    }

    /// Liveness: money that goes back arrives, and then every order is at its end.
    fn end_all_refunds(&mut self) -> Verdict {
        for (order, deed) in self.refunds_under_way() {
            let is_of = |given: &(OrderView, u64)| given.0.order == order;
            let mut purchases = self.crowd.purchases().iter();
            let purchase = purchases.position(|purchase| purchase.given.as_ref().is_some_and(is_of));
            let purchase = purchase.ok_or_else(|| format!("nobody knows of {order:?}"))?;
            self.arrive(Errand::Deed { purchase, deed, by: By::Echo })?;
        }
        self.serve()?;
        self.refresh()?;
        let mut orders = self.auditor.orders();
        let ends = [OrderState::Paid, OrderState::Refunded, OrderState::Cancelled, OrderState::Expired];
        let is_at_end = |state| ends.contains(&state);
        let is_open = |order: &&OrderView| {
            !is_at_end(order.state) || order.surplus.iter().any(|surplus| !surplus.returned)
        };
        if let Some(order) = orders.find(is_open) {
            return Err(format!("an order does not reach its end: {order:?}"));
        }
        drop(orders);
        self.mark(Mark::AllFreed);
        Ok(())
    }

    fn refunds_under_way(&self) -> Vec<(OrderId, Deed)> {
        let mut under_way = Vec::new();
        for order in self.auditor.orders() {
            if order.state == OrderState::Refunding {
                under_way.push((order.order, Deed::EndRefund));
            }
            for surplus in order.surplus.iter().filter(|surplus| !surplus.returned) {
                under_way.push((order.order, Deed::ReturnSurplus(surplus.payment)));
            }
        }
        under_way
    }

    /// Liveness: what is free can be bought, unless the sale is over.
    fn sell_what_is_left(&mut self) -> Verdict {
        self.organisers.iter_mut().for_each(crate::organiser::Organiser::open);
        self.answer_everybody()?;
        for ((sale, item), levels) in self.levels()?.into_iter().filter(|(_, levels)| levels.free > 0) {
            let purchase = self.crowd.want_one(sale, item);
            self.arrive(Errand::Deed { purchase, deed: Deed::Place, by: By::Echo })?;
            self.serve()?;
            if self.crowd.purchases()[purchase].given.is_none() && !self.auditor.may_be_closed(sale) {
                let free = levels.free;
                return Err(format!("{free} units of {item:?} of {sale:?} are free, but one cannot be had"));
            }
        }
        Ok(())
    }
}
