//! What is answered to a command that was not refused.

use alloc::vec::Vec;

use domain::{
    Answer, Command, Fact, KeyDigest, OrderId, OrderState, OrderView, SaleId, Seq, StockReceipt, UnixMs,
};

use super::{Order, Twin};

impl Twin {
    /// The answer to a command right after its `facts` were applied. A command that is repeated under its
    /// key is answered as at first.
    ///
    /// # Panics
    /// When the command was refused: then there is no such sale or order.
    pub fn answer(&self, command: &Command, facts: &[Fact]) -> Answer {
        match command {
            Command::CreateSale { slug, .. } => {
                let position =
                    self.sales.iter().position(|sale| sale.slug == *slug).expect("the sale was made");
                let sale = SaleId(u16::try_from(position).expect("at most SALE_COUNT_MAX"));
                let created = matches!(facts.first(), Some(Fact::SaleCreated { .. }));
                Answer::Sale { sale, seq: self.seq, created }
            }
            Command::EditSale { sale, .. } | Command::MoveSale { sale, .. } => {
                Answer::Sale { sale: *sale, seq: self.seq, created: false }
            }
            Command::ChangeStock { sale, item, change, key } => {
                let earlier = key.and_then(|key| self.sales[usize::from(sale.0)].stock_keys.get(&key));
                Answer::Stock(earlier.copied().unwrap_or_else(|| StockReceipt {
                    sale: *sale,
                    item: *item,
                    change: *change,
                    levels: self.levels(*sale, *item).expect("the item is there"),
                    seq: self.seq,
                }))
            }
            Command::PlaceOrder { buyer, key, .. } => {
                let (id, order) = self.order_by_key(*buyer, *key).expect("the order was placed");
                Answer::Order(order.as_promised(id, order.held_seq, order.first_expires_at(id)))
            }
            Command::ExtendHold { order, key, .. } => Answer::Order(self.extended(*order, *key)),
            Command::CancelOrder { order, .. }
            | Command::RecordPayment { order, .. }
            | Command::RecordRefund { order, .. } => {
                Answer::Order(self.order(*order).expect("the order is there"))
            }
            Command::Tick => Answer::Done { seq: self.seq },
        }
    }

    fn extended(&self, id: OrderId, key: KeyDigest) -> OrderView {
        let order = &self.orders[&id];
        let extension = order.extension.as_ref().expect("the hold was extended");
        assert_eq!(extension.key, key, "another key is refused");
        OrderView { extended: true, ..order.as_promised(id, extension.seq, extension.expires_at) }
    }
}

impl Order {
    /// The order as it was when its hold was promised: nothing later shows.
    fn as_promised(&self, id: OrderId, seq: Seq, expires_at: UnixMs) -> OrderView {
        OrderView {
            state: OrderState::Held,
            expires_at,
            seq,
            extended: false,
            payments_failed: 0,
            payment: None,
            refund_cause: None,
            surplus: Vec::new(),
            ..self.view(id)
        }
    }
}
