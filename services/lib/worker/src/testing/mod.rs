//! What tests of this workspace need to run against a broker: a throw-away real server, and the cases that every
//! transport must pass.
//!
//! Behind the feature `testing`; nothing here is part of a program.

pub mod nats_server;
pub mod transport_suite;

pub use nats_server::NatsServer;
