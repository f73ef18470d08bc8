//! Operations on offers. Under visible bidding a lender makes one; under sealed bidding it commits to one before
//! the close and reveals it after.

pub mod accept;
mod bidder;
pub mod commit;
pub mod make;
pub mod reveal;
mod terms;
pub mod withdraw;
