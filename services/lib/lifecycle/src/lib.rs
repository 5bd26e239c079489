//! The life of a report: what arrived, what was withdrawn, and therefore what stands.
//!
//! Ingest, validate, notify and the read model each keep their own record of a report. They agree because each of them
//! asks this crate, and because what they keep is a set: [`record`] joins facts to a [`History`] so that neither order nor
//! repetition matters, [`revision`] derives what stands from it. [`address`] says which reports a withdrawal concerns,
//! [`key`] whose report something is.
//!
//! - A distinct content is a revision. It ranks with the highest of its arrivals, so content that comes back after
//!   another (A, B, A) stands again.
//! - A withdrawal takes down the arrivals that rank below it, by address or by report. A report is withdrawn once all
//!   arrivals of its highest revision are; content that is published again later stands again.
//!
//! Nothing here reads a store, a socket or a clock.

#![warn(missing_docs)]

pub mod address;
pub mod key;
pub mod record;
pub mod revision;

pub use address::{concerned, record_report, record_url_withdrawal};
pub use gongkai_model::{Arrival, History, Rank, TakenDown, UrlIndex, Withdrawal};
pub use record::{record_arrival, record_withdrawal};
pub use revision::{Revision, current, is_taken_down, revisions};
