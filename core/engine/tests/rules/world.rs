//! A small language for the tables: one line, one command; facts and refusals come back as one line each.

use domain::{
    Actor, Amount, BuyerId, Cause, Command, Currency, Fact, ItemIndex, ItemTerms, KeyDigest, Lines, OrderId,
    PaymentId, PaymentResult, RefundStep, Refusal, SaleId, SalePatch, SaleStatus, SaleTerms, ShardId, Slug,
    UnixMs, Wish, Wishes,
};
use engine::{State, invariants};

const SALE: SaleId = SaleId(0);

/// A shard with one sale: `ga` (10 units at 6000) and `vip` (2 units at 20000), holds of 10 s.
pub(crate) struct World {
    state: State,
    now: UnixMs,
    orders: Vec<OrderId>,
}

impl World {
    pub(crate) fn new() -> World {
        let now = UnixMs(UnixMs::EPOCH.0 + 1_000_000);
        let mut world = World { state: State::new(ShardId::FIRST, 5), now, orders: Vec::new() };
        let slug = Slug::new("concert").unwrap();
        let terms = SaleTerms::new("Concert", Currency::new("EUR").unwrap(), 10);
        let items = vec![(item("ga", 6_000), 10), (item("vip", 20_000), 2)];
        world.execute(&Command::CreateSale { slug, terms: terms.into(), items }).unwrap();
        world
    }

    /// Runs one line; what came of it, one word group per fact, or `refused …`.
    pub(crate) fn run(&mut self, line: &str) -> String {
        let words: Vec<&str> = line.split_whitespace().collect();
        if let ["wait", seconds] = words[..] {
            self.now = UnixMs(self.now.0 + seconds.parse::<u64>().unwrap() * 1_000);
            return String::new();
        }
        let command = self.command(&words);
        match self.execute(&command) {
            Ok(facts) => facts.iter().map(|fact| self.show_fact(fact)).collect::<Vec<_>>().join("; "),
            Err(refusal) => format!("refused {}", show_refusal(&refusal)),
        }
    }

    /// The levels of both items.
    pub(crate) fn levels(&self) -> String {
        let show = |code: &str, index| {
            let levels = self.state.levels(SALE, ItemIndex(index)).unwrap();
            format!("{code} {}/{}/{}/{}", levels.free, levels.held, levels.paid, levels.withdrawn)
        };
        format!("{}, {}", show("ga", 0), show("vip", 1))
    }

    fn execute(&mut self, command: &Command) -> Result<Vec<Fact>, Refusal> {
        let before = format!("{:?}", self.state);
        let decided = engine::decide(&self.state, command, self.now);
        assert_eq!(before, format!("{:?}", self.state), "deciding changes nothing");
        let facts = decided?.into_vec();
        for fact in &facts {
            engine::apply(&mut self.state, fact);
            if let Fact::OrderHeld { order, .. } = fact {
                self.orders.push(*order);
            }
        }
        invariants::check(&self.state).unwrap();
        Ok(facts)
    }

