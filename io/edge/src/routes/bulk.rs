//! What a trusted integrator does: places many orders at once.

use axum::extract::{Request, State};
use bytes::Bytes;
use domain::ShardId;
use http::Response;
use http_body_util::Full;
use tokio::sync::SemaphorePermit;
use views::SaleEntry;

use super::Shared;
use crate::backend::{Backend, Bulk, BulkDecided, Tip, Unavailable};
use crate::body::{self, Outcome, Reply};
use crate::bulk::{self, Answering, Form, Wanted};
use crate::edge::Edge;
use crate::json::Place;
use crate::openapi::schema;
use crate::problem::Problem;
use crate::request::Parameters;

/// Place many orders of one sale, for different buyers. Each is decided as if it had come alone, one after the other
/// as they stand, and has its own answer; all of it is durable when it is answered. When a line is wrong, nothing of
/// the batch is asked for.
#[utoipa::path(
    post, path = "/v1/orders:batch", tag = "integrator", security(("integrator_key" = [])),
    params(("sale" = String, Query, description = "The sale's code")),
    request_body(
        description = "1 to 8190 orders: one JSON object a line, or the binary form of docs/formats/batch.md",
        content((schema::BulkOrder = "application/jsonl"), (schema::BulkBytes = "application/vnd.onrush.batch")),
    ),
    responses(
        (status = 200, description = "One answer for each order, in order, in the form of the request", content((schema::BulkAnswer = "application/jsonl"), (schema::BulkBytes = "application/vnd.onrush.batch")), headers(("Onrush-Receipt-Template" = String, description = "An order's receipt, with its code and seq in the places of their names"))),
        (status = "4XX", description = "A problem", body = schema::Problem, content_type = "application/problem+json"),
        (status = "5XX", description = "A problem", body = schema::Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn place_all<B: Backend>(State(edge): Shared<B>, request: Request) -> Outcome {
    let (head, body) = request.into_parts();
    edge.integrator(&head.headers)?;
    let parameters = Parameters::read(&head.uri, &["sale"]);
    let slug = parameters.word("sale", "a sale's code", |text| Some(text.to_owned()));
    if slug.is_none() {
        parameters.faults.add(Place::Query("sale".to_owned()), "required", "is missing");
    }
    let sale = edge.sale(&parameters.faults.finish(slug)?)?;
    let form = Form::of(&head.headers)?;
    let _turn = turn(&edge).await?;
    let bytes = body::read(body, edge.bulk_limit()).await?;
    let Wanted { orders, unknown } = bulk::read(form, &bytes, &sale, edge.bulk_len_max()).await?;
    drop(bytes);
    let bulk = Bulk { sale: sale.id(), orders };
    let decided = decide(&edge, &sale, bulk).await?;
    let refused = decided.outcomes.iter().filter(|outcome| outcome.is_err()).count();
    edge.metrics.bulk_orders.inc_by(decided.outcomes.len() as u64);
    edge.metrics.bulk_orders_refused.inc_by(refused as u64);
    let with = Answering { codec: &edge.codec, sale: &sale, unknown: &unknown };
    let out = bulk::answer(form, &decided, with).await;
    Ok(reply(form, out, (sale.shard(), decided.tip)))
}

/// Waits until few enough bulks are in memory. Nothing of this one is yet: its body was not read.
async fn turn<B: Backend>(edge: &Edge<B>) -> Result<SemaphorePermit<'_>, Problem> {
    let waiting = tokio::time::timeout(edge.config.answer_deadline, edge.bulk_turns.acquire());
    match waiting.await {
        Ok(turn) => Ok(turn.expect("nobody closes it")),
        Err(_elapsed) => {
            edge.metrics.shed_bulks.inc();
            Err(Problem::unavailable(Unavailable::Overloaded { retry_after_s: 1 }))
        }
    }
}

async fn decide<B: Backend>(edge: &Edge<B>, sale: &SaleEntry, bulk: Bulk) -> Result<BulkDecided, Problem> {
    let (catalog, now) = (edge.backend.catalog(), edge.backend.now());
    match bulk::foresee_refusals(catalog, sale, now, &bulk.orders) {
        Some(outcomes) => {
            edge.metrics.answered_by_view.inc_by(outcomes.len() as u64);
            Ok(BulkDecided { outcomes, tip: Tip::default() })
        }
        None => edge.submit_all(sale.shard(), bulk).await,
    }
}

fn reply(form: Form, out: Vec<u8>, (shard, tip): (ShardId, Tip)) -> Reply {
    let mut reply = Response::new(Full::new(Bytes::from(out)));
    reply.headers_mut().extend(bulk::headers(form));
    reply.headers_mut().extend(bulk::receipt_template(shard, tip));
    reply
}
