//! Operations on money owed outside the face of a receivable.

pub mod waive;
