//! From validated and withdrawn reports to alerts.
//!
//! [`group`] puts a report's findings together by cause, [`state`] compares them with what was open, [`place`] finds
//! the reports a withdrawal means. Nothing here talks to people; that is [`crate::delivery`].

pub mod group;
mod handler;
pub mod place;
pub mod state;

pub use handler::{Alerter, ReportEvent};
