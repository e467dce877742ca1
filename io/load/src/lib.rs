//! The load generator: many HTTP/1.1 clients in one thread, and an honest account of what they saw.
//!
//! *Closed loop*: each connection sends when it was answered; shows how much a server can do. *Open loop*: requests
//! come at a rate of their own, as a crowd does, whatever the server does; shows how long a request takes. There
//! latency counts from the instant at which a request was meant to be sent, so that a server that stands still is
//! charged for everybody who had to wait (Gil Tene calls the mistake of leaving them out "coordinated omission").
//!
//! A generator that is itself at its limit measures itself. So it reports its own share of a core and how late it
//! sent, and a [`Report`] says [`Validity::Invalid`] when the figures are the generator's and not the server's.
//!
//! This room knows HTTP and no other room; it knows nothing about sales: [`Requests`] brings the bytes. It speaks
//! HTTP/1.1 without TLS, to one address, and reads answers with a `Content-Length`. Start with [`Plan`] and [`run`].

mod arrivals;
mod clock;
mod connection;
mod line;
mod opening;
mod plan;
mod reply;
mod report;
mod requests;
mod run;
mod tally;
mod template;
mod validity;
mod worker;

pub use crate::plan::{
    CONNECTION_COUNT_MAX, PIPELINE_DEPTH_MAX, Pace, Plan, PlanError, QUEUE_LEN_MAX, RATE_MAX, Spacing,
    THREAD_COUNT_MAX,
};
pub use crate::reply::ReplyError;
pub use crate::report::{Errors, Generator, Lag, Latency, Report, Totals};
pub use crate::requests::{Requests, Share};
pub use crate::run::{Clients, LoadError, Watch, run};
pub use crate::template::{Template, TemplateError};
pub use crate::validity::{CPU_SHARE_MAX, Reason, Validity};
