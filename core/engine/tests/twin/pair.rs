//! The engine and its twin side by side.

use domain::{Command, Fact, ItemIndex, SaleId, ShardId, UnixMs};
use engine::State;
use engine::snapshot::{Entry, Restore, export};
use engine::twin::Twin;

use super::Step;
use super::reach::Reach;

const HASH_SEED: u64 = 0x5EED;
/// A quarter of an hour before midnight, so that runs cross into the next day.
const START: UnixMs = UnixMs(UnixMs::EPOCH.0 + 40 * UnixMs::DAY_MS - 900_000);

/// Both sides, and what happened to them.
pub(crate) struct Pair {
    pub(crate) engine: State,
    pub(crate) twin: Twin,
    pub(crate) now: UnixMs,
    pub(crate) story: Vec<String>,
    pub(crate) reach: Reach,
}

impl Pair {
    pub(crate) fn new() -> Pair {
        Pair {
            engine: State::new(ShardId::FIRST, HASH_SEED),
            twin: Twin::new(ShardId::FIRST),
            now: START,
            story: Vec::new(),
            reach: Reach::default(),
        }
    }

    pub(crate) fn take(&mut self, step: &Step) -> Result<(), String> {
        match step {
            Step::Execute(now, command) => {
                self.now = *now;
                self.execute(command).map(drop)
            }
            Step::CheckAndRestore => {
                self.check_everything()?;
                self.restore()
            }
        }
    }

    /// Lets both decide and apply, and compares what can be seen of it. How many facts it brought.
    pub(crate) fn execute(&mut self, command: &Command) -> Result<usize, String> {
        self.story.push(format!("{} {command:?}", self.now.0));
        let by_engine = engine::decide(&self.engine, command, self.now).map(|facts| facts.to_vec());
        let by_twin = self.twin.decide(command, self.now);
        same("decision", &by_engine, &by_twin)?;
        self.reach.count(command, &by_twin);
        let facts = match by_twin {
            Ok(facts) => facts,
            Err(_) => return self.check_levels().map(|()| 0),
        };
        self.take_in(&facts, command)?;
        Ok(facts.len())
    }

    fn take_in(&mut self, facts: &[Fact], command: &Command) -> Result<(), String> {
        for fact in facts {
            self.story.push(format!("    {fact:?}"));
            engine::apply(&mut self.engine, fact);
            self.twin.apply(fact);
        }
        same("seq", &self.engine.seq(), &self.twin.seq())?;
        let by_engine = engine::answer(&self.engine, command, facts);
        same("answer", &by_engine, &self.twin.answer(command, facts))?;
        engine::invariants::check(&self.engine).map_err(|broken| format!("invariant: {broken:?}"))?;
        self.check_levels()
    }

    pub(crate) fn tick_at(&mut self, now: UnixMs) -> Result<usize, String> {
        self.now = now;
        self.execute(&Command::Tick)
    }

    fn check_levels(&self) -> Result<(), String> {
        for sale in (0..u16::try_from(self.twin.sale_count()).unwrap()).map(SaleId) {
            for item in (0..u16::try_from(self.twin.item_count(sale)).unwrap()).map(ItemIndex) {
                let (by_engine, by_twin) = (self.engine.levels(sale, item), self.twin.levels(sale, item));
                same("levels", &by_engine, &by_twin)?;
                if by_twin.is_some_and(|levels| !levels.is_conserved()) {
                    return Err(format!("{item:?} of {sale:?} is not conserved: {by_twin:?}"));
                }
            }
        }
        Ok(())
    }

    /// Compares every order and every sale's money.
    pub(crate) fn check_everything(&self) -> Result<(), String> {
        for id in self.twin.order_ids() {
            same("order", &self.engine.order(id), &self.twin.order(id))?;
        }
        let mut sale_count = 0;
        for entry in export(&self.engine) {
            if let Entry::Sale(sale) = entry {
                let by_engine = (sale.money_taken, sale.money_returned);
                same("money", &by_engine, &self.twin.money(sale.sale))?;
                let terms = Some((&sale.terms, sale.status));
                same("sale", &terms, &self.twin.sale(sale.sale))?;
                sale_count += 1;
            }
        }
        same("sales", &sale_count, &self.twin.sale_count())?;
        self.check_levels()
    }

    /// Goes on with an engine restored from its own snapshot.
    fn restore(&mut self) -> Result<(), String> {
        let mut restore = Restore::new(HASH_SEED + 1);
        export(&self.engine)
            .try_for_each(|entry| restore.push(entry).map(drop))
            .map_err(|error| format!("restore: {error:?}"))?;
        let restored = restore.finish().map_err(|error| format!("restore: {error:?}"))?;
        if restored != self.engine {
            return Err("the restored state differs".to_owned());
        }
        engine::invariants::check(&restored).map_err(|broken| format!("restored: {broken:?}"))?;
        self.story.push("    (restored)".to_owned());
        self.engine = restored;
        Ok(())
    }
}

fn same<T: PartialEq + std::fmt::Debug>(what: &str, by_engine: &T, by_twin: &T) -> Result<(), String> {
    if by_engine == by_twin {
        return Ok(());
    }
    Err(format!("{what} differs:\n engine {by_engine:?}\n twin   {by_twin:?}"))
}
