//! The statutory forms as data, and the matcher from blocks to a report.
//!
//! Read [`form`] first: it is what the decrees print. [`load`] makes forms of TOML.

#![warn(missing_docs)]

mod answers;
mod citation;
mod columns;
mod contact;
mod disputes;
pub mod form;
mod header;
mod identity;
mod index;
mod label;
mod label_match;
mod links;
pub mod load;
mod look_alike;
mod marks;
mod matcher;
mod outline;
mod period;
mod proactive;
mod publication;
mod report;
mod requests;
mod residue;
mod rows;
mod runs;
mod squeezed;
mod strays;
mod stretches;
mod title;
mod titles;
mod value;
mod versions;
mod vocabulary;

pub use form::{Form, FormCell, RowKind, Unit};
pub use load::{FormError, Forms};
pub use report::{Known, read_report, read_report_of};
pub use versions::versions;
