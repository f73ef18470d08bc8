//! Who sees what, over HTTP: every party against every object of two disjoint trades, as tables that are written by hand.
//!
//! That the tables can fail was tried by dropping lines of `src/domain/visibility.rs` one at a time; `mutations.md` beside
//! the tables keeps what failed.

mod answers;
mod cast;
mod fields;
mod first_trade;
mod money;
mod numbers;
mod oracles;
mod scene;
mod second_trade;
mod secrets;
mod table;
mod window;
