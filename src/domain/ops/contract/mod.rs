//! Operations on contracts.

pub mod accept;
pub mod decline;
pub mod propose;
