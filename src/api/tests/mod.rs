//! Every path, over a real server on loopback.

mod operations;
mod reads;
mod routes;
mod served;
mod server;
mod sessions;
