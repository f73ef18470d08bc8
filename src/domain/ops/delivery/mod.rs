//! Operations on deliveries.

pub mod record;
