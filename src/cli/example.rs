//! The example of an operation's body: the one that its section in OPERATIONS.md has.

const DOCUMENT: &str = include_str!("../../contracts/OPERATIONS.md");

/// A body of the operation to be filled in, as JSON; none of an operation that there is not.
pub(super) fn example(operation: &str) -> Option<&'static str> {
    let heading = format!("\n### `{operation}`");
    let (_, section) = DOCUMENT.split_once(&heading)?;
    let section = section.split("\n### ").next()?;
    let (_, block) = section.split_once("```json\n")?;
    block.split_once("\n```").map(|(body, _)| body)
}

#[cfg(test)]
mod tests {
    use serde_json::value::RawValue;

    use super::example;
    use crate::domain::registry::REGISTRY;

    #[test]
    fn every_operation_has_an_example_that_it_can_read() {
        for operation in REGISTRY {
            let body = example(operation.name).unwrap_or_else(|| panic!("{}", operation.name));
            let body: Box<RawValue> = serde_json::from_str(body).expect("JSON");
            let read = (operation.decode)(&body);
            assert!(read.is_ok(), "{}: {:?}", operation.name, read.err());
        }
    }

    #[test]
    fn what_is_no_operation_has_no_example() {
        assert_eq!(example("contract"), None);
        assert_eq!(example("contract.nothing"), None);
    }
}
