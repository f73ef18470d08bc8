//! x
pub struct Index;
