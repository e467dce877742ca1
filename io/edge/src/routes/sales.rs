//! Making, showing, changing and moving sales.

use std::sync::Arc;

use axum::extract::{Path, Request, State};
use domain::{Answer, Command, Refusal, Request as Ask, SaleStatus};
use gate::Work;
use http::{HeaderValue, StatusCode, header};
use views::SaleEntry;

use super::sale_body;
use super::{Shared, json_reply};
use crate::backend::Backend;
use crate::body::{Outcome, Reply};
use crate::edge::Edge;
use crate::openapi::schema;
use crate::problem::Problem;
use crate::request::{self, HotHeaders, Parameters};

/// Make a sale. It is not open yet. The same sale once more changes nothing and is answered 200.
#[utoipa::path(
    post, path = "/v1/sales", tag = "organiser", security(("admin_key" = [])),
    request_body = schema::SaleNew,
    responses(
        (status = 201, description = "The sale was made", body = schema::Sale),
        (status = 200, description = "The same sale was there already", body = schema::Sale),
        (status = "4XX", description = "A problem", body = schema::Problem, content_type = "application/problem+json"),
        (status = "5XX", description = "A problem", body = schema::Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn create<B: Backend>(State(edge): Shared<B>, request: Request) -> Outcome {
    edge.organiser(request.headers())?;
    Parameters::none(request.uri())?;
    let (head, body) = request.into_parts();
    let value = request::json(&head.headers, body, edge.definition_limit()).await?;
    let new = sale_body::new_sale(&value)?;
    let shard = edge.backend.catalog().shard_of_slug(&new.slug);
    let command = Command::CreateSale { slug: new.slug, terms: new.terms.into(), items: new.items };
    match edge.submit(Work::Promise, shard, Ask::Command(command)).await?.outcome {
        Ok(Answer::Sale { sale, created, .. }) => {
            let sale = edge.backend.catalog().sale_by_id(shard, sale).expect("a new sale is published first");
            Ok(created_reply(&edge, &sale, if created { StatusCode::CREATED } else { StatusCode::OK }))
        }
        Ok(other) => unreachable!("made a sale, answered {other:?}"),
        Err(refusal) => Err(Problem::refusal(&refusal, None)),
    }
}

fn created_reply<B: Backend>(edge: &Edge<B>, sale: &SaleEntry, status: StatusCode) -> Reply {
    let mut reply = json_reply(status, edge.pages.page_bytes(sale));
    let location = HeaderValue::try_from(format!("/v1/sales/{}", sale.slug()));
    reply.headers_mut().insert(header::LOCATION, location.expect("a slug is ASCII"));
    reply
}

/// A sale: its terms, its items, where it stands.
#[utoipa::path(
    get, path = "/v1/sales/{sale}", tag = "everybody",
    params(("sale" = String, Path, description = "The sale's code"), schema::Caching),
    responses(
        (status = 200, description = "The sale", body = schema::Sale, headers(("ETag" = String))),
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
    edge.page(&sale, &HotHeaders::of(request.headers()))
}

/// Change a sale's terms or items, or add items. Orders that exist keep what they were given.
#[utoipa::path(
    patch, path = "/v1/sales/{sale}", tag = "organiser", security(("admin_key" = [])),
    params(("sale" = String, Path, description = "The sale's code")),
    request_body = schema::SaleChange,
    responses(
        (status = 200, description = "The sale as it is now", body = schema::Sale),
        (status = "4XX", description = "A problem", body = schema::Problem, content_type = "application/problem+json"),
        (status = "5XX", description = "A problem", body = schema::Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn edit<B: Backend>(
    State(edge): Shared<B>,
    Path(sale): Path<String>,
    request: Request,
) -> Outcome {
    edge.organiser(request.headers())?;
    Parameters::none(request.uri())?;
    let sale = edge.sale(&sale)?;
    let (head, body) = request.into_parts();
    let value = request::json(&head.headers, body, edge.definition_limit()).await?;
    let patch = Box::new(sale_body::patch(&value, &sale)?);
    change(&edge, &sale, Command::EditSale { sale: sale.id(), patch }).await
}

/// Open a sale, early or for good.
#[utoipa::path(
    post, path = "/v1/sales/{sale}/open", tag = "organiser", security(("admin_key" = [])),
    params(("sale" = String, Path, description = "The sale's code")),
    responses(
        (status = 200, description = "The sale, open", body = schema::Sale),
        (status = "4XX", description = "A problem", body = schema::Problem, content_type = "application/problem+json"),
        (status = "5XX", description = "A problem", body = schema::Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn open<B: Backend>(
    State(edge): Shared<B>,
    Path(sale): Path<String>,
    request: Request,
) -> Outcome {
    move_sale(&edge, &sale, request, SaleStatus::Open).await
}

/// Take no orders for the moment. Holds go on and can be paid.
#[utoipa::path(
    post, path = "/v1/sales/{sale}/pause", tag = "organiser", security(("admin_key" = [])),
    params(("sale" = String, Path, description = "The sale's code")),
    responses(
        (status = 200, description = "The sale, paused", body = schema::Sale),
        (status = "4XX", description = "A problem", body = schema::Problem, content_type = "application/problem+json"),
        (status = "5XX", description = "A problem", body = schema::Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn pause<B: Backend>(
    State(edge): Shared<B>,
    Path(sale): Path<String>,
    request: Request,
) -> Outcome {
    move_sale(&edge, &sale, request, SaleStatus::Paused).await
}

/// Take orders again after a pause.
#[utoipa::path(
    post, path = "/v1/sales/{sale}/resume", tag = "organiser", security(("admin_key" = [])),
    params(("sale" = String, Path, description = "The sale's code")),
    responses(
        (status = 200, description = "The sale, open", body = schema::Sale),
        (status = "4XX", description = "A problem", body = schema::Problem, content_type = "application/problem+json"),
        (status = "5XX", description = "A problem", body = schema::Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn resume<B: Backend>(
    State(edge): Shared<B>,
    Path(sale): Path<String>,
    request: Request,
) -> Outcome {
    edge.organiser(request.headers())?;
    // To the engine, resuming is opening; that a sale which was never open is not resumed is said here.
    let from = edge.sale(&sale)?.front().status;
    if from == SaleStatus::Scheduled {
        return Err(Problem::refusal(&Refusal::SaleState { from, to: SaleStatus::Open }, None));
    }
    move_sale(&edge, &sale, request, SaleStatus::Open).await
}

/// Take no orders any more. Holds go on and can be paid. There is no way back.
#[utoipa::path(
    post, path = "/v1/sales/{sale}/close", tag = "organiser", security(("admin_key" = [])),
    params(("sale" = String, Path, description = "The sale's code")),
    responses(
        (status = 200, description = "The sale, closed", body = schema::Sale),
        (status = "4XX", description = "A problem", body = schema::Problem, content_type = "application/problem+json"),
        (status = "5XX", description = "A problem", body = schema::Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn close<B: Backend>(
    State(edge): Shared<B>,
    Path(sale): Path<String>,
    request: Request,
) -> Outcome {
    move_sale(&edge, &sale, request, SaleStatus::Closed).await
}

async fn move_sale<B: Backend>(edge: &Arc<Edge<B>>, sale: &str, request: Request, to: SaleStatus) -> Outcome {
    edge.organiser(request.headers())?;
    Parameters::none(request.uri())?;
    let sale = edge.sale(sale)?;
    let (head, body) = request.into_parts();
    request::no_fields(&head.headers, body, edge.body_limit()).await?;
    change(edge, &sale, Command::MoveSale { sale: sale.id(), to }).await
}

async fn change<B: Backend>(edge: &Edge<B>, sale: &SaleEntry, command: Command) -> Outcome {
    match edge.submit(Work::Promise, sale.shard(), Ask::Command(command)).await?.outcome {
        Ok(_done) => Ok(json_reply(StatusCode::OK, edge.pages.page_bytes(sale))),
        Err(refusal) => Err(Problem::refusal(&refusal, Some(sale))),
    }
}
