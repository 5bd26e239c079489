//! The statutory forms as data, and the matcher from blocks to a report.
//!
//! Read [`form`] first: it is what the decrees print. [`load`] makes forms of TOML.

pub mod form;
pub mod load;

pub use form::{Form, FormCell, RowKind, Unit};
pub use load::{FormError, Forms, VERSION};
