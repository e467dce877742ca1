//! Sale pages and stock as ready bytes, made anew only when the catalogue's version changed.

use std::collections::HashMap;
use std::sync::Arc;

use arc_swap::ArcSwapOption;
use aws_lc_rs::digest;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use domain::{SaleId, ShardId};
use http::{HeaderValue, Response, StatusCode, header};
use http_body_util::Full;
use parking_lot::RwLock;
use views::SaleEntry;

use crate::body::Reply;
use crate::json;
use crate::request::{self, HotHeaders};

const JSON: HeaderValue = HeaderValue::from_static("application/json");
/// A page may be a second old. Whoever changed the sale asks the server itself, not a cache between.
const PAGE_CACHING: HeaderValue = HeaderValue::from_static("public, max-age=1");
/// Levels may be kept, but not shown without asking; asking costs a 304.
const STOCK_CACHING: HeaderValue = HeaderValue::from_static("public, no-cache");

/// The ready bytes of every sale. Bounded by the number of sales.
#[derive(Default)]
pub(crate) struct Pages(RwLock<HashMap<(ShardId, SaleId), Arc<SalePages>>>);

#[derive(Default)]
struct SalePages {
    page: ArcSwapOption<Ready>,
    stock: ArcSwapOption<Ready>,
}

/// Bytes made from the sale as it stood at a version.
struct Ready {
    version: u64,
    etag: HeaderValue,
    bytes: Bytes,
}

impl Pages {
    /// The sale page.
    pub(crate) fn page(&self, sale: &SaleEntry, headers: &HotHeaders<'_>) -> Reply {
        reply(&self.ready_page(sale), PAGE_CACHING, headers)
    }

    /// The bytes of the sale page alone, for a list or for whoever changed the sale.
    pub(crate) fn page_bytes(&self, sale: &SaleEntry) -> Bytes {
        self.ready_page(sale).bytes.clone()
    }

    /// The sale's levels.
    pub(crate) fn stock(&self, sale: &SaleEntry, headers: &HotHeaders<'_>) -> Reply {
        let pages = self.of(sale);
        let fresh = sale.version();
        let ready = current(&pages.stock, fresh).unwrap_or_else(|| {
            let snapshot = sale.read();
            let mut out = Vec::new();
            json::push_stock(&mut out, sale.slug(), &snapshot);
            keep(&pages.stock, Ready::new(snapshot.version, out))
        });
        reply(&ready, STOCK_CACHING, headers)
    }

    fn ready_page(&self, sale: &SaleEntry) -> Arc<Ready> {
        let pages = self.of(sale);
        let fresh = sale.page_version();
        current(&pages.page, fresh).unwrap_or_else(|| {
            let snapshot = sale.read();
            let mut out = Vec::new();
            json::push_sale(&mut out, sale.slug(), &snapshot);
            keep(&pages.page, Ready::new(snapshot.page_version, out))
        })
    }

    fn of(&self, sale: &SaleEntry) -> Arc<SalePages> {
        let key = (sale.shard(), sale.id());
        if let Some(pages) = self.0.read().get(&key) {
            return pages.clone();
        }
        self.0.write().entry(key).or_default().clone()
    }
}

impl Ready {
    /// The tag is a digest of the bytes: it stays right over restarts and on every edge.
    fn new(version: u64, bytes: Vec<u8>) -> Ready {
        let digest = digest::digest(&digest::SHA256, &bytes);
        let tag = format!("\"{}\"", URL_SAFE_NO_PAD.encode(&digest.as_ref()[..16]));
        let etag = HeaderValue::try_from(tag).expect("base 64 is ASCII");
        Ready { version, etag, bytes: bytes.into() }
    }
}

fn current(slot: &ArcSwapOption<Ready>, version: u64) -> Option<Arc<Ready>> {
    slot.load_full().filter(|ready| ready.version == version)
}

/// Two threads may make the bytes at once; an older version then may replace a newer one, and is made anew by
/// whoever asks next.
fn keep(slot: &ArcSwapOption<Ready>, ready: Ready) -> Arc<Ready> {
    let ready = Arc::new(ready);
    slot.store(Some(ready.clone()));
    ready
}

fn reply(ready: &Ready, caching: HeaderValue, headers: &HotHeaders<'_>) -> Reply {
    let known = headers.if_none_match.is_some_and(|tags| names(tags, &ready.etag));
    let mut reply = if known {
        let mut reply = Response::new(Full::default());
        *reply.status_mut() = StatusCode::NOT_MODIFIED;
        reply
    } else {
        let mut reply = Response::new(Full::new(ready.bytes.clone()));
        reply.headers_mut().insert(header::CONTENT_TYPE, JSON);
        reply
    };
    reply.headers_mut().insert(header::ETAG, ready.etag.clone());
    reply.headers_mut().insert(header::CACHE_CONTROL, caching);
    reply
}

/// Whether `If-None-Match` names the tag, by weak comparison (RFC 9110, section 13.1.2).
fn names(tags: &[u8], etag: &HeaderValue) -> bool {
    let Some(tags) = request::text(tags) else { return false };
    let plain = |tag: &str| tag.trim().strip_prefix("W/").unwrap_or(tag.trim()).as_bytes() == etag.as_bytes();
    tags.trim() == "*" || tags.split(',').any(plain)
}
