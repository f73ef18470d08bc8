//! Tests of the whole.

mod corpus;
