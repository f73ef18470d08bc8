//! Every path, over a real server on loopback.

mod operations;
mod reads;
mod routes;
pub(super) mod served;
mod server;
mod sessions;
