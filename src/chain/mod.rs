//! Bytes and hashes: what an entry is made of and how it is signed. Knows no domain.
