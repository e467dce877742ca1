//! What is asked, and which facts answer it.

use std::collections::BTreeSet;
use std::io::Write;

use anyhow::{Context as _, bail};
use domain::label::Label;
use domain::{BuyerId, Fact, ItemIndex, OrderId, SaleId, ShardId, UnixMs};
use engine::State;

use super::ExplainArgs;
use crate::journal_cmd::names::OrderNames;
use crate::journal_cmd::row;
use crate::story::Titles;

/// Whose story is told.
pub(super) enum Question {
    Order { order: OrderId, text: String },
    Buyer { asked: AskedBuyer, sale: Option<String> },
    Item { sale: String, item: String },
}

/// A buyer as the command line has it.
pub(super) struct AskedBuyer {
    text: String,
    /// The name, and the digest that the text may show instead: the journal has only that of a long name.
    labels: Vec<BuyerId>,
}

/// What a question comes to in one shard: grows while its facts go by.
#[derive(Default)]
pub(super) struct Subject {
    orders: BTreeSet<OrderId>,
    pub(super) item: Option<(SaleId, ItemIndex)>,
}

impl Question {
    pub(super) fn new(args: &ExplainArgs, orders: &OrderNames) -> anyhow::Result<Question> {
        let about = &args.about;
        if let Some(text) = &about.order {
            return Ok(Question::Order { order: orders.order(text)?, text: text.clone() });
        }
        if let Some(text) = &about.buyer {
            return Ok(Question::Buyer { asked: AskedBuyer::new(text), sale: args.sale.clone() });
        }
        let text = about.item.as_deref().context("an order, a buyer or an item must be named")?;
        let Some((sale, item)) = text.split_once('/') else { bail!("`{text}` is not SALE/ITEM") };
        Ok(Question::Item { sale: sale.to_owned(), item: item.to_owned() })
    }

    pub(super) fn may_be_in(&self, shard: ShardId) -> bool {
        match self {
            Question::Order { order, .. } => order.shard() == shard,
            Question::Buyer { .. } | Question::Item { .. } => true,
        }
    }

    /// What the question is about in a state that a replay begins with.
    pub(super) fn subject(&self, state: &State, titles: &Titles) -> Subject {
        let mut subject = Subject::default();
        subject.find_item(self, titles);
        match self {
            Question::Order { order, .. } => {
                subject.orders.extend(state.order(*order).map(|view| view.order))
            }
            Question::Buyer { .. } => {
                for (sale, _) in state.sales() {
                    subject.add_orders(self, (state, titles), sale);
                }
            }
            Question::Item { .. } => {}
        }
        subject
    }

    /// Says that nothing is there, and what that proves.
    pub(super) fn tell_absence(&self, notes: &mut dyn Write) -> anyhow::Result<()> {
        let what = match self {
            Question::Order { text, .. } => format!("no order `{text}`"),
            Question::Buyer { asked, sale } => {
                let of = sale.as_ref().map_or_else(String::new, |sale| format!(" of the sale `{sale}`"));
                format!("no order{of} of buyer `{}`, looked for as {}", asked.text, asked.shown())
            }
            Question::Item { sale, item } => format!("no item `{item}` of a sale `{sale}`"),
        };
        writeln!(notes, "nothing found: the journal has {what}")?;
        writeln!(
            notes,
            "a request that was refused changed nothing and is not in the journal; so this proves only \
             that nothing was sold"
        )?;
        Ok(())
    }

    fn is_asked(&self, fact: &Fact, titles: &Titles) -> bool {
        match (self, fact) {
            (Question::Order { order: wanted, .. }, Fact::OrderHeld { order, .. }) => order == wanted,
            (Question::Buyer { asked, sale: wanted }, Fact::OrderHeld { buyer, sale, .. }) => {
                asked.labels.contains(buyer)
                    && wanted.as_ref().is_none_or(|wanted| titles.sale(*sale) == *wanted)
            }
            _ => false,
        }
    }
}

