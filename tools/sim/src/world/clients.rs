//! What buyers, providers and organisers send, and what they make of the answers.

use domain::{Answer, OrderState};

use super::World;
use crate::auditor::Verdict;
use crate::crowd::Deed;
use crate::errand::{By, Errand};
use crate::network::{Message, Reply};
use crate::reached::Mark;
use crate::system::Outcome;

impl World {
    /// Everybody sends what is due.
    pub(super) fn send_all(&mut self) {
        for (purchase, deed, by) in self.crowd.due(self.moment()) {
            // People take a moment.
            if self.dice.below(2) == 0 {
                continue;
            }
            let elapsed_ms = self.clock.elapsed_ms();
            let is_again = match by {
                By::Provider(call) => {
                    self.crowd.purchase_mut(purchase).called(call, elapsed_ms);
                    false
                }
                By::Buyer | By::Echo => self.crowd.purchase_mut(purchase).asked(elapsed_ms),
            };
            if is_again {
                self.mark(Mark::AskedAgain);
            }
            self.send_clicks(&Errand::Deed { purchase, deed, by });
        }
        if !self.echoes.is_empty() && self.dice.per_mille(self.shape.come_late_again) {
            let (purchase, deed) = self.dice.pick(&self.echoes);
            self.mark(Mark::CameLateAgain);
            self.send(Message::Request(Errand::Deed { purchase, deed, by: By::Echo }));
        }
        for organiser in 0..self.organisers.len() {
            let elapsed_ms = self.clock.elapsed_ms();
            if let Some(task) = self.organisers[organiser].due(elapsed_ms).cloned() {
                self.organisers[organiser].asked(elapsed_ms);
                self.send_clicks(&Errand::Task { organiser, task });
            }
        }
    }

    fn send_clicks(&mut self, errand: &Errand) {
        if self.dice.per_mille(self.shape.click_twice) {
            self.inject(Mark::ClickedTwice);
            self.send(Message::Request(errand.clone()));
        }
        self.send(Message::Request(errand.clone()));
    }

    /// What has arrived by now, on either side.
    pub(super) fn receive_all(&mut self) -> Verdict {
        while let Some(arrived) = self.network.next_arrived(self.clock.elapsed_ms()) {
            if arrived.overtaken {
                self.mark(Mark::MessageOvertaken);
            }
            match arrived.message {
                Message::Request(errand) => self.arrive(errand)?,
                Message::Answer(errand, reply) => self.hear(&errand, &reply),
            }
        }
        Ok(())
    }

    /// An answer arrives.
    fn hear(&mut self, errand: &Errand, reply: &Reply) {
        match (errand, reply) {
            (Errand::Deed { by: By::Echo, .. }, _) => {}
            (Errand::Deed { purchase, deed, by }, Reply::Said(outcome)) => {
                self.hear_of_deed(*purchase, deed, *by, outcome);
            }
            (Errand::Task { organiser, task }, Reply::Said(outcome)) => {
                let made = self.made[*organiser].filter(|_| outcome.is_ok());
                let organiser = &mut self.organisers[*organiser];
                if let Some(sale) = made.filter(|_| organiser.sale().is_none()) {
                    organiser.made(sale);
                    let item_count = u64::try_from(organiser.shape().items.len()).expect("few items");
                    self.crowd.hear_of(crate::crowd::Offer { sale, item_count });
                }
                organiser.done(task);
            }
            (_, Reply::Busy { retry_after_s }) => {
                let until_ms = self.clock.elapsed_ms() + u64::from(*retry_after_s) * 1_000;
                self.wait_until(errand, until_ms);
            }
        }
    }

    fn hear_of_deed(&mut self, index: usize, deed: &Deed, by: By, outcome: &Outcome) {
        let purchase = self.crowd.purchase_mut(index);
        match (by, deed, outcome) {
            (By::Provider(call), ..) => purchase.call_done(call),
            (_, Deed::Place, Ok(Answer::Order(view))) => purchase.placed(view),
            (_, Deed::Place, _) => purchase.refuse(),
            _ => purchase.done(deed),
        }
        if self.crowd.purchases()[index].order.is_some() {
            self.echoes.push((index, deed.clone()));
        }
    }

    fn wait_until(&mut self, errand: &Errand, until_ms: u64) {
        match errand {
            Errand::Deed { purchase, by: By::Provider(call), .. } => {
                self.crowd.purchase_mut(*purchase).call_told_to_wait(*call, until_ms);
            }
            Errand::Deed { purchase, .. } => self.crowd.purchase_mut(*purchase).told_to_wait(until_ms),
            Errand::Task { organiser, .. } => self.organisers[*organiser].wait_until(until_ms),
        }
    }

    /// What a first answer shows about the time since it was asked for.
    pub(super) fn mark_times(&mut self, index: usize, deed: &Deed, outcome: &Outcome, is_new: bool) {
        let Ok(Answer::Order(view)) = outcome else { return };
        let now = self.clock.latest();
        let purchase = &self.crowd.purchases()[index];
        let marks = [
            (matches!(deed, Deed::Place) && is_new && view.expires_at <= now, Mark::HoldEndedWhileStored),
            (
                matches!(deed, Deed::Place) && purchase.unanswered > 0 && purchase.given.is_none(),
                if is_new { Mark::PlacedOrderOnRetry } else { Mark::FoundOrderOnRetry },
            ),
            (
                matches!(deed, Deed::Pay(_))
                    && is_new
                    && view.state == OrderState::Paid
                    && view.expires_at <= now,
                Mark::PaidLate,
            ),
        ];
        marks.into_iter().filter(|(is_so, _)| *is_so).for_each(|(_, mark)| self.mark(mark));
    }
}
