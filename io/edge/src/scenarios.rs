//! HTTP scenarios as data: text files of requests and the status each must bring, run over a real connection
//! against a backend in memory. The whole answers, and what the backend was asked, are in the snapshots.
//!
//! A step is `### name`, then lines of `! something that happens before`, the request as it goes over the wire
//! (`auth: alice` stands for her token, a body is JSON unless `content-type` says otherwise), and `=> status`
//! with the problem's code or the answer's shape.

mod bad_clients;
mod fake;
mod lane;
mod run;
mod stopping;

use insta::assert_snapshot;
use run::run;

macro_rules! scenario {
    ($name:ident) => {
        #[tokio::test]
        async fn $name() {
            let answers = run(include_str!(concat!("scenarios/", stringify!($name), ".http"))).await;
            assert_snapshot!(stringify!($name), answers);
        }
    };
}

scenario!(organiser_makes_and_moves_a_sale);
scenario!(buyer_places_and_pays);
scenario!(bad_orders);
scenario!(bulks);
scenario!(bad_definitions);
scenario!(who_may);
scenario!(overload_and_bugs);
scenario!(reading);
