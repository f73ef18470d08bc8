//! Operations on a party's policy.

pub mod set;
