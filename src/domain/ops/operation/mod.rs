//! Operations on operations.

pub mod cancel;
