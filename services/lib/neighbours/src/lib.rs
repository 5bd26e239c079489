//! The stored records with which reports are compared, and the neighbours of a report that are read from them.
//!
//! Validate writes the records as reports arrive; ingest reads them for documents that are not published yet.
//! [`record`] has an agency's reports, [`shared_records`] the records that it shares with the parent and the siblings,
//! [`notices`] writes these, and [`relatives`] reads both and returns the neighbours for the rules. Validate's DESIGN.md explains why they are
//! right in every order of arrival.

#![warn(missing_docs)]

pub mod cells;
pub mod notices;
pub mod record;
pub mod relatives;
pub mod shared_entry;
pub mod shared_records;

pub use relatives::{Compared, Relatives};
pub use shared_records::SharedRecords;
