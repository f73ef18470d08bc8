//! Documents of the outside world: invoices and credit notes in UBL and CII.
//!
//! [`check`] is the whole of it: bytes in, a verdict with the rules that were broken and the fields as written out.
//! The order is from cheap to dear, so that hostile input never reaches an expensive parser:
//!
//! 1. `intake` and `scan`: size, encoding, a DTD, depth and numbers are refused before anything is built; then one XML tree.
//! 2. `ubl` or `cii`: the fields, as written.
//! 3. `checks`: what the official rules let through (dates, numbers, currencies, line ids, account digits).
//! 4. `cen`: rules of the official syntax binding, judged on the tree.
//! 5. the rules of EN 16931 on its model, by the `en16931` library.

mod body;
mod cen;
mod checks;
mod cii;
mod facts;
mod intake;
mod invoice;
mod report;
mod scan;
#[cfg(test)]
mod tests;
mod ubl;
mod xml;

pub use facts::{DocumentKind, IssueFacts, NotIssuable};
pub use intake::SIZE_MAX_BYTES;
pub use invoice::{Fields, InvoiceDocument, StatedId, Syntax};
pub use report::{Report, RuleHit, Verdict, check};
