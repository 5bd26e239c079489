//! Filters: `field op value` joined by `AND`. A small part of AIP-160, refused with a position where it ends.
//!
//! [`syntax`] cuts text into terms, [`fields`] knows which fields there are and what they take.

pub mod fields;
pub mod syntax;
