//! Who sees what, over HTTP: every party against every object of two disjoint trades, as tables that are written by hand.
//!
//! - `table`: which objects, lists, entries and receipts each party reads; all else is answered as what never was.
//! - `fields`: which fields of an object each of its readers gets.
//! - `secrets`: who is ever told which id, number, amount, reference or reason; all answers are searched for all of them.
//! - `window`: what time changes: sealed offers in the window in which they are revealed, requests that end.
//! - `alike`: what everybody reads alike, and of itself.
//! - `filters`: filters, orders and cursors tell what the rows say.
//! - `notices`: who is told of what has ended with no entry.
//! - `twins`: whether anything that a party reads tells what others do in between.
//! - `timing`: how long it takes to be told that something is not there, measured where it is asked for.
//! - `past`: claims as they were.
//! - `sheet`, `due`: files and due lists say what the rows say.
//! - `oracles`, `numbers`, `refusals`: refusals, checks and uniqueness tell nobody of another's trade, nor of the other
//!   side of one's own.
//!
//! That the tables can fail was tried by hand, one line at a time:
//!
//! | dropped in `src/domain/visibility.rs` | what failed |
//! |---|---|
//! | `self.asks(party)`, of a request | bank B and the fund read `req-live` by id (`table`, `window`), 150047.00 (`secrets`); `request.withdraw` of it no longer reads as unknown to the fund (`oracles`) |
//! | `revealed_by <= viewer.time`, of a sealed offer | the supplier reads and lists `ofr-sealed-a`, its rate and its fee (`table`, `secrets`, `window`) |
//! | `self.is_live(viewer.time)`, of a request | lenders read and list `req-sold`, `req-done` and the other requests that have ended (`table`, `secrets`, `window`) |
//! | `hop.from == party`, of a receivable | the carrier, a former holder, no longer reads `rcv-main` (`table`, `fields`), nor FP-31-MAIN (`secrets`) |
//!
//! So too with the debtor let into a financing (`table`, `secrets`), a reveal's entry told to the requester at once
//! (`table`, `secrets`, `window`), and an earlier hop shown with what moved it (`fields`, `secrets`); with a contract, a
//! limit or a receivable shown to everybody (`table`, `oracles`, `past`), a list that is not filtered (`table`), a holder
//! shown the registration, a lender the requester (`fields`), dues of other payees, a file of another's rows, an event
//! with unseen objects, an entry to whom it was not told (`table`); a past read as the auditor (`past`), an operation's
//! object named without leave (`oracles`), another's payload checked, a limit's refusal passed on (`refusals`), a cursor
//! that asks whether its object is there (`filters`), and notices to all, to all lenders, or of how a request ended to
//! who ended it (`notices`, `twins`). What no answer shows is tested where it is: `src/api/due.rs` (what a list of dues
//! looks through), `src/domain/notices/tests.rs` (lenders that ask, owe or came later).

mod alike;
mod answers;
mod cast;
mod due;
mod fields;
mod filters;
mod first_trade;
mod money;
mod notices;
mod numbers;
mod oracles;
mod past;
mod refusals;
mod scene;
mod second_trade;
mod secrets;
mod sheet;
mod table;
mod timing;
mod twins;
mod window;
