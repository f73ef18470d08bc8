//! Operations on a lender's limits.

pub mod set;
