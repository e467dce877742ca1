//! Placing an order: the hottest route. A scan of the body, one question to the writer, an answer written by hand.
//!
//! [`begin`] and [`finish`] are what happens before and after the writer; who waits between them is the caller: a lane,
//! which does not hold up its other requests, or [`place`] for the router.

use std::cell::RefCell;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use domain::{Answer, Command, ItemIndex, OrderView, Refusal, Request, UnixMs, Wish, Wishes, limits};
use gate::{Permit, Work};
use http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use http_body_util::Full;
use hyper::body::Body as HttpBody;
use serde_json::Value;
use views::{Claim, Front, SaleEntry};

use super::no::No;
use crate::backend::{Backend, Decided, Unavailable};
use crate::body::{self, Outcome, Reply};
use crate::conn::wire::Ending;
use crate::edge::Edge;
use crate::json::{self, Faults, Field};
use crate::metrics::{self, Stage, Stopwatch};
use crate::problem::Problem;
use crate::receipt::{Receipt, header_value};
use crate::request::HotHeaders;

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");
const ORDER_PATH: &[u8] = b"/v1/orders/";
/// Room for the answer about a one-line order without growing.
const SIZE_BYTES_USUAL: usize = 640;

/// Answers `POST /v1/sales/{sale}/orders` for the router.
pub(crate) async fn place<B, D>(edge: &Edge<B>, slug: &str, headers: &HeaderMap, body: D) -> Outcome
where
    B: Backend,
    D: HttpBody<Data = Bytes> + Unpin,
{
    let came = Came::now(&edge.backend);
    let let_in = let_in(edge, slug.as_bytes(), &HotHeaders::of(headers), came).map_err(No::into_problem)?;
    let bytes = body::read(body, edge.body_limit()).await?;
    let (asked, placing) = begin(edge, let_in, &bytes).map_err(No::into_problem)?;
    finish(edge, placing, asked.await, |created| created.to_reply())
}

/// When a request came, by both clocks, and whether it is one of those whose time is measured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Came {
    pub(crate) now: UnixMs,
    pub(crate) since: Instant,
    pub(crate) is_measured: bool,
}

impl Came {
    pub(crate) fn now<B: Backend>(backend: &B) -> Came {
        let since = Instant::now();
        Came { now: backend.now_at(since), since, is_measured: metrics::is_measured() }
    }
}

/// Somebody who may order, before the body was looked at.
pub(crate) struct LetIn {
    sale: Arc<SaleEntry>,
    claim: Claim,
    permit: Permit,
    since: Instant,
    watch: Stopwatch,
}

/// An order that is with the writer.
pub(crate) struct Placing {
    sale: Arc<SaleEntry>,
    /// The first code that is no item of the sale.
    unknown: Option<String>,
    watch: Stopwatch,
}

/// Looks at everything but the body. The gate comes first: who is turned away in a rush must cost next to nothing.
pub(crate) fn let_in<B: Backend>(
    edge: &Edge<B>,
    slug: &[u8],
    headers: &HotHeaders<'_>,
    Came { now, since, is_measured }: Came,
) -> Result<LetIn, No> {
    let watch = Stopwatch::new(is_measured.then_some(since));
    let sale = edge.backend.catalog().sale(slug);
    let admit = |sale: &Arc<SaleEntry>| edge.admit(Work::Order, sale.shard(), 1, since);
    let permit = sale.as_ref().map(admit).transpose().map_err(No::Shed)?;
    let buyer = edge.buyer(headers, now)?;
    let key = headers.key()?.ok_or_else(Problem::key_missing)?;
    if let Some(sale) = sale.as_ref().filter(|sale| sale.refused_last()) {
        edge.backend.catalog().foresee_key(sale.shard(), buyer, key);
    }
    headers.expect_json()?;
    let (Some(sale), Some(permit)) = (sale, permit) else { return Err(Problem::sale_not_found().into()) };
    Ok(LetIn { sale, claim: Claim { buyer, key, now }, permit, since, watch })
}

/// Reads the body, and asks the writer unless the catalogue has the answer.
pub(crate) fn begin<B: Backend>(
    edge: &Edge<B>,
    let_in: LetIn,
    body: &[u8],
) -> Result<(B::Asked, Placing), No> {
    let LetIn { sale, claim, permit, since, mut watch } = let_in;
    let front = sale.front();
    let Asked { wishes, unknown } = Asked::read(body, &front)?;
    let seen = (&*sale, &**front);
    if let Some(refusal) = views::foresee_refusal(edge.backend.catalog(), seen, claim, &wishes) {
        edge.metrics.answered_by_view.inc();
        return Err(No::Foreseen { refusal, front, sale });
    }
    drop(front);
    edge.metrics.stage(Stage::Receive, watch.lap());
    let Claim { buyer, key, .. } = claim;
    let command = Command::PlaceOrder { sale: sale.id(), buyer, key, wishes };
    let asked = edge.backend.ask(permit, sale.shard(), Request::Command(command), since);
    Ok((asked, Placing { sale, unknown, watch }))
}

