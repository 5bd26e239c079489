//! Requests that make a decision, such as a waiver. A decision is an event of the log like any other: it is published
//! here and stored by the projector, so every replica has it within moments and a rebuilt read model contains it.
//! Nothing else in query publishes.

mod expiry;
mod log;
mod moving;
mod refiling;
mod rejections;
mod rereading;
mod waiving;

pub use expiry::expire;
pub use log::Log;
pub use moving::move_waivers;
pub use refiling::Refiling;
pub use rejections::LateRejections;
pub use waiving::WaiverCommands;
