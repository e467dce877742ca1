//! A bulk: many orders of one sale in one request, and their answers, in either of two forms: JSON [`lines`] or binary
//! [`records`] (`docs/formats/batch.md`).
//!
//! All of a bulk is read before anything of it is asked for. It is read and answered in pieces, between which the
//! thread's other requests have their turn.

mod lines;
mod records;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use domain::{Answer, OrderCodec, OrderWanted, Refusal, ShardId, UnixMs};
use http::{HeaderMap, HeaderValue, header};
use tokio::task::yield_now;
use views::{Catalog, Claim, Front, SaleEntry};

use crate::backend::{BulkDecided, Tip};
use crate::problem::Problem;
use crate::request;

use lines::Lines;
use records::Records;

/// Orders that are read or answered at once: some hundred microseconds.
const PIECE_LEN: usize = 512;

/// How a bulk is written; its answer is written likewise.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Form {
    Lines,
    Records,
}

impl Form {
    /// The form that `Content-Type` names.
    pub(crate) fn of(headers: &HeaderMap) -> Result<Form, Problem> {
        let media = request::media_type(headers).unwrap_or_default();
        let is = |name: &str| media.eq_ignore_ascii_case(name);
        if is("application/jsonl") || is("application/x-ndjson") {
            Ok(Form::Lines)
        } else if is("application/vnd.onrush.batch") {
            Ok(Form::Records)
        } else {
            Err(Problem::bulk_content_type())
        }
    }

    /// What `Content-Type` says of an answer.
    pub(crate) fn content_type(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Form::Lines => "application/jsonl",
            Form::Records => "application/vnd.onrush.batch",
        })
    }
}

/// The orders of a bulk.
#[derive(Default, Debug)]
pub(crate) struct Wanted {
    pub(crate) orders: Vec<OrderWanted>,
    pub(crate) unknown: Unknown,
}

/// Codes that are no items of the sale: the order, and its first one. In the order of the orders.
#[derive(Default, Debug)]
pub(crate) struct Unknown(Vec<(usize, String)>);

impl Unknown {
    fn of(&self, order: usize) -> Option<&str> {
        let at = self.0.binary_search_by_key(&order, |(order, _)| *order).ok()?;
        Some(&self.0[at].1)
    }
}

impl Wanted {
    fn push(&mut self, order: OrderWanted, unknown: Option<String>) {
        if let Some(code) = unknown {
            self.unknown.0.push((self.orders.len(), code));
        }
        self.orders.push(order);
    }
}

/// Reads all of a bulk, of at most `len_max` orders.
pub(crate) async fn read(
    form: Form,
    body: &[u8],
    sale: &SaleEntry,
    len_max: usize,
) -> Result<Wanted, Problem> {
    let mut wanted = Wanted::default();
    let mut source = Source::open(form, body, len_max)?;
    // The guard is not kept across a wait.
    while source.read_piece(&sale.front(), &mut wanted)? {
        if wanted.orders.len() > len_max {
            break;
        }
        yield_now().await;
    }
    match wanted.orders.len() {
        0 => Err(Problem::bulk_empty()),
        len if len > len_max => Err(Problem::bulk_too_long(len_max)),
        _ => Ok(wanted),
    }
}

enum Source<'a> {
    Lines(Lines<'a>),
    Records(Records<'a>),
}

impl<'a> Source<'a> {
    fn open(form: Form, body: &'a [u8], len_max: usize) -> Result<Source<'a>, Problem> {
        match form {
            Form::Lines => Ok(Source::Lines(Lines::new(body))),
            Form::Records => Records::open(body, len_max).map(Source::Records),
        }
    }

    /// Reads up to [`PIECE_LEN`] orders; whether there may be more.
    fn read_piece(&mut self, front: &Front, wanted: &mut Wanted) -> Result<bool, Problem> {
        for _ in 0..PIECE_LEN {
            let is_read = match self {
                Source::Lines(lines) => lines.read_next(front, wanted)?,
                Source::Records(records) => records.read_next(front, wanted)?,
            };
            if !is_read {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// What the engine would say to each of the orders, if the catalogue can tell that of all of them. If one has to go to
/// the writer, all go, so that each is decided on what those before it left.
pub(crate) fn foresee_refusals(
    catalog: &Catalog,
    sale: &SaleEntry,
    now: UnixMs,
    orders: &[OrderWanted],
) -> Option<Vec<Result<Answer, Refusal>>> {
    let front = sale.front();
    let foresee = |order: &OrderWanted| {
        let claim = Claim { buyer: order.buyer, key: order.key, now };
        views::foresee_refusal(catalog, (sale, &front), claim, &order.wishes).map(Err)
    };
    orders.iter().map(foresee).collect()
}

/// What an answer is made with.
pub(crate) struct Answering<'a> {
    pub(crate) codec: &'a OrderCodec,
    pub(crate) sale: &'a Arc<SaleEntry>,
    pub(crate) unknown: &'a Unknown,
}

/// The body of the answer to a bulk.
pub(crate) async fn answer(form: Form, decided: &BulkDecided, with: Answering<'_>) -> Vec<u8> {
    let BulkDecided { outcomes, tip } = decided;
    let mut out = match form {
        Form::Lines => Vec::with_capacity(outcomes.len() * lines::ANSWER_SIZE_BYTES_USUAL),
        Form::Records => records::answer_head(with.sale.shard(), *tip, outcomes.len()),
    };
    for (piece, first) in outcomes.chunks(PIECE_LEN).zip((0..).step_by(PIECE_LEN)) {
        match form {
            Form::Lines => lines::push_answers(&mut out, (piece, first), &with),
            Form::Records => records::push_answers(&mut out, piece, &with),
        }
        yield_now().await;
    }
    out
}

/// What turns an order's line into its receipt: put its code and `seq` in the places of their names. `None` when no
/// writer was asked.
pub(crate) fn receipt_template(shard: ShardId, tip: Tip) -> Option<(http::HeaderName, HeaderValue)> {
    let template = crate::receipt::template(shard, tip);
    let name = http::HeaderName::from_static("onrush-receipt-template");
    (tip != Tip::default()).then(|| (name, crate::receipt::header_value(template.into())))
}

/// The headers that every answer to a bulk has.
pub(crate) fn headers(form: Form) -> [(http::HeaderName, HeaderValue); 2] {
    [
        (header::CONTENT_TYPE, form.content_type()),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ]
}
