//! Requests that are orders: each by another buyer, with a token of their own, under a key of its own.

use std::io::Write as _;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use http::StatusCode;
use load::{Requests, Share};
use serde_json::Value;

use super::address::Address;
use super::args::{LoadArgs, OrdersArgs};
use crate::client::{Ask, Client};
use crate::serve::clock;
use crate::token::{Issuer, TokenKind};

/// Tokens outlive the run by so much.
const TOKEN_RESERVE: Duration = Duration::from_secs(600);

/// Orders for one item of one sale.
pub(crate) struct Orders {
    issuer: Issuer,
    /// Tells the buyers of this run from those of others: a buyer who comes again under the same key gets the
    /// first answer again, and no second order.
    run: String,
    /// What is the same in all: before the token, and behind the key.
    before: String,
    after: String,
}

impl Orders {
    /// Orders as the flags say, after a look whether the server has that item.
    ///
    /// # Errors
    /// When it has not, or tokens for it cannot be made here.
    pub(crate) fn new(args: &LoadArgs, sale: &str, address: &Address) -> anyhow::Result<Orders> {
        let OrdersArgs { item, quantity, settings, .. } = &args.orders;
        let item = item.as_deref().context("--sale needs --item")?;
        ensure!(
            address.path == "/",
            "with --sale, --url is the server's address alone, like http://127.0.0.1:8080"
        );
        let is_code =
            |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
        ensure!(
            is_code(sale) && is_code(item),
            "sales and items are called by their codes: letters, digits, - and _"
        );
        let ttl = args.warm_up + args.duration + args.timeout + TOKEN_RESERVE;
        let config = settings.load()?.config;
        let issuer = Issuer::from_config(&config, TokenKind::cheapest(&config), Some(ttl.as_secs()))?;
        check_item(&args.url, sale, item)?;
        let body = format!(r#"{{"lines":[{{"item":"{item}","quantity":{quantity}}}]}}"#);
        let close = if args.new_connections { "Connection: close\r\n" } else { "" };
        let (host, length) = (&address.host, body.len());
        Ok(Orders {
            issuer,
            run: format!("load-{:x}", clock::now().0),
            before: format!(
                "POST /v1/sales/{sale}/orders HTTP/1.1\r\nHost: {host}\r\n{close}Content-Type: application/json\r\n\
                 Content-Length: {length}\r\nAuthorization: Bearer "
            ),
            after: format!("\r\n\r\n{body}"),
        })
    }

    /// The orders of one share of the run.
    pub(crate) fn requests(&self, share: Share) -> impl Requests + Send {
        let mut numbers = share.numbers();
        move |out: &mut Vec<u8>| {
            let number = numbers.next().expect("2^64 orders are never sent");
            let buyer = format!("{}-{number}", self.run);
            let (token, Orders { before, after, .. }) = (self.issuer.issue(&buyer), self);
            write!(out, "{before}{token}\r\nIdempotency-Key: {buyer}{after}")
                .expect("memory takes everything");
        }
    }
}

/// Whether the sale is there and has the item: otherwise every order would be refused for it.
fn check_item(url: &str, sale: &str, item: &str) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let client = Client::new(url, 1)?;
    let reply = runtime.block_on(client.ask(&Ask::get(&format!("/v1/sales/{sale}"))))?;
    match reply.status {
        StatusCode::OK => {}
        StatusCode::NOT_FOUND => bail!("{url} has no sale {sale}"),
        status => bail!("{url} answers {status} about the sale {sale}: {}", reply.text()),
    }
    let page: Value = reply.json()?;
    let items: Vec<&str> =
        page["items"].as_array().into_iter().flatten().filter_map(|entry| entry["item"].as_str()).collect();
    ensure!(items.contains(&item), "the sale {sale} has no item {item}; it has {}", items.join(", "));
    Ok(())
}