    fn command(&self, words: &[&str]) -> Command {
        match *words {
            ["place", buyer, key, ref wishes @ ..] => Command::PlaceOrder {
                sale: SALE,
                buyer: BuyerId::from_text(buyer),
                key: KeyDigest::from_text(key),
                wishes: Wishes::new(wishes.iter().map(|text| wish(text)).collect()).unwrap(),
            },
            ["place-elsewhere", buyer, key] => Command::PlaceOrder {
                sale: SaleId::UNKNOWN,
                buyer: BuyerId::from_text(buyer),
                key: KeyDigest::from_text(key),
                wishes: Wishes::one(wish("ga:1")),
            },
            ["extend", order, buyer, key] => {
                let (buyer, key) = (BuyerId::from_text(buyer), KeyDigest::from_text(key));
                Command::ExtendHold { order: self.order(order), buyer, key }
            }
            ["cancel", order, "organiser"] => {
                Command::CancelOrder { order: self.order(order), by: Actor::Organiser }
            }
            ["cancel", order, buyer] => {
                Command::CancelOrder { order: self.order(order), by: Actor::Buyer(BuyerId::from_text(buyer)) }
            }
            ["pay", order, payment, amount] => {
                self.payment(order, payment, (amount, PaymentResult::Succeeded))
            }
            ["fail", order, payment, amount] => self.payment(order, payment, (amount, PaymentResult::Failed)),
            ["refund", order, step] => self.refund(order, None, step),
            ["refund", order, step, payment] => self.refund(order, Some(PaymentId::from_text(payment)), step),
            ["stock", item, change] => self.stock(item, change, None),
            ["stock", item, change, key] => self.stock(item, change, Some(KeyDigest::from_text(key))),
            ["move", to] => Command::MoveSale { sale: SALE, to: status(to) },
            ["edit", ref changes @ ..] => {
                Command::EditSale { sale: SALE, patch: Box::new(self.patch(changes)) }
            }
            ["tick"] => Command::Tick,
            _ => panic!("no such command: {words:?}"),
        }
    }

    fn payment(&self, order: &str, payment: &str, (amount, result): (&str, PaymentResult)) -> Command {
        let (order, payment) = (self.order(order), PaymentId::from_text(payment));
        let currency = Currency::new("EUR").unwrap();
        Command::RecordPayment { order, payment, amount: Amount(amount.parse().unwrap()), currency, result }
    }

    fn refund(&self, order: &str, surplus: Option<PaymentId>, step: &str) -> Command {
        let step = match step {
            "start" => RefundStep::Start { restock: true },
            "start-withdraw" => RefundStep::Start { restock: false },
            "succeeded" => RefundStep::Succeeded,
            "failed" => RefundStep::Failed,
            _ => panic!("no such step: {step}"),
        };
        Command::RecordRefund { order: self.order(order), surplus, step }
    }

    fn stock(&self, item: &str, change: &str, key: Option<KeyDigest>) -> Command {
        Command::ChangeStock { sale: SALE, item: index(item), change: change.parse().unwrap(), key }
    }

    /// `opens=+5` and `closes=+5` are seconds from now.
    fn patch(&self, changes: &[&str]) -> SalePatch {
        let mut patch = SalePatch::default();
        for change in changes {
            let (name, value) = change.split_once('=').unwrap();
            let number = || value.trim_start_matches('+').parse::<u32>().unwrap();
            let instant = || Some(Some(UnixMs(self.now.0 + u64::from(number()) * 1_000)));
            match name {
                "opens" => patch.opens_at = instant(),
                "closes" => patch.closes_at = instant(),
                "per-order" => patch.per_order_max = Some(Some(number())),
                "per-buyer" => patch.per_buyer_max = Some(Some(number())),
                "per-day" => patch.per_buyer_day_max = Some(Some(number())),
                "hold" => patch.hold_ttl_s = Some(u16::try_from(number()).unwrap()),
                "vip-per-buyer" => patch.items.push(domain::ItemPatch {
                    item: index("vip"),
                    name: None,
                    unit_price: None,
                    per_order_max: None,
                    per_buyer_max: Some(Some(number())),
                }),
                _ => panic!("no such field: {name}"),
            }
        }
        patch
    }

    /// Orders are named by the order in which they were placed: `#1` is the first.
    fn order(&self, name: &str) -> OrderId {
        let number: usize = name.trim_start_matches('#').parse().unwrap();
        let unknown = OrderId::from_raw(1).unwrap();
        self.orders.get(number - 1).copied().unwrap_or(unknown)
    }

    fn name(&self, order: OrderId) -> String {
        let index = self.orders.iter().position(|known| *known == order).unwrap();
        format!("#{}", index + 1)
    }

