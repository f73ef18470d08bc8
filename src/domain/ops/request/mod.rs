//! Operations on requests for financing.

pub mod open;
pub mod withdraw;
