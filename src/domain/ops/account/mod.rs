//! Operations on bank accounts.

pub mod add;
pub mod attest;
pub mod close;
