//! The hot routes: what the crowd asks for in the rush. No JSON tree, no router, no box.

pub(crate) mod desk;
pub(crate) mod no;
pub(crate) mod order;
pub(crate) mod page;
