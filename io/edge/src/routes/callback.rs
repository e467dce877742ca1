//! Hearing from the payment provider.

use axum::extract::{Path, Request, State};
use domain::{Command, PaymentResult, Request as Ask};
use gate::Work;
use http::StatusCode;
use payments::{Event, SIGNATURE_HEADER};

use super::{Shared, json_reply};
use crate::backend::Backend;
use crate::body::{self, Outcome, Reply};
use crate::edge::{Edge, Told};
use crate::json;
use crate::openapi::schema;
use crate::problem::Problem;
use crate::request::Parameters;

/// A payment provider's word about a payment, signed. It counts once, however often it comes.
#[utoipa::path(
    post, path = "/v1/payments/{provider}/callback", tag = "payment provider",
    params(
        ("provider" = String, Path, description = "The provider's name"),
        ("Onrush-Signature" = String, Header, description = "`t=<unix seconds>,v1=<hex HMAC-SHA256 of \"<t>.\" and the body>`"),
    ),
    request_body(content = Object, description = "The provider's own format", content_type = "application/json"),
    responses(
        (status = 200, description = "Taken, now or before", body = schema::CallbackReceipt, headers(("Onrush-Receipt" = String, description = "Proves the answer: see `onrush verify`"))),
        (status = "4XX", description = "A problem", body = schema::Problem, content_type = "application/problem+json"),
        (status = "5XX", description = "A problem", body = schema::Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn callback<B: Backend>(
    State(edge): Shared<B>,
    Path(provider): Path<String>,
    request: Request,
) -> Outcome {
    let desk = edge.payments.as_ref().filter(|desk| desk.provider.name() == provider);
    let desk = desk.ok_or_else(Problem::provider_not_found)?;
    Parameters::none(request.uri())?;
    let (head, body) = request.into_parts();
    // The signature covers the bytes as they came, so they are read first and looked into only if it is right.
    let bytes = body::read(body, edge.body_limit()).await?;
    let signature = head.headers.get(SIGNATURE_HEADER).map(http::HeaderValue::as_bytes);
    let event = desk.provider.verify(signature, &bytes, edge.backend.now());
    let event = event.map_err(|error| Problem::callback(&error))?;
    let order = edge.order_id(&event.order_code)?;
    let Event { payment, amount, currency, result, .. } = event;
    let command = Command::RecordPayment { order, payment, amount, currency, result };
    let told = edge.submit_for_order(Work::Promise, order, Ask::Command(command)).await?;
    tracing::debug!(order = %event.order_code, succeeded = result == PaymentResult::Succeeded, "payment recorded");
    Ok(received(&edge, &told))
}

fn received<B: Backend>(edge: &Edge<B>, told: &Told) -> Reply {
    let Told { view, tip } = told;
    let receipt = edge.receipt(view, *tip);
    let mut out = b"{\"received\":true,\"order\":\"".to_vec();
    out.extend_from_slice(&receipt.order);
    out.extend_from_slice(b"\",\"state\":");
    json::push_text(&mut out, view.state.name());
    json::push_name(&mut out, "seq");
    json::push_number(&mut out, view.seq.0);
    out.push(b'}');
    let mut reply = json_reply(StatusCode::OK, out);
    receipt.attach(&mut reply);
    reply
}
