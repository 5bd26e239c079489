//! Derives alerts from validated reports, withdrawn reports and waivers.
//!
//! [`group`] groups the findings of a report by cause. [`waivers`] removes those that are waived. [`state`] compares
//! the rest with the open alerts. [`rebuild`] restores the records when they are lost, and [`open`] counts the open alerts. [`crate::delivery`] delivers
//! the result.

pub mod group;
mod handler;
pub mod open;
mod rebuild;
pub mod state;
pub mod waivers;

pub use handler::{Alerter, Follower, report_key};
pub use rebuild::{KINDS, Rebuilder};
