//! The verbs of the command.

pub mod invoice_check;
