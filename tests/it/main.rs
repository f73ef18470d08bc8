//! Tests of the whole.
#![allow(clippy::unwrap_used, clippy::panic)] // a test that unwraps fails where it should

mod arrows;
mod clients;
mod corpus;
mod faults;
mod independent;
mod journey;
mod model;
mod openapi;
mod operations_doc;
mod own_ledger;
mod problems;
mod roles;
mod schemas;
mod served;
mod story;
mod vectors;
mod verdicts;
