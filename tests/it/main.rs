//! Tests of the whole.
#![allow(clippy::unwrap_used, clippy::panic)] // a test that unwraps fails where it should

mod arrows;
mod corpus;
mod independent;
mod model;
mod vectors;