impl AskedBuyer {
    fn new(text: &str) -> AskedBuyer {
        let mut labels = vec![BuyerId::from_text(text)];
        labels.extend(digest(text).map(BuyerId));
        AskedBuyer { text: text.to_owned(), labels }
    }

    fn shown(&self) -> String {
        self.labels.iter().map(|label| label.0.to_string()).collect::<Vec<_>>().join(" and ")
    }
}

/// The label that is shown as this text, if the text is that of a digest.
fn digest(text: &str) -> Option<Label> {
    let hex = text.strip_prefix("sha256:")?;
    let mut bytes = [0xFF; 16];
    let is_hex = hex.len() == 2 * (bytes.len() - 1) && hex.bytes().all(|byte| byte.is_ascii_hexdigit());
    if !is_hex {
        return None;
    }
    for (index, byte) in bytes.iter_mut().skip(1).enumerate() {
        *byte = u8::from_str_radix(hex.get(2 * index..2 * index + 2)?, 16).ok()?;
    }
    Label::from_bytes(bytes)
}

impl Subject {
    /// Whether a fact belongs to the story; `state` is what stood before it.
    pub(super) fn takes(
        &mut self,
        question: &Question,
        fact: &Fact,
        (state, titles): (&State, &Titles),
    ) -> bool {
        if question.is_asked(fact, titles) {
            self.orders.extend(row::order_of(fact));
        }
        if self.item.is_none() && matches!(fact, Fact::ItemAdded { .. }) {
            self.find_item(question, titles);
        }
        match self.item {
            Some(item) => is_about_item(fact, item, state),
            None => row::order_of(fact).is_some_and(|order| self.orders.contains(&order)),
        }
    }

    /// The orders that the story is about.
    pub(super) fn orders(&self) -> impl Iterator<Item = OrderId> {
        self.orders.iter().copied()
    }

    fn find_item(&mut self, question: &Question, titles: &Titles) {
        if let Question::Item { sale, item } = question {
            let found = titles.find_sale(sale);
            self.item = found.and_then(|sale| Some((sale, titles.find_item(sale, item)?)));
        }
    }

    fn add_orders(&mut self, question: &Question, (state, titles): (&State, &Titles), sale: SaleId) {
        let Question::Buyer { asked, sale: wanted } = question else { return };
        if wanted.as_ref().is_some_and(|wanted| titles.sale(sale) != *wanted) {
            return;
        }
        let first = OrderId::from_raw(0).expect("0 is a number");
        state.orders_from(sale, first, state.order_count(), |view| {
            if asked.labels.contains(&view.buyer) {
                self.orders.insert(view.order);
            }
            std::ops::ControlFlow::Continue(())
        });
    }
}

/// Whether a fact moves an item's units, or changes what the item is.
fn is_about_item(fact: &Fact, (wanted_sale, wanted): (SaleId, ItemIndex), state: &State) -> bool {
    match fact {
        Fact::TermStarted { .. } => false,
        Fact::SaleCreated { sale, .. } | Fact::SaleEdited { sale, .. } | Fact::SaleMoved { sale, .. } => {
            *sale == wanted_sale
        }
        Fact::ItemAdded { sale, item, .. }
        | Fact::ItemEdited { sale, item, .. }
        | Fact::StockChanged { sale, item, .. } => (*sale, *item) == (wanted_sale, wanted),
        Fact::OrderHeld { sale, lines, .. } => {
            *sale == wanted_sale && lines.iter().any(|line| line.item == wanted)
        }
        _ => {
            let order = row::order_of(fact).expect("every other fact is about an order");
            state.items_of(order).any(|of| of == (wanted_sale, wanted))
        }
    }
}

/// An instant as people write it.
pub(super) fn parse_time(text: &str) -> Result<UnixMs, String> {
    let timestamp: jiff::Timestamp =
        text.parse().map_err(|_| format!("`{text}` is no time like 2026-11-20T19:28:27Z"))?;
    u64::try_from(timestamp.as_millisecond()).map(UnixMs).map_err(|_| format!("`{text}` is before 1970"))
}
