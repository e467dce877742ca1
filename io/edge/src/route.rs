//! Every route, once: the router, the metrics and the test of the API description are made from this list.

use http::Method;

/// A route of the public listener.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u8)]
pub enum Route {
    /// Make a sale.
    SaleCreate,
    /// All sales.
    SaleList,
    /// One sale.
    SaleShow,
    /// Change a sale.
    SaleEdit,
    /// Open a sale.
    SaleOpen,
    /// Pause a sale.
    SalePause,
    /// Resume a sale.
    SaleResume,
    /// Close a sale.
    SaleClose,
    /// A sale's levels.
    StockShow,
    /// Add or withdraw stock.
    StockChange,
    /// Place an order.
    OrderPlace,
    /// Place many orders.
    OrderBulk,
    /// A sale's orders.
    OrderList,
    /// One order.
    OrderShow,
    /// Give an order up.
    OrderCancel,
    /// Extend a hold.
    OrderExtend,
    /// Pay an order.
    OrderPay,
    /// A step of giving money back.
    OrderRefund,
    /// A payment provider's word.
    PaymentCallback,
    /// The description of all this.
    OpenApi,
    /// No route: not found, or not with this method.
    Unmatched,
}

impl Route {
    /// Every route but [`Route::Unmatched`].
    pub const ALL: [Route; 20] = [
        Route::SaleCreate,
        Route::SaleList,
        Route::SaleShow,
        Route::SaleEdit,
        Route::SaleOpen,
        Route::SalePause,
        Route::SaleResume,
        Route::SaleClose,
        Route::StockShow,
        Route::StockChange,
        Route::OrderPlace,
        Route::OrderBulk,
        Route::OrderList,
        Route::OrderShow,
        Route::OrderCancel,
        Route::OrderExtend,
        Route::OrderPay,
        Route::OrderRefund,
        Route::PaymentCallback,
        Route::OpenApi,
    ];

    /// How many routes there are, with [`Route::Unmatched`].
    pub const COUNT: usize = Route::ALL.len() + 1;

    /// Its address, with the parameters in braces.
    pub fn path(self) -> &'static str {
        match self {
            Route::SaleCreate | Route::SaleList => "/v1/sales",
            Route::SaleShow | Route::SaleEdit => "/v1/sales/{sale}",
            Route::SaleOpen => "/v1/sales/{sale}/open",
            Route::SalePause => "/v1/sales/{sale}/pause",
            Route::SaleResume => "/v1/sales/{sale}/resume",
            Route::SaleClose => "/v1/sales/{sale}/close",
            Route::StockShow => "/v1/sales/{sale}/stock",
            Route::StockChange => "/v1/sales/{sale}/items/{item}/stock",
            Route::OrderPlace | Route::OrderList => "/v1/sales/{sale}/orders",
            Route::OrderBulk => "/v1/orders:batch",
            Route::OrderShow => "/v1/orders/{order}",
            Route::OrderCancel => "/v1/orders/{order}/cancel",
            Route::OrderExtend => "/v1/orders/{order}/extend",
            Route::OrderPay => "/v1/orders/{order}/pay",
            Route::OrderRefund => "/v1/orders/{order}/refund",
            Route::PaymentCallback => "/v1/payments/{provider}/callback",
            Route::OpenApi => "/v1/openapi.json",
            Route::Unmatched => "unmatched",
        }
    }

    /// Its method; that of [`Route::Unmatched`] means nothing.
    pub fn method(self) -> Method {
        match self {
            Route::SaleList
            | Route::SaleShow
            | Route::StockShow
            | Route::OrderList
            | Route::OrderShow
            | Route::OpenApi
            | Route::Unmatched => Method::GET,
            Route::SaleEdit => Method::PATCH,
            _ => Method::POST,
        }
    }

    /// Whether a body means anything there.
    pub(crate) fn takes_body(self) -> bool {
        !matches!(self.method(), Method::GET)
    }

    /// Its position: below [`Route::COUNT`].
    pub(crate) fn index(self) -> usize {
        usize::from(self as u8)
    }
}

/// A request that the hot path answers itself, and the sale it is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Hot<'a> {
    pub(crate) route: Route,
    /// Visible ASCII.
    pub(crate) sale: &'a [u8],
}

/// Finds out by hand whether a request is for a hot route. Whatever is unusual about its address, an escape, a
/// query or a letter that no sale's code has, is left to the router.
pub(crate) fn hot<'a>(method: &[u8], target: &'a [u8]) -> Option<Hot<'a>> {
    let rest = target.strip_prefix(b"/v1/sales/")?;
    let size_bytes = rest.iter().position(|byte| !IS_OF_CODE[usize::from(*byte)]).unwrap_or(rest.len());
    let (sale, tail) = rest.split_at(size_bytes);
    let route = match (method, tail) {
        (b"POST", b"/orders") => Route::OrderPlace,
        (b"GET", b"/stock") => Route::StockShow,
        (b"GET", b"") => Route::SaleShow,
        _ => return None,
    };
    (!sale.is_empty()).then_some(Hot { route, sale })
}

/// What may stand for itself in an address (RFC 3986, section 2.3), and so in a sale's code.
const IS_OF_CODE: [bool; 256] = {
    let mut is_of_code = [false; 256];
    let mut byte = 0_u8;
    while byte < 0x80 {
        is_of_code[byte as usize] = byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
        byte += 1;
    }
    is_of_code
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_route_stands_at_its_own_index() {
        for (index, route) in Route::ALL.into_iter().chain([Route::Unmatched]).enumerate() {
            assert_eq!(route.index(), index, "{route:?}");
        }
    }

    #[test]
    fn hot_routes_are_found_and_everything_unusual_is_not() {
        let find = |method: &str, path: &'static str| {
            hot(method.as_bytes(), path.as_bytes()).map(|hot| (hot.route, hot.sale))
        };
        assert_eq!(find("POST", "/v1/sales/a/orders"), Some((Route::OrderPlace, &b"a"[..])));
        assert_eq!(find("GET", "/v1/sales/a-1/stock"), Some((Route::StockShow, &b"a-1"[..])));
        assert_eq!(find("GET", "/v1/sales/a"), Some((Route::SaleShow, &b"a"[..])));
        for path in ["/v1/sales", "/v1/sales/", "/v1/sales/a/", "/v1/sales/a%62", "/v1/sales/a?x=1"] {
            assert_eq!(find("GET", path), None, "{path}");
        }
        assert_eq!(find("GET", "/v1/sales/a/stock/"), None);
        assert_eq!(find("HEAD", "/v1/sales/a"), None);
        assert_eq!(find("GET", "/v1/sales/a/orders"), None);
        assert_eq!(find("POST", "/v1/sales//orders"), None);
    }
}
