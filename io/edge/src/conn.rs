//! Connections: accepting them, serving them, and ending those that take too long.
//!
//! A connection begins in the fast lane ([`lane`]); the first unusual request makes it hyper's ([`serve`]).
//!
//! No connection has a timer of its own, for arming one costs every request. [`watch`] notes what a connection
//! is doing; once per sweep the listener looks at all of them, a part at a time, and ends those that do it for too long. hyper's
//! own header timeout is off: it needs a timer per request and cannot tell an idle client from a slow one.

pub(crate) mod head;
mod head_scan;
pub(crate) mod lane;
pub(crate) mod listener;
pub(crate) mod serve;
pub(crate) mod socket;
pub(crate) mod watch;
pub(crate) mod wire;
