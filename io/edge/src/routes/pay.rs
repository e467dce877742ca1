//! Asking the payment provider for an order's money.

use axum::extract::{Path, Request, State};
use domain::{Actor, OrderState, Refusal, Request as Ask};
use gate::Work;
use http::StatusCode;
use payments::{Charge, ChargeRequest, ChargeStatus};

use super::orders::order_reply;
use super::{Shared, json_reply};
use crate::backend::Backend;
use crate::body::{Outcome, Reply};
use crate::edge::{Edge, Told};
use crate::json;
use crate::openapi::schema;
use crate::payments::PaymentDesk;
use crate::problem::Problem;
use crate::request::{self, HotHeaders, Parameters};

/// Pay an order. The answer says that the provider was asked; whether the money came shows on the order later.
/// Asking again while that is open asks for the same payment, not for a second one.
#[utoipa::path(
    post, path = "/v1/orders/{order}/pay", tag = "buyer", security(("buyer_token" = [])),
    params(("order" = String, Path, description = "The order's code")),
    responses(
        (status = 202, description = "The provider was asked", body = schema::OrderPaying, headers(("Onrush-Receipt" = String, description = "Proves the answer: see `onrush verify`"))),
        (status = 200, description = "It is paid already", body = schema::Order, headers(("Onrush-Receipt" = String, description = "Proves the answer: see `onrush verify`"))),
        (status = "4XX", description = "A problem", body = schema::Problem, content_type = "application/problem+json"),
        (status = "5XX", description = "A problem", body = schema::Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn pay<B: Backend>(
    State(edge): Shared<B>,
    Path(order): Path<String>,
    request: Request,
) -> Outcome {
    let by = Actor::Buyer(edge.buyer(&HotHeaders::of(request.headers()), edge.backend.now())?);
    Parameters::none(request.uri())?;
    let order = edge.order_id(&order)?;
    let (head, body) = request.into_parts();
    request::no_fields(&head.headers, body, edge.body_limit()).await?;
    let told = edge.submit_for_order(Work::Promise, order, Ask::ShowOrder { order, by }).await?;
    match told.view.state {
        OrderState::Held => charge(&edge, &told).await,
        OrderState::Paid => Ok(order_reply(&edge, &told)),
        from => {
            let refusal = Refusal::OrderState { from, to: OrderState::Paid };
            Err(Problem::refusal(&refusal, None))
        }
    }
}

async fn charge<B: Backend>(edge: &Edge<B>, told: &Told) -> Outcome {
    let view = &told.view;
    let desk = edge.payments.as_ref().ok_or_else(Problem::provider_missing)?;
    let code = edge.codec.encode(view.order);
    let order_code = std::str::from_utf8(&code).expect("an order's code is ASCII").to_owned();
    let request = ChargeRequest {
        // One attempt per failed payment: repeating an attempt charges once, a new one may charge anew.
        idempotency_key: format!("{order_code}-{}", view.payments_failed),
        order_code,
        amount: view.total(),
        currency: edge.sale_of(view).front().terms.currency,
        callback_url: desk.callback_url.clone(),
    };
    match desk.provider.charge(request).await {
        Ok(charge) => Ok(charging_reply(edge, desk, told, &charge)),
        Err(error) => {
            tracing::debug!(%error, "a charge was not taken");
            Err(Problem::charge(&error))
        }
    }
}

fn charging_reply<B: Backend>(edge: &Edge<B>, desk: &PaymentDesk, told: &Told, charge: &Charge) -> Reply {
    let Told { view, tip } = told;
    let receipt = edge.receipt(view, *tip);
    let mut out = Vec::new();
    json::push_order_open(&mut out, &receipt.order, view, &edge.sale_of(view));
    out.extend_from_slice(b",\"payment\":{\"provider\":");
    json::push_text(&mut out, desk.provider.name());
    json::push_name(&mut out, "id");
    json::push_text(&mut out, &charge.payment);
    json::push_name(&mut out, "status");
    json::push_text(&mut out, status_name(charge.status));
    out.extend_from_slice(b"}}");
    let mut reply = json_reply(StatusCode::ACCEPTED, out);
    receipt.attach(&mut reply);
    reply
}

fn status_name(status: ChargeStatus) -> &'static str {
    match status {
        ChargeStatus::Pending => "pending",
        ChargeStatus::Succeeded => "succeeded",
        ChargeStatus::Failed => "failed",
    }
}
