//! From validated and withdrawn reports and waivers to alerts.
//!
//! [`group`] puts a report's findings together by cause, [`state`] compares them with what was open, [`place`] finds
//! the reports a withdrawal means, [`waivers`] holds back what people let stand. Nothing here talks to people; that is [`crate::delivery`].

pub mod group;
mod handler;
pub mod place;
pub mod state;
pub mod waivers;

pub use handler::Alerter;
