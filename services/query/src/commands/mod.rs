//! What changes something. A decision is an event of the log like any other: it is published here and stored by the projector,
//! so every replica comes to know it within moments and a rebuilt read model has it again. Nothing else in query publishes.

mod expiry;
mod log;
mod waiving;

pub use expiry::expire;
pub use log::Log;
pub use waiving::Waiving;
