//! What a buyer does with an order.

use axum::extract::{Path, Request, State};
use domain::{Command, Request as Ask};
use gate::Work;
use http::StatusCode;

use super::{Shared, json_reply};
use crate::backend::Backend;
use crate::body::{Outcome, Reply};
use crate::edge::{Edge, Told};
use crate::hot;
use crate::json;
use crate::openapi::schema;
use crate::problem::Problem;
use crate::request::{self, HotHeaders, Parameters};

/// Place an order: claims its units until the hold ends. The same key and the same order bring the first
/// answer again, even after it was paid or has expired.
#[utoipa::path(
    post, path = "/v1/sales/{sale}/orders", tag = "buyer", security(("buyer_token" = [])),
    params(
        ("sale" = String, Path, description = "The sale's code"),
        ("Idempotency-Key" = String, Header, description = "Names this attempt, 1 to 255 characters"),
    ),
    request_body = schema::OrderNew,
    responses(
        (status = 201, description = "The order holds its units", body = schema::Order, headers(("Onrush-Receipt" = String, description = "Proves the answer: see `onrush verify`"))),
        (status = "4XX", description = "A problem", body = schema::Problem, content_type = "application/problem+json"),
        (status = "5XX", description = "A problem", body = schema::Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn place<B: Backend>(
    State(edge): Shared<B>,
    Path(sale): Path<String>,
    request: Request,
) -> Outcome {
    Parameters::none(request.uri())?;
    let (head, body) = request.into_parts();
    hot::order::place(&edge, &sale, &head.headers, body).await
}

/// An order. A buyer sees only their own.
#[utoipa::path(
    get, path = "/v1/orders/{order}", tag = "buyer", security(("buyer_token" = []), ("admin_key" = [])),
    params(("order" = String, Path, description = "The order's code")),
    responses(
        (status = 200, description = "The order", body = schema::Order, headers(("Onrush-Receipt" = String, description = "Proves the answer: see `onrush verify`"))),
        (status = "4XX", description = "A problem", body = schema::Problem, content_type = "application/problem+json"),
        (status = "5XX", description = "A problem", body = schema::Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn show<B: Backend>(
    State(edge): Shared<B>,
    Path(order): Path<String>,
    request: Request,
) -> Outcome {
    let by = edge.actor(request.headers())?;
    Parameters::none(request.uri())?;
    let order = edge.order_id(&order)?;
    let told = edge.submit_for_order(Work::Question, order, Ask::ShowOrder { order, by }).await?;
    Ok(order_reply(&edge, &told))
}

/// Give up an order that is not paid. Its units are free again.
#[utoipa::path(
    post, path = "/v1/orders/{order}/cancel", tag = "buyer", security(("buyer_token" = []), ("admin_key" = [])),
    params(("order" = String, Path, description = "The order's code")),
    responses(
        (status = 200, description = "The order, cancelled", body = schema::Order, headers(("Onrush-Receipt" = String, description = "Proves the answer: see `onrush verify`"))),
        (status = "4XX", description = "A problem", body = schema::Problem, content_type = "application/problem+json"),
        (status = "5XX", description = "A problem", body = schema::Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn cancel<B: Backend>(
    State(edge): Shared<B>,
    Path(order): Path<String>,
    request: Request,
) -> Outcome {
    let by = edge.actor(request.headers())?;
    Parameters::none(request.uri())?;
    let order = edge.order_id(&order)?;
    let (head, body) = request.into_parts();
    request::no_fields(&head.headers, body, edge.body_limit()).await?;
    let command = Command::CancelOrder { order, by };
    let told = edge.submit_for_order(Work::Promise, order, Ask::Command(command)).await?;
    Ok(order_reply(&edge, &told))
}

/// Give a hold its full time again, counted from now; once per order.
#[utoipa::path(
    post, path = "/v1/orders/{order}/extend", tag = "buyer", security(("buyer_token" = [])),
    params(
        ("order" = String, Path, description = "The order's code"),
        ("Idempotency-Key" = String, Header, description = "Names this attempt, 1 to 255 characters"),
    ),
    responses(
        (status = 200, description = "The order with its new end", body = schema::Order, headers(("Onrush-Receipt" = String, description = "Proves the answer: see `onrush verify`"))),
        (status = "4XX", description = "A problem", body = schema::Problem, content_type = "application/problem+json"),
        (status = "5XX", description = "A problem", body = schema::Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn extend<B: Backend>(
    State(edge): Shared<B>,
    Path(order): Path<String>,
    request: Request,
) -> Outcome {
    let buyer = edge.buyer(&HotHeaders::of(request.headers()), edge.backend.now())?;
    Parameters::none(request.uri())?;
    let key = request::key(request.headers())?.ok_or_else(Problem::key_missing)?;
    let order = edge.order_id(&order)?;
    let (head, body) = request.into_parts();
    request::no_fields(&head.headers, body, edge.body_limit()).await?;
    let command = Command::ExtendHold { order, buyer, key };
    let told = edge.submit_for_order(Work::Promise, order, Ask::Command(command)).await?;
    Ok(order_reply(&edge, &told))
}

/// An order as the answer, with its receipt.
pub(crate) fn order_reply<B: Backend>(edge: &Edge<B>, told: &Told) -> Reply {
    let Told { view, tip } = told;
    let receipt = edge.receipt(view, *tip);
    let mut out = Vec::new();
    json::push_order(&mut out, &receipt.order, view, &edge.sale_of(view));
    let mut reply = json_reply(StatusCode::OK, out);
    receipt.attach(&mut reply);
    reply
}
