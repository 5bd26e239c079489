//! The message runtime every stage runs in: take a message, call a function, publish, acknowledge.

pub mod handler;
pub mod service;
pub mod transport;

pub use handler::{Context, Decision, Handler, Input, Output};
pub use service::{Runtime, Service};
pub use transport::{Message, Topology, Transport};