    fn show_fact(&self, fact: &Fact) -> String {
        match fact {
            Fact::OrderHeld { order, lines, .. } => {
                format!("held {} {}", self.name(*order), show_lines(lines))
            }
            Fact::HoldExtended { order, expires_at, .. } => {
                format!("extended {} to +{}", self.name(*order), (expires_at.0 - self.now.0) / 1_000)
            }
            Fact::OrderCancelled { order, .. } => format!("cancelled {}", self.name(*order)),
            Fact::OrderExpired { order } => format!("expired {}", self.name(*order)),
            Fact::OrderPaid { order, amount, .. } => format!("paid {} {}", self.name(*order), amount.0),
            Fact::PaymentFailed { order, .. } => format!("payment failed {}", self.name(*order)),
            Fact::PaymentUnmatched { order, cause, .. } => {
                format!("unmatched {} {}", self.name(*order), cause.name())
            }
            Fact::PaymentSurplus { order, amount, .. } => {
                format!("surplus {} {}", self.name(*order), amount.0)
            }
            Fact::SurplusReturned { order, .. } => format!("surplus returned {}", self.name(*order)),
            Fact::RefundStarted { order, .. } => format!("refund started {}", self.name(*order)),
            Fact::OrderRefunded { order } => format!("refunded {}", self.name(*order)),
            Fact::RefundFailed { order } => format!("refund failed {}", self.name(*order)),
            Fact::SaleMoved { to, cause: Cause::Clock, .. } => format!("{} by clock", to.name()),
            Fact::SaleMoved { to, cause: Cause::Organiser, .. } => to.name().to_owned(),
            Fact::StockChanged { change, .. } => format!("stock {change:+}"),
            Fact::SaleEdited { .. } => "edited".to_owned(),
            Fact::ItemEdited { .. } => "item edited".to_owned(),
            Fact::SaleCreated { .. } | Fact::ItemAdded { .. } | Fact::TermStarted { .. } => {
                format!("{fact:?}")
            }
        }
    }
}

fn show_lines(lines: &Lines) -> String {
    let line = |line: &domain::Line| format!("{}:{}@{}", code(line.item), line.quantity, line.unit_price);
    lines.iter().map(line).collect::<Vec<_>>().join(" ")
}

fn show_refusal(refusal: &Refusal) -> String {
    let details = match refusal {
        Refusal::StockExhausted { wish, left } => format!(" {} left={left}", code(wish.item)),
        Refusal::BuyerLimitReached { item, per_day, limit, taken } => {
            let scope = if *per_day { "day" } else { item.map_or("sale", code) };
            format!(" {scope} {taken}/{limit}")
        }
        Refusal::QuantityOutOfRange { quantity_max, .. } => format!(" max={quantity_max}"),
        Refusal::OrderState { from, to } => format!(" {}->{}", from.name(), to.name()),
        Refusal::SaleState { from, to } => format!(" {}->{}", from.name(), to.name()),
        Refusal::AmountMismatch { expected, .. } => format!(" expected={}", expected.0),
        _ => String::new(),
    };
    format!("{}{details}", refusal.code())
}

fn item(code: &str, unit_price: u32) -> ItemTerms {
    ItemTerms::new(Slug::new(code).unwrap(), code, unit_price)
}

fn wish(text: &str) -> Wish {
    let (item, quantity) = text.split_once(':').unwrap();
    Wish { item: index(item), quantity: quantity.parse().unwrap() }
}

fn index(code: &str) -> ItemIndex {
    match code {
        "ga" => ItemIndex(0),
        "vip" => ItemIndex(1),
        _ => ItemIndex::UNKNOWN,
    }
}

fn code(item: ItemIndex) -> &'static str {
    match item.0 {
        0 => "ga",
        1 => "vip",
        _ => "?",
    }
}

fn status(name: &str) -> SaleStatus {
    SaleStatus::ALL.into_iter().find(|status| status.name() == name).unwrap()
}
