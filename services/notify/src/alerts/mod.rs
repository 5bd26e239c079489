//! From validated and withdrawn reports and waivers to alerts.
//!
//! [`group`] puts a report's findings together by cause, [`state`] compares them with what was open,
//! [`waivers`] holds back what people let stand. Nothing here talks to people; that is [`crate::delivery`].

pub mod group;
mod handler;
pub mod state;
pub mod waivers;

pub use handler::{Alerter, report_key};
