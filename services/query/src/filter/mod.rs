//! Filters: `field op value` joined by `AND`, a small part of AIP-160. Anything else is an error with its position.
//!
//! [`syntax`] parses text into terms, [`fields`] lists the fields and their types, [`comparing`] compares values in memory.

pub mod comparing;
pub mod fields;
pub mod syntax;
