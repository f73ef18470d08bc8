//! The sample story: data that is played on a ledger, in process or over HTTP, and the account of what came of it.
//!
//! Knows no HTTP and no files: whoever plays it brings a [`Stage`].

mod account;
mod bodies;
mod player;
mod script;
#[cfg(test)]
mod tests;

pub use account::account;
pub use player::{Act, Played, Stage, StoryError, play};
pub use script::{Player, Script, SealedOffer, Step, Wrong};

/// The story that ships with the project.
pub const SAMPLE: &str = include_str!("../../fixtures/story.toml");

/// The documents that the story names.
pub const DOCUMENTS: &[(&str, &[u8])] = &[
    (
        "supplier-1.xml",
        include_bytes!("../../fixtures/invoices/supplier-1.xml"),
    ),
    (
        "supplier-2.xml",
        include_bytes!("../../fixtures/invoices/supplier-2.xml"),
    ),
    (
        "supplier-3.xml",
        include_bytes!("../../fixtures/invoices/supplier-3.xml"),
    ),
    (
        "components-1.xml",
        include_bytes!("../../fixtures/invoices/components-1.xml"),
    ),
    (
        "supplier-credit-1.xml",
        include_bytes!("../../fixtures/invoices/supplier-credit-1.xml"),
    ),
];
