//! Operations on parties.

pub mod admit;
