//! The cold routes on axum, and the hot ones once more for whoever writes their address in an unusual way.

pub(crate) mod bulk;
pub(crate) mod callback;
pub(crate) mod listing;
pub(crate) mod orders;
pub(crate) mod pay;
pub(crate) mod refund;
pub(crate) mod sale_body;
pub(crate) mod sales;
pub(crate) mod stock;

use std::sync::Arc;

use axum::Router;
use axum::middleware::map_response;
use axum::response::Response as AxumResponse;
use axum::routing::{MethodRouter, get, patch, post};
use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use http_body_util::Full;

use crate::backend::Backend;
use crate::body::Reply;
use crate::edge::Edge;
use crate::openapi;
use crate::problem::Problem;
use crate::route::Route;

/// The state of every handler.
pub(crate) type Shared<B> = axum::extract::State<Arc<Edge<B>>>;

/// A router of every route there is.
pub(crate) fn router<B: Backend>(edge: Arc<Edge<B>>) -> Router {
    let add = |router: Router<Arc<Edge<B>>>, route: Route| {
        // The route goes with the answer, for whoever counts.
        let noted = map_response(move |mut response: AxumResponse| async move {
            response.extensions_mut().insert(route);
            response
        });
        router.route(route.path(), handler::<B>(route).layer(noted))
    };
    let router = Route::ALL.into_iter().fold(Router::new(), add);
    router.fallback(|| async { Problem::route_not_found() }).with_state(edge)
}

fn handler<B: Backend>(route: Route) -> MethodRouter<Arc<Edge<B>>> {
    match route {
        Route::SaleCreate => post(sales::create::<B>),
        Route::SaleList => get(listing::sales::<B>),
        Route::SaleShow => get(sales::show::<B>),
        Route::SaleEdit => patch(sales::edit::<B>),
        Route::SaleOpen => post(sales::open::<B>),
        Route::SalePause => post(sales::pause::<B>),
        Route::SaleResume => post(sales::resume::<B>),
        Route::SaleClose => post(sales::close::<B>),
        Route::StockShow => get(stock::show::<B>),
        Route::StockChange => post(stock::change::<B>),
        Route::OrderPlace => post(orders::place::<B>),
        Route::OrderBulk => post(bulk::place_all::<B>),
        Route::OrderList => get(listing::orders::<B>),
        Route::OrderShow => get(orders::show::<B>),
        Route::OrderCancel => post(orders::cancel::<B>),
        Route::OrderExtend => post(orders::extend::<B>),
        Route::OrderPay => post(pay::pay::<B>),
        Route::OrderRefund => post(refund::refund::<B>),
        Route::PaymentCallback => post(callback::callback::<B>),
        Route::OpenApi => get(openapi::show),
        Route::Unmatched => unreachable!("not in Route::ALL"),
    }
}

/// An answer of JSON bytes that nobody may keep.
pub(crate) fn json_reply(status: StatusCode, bytes: impl Into<Bytes>) -> Reply {
    let mut reply = Response::new(Full::new(bytes.into()));
    *reply.status_mut() = status;
    reply.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    reply.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    reply
}
