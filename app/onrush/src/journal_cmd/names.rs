//! Names as people know them: orders by their codes, times by the calendar.

use anyhow::bail;
use domain::{OrderCodec, OrderId, UnixMs};

use crate::installation::Installation;

/// The orders' codes, if this installation's secret can be read.
pub(crate) struct OrderNames(Option<OrderCodec>);

impl OrderNames {
    /// With the secret of the data directory, if there is one and it can be read.
    pub(crate) fn read(installation: Option<&Installation>) -> OrderNames {
        OrderNames(installation.and_then(|installation| installation.order_codec().ok()))
    }

    /// The code that the buyer knows.
    pub(crate) fn code(&self, order: OrderId) -> Option<String> {
        let code = self.0.as_ref()?.encode(order);
        Some(code.into_iter().map(char::from).collect())
    }

    /// The order that somebody means, by its code or its number.
    pub(crate) fn order(&self, text: &str) -> anyhow::Result<OrderId> {
        if let Some(order) = self.0.as_ref().and_then(|codec| codec.decode(text)) {
            return Ok(order);
        }
        match (text.parse().ok().and_then(OrderId::from_raw), &self.0) {
            (Some(order), _) => Ok(order),
            (None, Some(_)) => bail!("`{text}` is neither an order's number nor a code of this installation"),
            (None, None) => {
                bail!("`{text}` is no order's number, and secrets/order-codes.key cannot be read")
            }
        }
    }
}

/// RFC 3339 in UTC with milliseconds.
pub(crate) fn time(time: UnixMs) -> String {
    let ms = i64::try_from(time.0).unwrap_or(i64::MAX);
    // Beyond the year 9999 there is no RFC 3339; what is later is shown as its last instant.
    let timestamp = jiff::Timestamp::from_millisecond(ms).unwrap_or(jiff::Timestamp::MAX);
    format!("{timestamp:.3}")
}
