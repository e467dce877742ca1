//! Placing an order: the hottest route. Typed parse, one question to the writer, an answer written by hand.

use std::fmt;
use std::marker::PhantomData;

use bytes::Bytes;
use domain::{Answer, Command, ItemIndex, Refusal, Request, Wish, Wishes, limits};
use gate::Work;
use http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use http_body_util::Full;
use hyper::body::Body as HttpBody;
use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use views::{Claim, Front, SaleEntry};

use crate::backend::{Backend, Decided};
use crate::body::{self, Outcome, Reply};
use crate::edge::{Edge, Told};
use crate::json::{self, Faults, Field};
use crate::metrics::{Stage, Stopwatch};
use crate::problem::Problem;
use crate::receipt::{self, header_value};
use crate::request;

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");
const ORDER_PATH: &[u8] = b"/v1/orders/";
/// Room for the answer about a one-line order, its address and its receipt without growing.
const SIZE_BYTES_USUAL: usize = 480;

/// Answers `POST /v1/sales/{sale}/orders`.
pub(crate) async fn place<B, D>(edge: &Edge<B>, slug: &str, headers: &HeaderMap, body: D) -> Outcome
where
    B: Backend,
    D: HttpBody<Data = Bytes> + Unpin,
{
    let mut watch = Stopwatch::start();
    let now = edge.backend.now();
    let buyer = edge.buyer(headers, now)?;
    let key = request::key(headers)?.ok_or_else(Problem::key_missing)?;
    request::expect_json(headers)?;
    let sale = edge.sale(slug)?;
    let bytes = body::read(body, edge.body_limit()).await?;
    let asked = Asked::read(&bytes, &sale)?;
    let claim = Claim { buyer, key, now };
    if let Some(refusal) = views::foresee_refusal(edge.backend.catalog(), &sale, claim, &asked.wishes) {
        edge.metrics.answered_by_view.inc();
        return Err(Problem::refusal(&refusal, Some(&sale)));
    }
    edge.metrics.stage(Stage::Receive, watch.lap());
    let command = Command::PlaceOrder { sale: sale.id(), buyer, key, wishes: asked.wishes };
    let Decided { outcome: decided, tip } =
        edge.submit(Work::Order, sale.shard(), Request::Command(command)).await?;
    edge.metrics.stage(Stage::Writer, watch.lap());
    let outcome = match decided {
        Ok(Answer::Order(view)) => Ok(created(edge, &Told { view, tip }, &sale)),
        Ok(other) => unreachable!("placed an order, answered {other:?}"),
        Err(Refusal::ItemNotFound { .. }) if asked.unknown.is_some() => {
            Err(Problem::item_not_found(&asked.unknown.unwrap_or_default()))
        }
        Err(refusal) => Err(Problem::refusal(&refusal, Some(&sale))),
    };
    edge.metrics.stage(Stage::Answer, watch.lap());
    outcome
}

/// Body, address and receipt are parts of one buffer: an allocation less than one for each.
fn created<B: Backend>(edge: &Edge<B>, told: &Told, sale: &SaleEntry) -> Reply {
    let receipt = edge.receipt(&told.view, told.tip);
    let mut out = Vec::with_capacity(SIZE_BYTES_USUAL);
    json::push_order(&mut out, &receipt.order, &told.view, sale);
    let body_end = out.len();
    out.extend_from_slice(ORDER_PATH);
    out.extend_from_slice(&receipt.order);
    let location_end = out.len();
    receipt.push(&mut out);
    let mut body = Bytes::from(out);
    let receipt = body.split_off(location_end);
    let location = body.split_off(body_end);
    let mut reply = Response::new(Full::new(body));
    *reply.status_mut() = StatusCode::CREATED;
    let headers = reply.headers_mut();
    headers.insert(header::CONTENT_TYPE, JSON);
    headers.insert(header::CACHE_CONTROL, NO_STORE);
    headers.insert(header::LOCATION, header_value(location));
    headers.insert(receipt::HEADER, header_value(receipt));
    reply
}

