//! `onrush sale apply FILE`: makes or changes a sale as a file says, through the API, after showing what that
//! changes. Applying the same file again changes nothing.

mod definition;
mod difference;

use std::io::{IsTerminal as _, Write as _};
use std::path::PathBuf;

use anyhow::{Context as _, bail};
use bytes::Bytes;
use clap::Args;
use http::{Method, StatusCode};
use serde_json::{Value, json};

pub use definition::{Definition, ItemDefinition, ItemLimits, SaleLimits};
use difference::Difference;

use crate::client::{Ask, Client, Reply};

/// Create or change a sale as a TOML file defines it; the difference is shown first.
#[derive(Args, Clone, Debug)]
pub struct SaleApplyArgs {
    /// The sale's definition; see examples/.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// The server's address.
    #[arg(long, default_value = "http://127.0.0.1:8080")]
    pub url: String,
    /// The organiser's key; the first start of the server printed one.
    #[arg(long, env = "ONRUSH_ADMIN_KEY", hide_env_values = true)]
    pub admin_key: String,
    /// Apply without asking.
    #[arg(long)]
    pub yes: bool,
}

/// Runs the command.
///
/// # Errors
/// When the file is wrong, the server cannot be reached, refuses, or nobody said yes.
pub fn run(args: &SaleApplyArgs) -> anyhow::Result<()> {
    let file = args.file.display();
    let text = std::fs::read_to_string(&args.file).with_context(|| format!("cannot read {file}"))?;
    let definition = Definition::parse(&text).with_context(|| format!("{file} cannot be applied"))?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let desk = Desk { client: Client::new(&args.url, 1)?, admin_key: args.admin_key.clone() };
    runtime.block_on(apply(&desk, &definition, args.yes))
}

async fn apply(desk: &Desk, definition: &Definition, yes: bool) -> anyhow::Result<()> {
    let slug = &definition.sale;
    let Some(sale) = desk.find(&format!("/v1/sales/{slug}")).await? else {
        let units: u64 = definition.items.iter().map(|item| u64::from(item.stock)).sum();
        say(&format!(
            "sale {slug} is not there yet: creates it, {units} units in {} item(s)",
            definition.items.len()
        ))?;
        agree(yes)?;
        desk.create(definition).await?;
        return say(&format!(
            "sale {slug} is created; open it with POST /v1/sales/{slug}/open, or its opens_at does"
        ));
    };
    let stock = desk.find(&format!("/v1/sales/{slug}/stock")).await?.context("the sale has no stock")?;
    let difference = Difference::between(&sale, &stock, definition)?;
    if difference.is_empty() {
        say(&format!("sale {slug} is as the file has it\n{difference}"))?;
        return Ok(());
    }
    say(&format!("sale {slug} exists ({}); changes:\n{difference}", sale["status"].as_str().unwrap_or("?")))?;
    agree(yes)?;
    desk.change(slug, &difference, &stock["seq"]).await?;
    say(&format!("sale {slug} is changed"))
}

fn say(text: &str) -> anyhow::Result<()> {
    writeln!(std::io::stdout(), "{text}").context("nobody reads the output")
}

fn agree(yes: bool) -> anyhow::Result<()> {
    if yes {
        return Ok(());
    }
    if !std::io::stdin().is_terminal() {
        bail!("nothing is changed: there is nobody to ask, say --yes");
    }
    write!(std::io::stdout(), "Apply? [y/N] ")?;
    std::io::stdout().flush()?;
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer)?;
    match answer.trim().to_ascii_lowercase().as_str() {
        "y" | "yes" => Ok(()),
        _ => bail!("nothing is changed"),
    }
}

/// The organiser's side of the API, as far as sale definitions need it.
pub(crate) struct Desk {
    pub(crate) client: Client,
    pub(crate) admin_key: String,
}

impl Desk {
    /// What is at an address; `None` for 404.
    pub(crate) async fn find(&self, path: &str) -> anyhow::Result<Option<Value>> {
        let reply = self.client.ask(&Ask::get(path)).await?;
        match reply.status {
            StatusCode::OK => reply.json().map(Some),
            StatusCode::NOT_FOUND => Ok(None),
            _ => Err(refused(&reply)),
        }
    }

