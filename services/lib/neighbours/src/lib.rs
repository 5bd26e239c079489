//! The records of reports that others are compared with, and the neighbours of a report that they give.
//!
//! Validate writes the records as reports arrive; ingest reads them for documents that are not published yet. [`record`] has an
//! agency's reports, [`shared_records`] what it has in common with parent and siblings, and [`relatives`] reads both into what
//! rules see. How they are kept true in every order of arrival is in validate's DESIGN.md.

#![warn(missing_docs)]

pub mod cells;
pub mod record;
pub mod relatives;
pub mod shared_entry;
pub mod shared_records;

pub use relatives::{Compared, Relatives};
pub use shared_records::SharedRecords;
