//! At rest writer, follower, twin, catalogue and clients all tell the same.

use domain::Levels;
use engine::State;

use super::World;
use crate::auditor::Verdict;
use crate::reached::Mark;
use crate::system::System;

impl World {
    pub(super) fn compare_at_rest(&mut self) -> Verdict {
        let Some(system) = &mut self.system else { return Err("the system is gone".to_owned()) };
        for shard in 0..self.inboxes.len() {
            let member = system.shard_mut(shard);
            let followed = member.followed().map_err(|error| format!("{error:#}"))?;
            let followed_seq = followed.seq();
            let writer = member.state();
            if followed_seq != writer.seq() {
                return Err(format!("the writer is at {:?}, the follower at {followed_seq:?}", writer.seq()));
            }
            let (there, known) = (writer.order_count(), self.auditor.order_count(member.id()));
            if there != known {
                return Err(format!("{there} orders are there, {known} were acknowledged"));
            }
        }
        self.refresh()?;
        for (place, levels) in self.levels()? {
            self.auditor.check_levels_at_rest(place, levels)?;
        }
        self.compare_followers()?;
        self.compare_twins()?;
        self.compare_catalog()
    }

    /// The auditor looks at every order.
    pub(super) fn refresh(&mut self) -> Verdict {
        let system = self.system.as_ref().ok_or("the system is gone")?;
        for member in system.shards() {
            let writer = member.state();
            self.auditor.check_recovered(
                (member.id(), writer.seq()),
                |order| writer.order(order),
                |buyer, key| writer.order_by_key(buyer, key),
            )?;
        }
        Ok(())
    }

    fn compare_followers(&mut self) -> Verdict {
        let Some(system) = &mut self.system else { return Err("the system is gone".to_owned()) };
        for shard in 0..self.inboxes.len() {
            let member = system.shard_mut(shard);
            let followed = copy(member.followed().map_err(|error| format!("{error:#}"))?)?;
            if followed != *member.state() {
                return Err(format!("the state of the follower of {:?} is another", member.id()));
            }
        }
        Ok(())
    }

    fn compare_twins(&mut self) -> Verdict {
        let system = self.system.as_ref().ok_or("the system is gone")?;
        let mut agreed = false;
        for member in system.shards() {
            let Some(twin) = member.twin().map_err(|error| format!("{error:#}"))? else { continue };
            for order in twin.order_ids() {
                let (of_twin, of_writer) = (twin.order(order), member.state().order(order));
                if of_twin != of_writer {
                    return Err(format!("the twin says {of_twin:?}, the writer {of_writer:?}"));
                }
            }
            for ((sale, item), levels) in self.levels()? {
                if sale.shard == member.id() && twin.levels(sale.sale, item) != Some(levels) {
                    let of_twin = twin.levels(sale.sale, item);
                    return Err(format!("the twin says {of_twin:?}, the writer {levels:?}"));
                }
            }
            agreed = true;
        }
        if agreed {
            self.mark(Mark::TwinAgreed);
        }
        Ok(())
    }

    fn compare_catalog(&self) -> Verdict {
        let catalog = self.system.as_ref().ok_or("the system is gone")?.catalog();
        for organiser in &self.organisers {
            let sale = organiser.sale().ok_or("there is no sale")?;
            let entry = catalog.sale(organiser.slug().as_str()).ok_or("a sale is not in the catalogue")?;
            let shown = entry.read();
            let of_sale = self.levels()?.into_iter().filter(|((of, _), _)| *of == sale);
            let expected: Vec<Levels> = of_sale.map(|(_, levels)| levels).collect();
            if shown.levels != expected {
                return Err(format!("the catalogue shows {:?}, the writer has {expected:?}", shown.levels));
            }
        }
        let is_given = |purchase: &&crate::crowd::Purchase| purchase.given.is_some();
        let mut given = self.crowd.purchases().iter().filter(is_given);
        match given.find(|purchase| catalog.is_key_new(purchase.sale.shard, purchase.buyer, purchase.key)) {
            Some(purchase) => Err(format!("the catalogue thinks that the key of {purchase:?} is new")),
            None => Ok(()),
        }
    }

    /// A new process finds the very same state.
    pub(super) fn compare_after_restart(&mut self) -> Verdict {
        let system = self.system.take().ok_or("the system is gone")?;
        let before: Result<Vec<State>, String> =
            system.shards().iter().map(|member| copy(member.state())).collect();
        drop(system);
        self.story.tell("restart");
        self.revive()?;
        let Some(system) = &mut self.system else { return Err("the system is gone".to_owned()) };
        for (shard, before) in before?.into_iter().enumerate() {
            let after = system.shard_mut(shard).followed().map_err(|error| format!("{error:#}"))?;
            if *after != before {
                return Err(format!("a restart changed the state of shard {shard}"));
            }
        }
        Ok(())
    }
}

/// A state of its own, by way of a snapshot.
fn copy(state: &State) -> Result<State, String> {
    System::copy(state).map_err(|error| format!("a snapshot cannot be restored: {error:?}"))
}
