//! The life of a report: which revision is current, and whether it is withdrawn.
//!
//! Ingest, validate, notify and the read model each keep their own record of a report. They agree because all of them
//! use this crate and because the record is a set of facts. [`record`] adds facts to a [`History`]; neither their
//! order nor repetition matters. [`revision`] derives the current revision from a history. [`address`] finds the
//! reports that a withdrawal applies to, and [`key`] the report that a document belongs to.
//!
//! - A message takes effect at its sender's time ([`effective_at`]), but no later than its arrival, and on arrival if
//!   the sender gives no time. It ranks by that time, then by its sequence in the log.
//! - Each distinct content is a revision. Its rank is the highest rank among its arrivals, so content that is
//!   published again after another (A, B, A) becomes current again.
//! - A withdrawal takes down the arrivals of lower rank, either at one URL or of the whole report. A report is
//!   withdrawn if every arrival of its current revision is taken down. Publishing the content again later makes it
//!   current again.
//! - An erasure ends a content permanently: its arrivals, before or after, count as if they had never happened.
//! - An arrival belongs to the report that it was last read as. Read again as another report, it leaves the first; read as
//!   the first once more, it comes back.
//!
//! Every function is pure: this crate uses no store, no network and no clock.

#![warn(missing_docs)]

pub mod address;
pub mod key;
pub mod record;
pub mod revision;

pub use address::{concerned, record_report, record_url_withdrawal};
pub use gongkai_model::{Arrival, History, Rank, TakenDown, UrlIndex, Withdrawal, effective_at};
pub use record::{record_arrival, record_departure, record_erasure, record_withdrawal};
pub use revision::{Revision, arrivals, current, is_taken_down, revisions};
