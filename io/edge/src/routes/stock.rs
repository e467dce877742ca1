//! A sale's levels, and changing them.

use axum::extract::{Path, Request, State};
use domain::{Answer, Command, Request as Ask, limits};
use gate::Work;
use http::StatusCode;
use serde_json::Value;

use super::{Shared, json_reply};
use crate::backend::Backend;
use crate::body::Outcome;
use crate::json::{self, Faults, Field};
use crate::openapi::schema;
use crate::problem::Problem;
use crate::request::{self, HotHeaders, Parameters};

/// Where the units of every item are. Always `stock = free + held + paid + withdrawn`.
#[utoipa::path(
    get, path = "/v1/sales/{sale}/stock", tag = "everybody",
    params(("sale" = String, Path, description = "The sale's code"), schema::Caching),
    responses(
        (status = 200, description = "The levels, all at one position", body = schema::Stock, headers(("ETag" = String))),
        (status = 304, description = "Nothing changed since the version named in If-None-Match"),
        (status = "4XX", description = "A problem", body = schema::Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn show<B: Backend>(
    State(edge): Shared<B>,
    Path(sale): Path<String>,
    request: Request,
) -> Outcome {
    Parameters::none(request.uri())?;
    edge.stock(&sale, &HotHeaders::of(request.headers()))
}

/// Add stock, or withdraw free units with a negative change. The same key brings the same answer.
#[utoipa::path(
    post, path = "/v1/sales/{sale}/items/{item}/stock", tag = "organiser", security(("admin_key" = [])),
    params(
        ("sale" = String, Path, description = "The sale's code"),
        ("item" = String, Path, description = "The item's code"),
        ("Idempotency-Key" = Option<String>, Header, description = "Names this attempt"),
    ),
    request_body = schema::StockChange,
    responses(
        (status = 200, description = "The item's levels right after", body = schema::StockReceipt),
        (status = "4XX", description = "A problem", body = schema::Problem, content_type = "application/problem+json"),
        (status = "5XX", description = "A problem", body = schema::Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn change<B: Backend>(
    State(edge): Shared<B>,
    Path((sale, item)): Path<(String, String)>,
    request: Request,
) -> Outcome {
    edge.organiser(request.headers())?;
    Parameters::none(request.uri())?;
    let sale = edge.sale(&sale)?;
    let index = sale.item(&item).ok_or_else(|| Problem::item_not_found(&item))?;
    let key = request::key(request.headers())?;
    let (head, body) = request.into_parts();
    let value = request::json(&head.headers, body, edge.body_limit()).await?;
    let change = read_change(&value)?;
    let command = Command::ChangeStock { sale: sale.id(), item: index, change, key };
    match edge.submit(Work::Promise, sale.shard(), Ask::Command(command)).await?.outcome {
        Ok(Answer::Stock(receipt)) => {
            let mut out = Vec::new();
            json::push_stock_receipt(&mut out, sale.slug(), &item, &receipt);
            Ok(json_reply(StatusCode::OK, out))
        }
        Ok(other) => unreachable!("changed stock, answered {other:?}"),
        Err(refusal) => Err(Problem::refusal(&refusal, Some(&sale))),
    }
}

fn read_change(value: &Value) -> Result<i32, Problem> {
    let faults = Faults::default();
    let read = || {
        let field = Field::root(value, &faults).object(&["change"])?.get("change");
        let max = i64::from(limits::STOCK_MAX);
        match field.whole(-max..=max)? {
            0 => field.fault("range", "must not be 0"),
            change => i32::try_from(change).ok(),
        }
    };
    let change = read();
    faults.finish(change)
}
