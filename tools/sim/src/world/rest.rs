//! The end: nothing fails any more, everybody gets their answer, and everything is compared.

use domain::{ItemIndex, Levels, SaleId};
use engine::State;

use super::{Errand, World};
use crate::auditor::Verdict;
use crate::crowd::Deed;
use crate::disk::FaultRates;
use crate::reached::Mark;
use crate::system::System;

/// Steps within which everybody must have got all their answers.
const STEP_COUNT_MAX: u64 = 200;
/// Longer than any hold of any shape.
const ALL_HOLDS_S: u16 = 60;

impl World {
    pub(super) fn rest(&mut self) -> Verdict {
        self.calm_down();
        self.answer_everybody()?;
        self.compare_at_rest()?;
        self.compare_after_restart()?;
        self.end_all_holds()?;
        self.sell_what_is_left()
    }

    fn calm_down(&mut self) {
        self.story.tell("calm");
        self.disk.set_fault_rates(FaultRates::default());
        self.disk.burn_after(None);
        self.shape.faults = FaultRates::default();
        for rate in [
            &mut self.shape.power_cut,
            &mut self.shape.fuse,
            &mut self.shape.kill,
            &mut self.shape.clock_jump,
            &mut self.shape.answer_lost,
            &mut self.shape.come_late_again,
            &mut self.shape.snapshot,
            &mut self.shape.organiser,
        ] {
            *rate = 0;
        }
    }

    /// Liveness: with a disk that works, everybody gets their answers.
    fn answer_everybody(&mut self) -> Verdict {
        for _ in 0..STEP_COUNT_MAX {
            self.calm_step()?;
            if self.crowd.is_content() && self.organiser.task().is_none() {
                return Ok(());
            }
        }
        Err("somebody still waits for an answer".to_owned())
    }

    fn calm_step(&mut self) -> Verdict {
        self.story.begin_step();
        self.clock.pass_s(1);
        self.revive()?;
        let errands = self.errands();
        self.serve(&errands)
    }

    /// Writer, follower, twin, catalogue and clients all tell the same.
    fn compare_at_rest(&mut self) -> Verdict {
        let system = self.system.as_mut().ok_or("the system is gone")?;
        let followed = system.followed().map_err(|error| format!("{error:#}"))?;
        let followed_seq = followed.seq();
        let writer = system.state();
        if followed_seq != writer.seq() {
            return Err(format!("the writer is at {:?}, the follower at {followed_seq:?}", writer.seq()));
        }
        if writer.order_count() != self.auditor.order_count() {
            let (there, known) = (writer.order_count(), self.auditor.order_count());
            return Err(format!("{there} orders are there, {known} were acknowledged"));
        }
        self.auditor.check_recovered(
            writer.seq(),
            |order| writer.order(order),
            |buyer, key| writer.order_by_key(buyer, key),
        )?;
        for (item, levels) in self.levels()? {
            let sale = self.organiser.sale().ok_or("there is no sale")?;
            self.auditor.check_levels_at_rest((sale, item), levels)?;
        }
        self.compare_follower()?;
        self.compare_twin()?;
        self.compare_catalog()
    }

    fn compare_follower(&mut self) -> Verdict {
        let system = self.system.as_mut().ok_or("the system is gone")?;
        let followed = copy(system.followed().map_err(|error| format!("{error:#}"))?)?;
        let same = followed == *system.state();
        if same { Ok(()) } else { Err("the follower's state is another".to_owned()) }
    }

    fn compare_twin(&mut self) -> Verdict {
        let system = self.system.as_ref().ok_or("the system is gone")?;
        let Some(twin) = system.twin().map_err(|error| format!("{error:#}"))? else { return Ok(()) };
        for order in twin.order_ids() {
            let (of_twin, of_writer) = (twin.order(order), system.state().order(order));
            if of_twin != of_writer {
                return Err(format!("the twin says {of_twin:?}, the writer {of_writer:?}"));
            }
        }
        let sale = self.organiser.sale().ok_or("there is no sale")?;
        for (item, levels) in self.levels()? {
            if twin.levels(sale, item) != Some(levels) {
                return Err(format!("the twin says {:?}, the writer {levels:?}", twin.levels(sale, item)));
            }
        }
        self.mark(Mark::TwinAgreed);
        Ok(())
    }

    fn compare_catalog(&self) -> Verdict {
        let system = self.system.as_ref().ok_or("the system is gone")?;
        let entry = system.catalog().sale("rush").ok_or("the sale is not in the catalogue")?;
        let shown = entry.read();
        let expected: Vec<Levels> = self.levels()?.into_iter().map(|(_, levels)| levels).collect();
        if shown.levels != expected {
            return Err(format!("the catalogue shows {:?}, the writer has {expected:?}", shown.levels));
        }
        let known = |order: &domain::OrderView| {
            let purchase = self.crowd.purchases().iter().find(|purchase| is_of(purchase, order))?;
            Some(system.catalog().is_key_new(purchase.buyer, purchase.key))
        };
        match self.auditor.orders().find(|order| known(order) == Some(true)) {
            Some(order) => Err(format!("the catalogue thinks that the key of {order:?} is new")),
            None => Ok(()),
        }
    }

    /// A new process finds the very same state.
    fn compare_after_restart(&mut self) -> Verdict {
        let system = self.system.take().ok_or("the system is gone")?;
        let before = copy(system.state())?;
        drop(system);
        self.story.tell("restart");
        self.revive()?;
        let system = self.system.as_mut().ok_or("the system is gone")?;
        let after = system.followed().map_err(|error| format!("{error:#}"))?;
        if *after == before { Ok(()) } else { Err("a restart changed the state".to_owned()) }
    }

    /// Liveness: time alone brings back every unit that was not paid.
    fn end_all_holds(&mut self) -> Verdict {
        self.clock.pass_s(ALL_HOLDS_S);
        self.calm_step()?;
        for (item, levels) in self.levels()? {
            if levels.held > 0 || !levels.is_conserved() {
                return Err(format!("{item:?} has {levels:?} though every hold is over"));
            }
        }
        Ok(())
    }

    /// Liveness: what is free can be bought.
    fn sell_what_is_left(&mut self) -> Verdict {
        self.organiser.open();
        self.answer_everybody()?;
        let sale = self.organiser.sale().ok_or("there is no sale")?;
        for (item, levels) in self.levels()?.into_iter().filter(|(_, levels)| levels.free > 0) {
            let index = self.crowd.want_one(sale, item);
            let free = levels.free;
            self.serve(&[Errand::Buyer(index, Deed::Place)])?;
            if self.crowd.purchases()[index].order.is_none() {
                return Err(format!("{free} units of {item:?} are free, but one cannot be had"));
            }
        }
        Ok(())
    }

    fn levels(&self) -> Result<Vec<(ItemIndex, Levels)>, String> {
        let system = self.system.as_ref().ok_or("the system is gone")?;
        let sale: SaleId = self.organiser.sale().ok_or("there is no sale")?;
        let items = (0..self.shape.items.len()).filter_map(|index| u16::try_from(index).ok()).map(ItemIndex);
        let levels = |item| system.state().levels(sale, item).map(|levels| (item, levels));
        Ok(items.filter_map(levels).collect())
    }
}

fn is_of(purchase: &crate::crowd::Purchase, order: &domain::OrderView) -> bool {
    purchase.order.as_ref().is_some_and(|known| known.order == order.order)
}

/// A state of its own, by way of a snapshot.
fn copy(state: &State) -> Result<State, String> {
    System::copy(state).map_err(|error| format!("a snapshot cannot be restored: {error:?}"))
}
