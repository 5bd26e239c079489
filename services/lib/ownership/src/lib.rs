//! Who owns an address or a report, and what a site may act for.
//!
//! [`address`] decides whether two texts are the same address. [`owners`] keeps, in the broker, which site an address
//! or a report belongs to: the one that first published it. [`limits`] are the agencies and regions that the
//! configuration gives a site. Ingest checks before it accepts, with the sender's metadata; parse checks again, with
//! the content of the document.

pub mod address;
pub mod limits;
pub mod owners;

pub use address::Address;
pub use limits::SiteLimits;
pub use owners::{Owners, Thing};
