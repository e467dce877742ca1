//! What the random commands have reached: a test that never sees a refusal does not test it.

use std::collections::BTreeMap;

use domain::{Command, Fact, Refusal};

/// How often which outcome was seen.
#[derive(Default, Debug)]
pub(crate) struct Reach {
    pub(crate) commands: u64,
    outcomes: BTreeMap<String, u64>,
}

impl Reach {
    pub(crate) fn count(&mut self, command: &Command, decided: &Result<Vec<Fact>, Refusal>) {
        let verb = first_word(command);
        self.commands += u64::from(!matches!(command, Command::Tick));
        match decided {
            Ok(facts) if facts.is_empty() => self.add_one(format!("{verb} nothing")),
            Ok(facts) => facts.iter().for_each(|fact| self.add_one(format!("{verb} {}", fact_name(fact)))),
            Err(refusal) => self.add_one(format!("{verb} {}", refusal.code())),
        }
    }

    pub(crate) fn add(&mut self, other: &Reach) {
        self.commands += other.commands;
        for (outcome, count) in &other.outcomes {
            *self.outcomes.entry(outcome.clone()).or_default() += count;
        }
    }

    /// # Panics
    /// When an outcome that random commands should reach was never seen.
    pub(crate) fn check_complete(&self) {
        let missing: Vec<&&str> =
            EXPECTED.iter().filter(|outcome| !self.outcomes.contains_key(**outcome)).collect();
        assert!(missing.is_empty(), "never reached: {missing:?}");
    }

    fn add_one(&mut self, outcome: String) {
        *self.outcomes.entry(outcome).or_default() += 1;
    }
}

fn first_word(value: &impl std::fmt::Debug) -> String {
    let text = format!("{value:?}");
    text.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default().to_owned()
}

fn fact_name(fact: &Fact) -> String {
    match fact {
        Fact::PaymentUnmatched { cause, .. } => format!("PaymentUnmatched {cause:?}"),
        Fact::SaleMoved { cause, .. } => format!("SaleMoved {cause:?}"),
        _ => first_word(fact),
    }
}

/// Everything but the bounds of the system, which a small world does not reach.
const EXPECTED: &[&str] = &[
    "CreateSale SaleCreated",
    "CreateSale ItemAdded",
    "CreateSale nothing",
    "CreateSale sale_exists",
    "CreateSale terms_invalid",
    "CreateSale stock_out_of_range",
    "EditSale SaleEdited",
    "EditSale ItemEdited",
    "EditSale ItemAdded",
    "EditSale nothing",
    "EditSale sale_not_found",
    "EditSale sale_closed",
    "EditSale item_not_found",
    "EditSale terms_invalid",
    "EditSale stock_out_of_range",
    "MoveSale SaleMoved Organiser",
    "MoveSale nothing",
    "MoveSale sale_not_found",
    "MoveSale sale_state",
    "ChangeStock StockChanged",
    "ChangeStock nothing",
    "ChangeStock idempotency_key_reused",
    "ChangeStock sale_not_found",
    "ChangeStock item_not_found",
    "ChangeStock quantity_out_of_range",
    "ChangeStock stock_out_of_range",
    "ChangeStock stock_exhausted",
    "PlaceOrder OrderHeld",
    "PlaceOrder nothing",
    "PlaceOrder idempotency_key_reused",
    "PlaceOrder sale_not_found",
    "PlaceOrder sale_not_open",
    "PlaceOrder sale_paused",
    "PlaceOrder sale_closed",
    "PlaceOrder item_not_found",
    "PlaceOrder quantity_out_of_range",
    "PlaceOrder buyer_limit_reached",
    "PlaceOrder stock_exhausted",
    "ExtendHold HoldExtended",
    "ExtendHold nothing",
    "ExtendHold order_not_found",
    "ExtendHold hold_already_extended",
    "ExtendHold order_state",
    "CancelOrder OrderCancelled",
    "CancelOrder nothing",
    "CancelOrder order_not_found",
    "CancelOrder order_state",
    "RecordPayment OrderPaid",
    "RecordPayment OrderExpired",
    "RecordPayment PaymentFailed",
    "RecordPayment PaymentUnmatched StockTaken",
    "RecordPayment PaymentUnmatched LimitReached",
    "RecordPayment PaymentUnmatched PaidAfterCancel",
    "RecordPayment PaymentSurplus",
    "RecordPayment nothing",
    "RecordPayment order_not_found",
    "RecordPayment amount_mismatch",
    "RecordRefund RefundStarted",
    "RecordRefund OrderRefunded",
    "RecordRefund RefundFailed",
    "RecordRefund SurplusReturned",
    "RecordRefund nothing",
    "RecordRefund order_not_found",
    "RecordRefund order_state",
    "RecordRefund payment_not_found",
    "Tick SaleMoved Clock",
    "Tick OrderExpired",
    "Tick nothing",
];
