//! Every path, over a real server on loopback.

mod feed;
mod lists;
mod operations;
mod proofs;
mod reads;
mod routes;
pub(super) mod served;
mod server;
mod sessions;