    /// Makes the sale.
    pub(crate) async fn create(&self, definition: &Definition) -> anyhow::Result<()> {
        let body = serde_json::to_value(definition)?;
        let key = format!("apply/{}/create", definition.sale);
        self.send(Method::POST, "/v1/sales", (&key, &body)).await
    }

    async fn change(&self, slug: &str, difference: &Difference, seq: &Value) -> anyhow::Result<()> {
        if !difference.patch.is_empty() {
            let body = Value::Object(difference.patch.clone());
            self.send(Method::PATCH, &format!("/v1/sales/{slug}"), (&format!("apply/{slug}/{seq}"), &body))
                .await?;
        }
        for step in &difference.stock {
            // Once for the stock that was shown: if the answer is lost and the command repeated at once, the
            // same key does not change the stock twice.
            let key = format!("apply/{slug}/{}/{seq}/{}", step.item, step.change);
            let path = format!("/v1/sales/{slug}/items/{}/stock", step.item);
            self.send(Method::POST, &path, (&key, &json!({ "change": step.change }))).await?;
        }
        Ok(())
    }

    /// Asks for a change.
    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        (key, body): (&str, &Value),
    ) -> anyhow::Result<()> {
        let body = Some(Bytes::from(serde_json::to_vec(body)?));
        let ask = Ask { method, path, bearer: Some(&self.admin_key), key: Some(key), body };
        let reply = self.client.ask(&ask).await?;
        if reply.status.is_success() { Ok(()) } else { Err(refused(&reply)) }
    }
}

/// The server's "no" in words, with the file's keys.
fn refused(reply: &Reply) -> anyhow::Error {
    let problem: Value = reply.json().unwrap_or_default();
    let text = |value: &Value, name: &str| value[name].as_str().unwrap_or_default().to_owned();
    let mut message = format!("the server answered {} {}", reply.status.as_u16(), text(&problem, "code"));
    let detail = text(&problem, "detail");
    if !detail.is_empty() {
        message = format!("{message}: {detail}");
    }
    for fault in problem["errors"].as_array().into_iter().flatten() {
        message = format!("{message}\n  {}: {}", key_path(&text(fault, "pointer")), text(fault, "detail"));
    }
    if reply.status == StatusCode::UNAUTHORIZED {
        message = format!("{message}\n  --admin-key or ONRUSH_ADMIN_KEY must be the server's key");
    }
    anyhow::anyhow!(message)
}

/// A JSON pointer as a path in the file: `/items/0/name` is `items[0].name`.
fn key_path(pointer: &str) -> String {
    let mut path = String::new();
    for part in pointer.split('/').skip(1) {
        match part.parse::<usize>() {
            Ok(index) => path = format!("{path}[{index}]"),
            Err(_) if path.is_empty() => part.clone_into(&mut path),
            Err(_) => path = format!("{path}.{part}"),
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusal_names_the_keys_of_the_file() {
        let body = json!({ "code": "fields_invalid", "detail": "two fields are wrong",
            "errors": [{ "pointer": "/items/0/unit_price", "detail": "must be a number" }, { "pointer": "/name", "detail": "is missing" }] });
        let reply = Reply {
            status: StatusCode::UNPROCESSABLE_ENTITY,
            retry_after: None,
            body: Bytes::from(body.to_string()),
        };
        let text = refused(&reply).to_string();
        assert!(text.starts_with("the server answered 422 fields_invalid: two fields are wrong"), "{text}");
        assert!(text.contains("\n  items[0].unit_price: must be a number\n  name: is missing"), "{text}");
    }

    #[test]
    fn refusal_without_json_still_says_the_status() {
        let reply = Reply { status: StatusCode::BAD_GATEWAY, retry_after: None, body: Bytes::from("oops") };
        assert_eq!(refused(&reply).to_string(), "the server answered 502 ");
    }
}
