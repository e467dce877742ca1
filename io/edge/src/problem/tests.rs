use domain::{Amount, Currency, OrderState, SaleStatus, TermsFault, UnixMs, Wish};
use http_body_util::BodyExt;
use insta::assert_snapshot;

use super::*;

/// Every refusal there is. A new variant does not compile in `refusal_words` before it is mapped; it belongs
/// here too.
fn refusals() -> Vec<Refusal> {
    let item = ItemIndex(3);
    vec![
        Refusal::IdempotencyKeyReused,
        Refusal::SaleNotFound,
        Refusal::SaleNotOpen { opens_at: Some(UnixMs(1_796_151_600_000)) },
        Refusal::SaleNotOpen { opens_at: None },
        Refusal::SalePaused,
        Refusal::SaleClosed,
        Refusal::ItemNotFound { item },
        Refusal::QuantityOutOfRange { item: Some(item), quantity_max: 4 },
        Refusal::BuyerLimitReached { item: None, per_day: true, limit: 4, taken: 3 },
        Refusal::StockExhausted { wish: Wish { item, quantity: 2 }, left: 1 },
        Refusal::StockExhausted { wish: Wish { item, quantity: 2 }, left: 0 },
        Refusal::OrderNotFound,
        Refusal::OrderState { from: OrderState::Expired, to: OrderState::Cancelled },
        Refusal::HoldAlreadyExtended,
        Refusal::AmountMismatch { expected: Amount(12_000), currency: Currency::new("EUR").unwrap() },
        Refusal::PaymentNotFound,
        Refusal::SaleExists,
        Refusal::SaleState { from: SaleStatus::Closed, to: SaleStatus::Open },
        Refusal::TermsInvalid(TermsFault::ClosesBeforeOpening),
        Refusal::StockOutOfRange,
        Refusal::CapacityExhausted { limit: "ORDER_COUNT_MAX" },
    ]
}

#[tokio::test]
async fn every_refusal_has_its_answer() {
    let mut answers = String::new();
    for refusal in refusals() {
        let reply = Problem::refusal(&refusal, None).into_reply();
        let status = reply.status().as_u16();
        let waits = reply.headers().contains_key(header::RETRY_AFTER);
        assert_eq!(waits, status == 503, "{refusal:?}");
        let bytes = reply.into_body().collect().await.unwrap().to_bytes();
        let json: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
        assert_eq!(
            (json["code"].as_str(), json["status"].as_u64()),
            (Some(refusal.code()), Some(u64::from(status)))
        );
        answers += &format!("{}\n", std::str::from_utf8(&bytes).unwrap());
    }
    assert_snapshot!(answers);
}
