//! The fields of the ledger's operations that a document fills.

use serde_json::{Map, Value, json};

use super::facts::{DocumentKind, IssueFacts};

impl IssueFacts {
    /// What the document says of the body of `invoice.issue`, or of `invoice.credit` where it is a credit note. The
    /// objects on the ledger (contract, deliveries, the invoice credited) are for the caller to name.
    #[must_use]
    pub fn body(&self) -> Value {
        if self.kind == DocumentKind::CreditNote {
            return json!({"number": self.number, "amount": self.gross, "document": self.document});
        }
        let mut body = Map::new();
        let mut put = |name: &str, value: Value| body.insert(name.to_owned(), value);
        put("number", json!(self.number));
        put("type_code", json!(self.kind.code()));
        put("issued", json!(self.issued));
        put("currency", json!(self.currency));
        put("net", json!(self.net));
        put("tax", json!(self.tax));
        put("gross", json!(self.gross));
        // What is not there is absent on the wire.
        if self.prepaid.units() != 0 {
            put("prepaid", json!(self.prepaid));
        }
        if self.rounding.units() != 0 {
            put("rounding", json!(self.rounding));
        }
        put("document", json!(self.document));
        Value::Object(body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_invoice_fills_invoice_issue_and_a_credit_note_invoice_credit() {
        let read = |bytes: &[u8]| {
            crate::interop::check(bytes)
                .document
                .expect("reads")
                .facts()
                .expect("has facts")
                .body()
        };
        let invoice = read(include_bytes!("../../fixtures/invoices/supplier-1.xml"));
        assert_eq!(
            (&invoice["gross"], &invoice["type_code"]),
            (&json!("600000.00"), &json!(380))
        );
        assert_eq!(invoice.get("prepaid"), None);
        let credit = read(include_bytes!(
            "../../fixtures/invoices/supplier-credit-1.xml"
        ));
        assert_eq!(credit["amount"], json!("10000.00"));
    }
}
