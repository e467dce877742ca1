//! The description of the API, OpenAPI 3.1, made from the handlers and [`schema`].

pub mod schema;
#[cfg(test)]
mod tests;

use std::sync::OnceLock;

use axum::extract::Request;
use bytes::Bytes;
use http::{HeaderValue, Response, header};
use http_body_util::Full;
use utoipa::OpenApi;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};

use crate::body::Outcome;
use crate::request::Parameters;
use crate::routes::{bulk, callback, listing, orders, pay, refund, sales, stock};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Onrush",
        description = "Sells limited things to a crowd. Money is in minor units of its currency, times are RFC 3339 in UTC, every \"no\" is a problem (RFC 9457) with a stable `code`.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    paths(
        sales::create, listing::sales, sales::show, sales::edit, sales::open, sales::pause, sales::resume,
        sales::close, stock::show, stock::change, orders::place, bulk::place_all, listing::orders, orders::show,
        orders::cancel, orders::extend, pay::pay, refund::refund, callback::callback, show,
    ),
    modifiers(&Securities),
)]
struct Api;

struct Securities;

impl utoipa::Modify for Securities {
    fn modify(&self, api: &mut utoipa::openapi::OpenApi) {
        let components = api.components.get_or_insert_default();
        for (name, description) in [
            ("buyer_token", "A JSON web token; the buyer is its `sub`"),
            ("admin_key", "An admin key: `onrush_admin_` and 43 characters"),
            ("integrator_key", "A trusted integrator's key: `onrush_integrator_` and 43 characters"),
        ] {
            let mut scheme = Http::new(HttpAuthScheme::Bearer);
            scheme.description = Some(description.to_owned());
            components.add_security_scheme(name, SecurityScheme::Http(scheme));
        }
    }
}

/// The description as JSON.
///
/// # Panics
/// Never: the description is made of texts.
pub fn document() -> Bytes {
    static DOCUMENT: OnceLock<Bytes> = OnceLock::new();
    let make = || Bytes::from(Api::openapi().to_json().expect("the description is made of texts"));
    DOCUMENT.get_or_init(make).clone()
}

/// This description.
#[utoipa::path(
    get, path = "/v1/openapi.json", tag = "everybody",
    responses((status = 200, description = "OpenAPI 3.1", body = Object)),
)]
pub(crate) async fn show(request: Request) -> Outcome {
    Parameters::none(request.uri())?;
    let mut reply = Response::new(Full::new(document()));
    reply.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    reply.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=3600"));
    Ok(reply)
}
