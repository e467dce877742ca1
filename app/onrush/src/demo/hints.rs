//! What to try while the demo's server stays up.

use super::crowd::Offer;
use super::house::{House, VISITOR_HOLD_S};
use crate::token::Issuer;

/// The text; every line of it can be pasted into a shell.
pub(crate) fn text(house: &House, offer: &Offer, issuer: &Issuer) -> String {
    let (url, key, sale) = (&house.url, &house.admin_key, &offer.sale);
    let item = &offer.items[0].code;
    let (token, data, admin) = (issuer.issue("you"), house.config.data.display(), house.running.admin_addr());
    let program = std::env::args().next().unwrap_or_else(|| "onrush".to_owned());
    format!(
        r#"
The server stays up at {url}; Ctrl-C ends it. Try:

  export URL={url} ONRUSH_ADMIN_KEY={key}
  export TOKEN={token}

  # What is on sale, and what is left of it
  curl -s $URL/v1/sales
  curl -s $URL/v1/sales/{sale}/stock

  # Put ten more units up, and buy two of them as the buyer "you"
  curl -s -X POST $URL/v1/sales/{sale}/items/{item}/stock -H "Authorization: Bearer $ONRUSH_ADMIN_KEY" \
    -H 'Idempotency-Key: ten-more' -H 'Content-Type: application/json' -d '{{"change":10}}'
  curl -s -X POST $URL/v1/sales/{sale}/orders -H "Authorization: Bearer $TOKEN" \
    -H 'Idempotency-Key: my-first' -H 'Content-Type: application/json' \
    -d '{{"lines":[{{"item":"{item}","quantity":2}}]}}'
  # ... the same again: the same answer. Then pay within {hold} s (ORDER is in the answer) and look:
  # three payments in ten fail; pay again then
  curl -s -X POST $URL/v1/orders/ORDER/pay -H "Authorization: Bearer $TOKEN" -H 'Idempotency-Key: pay-1'
  curl -s $URL/v1/orders/ORDER -H "Authorization: Bearer $TOKEN"

  # Who bought, the metrics, and the journal itself
  curl -s "$URL/v1/sales/{sale}/orders?limit=3" -H "Authorization: Bearer $ONRUSH_ADMIN_KEY"
  curl -s http://{admin}/metrics
  {program} journal verify {data}
  {program} sale apply examples/flash-sale.toml --url $URL
"#,
        hold = VISITOR_HOLD_S,
    )
}
