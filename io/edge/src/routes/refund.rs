//! Giving money back, step by step, by hand.

use axum::extract::{Path, Request, State};
use domain::{Command, PaymentId, RefundStep, Request as Ask, limits};
use gate::Work;
use serde_json::Value;

use super::Shared;
use super::orders::order_reply;
use crate::backend::Backend;
use crate::body::Outcome;
use crate::json::{Faults, Field};
use crate::openapi::schema;
use crate::problem::Problem;
use crate::request::{self, Parameters};

/// Record a step of giving an order's money back: `start`, then `succeeded` or `failed`. With `payment` it is
/// about a payment that came on top, see `surplus_payments`.
#[utoipa::path(
    post, path = "/v1/orders/{order}/refund", tag = "organiser", security(("admin_key" = [])),
    params(("order" = String, Path, description = "The order's code")),
    request_body(content = Option<schema::RefundStep>, description = "Nothing: start, and put the units back on sale"),
    responses(
        (status = 200, description = "The order", body = schema::Order, headers(("Onrush-Receipt" = String, description = "Proves the answer: see `onrush verify`"))),
        (status = "4XX", description = "A problem", body = schema::Problem, content_type = "application/problem+json"),
        (status = "5XX", description = "A problem", body = schema::Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn refund<B: Backend>(
    State(edge): Shared<B>,
    Path(order): Path<String>,
    request: Request,
) -> Outcome {
    edge.organiser(request.headers())?;
    Parameters::none(request.uri())?;
    let order = edge.order_id(&order)?;
    let (head, body) = request.into_parts();
    let value = request::json_or_empty(&head.headers, body, edge.body_limit()).await?;
    let Asked { step, surplus } = read(&value)?;
    let command = Command::RecordRefund { order, surplus, step };
    let told = edge.submit_for_order(Work::Promise, order, Ask::Command(command)).await?;
    Ok(order_reply(&edge, &told))
}

struct Asked {
    step: RefundStep,
    surplus: Option<PaymentId>,
}

fn read(value: &Value) -> Result<Asked, Problem> {
    let faults = Faults::default();
    let asked = read_fields(value, &faults);
    faults.finish(asked)
}

fn read_fields(value: &Value, faults: &Faults) -> Option<Asked> {
    let body = Field::root(value, faults).object(&["step", "restock", "payment"])?;
    let restock = match body.get("restock").if_present() {
        Some(field) => field.yes_or_no(),
        None => Some(true),
    };
    let surplus = match body.get("payment").if_present() {
        Some(field) => field.text(1..=limits::LABEL_SIZE_BYTES_MAX).map(PaymentId::from_text).map(Some),
        None => Some(None),
    };
    let start = RefundStep::Start { restock: restock.unwrap_or(true) };
    let step = match body.get("step").if_present() {
        Some(field) => field.word("start, succeeded or failed", |word| match word {
            "start" => Some(start),
            "succeeded" => Some(RefundStep::Succeeded),
            "failed" => Some(RefundStep::Failed),
            _ => None,
        }),
        None => Some(start),
    };
    if let (Some(RefundStep::Succeeded | RefundStep::Failed), Some(field)) =
        (step, body.get("restock").if_present())
    {
        return field.fault("unknown", "belongs to the step start");
    }
    restock?;
    Some(Asked { step: step?, surplus: surplus? })
}
