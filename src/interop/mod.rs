//! Documents of the outside world: invoices in UBL and CII.
