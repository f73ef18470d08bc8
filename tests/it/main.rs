//! Tests of the whole.
#![allow(clippy::unwrap_used, clippy::panic)] // a test that unwraps fails where it should

mod arrows;
mod bench;
mod bulk;
mod clients;
mod config;
mod corpus;
mod drills;
mod faults;
mod hostile;
mod independent;
mod journey;
mod model;
mod observed;
mod openapi;
mod operations_doc;
mod own_ledger;
mod problems;
mod rekeyed;
mod roles;
mod schemas;
mod served;
mod story;
mod strace;
mod tls;
mod vectors;
mod verdicts;
mod verify;
mod witness;
mod witnessed;
