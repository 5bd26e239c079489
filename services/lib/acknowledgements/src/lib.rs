//! Acknowledgements of alerts: a person states that somebody takes care of an alert.
//!
//! An acknowledgement ends nothing, unlike a waiver. It applies until the alert is resolved. [`record`] keeps
//! acknowledgements in the stream of alerts, which is their only record: query and ingest write it, query shows it, and
//! notify can ask it whether somebody takes care. [`link`] makes and checks the
//! signed links with which a notice is answered.

pub mod link;
pub mod record;

pub use record::{Acknowledgements, Recorded, raised_at};
