//! Where entries are kept: segment files of record, and sled for what can be rebuilt.
