//! Operations on financings.

pub mod cancel;
