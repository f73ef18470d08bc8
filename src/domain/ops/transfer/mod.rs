//! Operations on transfers: fens passed on to pay a debt. A sale for money goes only through a request and a
//! financing.

pub mod accept;
mod basis;
pub mod cancel;
pub mod decline;
pub mod propose;