/// Has the answer written of what the writer said.
pub(crate) fn finish<B: Backend, T>(
    edge: &Edge<B>,
    placing: Placing,
    decided: Result<Box<Decided>, Unavailable>,
    write: impl FnOnce(&Created<'_>) -> T,
) -> Result<T, Problem> {
    let Placing { sale, unknown, mut watch } = placing;
    let decided = decided.map_err(Problem::unavailable)?;
    let Decided { outcome, tip } = &*decided;
    edge.metrics.stage(Stage::Writer, watch.lap());
    let written = match outcome {
        Ok(Answer::Order(view)) => {
            let receipt = edge.receipt(view, *tip);
            Ok(write(&Created { receipt, view, sale: &sale }))
        }
        Ok(other) => unreachable!("placed an order, answered {other:?}"),
        Err(Refusal::ItemNotFound { .. }) if unknown.is_some() => {
            Err(Problem::item_not_found(&unknown.unwrap_or_default()))
        }
        Err(refusal) => Err(Problem::refusal(refusal, Some(&sale))),
    };
    edge.metrics.stage(Stage::Answer, watch.lap());
    written
}

/// An order that was placed, to be written.
pub(crate) struct Created<'a> {
    receipt: Receipt,
    view: &'a OrderView,
    sale: &'a SaleEntry,
}

thread_local! {
    /// Where the body is written before the head, which says how long it is.
    static BODY: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

impl Created<'_> {
    /// For the router.
    fn to_reply(&self) -> Reply {
        let mut body = Vec::with_capacity(SIZE_BYTES_USUAL);
        json::push_order(&mut body, &self.receipt.order, self.view, self.sale);
        let mut reply = Response::new(Full::new(Bytes::from(body)));
        *reply.status_mut() = StatusCode::CREATED;
        let headers = reply.headers_mut();
        headers.insert(header::CONTENT_TYPE, JSON);
        headers.insert(header::CACHE_CONTROL, NO_STORE);
        let location = [ORDER_PATH, &self.receipt.order].concat();
        headers.insert(header::LOCATION, header_value(location.into()));
        self.receipt.attach(&mut reply);
        reply
    }

    /// For a lane.
    pub(crate) fn push(&self, out: &mut Vec<u8>, ending: Ending) {
        BODY.with_borrow_mut(|body| {
            body.clear();
            json::push_order(body, &self.receipt.order, self.view, self.sale);
            out.reserve(SIZE_BYTES_USUAL.max(body.len() + SIZE_BYTES_USUAL / 2));
            out.extend_from_slice(
                b"HTTP/1.1 201 Created\r\ncontent-type: application/json\r\ncache-control: no-store\r\nlocation: ",
            );
            out.extend_from_slice(ORDER_PATH);
            out.extend_from_slice(&self.receipt.order);
            out.extend_from_slice(b"\r\nonrush-receipt: ");
            self.receipt.push(out);
            ending.push(out, Some(body.len()));
            out.extend_from_slice(body);
        });
    }
}

/// What a buyer asked for.
pub(crate) struct Asked {
    pub(crate) wishes: Wishes,
    /// The first code that is no item of the sale.
    pub(crate) unknown: Option<String>,
}

impl Asked {
    /// Reads the body. The scan takes what is usual; only what it does not take is read again, slowly, by one who can say
    /// what is wrong.
    fn read(bytes: &[u8], front: &Front) -> Result<Asked, Problem> {
        if let Some(wishes) = json::scan::order_body(bytes, |code| front.item(code)) {
            return Ok(Asked { wishes, unknown: None });
        }
        let value: Value = serde_json::from_slice(bytes).map_err(|error| Problem::json_malformed(&error))?;
        let faults = Faults::default();
        let lines = read_lines(&value, &faults);
        let lines = faults.finish(lines)?;
        let lines = lines.iter().map(|line| (line.item, line.quantity));
        Ok(Asked::of(lines, front).expect("the slow path found no item twice and no wrong number of lines"))
    }

    /// `None` when an item stands twice.
    pub(crate) fn of<'a>(
        mut lines: impl ExactSizeIterator<Item = (&'a str, u16)>,
        front: &Front,
    ) -> Option<Asked> {
        let mut unknown = None;
        let mut wish = |(code, quantity): (&str, u16)| {
            let item = front.item(code.as_bytes()).unwrap_or_else(|| {
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
pub(crate) struct LineRead<'a> {
    pub(crate) item: &'a str,
    pub(crate) quantity: u16,
}

fn read_lines<'a>(value: &'a Value, faults: &'a Faults) -> Option<Vec<LineRead<'a>>> {
    lines_of(Field::root(value, faults).object(&["lines"])?.get("lines"))
}

/// The lines of an order, where every fault is noted.
pub(crate) fn lines_of(field: Field<'_>) -> Option<Vec<LineRead<'_>>> {
    let entries = field.list(1..=limits::LINE_COUNT_MAX)?;
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