/// What a buyer asked for.
struct Asked {
    wishes: Wishes,
    /// The first code that is no item of the sale.
    unknown: Option<String>,
}

/// The body of the usual order, borrowed from its bytes.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OrderBody<'a> {
    #[serde(borrow)]
    lines: Vec<Members<LineBody<'a>>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LineBody<'a> {
    item: &'a str,
    quantity: u16,
}

/// What stands in an object. By itself serde takes a list of the values for a struct as well.
struct Members<T>(T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Members<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Members<T>, D::Error> {
        deserializer.deserialize_map(MembersVisitor(PhantomData))
    }
}

struct MembersVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for MembersVisitor<T> {
    type Value = Members<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<Members<T>, A::Error> {
        T::deserialize(MapAccessDeserializer::new(members)).map(Members)
    }
}

impl Asked {
    /// Reads the body. The typed parse takes what is right; only what it does not take is read again, slowly,
    /// to say what is wrong.
    fn read(bytes: &[u8], sale: &SaleEntry) -> Result<Asked, Problem> {
        let front = sale.front();
        if let Ok(Members(OrderBody { lines })) = serde_json::from_slice(bytes)
            && (1..=limits::LINE_COUNT_MAX).contains(&lines.len())
            && lines.iter().all(|Members(line)| (1..=limits::LINE_QUANTITY_MAX).contains(&line.quantity))
        {
            let lines = lines.iter().map(|Members(line)| (line.item, line.quantity));
            // A code that is no item's may be no code at all, or stand twice: the slow path tells.
            if let Some(asked) = Asked::of(lines, &front).filter(|asked| asked.unknown.is_none()) {
                return Ok(asked);
            }
        }
        let value: Value = serde_json::from_slice(bytes).map_err(|error| Problem::json_malformed(&error))?;
        let faults = Faults::default();
        let lines = read_lines(&value, &faults);
        let lines = faults.finish(lines)?;
        let lines = lines.iter().map(|line| (line.item, line.quantity));
        Ok(Asked::of(lines, &front).expect("the slow path found no item twice and no wrong number of lines"))
    }

    /// `None` when an item stands twice.
    fn of<'a>(mut lines: impl ExactSizeIterator<Item = (&'a str, u16)>, front: &Front) -> Option<Asked> {
        let mut unknown = None;
        let mut wish = |(code, quantity): (&str, u16)| {
            let item = front.item(code).unwrap_or_else(|| {
                unknown.get_or_insert_with(|| code.to_owned());
                ItemIndex::UNKNOWN
            });
            Wish { item, quantity }
        };
        let wishes = match lines.len() {
            1 => Wishes::one(wish(lines.next()?)),
            _ => Wishes::new(lines.map(wish).collect()).ok()?,
        };
        Some(Asked { wishes, unknown })
    }
}

/// A line as the slow path reads it.
struct LineRead<'a> {
    item: &'a str,
    quantity: u16,
}

fn read_lines<'a>(value: &'a Value, faults: &'a Faults) -> Option<Vec<LineRead<'a>>> {
    let body = Field::root(value, faults).object(&["lines"])?;
    let entries = body.get("lines").list(1..=limits::LINE_COUNT_MAX)?;
    let mut lines: Vec<LineRead<'_>> = Vec::with_capacity(entries.len());
    for entry in entries {
        let Some(line) = entry.object(&["item", "quantity"]) else { continue };
        let code = line.get("item");
        let item = code.text(1..=limits::SLUG_SIZE_BYTES_MAX);
        let quantity = line.get("quantity").whole(1..=i64::from(limits::LINE_QUANTITY_MAX));
        let (Some(item), Some(quantity)) = (item, quantity) else { continue };
        if lines.iter().any(|line| line.item == item) {
            let _: Option<()> =
                code.fault("duplicate", "this item stands in an earlier line; add the quantities");
        }
        lines.push(LineRead { item, quantity: u16::try_from(quantity).ok()? });
    }
    Some(lines)
}
