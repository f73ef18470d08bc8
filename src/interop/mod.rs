//! Documents of the outside world: invoices and credit notes in UBL and CII.
//!
//! [`check`] is the whole of it: bytes in, a verdict with the rules that were broken and the fields as written out.
//! The order is from cheap to dear, so that hostile input never reaches an expensive parser:
//!
//! 1. [`intake`]: size, encoding, a scan that refuses a DTD, depth and numbers of elements; then one XML tree.
//! 2. [`ubl`] or [`cii`]: the fields, as written.
//! 3. [`checks`]: what the official rules let through (dates, numbers, currencies, line ids, account digits).
//! 4. [`cen`]: rules of the official syntax binding, judged on the tree.
//! 5. the rules of EN 16931 on its model, by the `en16931` library.

pub mod cen;
pub mod checks;
pub mod cii;
pub mod facts;
pub mod intake;
pub mod invoice;
pub mod report;
pub mod scan;
pub mod ubl;
mod xml;

pub use facts::{DocumentKind, IssueFacts, NotIssuable};
pub use invoice::{Fields, InvoiceDocument, PartyId, Syntax};
pub use report::{Report, RuleHit, Verdict, check};
