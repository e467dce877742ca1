//! Lists, page by page.

use axum::extract::{Path, Request, State};
use domain::{OrderState, OrderView};
use http::StatusCode;
use views::SaleEntry;

use super::{Shared, json_reply};
use crate::backend::{Backend, CURSOR_SIZE_BYTES_MAX, OrdersQuery};
use crate::body::Outcome;
use crate::edge::Edge;
use crate::json::{self, FieldFault, Place};
use crate::openapi::schema;
use crate::problem::Problem;
use crate::request::Parameters;

/// All sales, in the order in which they were made.
#[utoipa::path(
    get, path = "/v1/sales", tag = "everybody", params(schema::Paging),
    responses(
        (status = 200, description = "A page of sales", body = schema::SaleList),
        (status = "4XX", description = "A problem", body = schema::Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn sales<B: Backend>(State(edge): Shared<B>, request: Request) -> Outcome {
    let parameters = Parameters::read(request.uri(), &["limit", "cursor"]);
    let limit = limit(&edge, &parameters);
    let sales = edge.backend.catalog().sales();
    // The list only grows at its end, so a position is a cursor.
    let from = parameters.word("cursor", "the cursor of an earlier page", |text| {
        text.parse::<usize>().ok().filter(|from| *from <= sales.len())
    });
    let from = parameters.faults.finish(Some(from.unwrap_or(0)))?;
    let until = sales.len().min(from + usize::from(limit));
    let pages: Vec<_> = sales[from..until].iter().map(|sale| edge.pages.page_bytes(sale)).collect();
    let mut out = b"{\"data\":[".to_vec();
    out.extend_from_slice(&pages.join(&b","[..]));
    out.push(b']');
    push_next(&mut out, (until < sales.len()).then(|| until.to_string()).as_deref());
    Ok(json_reply(StatusCode::OK, out))
}

/// A sale's orders with their buyers.
#[utoipa::path(
    get, path = "/v1/sales/{sale}/orders", tag = "organiser", security(("admin_key" = [])),
    params(
        ("sale" = String, Path, description = "The sale's code"),
        ("state" = Option<schema::OrderState>, Query, description = "Only orders in this state"),
        schema::Paging,
    ),
    responses(
        (status = 200, description = "A page of orders", body = schema::OrderList),
        (status = "4XX", description = "A problem", body = schema::Problem, content_type = "application/problem+json"),
        (status = "5XX", description = "A problem", body = schema::Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn orders<B: Backend>(
    State(edge): Shared<B>,
    Path(sale): Path<String>,
    request: Request,
) -> Outcome {
    edge.organiser(request.headers())?;
    let sale = edge.sale(&sale)?;
    let parameters = Parameters::read(request.uri(), &["state", "limit", "cursor"]);
    let names = OrderState::ALL.map(OrderState::name).join(", ");
    let state = parameters.word("state", &format!("one of {names}"), OrderState::from_name);
    let after = parameters.word("cursor", CURSOR, |text| {
        (1..=CURSOR_SIZE_BYTES_MAX).contains(&text.len()).then(|| text.to_owned())
    });
    let count_max = limit(&edge, &parameters);
    let query = OrdersQuery { shard: sale.shard(), sale: sale.id(), state, after, count_max };
    let query = parameters.faults.finish(Some(query))?;
    let page = edge.backend.orders(query).await.map_err(Problem::unavailable)?;
    let page = page.map_err(|_invalid| cursor_invalid())?;
    let mut out = b"{\"data\":[".to_vec();
    for (index, order) in page.orders.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        push_listed(&mut out, &edge, order, &sale);
    }
    out.push(b']');
    push_next(&mut out, page.next.as_deref());
    Ok(json_reply(StatusCode::OK, out))
}

const CURSOR: &str = "the cursor of an earlier page";

fn cursor_invalid() -> Problem {
    let place = Place::Query("cursor".to_owned());
    Problem::fields(vec![FieldFault { place, code: "value", detail: format!("must be {CURSOR}") }])
}

fn limit<B: Backend>(edge: &Edge<B>, parameters: &Parameters) -> u16 {
    let given = parameters.whole("limit", 1..=edge.config.list_len_max);
    given.unwrap_or(edge.config.list_len_default)
}

fn push_listed<B: Backend>(out: &mut Vec<u8>, edge: &Edge<B>, order: &OrderView, sale: &SaleEntry) {
    json::push_order_open(out, &edge.codec.encode(order.order), order, sale);
    json::push_name(out, "buyer");
    json::push_text(out, &order.buyer.0.to_string());
    out.push(b'}');
}

fn push_next(out: &mut Vec<u8>, next: Option<&str>) {
    json::push_name(out, "next");
    match next {
        Some(next) => json::push_text(out, next),
        None => out.extend_from_slice(b"null"),
    }
    out.push(b'}');
}
