//! Whose an address or a report is, and what a site may act for.
//!
//! [`address`] tells whether two texts are the same address. [`owners`] keeps, in the broker, which site an address or a
//! report belongs to: the one that first published it. [`limits`] are the agencies and regions that the configuration gives a
//! site. Ingest asks before it accepts, with what the sender says; parse asks again, with what the document says.

pub mod address;
pub mod limits;
pub mod owners;

pub use address::Address;
pub use limits::Limits;
pub use owners::{Owners, Thing};
