//! What a party is and what its keys may do.

use crate::domain::wire::words;

words! {
    /// The size class of a party (SME payment regulation, art 3).
    pub enum Size {
        /// A micro enterprise.
        Micro = "micro",
        /// A small enterprise.
        Small = "small",
        /// A medium enterprise.
        Medium = "medium",
        /// A large enterprise.
        Large = "large",
        /// A state organ or public institution.
        PublicBody = "public_body",
    }
}

impl Size {
    /// Whether the regulation protects this party's claims.
    pub const fn is_sme(self) -> bool {
        matches!(self, Size::Micro | Size::Small | Size::Medium)
    }
}

words! {
    /// What a party does on the ledger; it may have several roles.
    pub enum Role {
        /// Runs the ledger and admits parties; cannot act for anybody.
        Operator = "operator",
        /// Sells, and is owed money.
        Supplier = "supplier",
        /// Owes and confirms.
        Debtor = "debtor",
        /// Bank, factor or fund that finances.
        Lender = "lender",
        /// Guarantee company or insurer.
        Guarantor = "guarantor",
        /// Services parties' accounts and attests that money moved on them.
        Bank = "bank",
        /// Attests, audits or orders, by its scopes; cannot move fens.
        Authority = "authority",
        /// Owns catalogues and data sets in the directory.
        Department = "department",
    }
}

words! {
    /// What an authority is for.
    pub enum Scope {
        /// Attests invoices (tax).
        Attest = "attest",
        /// Reads all.
        Audit = "audit",
        /// Orders holds.
        Court = "court",
    }
}

words! {
    /// What a key may sign.
    pub enum Power {
        /// Keys, policies and accounts.
        Admin = "admin",
        /// Proposes.
        Maker = "maker",
        /// Approves what a maker proposes.
        Checker = "checker",
        /// Signs nothing but seals (operator).
        Seal = "seal",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_snake_case_and_only_words_are_read() {
        assert_eq!(
            serde_json::to_string(&Size::PublicBody).unwrap(),
            r#""public_body""#
        );
        assert_eq!(
            serde_json::from_str::<Role>(r#""lender""#).unwrap(),
            Role::Lender
        );
        assert!(serde_json::from_str::<Role>(r#""Lender""#).is_err());
        assert!(serde_json::from_str::<Role>(r#"{"lender":null}"#).is_err());
        let error = "auditor".parse::<Scope>().unwrap_err().to_string();
        assert_eq!(error, "`auditor` is none of: attest, audit, court");
    }

    #[test]
    fn every_word_is_read_as_it_is_written() {
        assert!(
            Size::ALL
                .iter()
                .all(|word| word.as_str().parse() == Ok(*word))
        );
        assert!(
            Role::ALL
                .iter()
                .all(|word| word.as_str().parse() == Ok(*word))
        );
        assert!(
            Scope::ALL
                .iter()
                .all(|word| word.as_str().parse() == Ok(*word))
        );
        assert!(
            Power::ALL
                .iter()
                .all(|word| word.as_str().parse() == Ok(*word))
        );
    }
}
