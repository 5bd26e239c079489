//! The statutory forms as data, and the matcher from blocks to a report.
//!
//! Read [`form`] first: it describes the forms as the decrees print them. [`load`] reads forms from TOML.

#![warn(missing_docs)]

mod band_names;
mod band_rows;
mod body_name;
mod cell_assignment;
mod chapter_ranges;
mod chapter_titles;
mod citation;
mod column_numbers;
mod column_sums;
mod columns;
mod compact_text;
mod contact;
mod decoration;
mod displaced_cells;
mod dispute_names;
mod dispute_tables;
mod disputes;
mod enumerator;
mod evidence;
mod explanation;
mod footnote_marks;
pub mod form;
mod formulas;
mod glued_rows;
mod header;
mod hints;
mod identity;
mod index;
mod label;
mod label_match;
mod links;
pub mod load;
mod look_alike;
mod marks;
mod matcher;
mod mentions;
mod merged_down;
mod out_of_step;
mod outline;
mod percentages;
mod period;
mod proactive;
mod publication;
mod read_cell;
mod report;
mod request_headings;
mod request_sums;
mod requests;
mod residue;
mod rows;
mod single_row_other;
mod stated_units;
mod subtotals;
mod title;
mod torn_labels;
mod torn_rows;
mod unit_column;
mod unlabelled_rows;
mod unread_layout;
mod value;
mod versions;
mod vocabulary;
mod year;
mod year_rows;
mod years;

pub use explanation::explain;
pub use form::{Form, FormCell, RowKind, Unit};
pub use hints::ReportHints;
pub use load::{FormError, Forms};
pub use report::{read_report, read_report_of};
pub use title::{NamedInTitle, named_in_title};
pub use versions::versions;
