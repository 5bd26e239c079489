//! Requests that make a decision, such as a waiver. A decision is an event of the log like any other: it is published
//! here and stored by the projector, so every replica has it within moments and a rebuilt read model contains it. Messages
//! that operators have handled again are published here too. Nothing else in query publishes.

mod acknowledging;
mod expiry;
mod log;
mod moving;
mod pace;
mod refiling;
mod rejections;
mod reprocessing;
mod rereading;
mod settling;
mod text;
mod waiving;

pub use acknowledging::AcknowledgementCommands;
pub use expiry::expire;
pub use log::Log;
pub use moving::move_waivers;
pub use refiling::Refiling;
pub use rejections::LateRejections;
pub use reprocessing::{Reprocessing, ReprocessingOrder};
pub use settling::DeadLetterCommands;
pub use waiving::WaiverCommands;
