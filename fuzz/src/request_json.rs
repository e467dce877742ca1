//! The bodies of all requests: wrong ones are told by a stable code and the place of each wrong field; what is taken
//! is the same when it is written in its plainest form and sent again.

use bytes::Bytes;
use domain::{Command, Request as Ask, SaleTerms, UnixMs};
use http::{Method, Request, StatusCode};
use http_body_util::Full;
use serde_json::{Value, json};

use crate::oracle;
use crate::world::{self, ADMIN_KEY, Answered, ITEMS, World};

/// A route that takes a body.
struct Route {
    method: Method,
    /// Behind `/v1/`; `*` stands for an order's code.
    path: &'static str,
    by: By,
    /// Whether no body at all is as good as an empty object.
    may_be_empty: bool,
}

#[derive(Clone, Copy)]
enum By {
    Organiser,
    Buyer,
}

const fn route(method: Method, path: &'static str, by: By, may_be_empty: bool) -> Route {
    Route { method, path, by, may_be_empty }
}

const ROUTES: [Route; 9] = [
    route(Method::POST, "sales/concert/orders", By::Buyer, false),
    route(Method::POST, "sales", By::Organiser, false),
    route(Method::PATCH, "sales/concert", By::Organiser, false),
    route(Method::POST, "sales/concert/items/general/stock", By::Organiser, false),
    route(Method::POST, "orders/*/refund", By::Organiser, true),
    route(Method::POST, "orders/*/cancel", By::Buyer, true),
    route(Method::POST, "orders/*/extend", By::Buyer, true),
    route(Method::POST, "orders/*/pay", By::Buyer, true),
    route(Method::POST, "sales/concert/open", By::Organiser, true),
];

/// Which route, then the body.
pub fn run(input: &[u8]) {
    let Some((route, body)) = input.split_first() else { return };
    let route = &ROUTES[usize::from(*route) % ROUTES.len()];
    world::with(|world| check(world, route, body));
}

fn check(world: &World, route: &Route, body: &[u8]) {
    let (answer, asked) = send(world, route, body);
    oracle::check_answer(&answer, body);
    let is_json = serde_json::from_slice::<Value>(body).is_ok() || route.may_be_empty && body.is_empty();
    let is_told = code(&answer) == Some("json_malformed".into());
    assert_eq!(is_told, !is_json, "{answer:?}");
    if answer.status() == StatusCode::UNPROCESSABLE_ENTITY || !is_json {
        assert_eq!(asked, None, "a wrong request reached the shop");
    }
    if route.path.ends_with("/orders") {
        let is_order = !matches!(code(&answer).as_deref(), Some("json_malformed" | "fields_invalid"));
        assert_eq!(is_order, oracle::lines(body).is_some(), "{answer:?}");
    }
    if let Some(Ask::Command(command)) = asked
        && let Some(plain) = plainest(&command, body)
    {
        let again = send(world, route, plain.to_string().as_bytes()).1;
        assert_eq!(again, Some(Ask::Command(command)), "{plain}");
    }
}

fn send(world: &World, route: &Route, body: &[u8]) -> (Answered, Option<Ask>) {
    let bearer = match route.by {
        By::Organiser => format!("Bearer {ADMIN_KEY}"),
        By::Buyer => world.buyer.clone(),
    };
    let request = Request::builder()
        .method(route.method.clone())
        .uri(format!("/v1/{}", route.path.replace('*', &world.order_code)))
        .header("authorization", bearer)
        .header("idempotency-key", "a key")
        .header("content-type", "application/json")
        .body(Full::new(Bytes::copy_from_slice(body)));
    world.respond(request.expect("every part is sound"))
}

fn code(answer: &Answered) -> Option<String> {
    let problem: Value = serde_json::from_slice(answer.body()).ok()?;
    problem["code"].as_str().map(str::to_owned)
}

/// The body that says the same in the fewest ways: every default written out, nothing twice.
fn plainest(command: &Command, body: &[u8]) -> Option<Value> {
    match command {
        Command::PlaceOrder { wishes, .. } => {
            let line = |wish: &domain::Wish| {
                let item = ITEMS.get(usize::from(wish.item.0))?;
                Some(json!({ "item": item, "quantity": wish.quantity }))
            };
            let lines: Option<Vec<Value>> = wishes.into_iter().map(line).collect();
            lines.map(|lines| json!({ "lines": lines }))
        }
        Command::CreateSale { slug, terms, items } => {
            let items: Vec<Value> = items.iter().map(|(item, stock)| item_json(item, *stock)).collect();
            let mut sale = sale_json(terms)?;
            sale["sale"] = json!(slug.as_str());
            sale["items"] = json!(items);
            Some(sale)
        }
        Command::ChangeStock { change, .. } => Some(json!({ "change": change })),
        // What a patch leaves out cannot be written out, and a payment's name cannot be read from its digest: the same
        // body without what JSON lets one say twice.
        Command::EditSale { .. } | Command::RecordRefund { .. } => {
            Some(serde_json::from_slice(body).unwrap_or_else(|_| json!({})))
        }
        _ => Some(json!({})),
    }
}

fn sale_json(terms: &SaleTerms) -> Option<Value> {
    let time = |time: Option<UnixMs>| match time {
        Some(time) => {
            let ms = i64::try_from(time.0).ok()?;
            Some(json!(jiff::Timestamp::from_millisecond(ms).ok()?.to_string()))
        }
        None => Some(Value::Null),
    };
    Some(json!({
        "name": terms.name,
        "currency": terms.currency.as_str(),
        "opens_at": time(terms.opens_at)?,
        "closes_at": time(terms.closes_at)?,
        "hold_ttl_seconds": terms.hold_ttl_s,
        "limits": {
            "per_order": terms.per_order_max,
            "per_buyer": terms.per_buyer_max,
            "per_buyer_per_day": terms.per_buyer_day_max,
        },
    }))
}

fn item_json(item: &domain::ItemTerms, stock: u32) -> Value {
    json!({
        "item": item.code.as_str(),
        "name": item.name,
        "unit_price": item.unit_price,
        "stock": stock,
        "limits": { "per_order": item.per_order_max, "per_buyer": item.per_buyer_max },
    })
}
