//! A client under load: orders, repeats, pays, cancels and looks, and writes down what it was told, until the
//! server is gone.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use fastrand::Rng;
use serde_json::{Value, json};

use crate::ITEMS;
use crate::ledger::{Attempt, Told};
use crate::support::http::{Ask, Connection};
use crate::support::sale::order_of;

pub(crate) const SALE: &str = "crash";
pub(crate) const CLIENT_COUNT: usize = 4;
/// So many orders after paying, a client looks whether the money came.
const PATIENCE_ORDER_COUNT: usize = 6;

pub(crate) struct Client {
    address: SocketAddr,
    tokens: Vec<String>,
    rng: Rng,
    answered: Arc<AtomicU64>,
    attempts: Vec<Attempt>,
    /// Attempts that were paid for, by their position.
    paying: Vec<usize>,
}

impl Client {
    pub(crate) fn new(
        address: SocketAddr,
        (tokens, rng): (Vec<String>, Rng),
        answered: Arc<AtomicU64>,
    ) -> Client {
        Client { address, tokens, rng, answered, attempts: Vec::new(), paying: Vec::new() }
    }

    /// Every buyer orders once. Ends when the server is gone or everybody was there.
    pub(crate) fn run(mut self) -> Vec<Attempt> {
        if let Ok(mut connection) = Connection::open(self.address) {
            while let Some(token) = self.tokens.pop() {
                // An error is the end of the server; what was being asked stays without an answer.
                if self.visit(token, &mut connection).is_err() {
                    break;
                }
            }
        }
        self.attempts
    }

    fn visit(&mut self, token: String, connection: &mut Connection) -> io::Result<()> {
        let key = format!("key-{}", self.rng.u64(..));
        let body = self.basket();
        self.attempts.push(Attempt { token, key, body, told: Told::Nothing });
        let position = self.attempts.len() - 1;
        let told = self.attempts[position].place(connection)?;
        self.answered.fetch_add(1, Ordering::Relaxed);
        self.attempts[position].told = told;
        if let Told::Order { first, .. } = &self.attempts[position].told {
            let order = order_of(&serde_json::from_str(first).expect("an order is JSON"));
            self.go_on(position, &order, connection)?;
        }
        self.look_at_payments(connection)
    }

    /// One to three units of one item, or of two.
    fn basket(&mut self) -> Value {
        let mut items = ITEMS;
        self.rng.shuffle(&mut items);
        let line_count = if self.rng.u8(0..4) == 0 { 2 } else { 1 };
        let lines =
            items[..line_count].iter().map(|item| json!({"item": item, "quantity": self.rng.u8(1..4)}));
        json!({"lines": lines.collect::<Vec<Value>>()})
    }

    fn go_on(&mut self, position: usize, order: &str, connection: &mut Connection) -> io::Result<()> {
        match self.rng.u8(0..8) {
            0..=1 => {
                let again = self.attempts[position].place(connection)?;
                assert_eq!(again, self.attempts[position].told, "the same key, the same answer");
            }
            2..=4 => {
                let ask =
                    Ask::post(&format!("/v1/orders/{order}/pay")).bearer(&self.attempts[position].token);
                let reply = connection.ask(&ask)?;
                match reply.status {
                    202 => self.paying.push(position),
                    409 => assert_eq!(reply.code(), "order_state", "the hold ended first"),
                    _ => panic!("{reply:?}"),
                }
            }
            5 => {
                let ask =
                    Ask::post(&format!("/v1/orders/{order}/cancel")).bearer(&self.attempts[position].token);
                let reply = connection.ask(&ask)?;
                match reply.status {
                    200 => self.note(position, &reply.json()),
                    409 => assert_eq!(reply.code(), "order_state", "the hold ended first"),
                    _ => panic!("{reply:?}"),
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Looks at those who paid a while ago.
    fn look_at_payments(&mut self, connection: &mut Connection) -> io::Result<()> {
        if self.paying.len() < PATIENCE_ORDER_COUNT {
            return Ok(());
        }
        let position = self.paying.remove(0);
        let state = self.attempts[position].look(connection)?;
        self.note(position, &state);
        Ok(())
    }

    /// Writes down a state that never changes again.
    fn note(&mut self, position: usize, order: &Value) {
        let state = order["state"].as_str().expect("a state");
        if let (Told::Order { last, .. }, "paid" | "cancelled") = (&mut self.attempts[position].told, state) {
            *last = Some(state.to_owned());
        }
    }
}
