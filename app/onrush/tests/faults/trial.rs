//! One trial: a server with a fault under it, orders that are written down, and a server without.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitStatus;

use crate::folder::{Folder, HOLD_TTL_SECONDS, SALE, SETTINGS, STOCK, Template};
use crate::judge::{Outcome, judge};
use crate::matrix::Place;
use crate::strace;
use crate::support::http::{Ask, Reply};
use crate::support::sale::{Shop, basket, definition};
use crate::support::server::{House, Server, verified};

/// Whoever acknowledged what is not there has this in the reason why the trial failed.
pub(crate) const FALSE_ACKNOWLEDGEMENT: &str = "a false acknowledgement";

/// What clients of the faulty server know.
#[derive(Default)]
struct Told {
    has_sale: bool,
    orders: Vec<(Ask, String)>,
    /// Without an answer: at most the last one.
    unanswered_count: usize,
}

/// Runs it. `Err` says what went wrong.
pub(crate) fn run(template: &Template, place: &Place) -> Result<Outcome, String> {
    let trial = || {
        let house = template.house(place.folder);
        let trace = house.beside("trace");
        let (told, (status, log)) = serve(&house, place.folder, Some(place));
        let strikes = strace::strikes(&strace::read(&trace), &house.data());
        check(&house, place.folder, (&told, template));
        judge(place, &strikes, (status.code(), &log))
    };
    catch_unwind(AssertUnwindSafe(trial)).map_err(|panic| format!("{place:?}: {}", text_of(&*panic)))
}

/// A run without a fault; returns what strace saw.
pub(crate) fn watch(template: &Template, folder: Folder) -> String {
    let house = template.house(folder);
    let (told, (status, log)) = serve(&house, folder, None);
    assert!(status.success(), "{log}");
    assert_eq!((told.orders.len(), told.unanswered_count), (folder.order_count(), 0));
    check(&house, folder, (&told, template));
    strace::read(&house.beside("trace"))
}

/// From the start to the end, whichever comes: by the fault or by SIGTERM.
fn serve(house: &House, folder: Folder, place: Option<&Place>) -> (Told, (ExitStatus, String)) {
    let paths = folder.paths(&house.data());
    let command = strace::command(&house.command(&SETTINGS), place, (&paths, &house.beside("trace")));
    let mut told = Told::default();
    let server = match house.try_serve_as(command) {
        Ok(server) => server,
        Err(ended) => return (told, ended),
    };
    told.has_sale = folder == Folder::Used || open_sale(house, &server);
    if told.has_sale {
        buy(house, &server, (folder, &mut told));
    }
    server.terminate_if_there();
    (told, server.ended())
}

fn open_sale(house: &House, server: &Server) -> bool {
    let asks = [
        Ask::post("/v1/sales").json(&definition(SALE, STOCK, HOLD_TTL_SECONDS)),
        Ask::post(&format!("/v1/sales/{SALE}/open")),
    ];
    asks.into_iter().all(|ask| {
        let ask = ask.bearer(&house.admin_key());
        let reply = server.connect_or_gone().and_then(|mut connection| connection.ask(&ask));
        reply.is_ok_and(|reply| is_done(&reply))
    })
}

/// One order after the other, until all are placed or the server is gone.
fn buy(house: &House, server: &Server, (folder, told): (Folder, &mut Told)) {
    let token = house.token("ada");
    let shop = Shop { server, admin_key: house.admin_key(), sale: SALE };
    let Ok(mut connection) = server.connect_or_gone() else { return };
    for number in 0..folder.order_count() {
        let ask = shop.order(&token, (&format!("k-{number}"), &basket(1)));
        match connection.ask(&ask) {
            Ok(reply) if is_done(&reply) => told.orders.push((ask, reply.body)),
            Ok(_) | Err(_) => {
                told.unanswered_count += 1;
                return;
            }
        }
    }
}

/// 503 is the answer of a server that ends: it happened, or it did not.
fn is_done(reply: &Reply) -> bool {
    assert!(matches!(reply.status, 200 | 201 | 503), "{reply:?}");
    reply.status != 503
}

/// Starts it without a fault: all that was acknowledged is there, to the byte, and nothing besides.
fn check(house: &House, folder: Folder, (told, template): (&Told, &Template)) {
    let server = house.serve(&SETTINGS);
    let shop = Shop { server: &server, admin_key: house.admin_key(), sale: SALE };
    shop.organise(&Ask::get("/v1/sales")).expect(200);
    if told.has_sale {
        let (orders, units) = shop.books();
        let before = if folder == Folder::Used { template.order_count } else { 0 };
        let (least, most) = (before + told.orders.len(), before + told.orders.len() + told.unanswered_count);
        assert!(orders.len() >= least, "{FALSE_ACKNOWLEDGEMENT}: {} orders of {least}", orders.len());
        assert!(orders.len() <= most, "{} orders, {most} were asked for", orders.len());
        assert_eq!((units.held, units.stock), (orders.len() as u64, u64::from(STOCK)));
        let mut connection = server.connect();
        for (ask, first) in &told.orders {
            let again = connection.ask(ask).unwrap().expect(201).body;
            assert!(again == *first, "{FALSE_ACKNOWLEDGEMENT}: {first}, now {again}");
        }
    }
    server.stop();
    assert!(verified(&house.data()).ends_with("clean\n"));
}

fn text_of(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(|&text| text.to_owned())).unwrap_or_default()
}
